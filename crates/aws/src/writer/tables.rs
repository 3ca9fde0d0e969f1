//! Writes to DynamoDB: tables, never items.
//!
//! A table's name is its identity, so that a create whose answer was lost is looked
//! after: what is there, has our tags and the key we asked for is what we made.

use crate::connect::Cloud;
use crate::error::{Call, gone};
use crate::reader::tables::{describe, key, tags, unless_not_served};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType as Role,
    PointInTimeRecoverySpecification, ScalarAttributeType, TableStatus, Tag,
    TimeToLiveSpecification,
};
use deployer_core::desired::DesiredTable;
use deployer_core::names::TableName;
use deployer_core::plan::Action;
use deployer_core::table::TableKey;
use deployer_core::tags::{Ownership, Tags, ownership_of};
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::{CloudError, CloudErrorKind};

const NOBODYS_ACCOUNT: &str = "000000000000";
/// A table is there, or something is being done to it.
const IN_USE: &str = "ResourceInUseException";

pub(super) async fn perform(
    cloud: &Cloud,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let dynamodb = &cloud.dynamodb;
    match action {
        Action::CreateTable { name, table } => create(cloud, name, table, context).await?,
        Action::UpdateTable { name } => {
            let call = Call::new("dynamodb", action.operation(), name.as_str());
            let request = dynamodb.update_table().table_name(name.as_str());
            let request = request.billing_mode(BillingMode::PayPerRequest);
            request.send().await.map_err(|error| call.error(error))?;
        }
        Action::UpdateTimeToLive {
            name,
            attribute,
            enabled,
        } => update_time_to_live(dynamodb, name, attribute, *enabled).await?,
        Action::UpdateContinuousBackups {
            name,
            point_in_time_recovery,
        } => {
            let call = Call::new("dynamodb", action.operation(), name.as_str());
            let wanted = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(*point_in_time_recovery)
                .build();
            let wanted = wanted.map_err(|error| unbuilt(call, &error))?;
            let request = dynamodb.update_continuous_backups();
            let request = request.table_name(name.as_str());
            let answer = request.point_in_time_recovery_specification(wanted).send();
            unless_not_served(answer.await.map_err(|error| call.error(error)))?;
        }
        Action::DeleteTable { name } => delete(dynamodb, name).await?,
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}

/// DynamoDB's own form of tags.
pub(super) fn of_dynamodb(call: Call<'_>, tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let tags: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    tags.map_err(|error| unbuilt(call, &error))
}

fn unbuilt(call: Call<'_>, error: &BuildError) -> CloudError {
    call.incomplete(&error.to_string())
}

async fn create(
    cloud: &Cloud,
    name: &TableName,
    table: &DesiredTable,
    context: &WriteContext<'_>,
) -> Result<(), CloudError> {
    let call = Call::new("dynamodb", "CreateTable", name.as_str());
    let (schema, attributes) = form(&table.key).map_err(|error| unbuilt(call, &error))?;
    let request = cloud
        .dynamodb
        .create_table()
        .table_name(name.as_str())
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema))
        .set_attribute_definitions(Some(attributes))
        .set_tags(Some(of_dynamodb(call, &table.tags)?));
    match request.send().await.map_err(|error| call.error(error)) {
        Ok(output) => {
            let arn = output.table_description.and_then(|it| it.table_arn);
            if let Some(arn) = arn.filter(|arn| is_emulated(arn)) {
                keep_tags(&cloud.dynamodb, name, &arn, &table.tags).await?;
            }
            Ok(())
        }
        Err(error) if error.is(IN_USE) => is_what_we_made(cloud, name, table, context, error).await,
        Err(error) => Err(error),
    }
}

type Form = (Vec<KeySchemaElement>, Vec<AttributeDefinition>);

fn form(key: &TableKey) -> Result<Form, BuildError> {
    let roles = [Role::Hash, Role::Range];
    let mut form = Form::default();
    for (attribute, role) in key.attributes().zip(roles) {
        let element = KeySchemaElement::builder().attribute_name(&attribute.name);
        form.0.push(element.key_type(role).build()?);
        let definition = AttributeDefinition::builder().attribute_name(&attribute.name);
        let kind = ScalarAttributeType::from(attribute.kind.as_str());
        form.1.push(definition.attribute_type(kind).build()?);
    }
    Ok(form)
}

/// Whether the table is an emulated one's: emulators use an account that AWS gives nobody.
/// On AWS a table's tags can't be read or written in the moment after it was made.
fn is_emulated(arn: &str) -> bool {
    arn.split(':').nth(4) == Some(NOBODYS_ACCOUNT)
}

/// dynalite takes the tags of a new table and forgets them.
async fn keep_tags(
    dynamodb: &Client,
    name: &TableName,
    arn: &str,
    wanted: &Tags,
) -> Result<(), CloudError> {
    if tags(dynamodb, name, arn).await? == *wanted {
        return Ok(());
    }
    let call = Call::new("dynamodb", "TagResource", name.as_str());
    let request = dynamodb.tag_resource().resource_arn(arn);
    let request = request.set_tags(Some(of_dynamodb(call, wanted)?));
    request.send().await.map_err(|error| call.error(error))?;
    Ok(())
}

/// The plan saw no table, and now there is one: the answer to a former create was lost,
/// another `up` that was taken over made it, or it is still being deleted (then the error
/// passes).
async fn is_what_we_made(
    cloud: &Cloud,
    name: &TableName,
    table: &DesiredTable,
    context: &WriteContext<'_>,
    error: CloudError,
) -> Result<(), CloudError> {
    let found = describe(&cloud.dynamodb, name).await?;
    if found.table_status() == Some(&TableStatus::Deleting) {
        return Err(error);
    }
    let arn = found.table_arn().unwrap_or_default();
    let its = tags(&cloud.dynamodb, name, arn).await?;
    let ours = ownership_of(&its, &context.names.identity) == Ownership::Ours;
    if ours && key(&found).as_ref() == Some(&table.key) {
        return Ok(());
    }
    Err(CloudError {
        code: None,
        kind: CloudErrorKind::Refused,
        message: "a table of this name was made by somebody else meanwhile: run the command again, which says what to do".to_owned(),
        ..error
    })
}

async fn update_time_to_live(
    dynamodb: &Client,
    name: &TableName,
    attribute: &str,
    enabled: bool,
) -> Result<(), CloudError> {
    let call = Call::new("dynamodb", "UpdateTimeToLive", name.as_str());
    let wanted = TimeToLiveSpecification::builder()
        .attribute_name(attribute)
        .enabled(enabled)
        .build();
    let wanted = wanted.map_err(|error| unbuilt(call, &error))?;
    let request = dynamodb.update_time_to_live().table_name(name.as_str());
    let answer = request.time_to_live_specification(wanted).send().await;
    match unless_not_served(answer.map_err(|error| call.error(error))) {
        Ok(_) => Ok(()),
        // A former attempt's answer was lost.
        Err(error) if error.is("ValidationException") && error.message.contains("is already") => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What is being deleted already is.
async fn delete(dynamodb: &Client, name: &TableName) -> Result<(), CloudError> {
    let call = Call::new("dynamodb", "DeleteTable", name.as_str());
    let request = dynamodb.delete_table().table_name(name.as_str());
    match gone(request.send().await.map_err(|error| call.error(error))) {
        Err(error) if error.is(IN_USE) => match describe(dynamodb, name).await {
            Ok(found) if found.table_status() == Some(&TableStatus::Deleting) => Ok(()),
            Ok(_) => Err(error),
            Err(read) => gone::<()>(Err(read)),
        },
        other => other,
    }
}
