//! The ownership tags on what is taken over. Tags of others stay.

use crate::connect::Cloud;
use crate::error::Call;
use aws_sdk_iam::types::Tag;
use deployer_core::plan::{Action, Adopted};
use deployer_core::tags::Tags;
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;
use std::collections::HashMap;

pub(super) async fn perform(
    cloud: &Cloud,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let Action::Adopt { resource, tags } = action else {
        unreachable!("the writer sends each action to its service");
    };
    let (_, name) = action.resource();
    let call = |service| Call::new(service, action.operation(), &name);
    let account = context.account;
    let map: HashMap<String, String> = tags.clone().into_iter().collect();
    match resource {
        Adopted::Role { role } => {
            let call = call("iam");
            let request = cloud.iam.tag_role().role_name(role.as_str());
            let tagged = request.set_tags(Some(list(call, tags)?)).send().await;
            tagged.map_err(|error| call.error(error))?;
        }
        Adopted::Function { name } => {
            let call = call("lambda");
            let arn = account.function_arn(name);
            let request = cloud.lambda.tag_resource().resource(arn);
            let tagged = request.set_tags(Some(map)).send().await;
            tagged.map_err(|error| call.error(error))?;
        }
        Adopted::LogGroup { log_group } => {
            let call = call("logs");
            let arn = account.log_group_arn(log_group);
            let request = cloud.logs.tag_resource().resource_arn(arn);
            let tagged = request.set_tags(Some(map)).send().await;
            tagged.map_err(|error| call.error(error))?;
        }
        Adopted::Api { api_id, .. } => {
            let call = call("apigateway");
            let arn = account.api_arn(api_id);
            let request = cloud.apigateway.tag_resource().resource_arn(arn);
            let tagged = request.set_tags(Some(map)).send().await;
            tagged.map_err(|error| call.error(error))?;
        }
    }
    Ok(Produced::Nothing)
}

fn list(call: Call<'_>, tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let list: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
    list.map_err(|_| call.incomplete("tag key"))
}
