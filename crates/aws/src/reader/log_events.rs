//! Log events of a group.

use crate::connect::Cloud;
use crate::error::{Call, found};
use deployer_core::names::LogGroupName;
use deployer_core::operations::Operation;
use deployer_engine::error::CloudError;
use deployer_engine::logs::{LogEvent, LogPage, LogReader};

impl LogReader for Cloud {
    async fn log_page(
        &self,
        log_group: &LogGroupName,
        from_ms: i64,
        token: Option<String>,
    ) -> Result<LogPage, CloudError> {
        self.filtered(log_group, None, from_ms, token).await
    }
}

impl Cloud {
    /// Events of a group in which a pattern is found, if there is one.
    pub(crate) async fn filtered(
        &self,
        log_group: &LogGroupName,
        pattern: Option<&str>,
        from_ms: i64,
        token: Option<String>,
    ) -> Result<LogPage, CloudError> {
        let call = Call::new(Operation::FilterLogEvents, log_group.as_str());
        let answer = self
            .logs
            .filter_log_events()
            .log_group_name(log_group.as_str())
            .start_time(from_ms)
            .set_filter_pattern(pattern.map(str::to_owned))
            .set_next_token(token)
            .send()
            .await;
        let Some(output) = found(answer.map_err(|error| call.error(error)))? else {
            return Ok(LogPage::default());
        };
        let events = output.events.into_iter().flatten();
        let event = |event: aws_sdk_cloudwatchlogs::types::FilteredLogEvent| LogEvent {
            event_id: event.event_id.unwrap_or_default(),
            log_group: log_group.clone(),
            log_stream: event.log_stream_name.unwrap_or_default(),
            timestamp_ms: event.timestamp.unwrap_or_default(),
            ingested_ms: event.ingestion_time.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        };
        Ok(LogPage {
            events: events.map(event).collect(),
            next_token: output.next_token,
        })
    }
}
