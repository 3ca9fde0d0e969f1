//! Log events of several groups as one sequence in time order, and what comes later.
//!
//! Deliberately absent: which groups, and how events look.

mod follow;
mod merge;

pub use follow::Followed;
pub use merge::in_order;

use crate::error::CloudError;
use deployer_core::names::LogGroupName;

/// A log event, as CloudWatch has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its id, which no other event has.
    pub event_id: String,
    /// Its group.
    pub log_group: LogGroupName,
    /// Its stream.
    pub log_stream: String,
    /// When it was logged, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// When CloudWatch had it, in milliseconds since 1970.
    pub ingested_ms: i64,
    /// What was logged.
    pub message: String,
}

/// Some events, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The events; perhaps none, although there are more.
    pub events: Vec<LogEvent>,
    /// Leads to the next page; `None`: this is the last.
    pub next_token: Option<String>,
}

/// Where events are read from.
pub trait LogReader: Send + Sync {
    /// Events of a group from a time on (milliseconds since 1970), oldest first. A group that
    /// isn't there has none.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn log_page(
        &self,
        log_group: &LogGroupName,
        from_ms: i64,
        token: Option<String>,
    ) -> impl Future<Output = Result<LogPage, CloudError>> + Send;
}
