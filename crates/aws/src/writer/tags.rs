//! Tags of what is there: every service has calls of its own. Also the ownership
//! tags on what is taken over; tags of others stay.

use super::tables::of_dynamodb;
use crate::connect::Cloud;
use crate::error::Call;
use aws_sdk_iam::types::Tag;
use deployer_core::names::{FunctionName, LogGroupName, RoleName};
use deployer_core::operations::Operation;
use deployer_core::plan::{Action, Adopted, Taggable};
use deployer_core::tags::Tags;
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;

pub(super) async fn perform(
    cloud: &Cloud,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let (_, name) = action.resource();
    let target = |to| Tagging {
        cloud,
        context,
        operation: action.call(),
        name: &name,
        to,
    };
    match action {
        Action::Adopt { resource, tags } => target(adopted(resource, context)).add(tags).await?,
        Action::Tag { resource, tags } => {
            let to = taggable(resource, context, action.call(), &name)?;
            target(to).add(tags).await?;
        }
        Action::Untag { resource, keys } => {
            let to = taggable(resource, context, action.call(), &name)?;
            target(to).remove(keys).await?;
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}

/// IAM's own form of tags.
pub(super) fn of_iam(call: Call<'_>, tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let tags: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    tags.map_err(|_| call.incomplete("tag key"))
}

/// What carries the tags, by what its service knows it by.
enum Target<'a> {
    Role(&'a RoleName),
    Function(&'a FunctionName),
    LogGroup(&'a LogGroupName),
    /// By its ARN.
    Table(&'a str),
    /// An API or an API stage, by its ARN.
    Gateway(String),
}

fn adopted<'a>(resource: &'a Adopted, context: &WriteContext<'_>) -> Target<'a> {
    match resource {
        Adopted::Role { role } => Target::Role(role),
        Adopted::Function { name } => Target::Function(name),
        Adopted::LogGroup { log_group } => Target::LogGroup(log_group),
        Adopted::Api { api_id, .. } => Target::Gateway(context.account.api_arn(api_id)),
        Adopted::Table { arn, .. } => Target::Table(arn),
    }
}

fn taggable<'a>(
    resource: &'a Taggable,
    context: &WriteContext<'_>,
    operation: Operation,
    name: &str,
) -> Result<Target<'a>, CloudError> {
    let api_arn = || {
        let api_id = context.bindings.api_id.as_ref();
        let api_id =
            api_id.ok_or_else(|| Call::new(operation, name).incomplete("id of the API"))?;
        Ok(context.account.api_arn(api_id))
    };
    Ok(match resource {
        Taggable::Api => Target::Gateway(api_arn()?),
        Taggable::Stage(stage) => Target::Gateway(format!("{}/stages/{stage}", api_arn()?)),
        Taggable::Function(function) => Target::Function(function),
        Taggable::LogGroup(log_group) => Target::LogGroup(log_group),
        Taggable::Role(role) => Target::Role(role),
        Taggable::Table { arn, .. } => Target::Table(arn),
    })
}

/// A change of one target's tags.
struct Tagging<'a> {
    cloud: &'a Cloud,
    context: &'a WriteContext<'a>,
    operation: Operation,
    name: &'a str,
    to: Target<'a>,
}

impl Tagging<'_> {
    fn call(&self) -> Call<'_> {
        Call::new(self.operation, self.name)
    }

    async fn add(&self, tags: &Tags) -> Result<(), CloudError> {
        let (cloud, account) = (self.cloud, self.context.account);
        let all = Some(tags.clone().into_iter().collect());
        match &self.to {
            Target::Gateway(arn) => {
                let request = cloud.apigateway.tag_resource().resource_arn(arn);
                let answer = request.set_tags(all).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::Function(function) => {
                let request = cloud.lambda.tag_resource();
                let request = request.resource(account.function_arn(function));
                let answer = request.set_tags(all).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::LogGroup(log_group) => {
                let request = cloud.logs.tag_resource();
                let request = request.resource_arn(account.log_group_arn(log_group));
                let answer = request.set_tags(all).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::Table(arn) => {
                let call = self.call();
                let request = cloud.dynamodb.tag_resource().resource_arn(*arn);
                let request = request.set_tags(Some(of_dynamodb(call, tags)?));
                request.send().await.map_err(|error| call.error(error))?;
            }
            Target::Role(role) => {
                let call = self.call();
                let request = cloud.iam.tag_role().role_name(role.as_str());
                let answer = request.set_tags(Some(of_iam(call, tags)?)).send().await;
                answer.map_err(|error| call.error(error))?;
            }
        }
        Ok(())
    }

    async fn remove(&self, keys: &[String]) -> Result<(), CloudError> {
        let (cloud, account) = (self.cloud, self.context.account);
        let keys = Some(keys.to_vec());
        match &self.to {
            Target::Gateway(arn) => {
                let request = cloud.apigateway.untag_resource().resource_arn(arn);
                let answer = request.set_tag_keys(keys).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::Function(function) => {
                let request = cloud.lambda.untag_resource();
                let request = request.resource(account.function_arn(function));
                let answer = request.set_tag_keys(keys).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::LogGroup(log_group) => {
                let request = cloud.logs.untag_resource();
                let request = request.resource_arn(account.log_group_arn(log_group));
                let answer = request.set_tag_keys(keys).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::Table(arn) => {
                let request = cloud.dynamodb.untag_resource().resource_arn(*arn);
                let answer = request.set_tag_keys(keys).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
            Target::Role(role) => {
                let request = cloud.iam.untag_role().role_name(role.as_str());
                let answer = request.set_tag_keys(keys).send().await;
                answer.map_err(|error| self.call().error(error))?;
            }
        }
        Ok(())
    }
}
