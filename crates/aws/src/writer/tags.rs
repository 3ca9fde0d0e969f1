//! Tags of what is there: every service has calls of its own.

use crate::connect::Cloud;
use crate::error::Call;
use aws_sdk_iam::types::Tag;
use deployer_core::plan::{Action, Taggable};
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;

pub(super) async fn perform(
    cloud: &Cloud,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let (_, name) = action.resource();
    let operation = action.operation();
    let call = |service| Call::new(service, operation, &name);
    let account = context.account;
    match action {
        Action::Tag { resource, tags } => {
            let all = Some(tags.clone().into_iter().collect());
            match resource {
                Taggable::Api | Taggable::Stage(_) => {
                    let request = cloud.apigateway.tag_resource().set_tags(all);
                    let request = request.resource_arn(gateway_arn(resource, context, call)?);
                    let answer = request.send().await;
                    answer.map_err(|error| call("apigateway").error(error))?;
                }
                Taggable::Function(function) => {
                    let request = cloud.lambda.tag_resource().set_tags(all);
                    let request = request.resource(account.function_arn(function));
                    let answer = request.send().await;
                    answer.map_err(|error| call("lambda").error(error))?;
                }
                Taggable::LogGroup(log_group) => {
                    let request = cloud.logs.tag_resource().set_tags(all);
                    let request = request.resource_arn(account.log_group_arn(log_group));
                    let answer = request.send().await;
                    answer.map_err(|error| call("logs").error(error))?;
                }
                Taggable::Role(role) => {
                    let tags: Result<Vec<Tag>, _> = tags
                        .iter()
                        .map(|(key, value)| Tag::builder().key(key).value(value).build())
                        .collect();
                    let tags = tags.map_err(|_| call("iam").incomplete("tag key"))?;
                    let request = cloud.iam.tag_role().role_name(role.as_str());
                    let answer = request.set_tags(Some(tags)).send().await;
                    answer.map_err(|error| call("iam").error(error))?;
                }
            }
        }
        Action::Untag { resource, keys } => {
            let keys = Some(keys.clone());
            match resource {
                Taggable::Api | Taggable::Stage(_) => {
                    let request = cloud.apigateway.untag_resource().set_tag_keys(keys);
                    let request = request.resource_arn(gateway_arn(resource, context, call)?);
                    let answer = request.send().await;
                    answer.map_err(|error| call("apigateway").error(error))?;
                }
                Taggable::Function(function) => {
                    let request = cloud.lambda.untag_resource().set_tag_keys(keys);
                    let request = request.resource(account.function_arn(function));
                    let answer = request.send().await;
                    answer.map_err(|error| call("lambda").error(error))?;
                }
                Taggable::LogGroup(log_group) => {
                    let request = cloud.logs.untag_resource().set_tag_keys(keys);
                    let request = request.resource_arn(account.log_group_arn(log_group));
                    let answer = request.send().await;
                    answer.map_err(|error| call("logs").error(error))?;
                }
                Taggable::Role(role) => {
                    let request = cloud.iam.untag_role().role_name(role.as_str());
                    let answer = request.set_tag_keys(keys).send().await;
                    answer.map_err(|error| call("iam").error(error))?;
                }
            }
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}

/// ARNs of API Gateway have no account.
fn gateway_arn<'a>(
    resource: &Taggable,
    context: &WriteContext<'_>,
    call: impl Fn(&'static str) -> Call<'a>,
) -> Result<String, CloudError> {
    let api_id = context.bindings.api_id.as_ref();
    let api_id = api_id.ok_or_else(|| call("apigateway").incomplete("id of the API"))?;
    let account = context.account;
    let (partition, region) = (&account.partition, &account.region);
    let api = format!("arn:{partition}:apigateway:{region}::/apis/{api_id}");
    Ok(match resource {
        Taggable::Stage(name) => format!("{api}/stages/{name}"),
        _ => api,
    })
}
