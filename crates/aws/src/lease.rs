//! The streams of a stage's leases, in CloudWatch Logs.

use crate::connect::Cloud;
use crate::error::{Call, found, gone};
use deployer_core::lease::STREAM_PREFIX;
use deployer_core::names::LogGroupName;
use deployer_core::operations::Operation;
use deployer_core::tags::Tags;
use deployer_engine::error::CloudError;
use deployer_engine::lease::Journal;
use std::time::Duration;

/// Creating what exists: not an error here.
const EXISTS: &str = "ResourceAlreadyExistsException";

impl Journal for Cloud {
    async fn list_lease_streams(
        &self,
        journal: &LogGroupName,
    ) -> Result<Option<Vec<String>>, CloudError> {
        let streams = crate::reader::streams(&self.logs, journal.as_str(), STREAM_PREFIX).await;
        found(streams)
    }

    async fn ensure_journal(
        &self,
        journal: &LogGroupName,
        tags: &Tags,
    ) -> Result<bool, CloudError> {
        let call = Call::new(Operation::CreateLogGroup, journal.as_str());
        let request = self
            .logs
            .create_log_group()
            .log_group_name(journal.as_str());
        let tags = Some(tags.clone().into_iter().collect());
        let answer = request
            .set_tags(tags)
            .send()
            .await
            .map_err(|error| call.error(error));
        unless_it_exists(answer)
    }

    async fn create_stream(
        &self,
        journal: &LogGroupName,
        stream: &str,
    ) -> Result<bool, CloudError> {
        let call = Call::new(Operation::CreateLogStream, stream);
        let request = self
            .logs
            .create_log_stream()
            .log_group_name(journal.as_str());
        // One attempt: after a lost answer, "it exists" would say that another
        // has the lease, who is ourselves.
        let answer = request
            .log_stream_name(stream)
            .customize()
            .config_override(
                aws_sdk_cloudwatchlogs::config::Config::builder()
                    .retry_config(aws_smithy_types::retry::RetryConfig::disabled()),
            )
            .send()
            .await;
        unless_it_exists(answer.map_err(|error| call.error(error)))
    }

    fn has_unanswered_writes(&self, within: Duration) -> bool {
        self.unanswered.within(within)
    }

    async fn delete_stream(&self, journal: &LogGroupName, stream: &str) -> Result<(), CloudError> {
        let call = Call::new(Operation::DeleteLogStream, stream);
        let request = self
            .logs
            .delete_log_stream()
            .log_group_name(journal.as_str());
        gone(
            request
                .log_stream_name(stream)
                .send()
                .await
                .map_err(|error| call.error(error)),
        )
    }
}

/// Whether it was created; `false`: it existed.
pub(crate) fn unless_it_exists<T>(answer: Result<T, CloudError>) -> Result<bool, CloudError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is(EXISTS) => Ok(false),
        Err(error) => Err(error),
    }
}
