//! DynamoDB tables with their settings and tags.
//!
//! Emulated ones lack some of it: what they say they don't know is read as absent, and
//! the planner leaves it alone.

use crate::error::{Call, found};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    BillingMode, KeyType as Role, PointInTimeRecoveryStatus, TableDescription,
    TableStatus as Status, TimeToLiveStatus,
};
use deployer_core::names::TableName;
use deployer_core::table::{
    KeyAttribute, KeyType, TableKey, TableSettings, TableState, TableStatus,
};
use deployer_core::tags::Tags;
use deployer_engine::cloud::Readiness;
use deployer_engine::error::{CloudError, NOT_SERVED};
use futures_util::future::try_join3;

/// Not from the prefix on: DynamoDB doesn't say in which order it lists.
pub(super) async fn list(dynamodb: &Client, prefix: &str) -> Result<Vec<TableName>, CloudError> {
    let call = Call::new("dynamodb", "ListTables", prefix);
    let names: Result<Vec<String>, _> = dynamodb
        .list_tables()
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let names = names.map_err(|error| call.error(error))?;
    let ours = names.into_iter().filter(|name| name.starts_with(prefix));
    Ok(ours.map(TableName::new).collect())
}

pub(super) async fn find(
    dynamodb: &Client,
    table: &TableName,
) -> Result<Option<TableState>, CloudError> {
    // Gone between two reads: as if it had never been there.
    found(get(dynamodb, table).await)
}

async fn get(dynamodb: &Client, table: &TableName) -> Result<TableState, CloudError> {
    let description = describe(dynamodb, table).await?;
    let call = Call::new("dynamodb", "DescribeTable", table.as_str());
    let arn = description
        .table_arn()
        .ok_or_else(|| call.incomplete("TableArn"))?;
    let (tags, ttl, recovery) = try_join3(
        tags(dynamodb, table, arn),
        time_to_live(dynamodb, table),
        point_in_time_recovery(dynamodb, table),
    )
    .await?;
    let billing = description
        .billing_mode_summary()
        .and_then(|it| it.billing_mode());
    Ok(TableState {
        arn: arn.to_owned(),
        tags,
        key: key(&description),
        on_demand: billing == Some(&BillingMode::PayPerRequest),
        status: status(description.table_status()),
        settings: recovery.map(|point_in_time_recovery| TableSettings {
            ttl,
            point_in_time_recovery,
        }),
    })
}

pub(super) async fn readiness(
    dynamodb: &Client,
    table: &TableName,
) -> Result<Readiness, CloudError> {
    // Reads may lag behind the write that made it.
    let description = found(describe(dynamodb, table).await)?;
    let status = description.as_ref().and_then(|it| it.table_status());
    Ok(match status {
        Some(Status::Active) => Readiness::Ready,
        Some(status @ (Status::Deleting | Status::InaccessibleEncryptionCredentials)) => {
            Readiness::Failed(format!("the table is {}", status.as_str()))
        }
        Some(status) => Readiness::Pending(status.as_str().to_owned()),
        None => Readiness::Pending("not to be seen yet".to_owned()),
    })
}

pub(crate) async fn describe(
    dynamodb: &Client,
    table: &TableName,
) -> Result<TableDescription, CloudError> {
    let call = Call::new("dynamodb", "DescribeTable", table.as_str());
    let request = dynamodb.describe_table().table_name(table.as_str());
    let output = request.send().await.map_err(|error| call.error(error))?;
    output.table.ok_or_else(|| call.incomplete("Table"))
}

fn status(status: Option<&Status>) -> TableStatus {
    match status {
        Some(Status::Active) => TableStatus::Active,
        Some(Status::Deleting) => TableStatus::Deleting,
        other => TableStatus::Other(other.map_or("unknown", Status::as_str).to_owned()),
    }
}

/// `None`: it has other than one or two attributes of the types there are.
pub(crate) fn key(description: &TableDescription) -> Option<TableKey> {
    let attribute = |role: &Role| {
        let mut schema = description.key_schema().iter();
        let name = schema.find(|it| it.key_type() == role)?.attribute_name();
        let mut defined = description.attribute_definitions().iter();
        let kind = defined.find(|it| it.attribute_name() == name)?;
        Some(KeyAttribute {
            name: name.to_owned(),
            kind: KeyType::of(kind.attribute_type().as_str())?,
        })
    };
    let key = TableKey {
        partition: attribute(&Role::Hash)?,
        sort: attribute(&Role::Range),
    };
    (key.attributes().count() == description.key_schema().len()).then_some(key)
}

pub(crate) async fn tags(
    dynamodb: &Client,
    table: &TableName,
    arn: &str,
) -> Result<Tags, CloudError> {
    let call = Call::new("dynamodb", "ListTagsOfResource", table.as_str());
    let mut tags = Tags::new();
    let mut next = None;
    loop {
        let request = dynamodb.list_tags_of_resource().resource_arn(arn);
        let answer = request.set_next_token(next).send().await;
        let page = answer.map_err(|error| call.error(error))?;
        let of_page = page.tags().iter();
        tags.extend(of_page.map(|tag| (tag.key().to_owned(), tag.value().to_owned())));
        next = page.next_token;
        if next.is_none() {
            return Ok(tags);
        }
    }
}

async fn time_to_live(dynamodb: &Client, table: &TableName) -> Result<Option<String>, CloudError> {
    let call = Call::new("dynamodb", "DescribeTimeToLive", table.as_str());
    let request = dynamodb.describe_time_to_live().table_name(table.as_str());
    let answer = request.send().await.map_err(|error| call.error(error));
    let Some(output) = unless_not_served(answer)? else {
        return Ok(None);
    };
    let about = output.time_to_live_description;
    let about = about.filter(|it| {
        matches!(
            it.time_to_live_status(),
            Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
        )
    });
    Ok(about.and_then(|it| it.attribute_name))
}

async fn point_in_time_recovery(
    dynamodb: &Client,
    table: &TableName,
) -> Result<Option<bool>, CloudError> {
    let call = Call::new("dynamodb", "DescribeContinuousBackups", table.as_str());
    let request = dynamodb.describe_continuous_backups();
    let answer = request.table_name(table.as_str()).send().await;
    let answer = unless_not_served(answer.map_err(|error| call.error(error)))?;
    let status = |output: aws_sdk_dynamodb::operation::describe_continuous_backups::DescribeContinuousBackupsOutput| {
        let about = output.continuous_backups_description?;
        let about = about.point_in_time_recovery_description?;
        about.point_in_time_recovery_status
    };
    Ok(answer.map(|output| status(output) == Some(PointInTimeRecoveryStatus::Enabled)))
}

/// What an emulated DynamoDB doesn't have is `None`.
pub(crate) fn unless_not_served<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.is(NOT_SERVED) => Ok(None),
        Err(error) => Err(error),
    }
}
