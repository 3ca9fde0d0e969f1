//! One invocation as a value: what is asked, what came of it, and the texts in
//! which Lambda words a failure. Pure.

use std::process::ExitStatus;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

/// What is asked of a function.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request_id: String,
    pub(crate) invoked_arn: String,
    pub(crate) trace_id: String,
    pub(crate) event: Bytes,
    pub(crate) timeout_seconds: u32,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) outcome: Outcome,
    /// The last [`crate::limits::LOG_TAIL`] bytes of the invocation's log.
    pub(crate) log_tail: Bytes,
}

/// The function's answer, or the error it ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answer(Bytes),
    /// A JSON error document; `X-Amz-Function-Error: Unhandled`.
    FunctionError(Bytes),
}

/// Why a function was not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Throttled {
    /// As many events as the function's reserved concurrency are running.
    #[error("ReservedFunctionConcurrentInvocationLimitExceeded")]
    Reserved,
    /// As many events as the cloud has processes for are running.
    #[error("ConcurrentInvocationLimitExceeded")]
    Account,
}

/// How an environment failed while it had an order.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no executable `bootstrap` that this machine runs.
    InvalidEntrypoint(String),
    /// The process ended by itself.
    Exited(Option<ExitStatus>),
    /// The process reported that it cannot start.
    InitError(Bytes),
    /// It took longer than the function may, or than a start may.
    TimedOut { seconds: u32 },
    /// Its answer was longer than Lambda takes.
    AnswerTooLarge,
    /// The cloud stops.
    Stopped,
}

impl Failure {
    /// The type as logs name it.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::InvalidEntrypoint(_) => "Runtime.InvalidEntrypoint",
            Self::Exited(_) | Self::Stopped => "Runtime.ExitError",
            Self::InitError(_) => "Runtime.InitError",
            Self::TimedOut { .. } => "Sandbox.Timedout",
            Self::AnswerTooLarge => "Function.ResponseSizeTooLarge",
        }
    }

    /// What the log says between the function's own lines and `END`.
    pub(crate) fn log_line(&self, order: &Order, now: Timestamp) -> String {
        match self {
            Self::TimedOut { .. } => self.message(order, now),
            _ => format!("{}\n{}", self.message(order, now), self.error_type()),
        }
    }

    /// The error document the caller gets.
    pub(crate) fn document(&self, order: &Order, now: Timestamp) -> Bytes {
        let message = self.message(order, now);
        let document = match self {
            Self::InitError(document) => return document.clone(),
            Self::TimedOut { .. } => json!({ "errorMessage": message }),
            _ => json!({ "errorType": self.error_type(), "errorMessage": message }),
        };
        Bytes::from(document.to_string())
    }

    fn message(&self, order: &Order, now: Timestamp) -> String {
        let id = &order.request_id;
        match self {
            Self::InvalidEntrypoint(what) => format!("RequestId: {id} Error: {what}"),
            Self::Exited(status) => format!("RequestId: {id} Error: {}", exit_text(*status)),
            Self::InitError(_) => format!("RequestId: {id} Error: the runtime failed to start"),
            Self::TimedOut { seconds } => {
                let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
                format!("{at} {id} Task timed out after {seconds}.00 seconds")
            }
            Self::AnswerTooLarge => {
                let most = crate::limits::MAX_PAYLOAD;
                format!(
                    "Response payload size exceeded maximum allowed payload size ({most} bytes)."
                )
            }
            Self::Stopped => format!("RequestId: {id} Error: the local cloud was stopped"),
        }
    }
}

/// As Go words an exit, since Lambda's supervisor is written in it.
fn exit_text(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let reason = status.and_then(|status| match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (_, Some(signal)) => Some(format!("signal: {}", signal_text(signal))),
        _ => None,
    });
    match reason {
        Some(reason) => format!("Runtime exited with error: {reason}"),
        None => "Runtime exited without providing a reason".to_owned(),
    }
}

fn signal_text(signal: i32) -> String {
    let known = match signal {
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        15 => "terminated",
        _ => return format!("signal {signal}"),
    };
    known.to_owned()
}

/// An order an environment has, with the way its result goes back.
pub(crate) struct Job {
    pub(crate) order: Arc<Order>,
    pub(crate) reply: tokio::sync::oneshot::Sender<Delivery>,
}

/// What an environment says about a job.
pub(crate) enum Delivery {
    /// The function had it.
    Done(Invocation),
    /// The environment ended before the function had it: others may.
    NotDelivered,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    fn order() -> Order {
        Order {
            request_id: "5b0e".to_owned(),
            invoked_arn: String::new(),
            trace_id: String::new(),
            event: Bytes::new(),
            timeout_seconds: 3,
        }
    }

    fn document(failure: &Failure) -> String {
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        String::from_utf8(failure.document(&order(), now).to_vec()).unwrap()
    }

    #[test]
    fn a_timeout_says_when_and_after_how_long() {
        assert_eq!(
            document(&Failure::TimedOut { seconds: 3 }),
            r#"{"errorMessage":"2026-01-02T03:04:05.678Z 5b0e Task timed out after 3.00 seconds"}"#
        );
    }

    #[test]
    fn exits_are_worded_as_lambda_words_them() {
        for (raw, text) in [
            (0, "Runtime exited without providing a reason"),
            (1 << 8, "Runtime exited with error: exit status 1"),
            (9, "Runtime exited with error: signal: killed"),
            (6, "Runtime exited with error: signal: aborted"),
        ] {
            let document = document(&Failure::Exited(Some(ExitStatus::from_raw(raw))));
            assert!(
                document.contains("Runtime.ExitError") && document.contains(text),
                "{document}"
            );
        }
    }
}
