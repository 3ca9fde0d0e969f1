//! The way to connections, and what became of telling them something.
//!
//! Deliberately absent: how many are told at a time, and when one is tried again: that
//! is [`fan_out`](crate::fan_out).

use serde::Serialize;

/// The most failed connections that a log line names; further ones only count.
pub const FAILURES_NAMED: usize = 20;

/// The way to a connection.
pub trait Post {
    /// Sends one text message to one connection, in one attempt.
    ///
    /// # Errors
    /// [`PostError`] when the message was not accepted for delivery.
    fn post(&self, connection_id: &str, text: &str) -> impl Future<Output = Result<(), PostError>>;
}

/// Why a post failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The connection is closed and will not come back.
    #[error("the connection is gone")]
    Gone,
    /// It reads too slowly, or there are too many posts: later it may work.
    #[error("{0}")]
    Throttled(String),
    /// The gateway failed or was not reached: at once it may work.
    #[error("{0}")]
    Passing(String),
    /// Anything else: the connection may well live.
    #[error("{0}")]
    Other(String),
}

/// One connection and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling<'t> {
    /// The connection's id.
    pub to: &'t str,
    /// The message, exact.
    pub text: &'t str,
}

/// What became of telling some connections something.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// How many connections took the text.
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: usize,
    /// How many were not told in time, or failed: they may live.
    #[serde(skip_serializing_if = "is_zero")]
    pub undelivered: usize,
    /// How many other invocations are to tell.
    #[serde(skip_serializing_if = "is_zero")]
    pub relayed: usize,
    /// How many posts were answered 429.
    #[serde(skip_serializing_if = "is_zero")]
    pub throttled: usize,
    /// Connections that are closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Some that failed, [`FAILURES_NAMED`] at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failure>,
}

impl Delivery {
    /// Counts these in.
    pub fn add(&mut self, more: Self) {
        self.delivered += more.delivered;
        self.undelivered += more.undelivered;
        self.relayed += more.relayed;
        self.throttled += more.throttled;
        self.gone.extend(more.gone);
        let named = FAILURES_NAMED.saturating_sub(self.failed.len());
        self.failed.extend(more.failed.into_iter().take(named));
    }
}

/// A post that failed for another reason than a closed connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Whom the text did not reach.
    pub connection_id: String,
    /// Why, without any of the text.
    pub error: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
