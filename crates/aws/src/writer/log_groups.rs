//! Writes to CloudWatch Logs.

use crate::error::{Call, gone};
use aws_sdk_cloudwatchlogs::Client;
use deployer_core::plan::Action;
use deployer_engine::cloud::Produced;
use deployer_engine::error::CloudError;

pub(super) async fn perform(logs: &Client, action: &Action) -> Result<Produced, CloudError> {
    let operation = action.operation();
    match action {
        Action::CreateLogGroup { log_group, tags } => {
            let call = Call::new("logs", operation, log_group.as_str());
            logs.create_log_group()
                .log_group_name(log_group.as_str())
                .set_tags(Some(tags.clone().into_iter().collect()))
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::PutRetentionPolicy { log_group, days } => {
            let call = Call::new("logs", operation, log_group.as_str());
            logs.put_retention_policy()
                .log_group_name(log_group.as_str())
                .retention_in_days(i32::try_from(*days).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::DeleteLogGroup { log_group } => {
            let call = Call::new("logs", operation, log_group.as_str());
            let answer = logs
                .delete_log_group()
                .log_group_name(log_group.as_str())
                .send()
                .await;
            gone(answer.map_err(|error| call.error(error)))?;
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}
