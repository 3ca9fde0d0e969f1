//! One invocation as a value: what is asked, what came of it, and the texts in
//! which Lambda words a failure. Pure.

use std::borrow::Cow;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::assumptions::OUT_OF_MEMORY;
use crate::faults::Inflicted;

/// What is asked of a function.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request_id: String,
    pub(crate) invoked_arn: String,
    pub(crate) trace_id: String,
    pub(crate) event: Bytes,
    pub(crate) timeout_seconds: u32,
    /// The request whose event this is again.
    pub(crate) resent_from: Option<String>,
    pub(crate) fault: Inflicted,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) outcome: Outcome,
    /// As the report tells it: without the start that it waited for.
    pub(crate) took: Duration,
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
    /// As many events as the account may have at once are running.
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
    /// It used more memory than the function has.
    OutOfMemory,
    /// It and its descendants were more than Lambda lets a function have.
    TooManyProcesses,
    /// Its answer was longer than Lambda takes.
    AnswerTooLarge,
    /// The cloud stops.
    Stopped,
}

impl Failure {
    /// The type as logs name it.
    pub(crate) fn error_type(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::InvalidEntrypoint(_) => "Runtime.InvalidEntrypoint",
            Self::Exited(_) | Self::Stopped | Self::TooManyProcesses => "Runtime.ExitError",
            Self::InitError(document) => return reported_type(document),
            Self::TimedOut { .. } => "Sandbox.Timedout",
            Self::OutOfMemory => OUT_OF_MEMORY,
            Self::AnswerTooLarge => "Function.ResponseSizeTooLarge",
        })
    }

    /// What the log says between the function's own lines and `END`. `None`: the
    /// function has said it itself.
    pub(crate) fn log_line(&self, order: &Order, now: Timestamp) -> Option<String> {
        match self {
            Self::InitError(_) => None,
            Self::TimedOut { seconds } => {
                let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
                let id = &order.request_id;
                Some(format!("{at} {id} {}", timed_out(*seconds)))
            }
            _ => Some(format!("{}\n{}", self.message(order), self.error_type())),
        }
    }

    /// The error document the caller gets.
    pub(crate) fn document(&self, order: &Order) -> Bytes {
        if let Self::InitError(document) = self {
            return document.clone();
        }
        let message = self.message(order);
        let document = json!({ "errorType": self.error_type(), "errorMessage": message });
        Bytes::from(document.to_string())
    }

    fn message(&self, order: &Order) -> String {
        let id = &order.request_id;
        match self {
            Self::InvalidEntrypoint(what) => format!("RequestId: {id} Error: {what}"),
            Self::Exited(status) => format!("RequestId: {id} Error: {}", exit_text(*status)),
            Self::InitError(_) => format!("RequestId: {id} Error: the runtime failed to start"),
            Self::TimedOut { seconds } => {
                format!("RequestId: {id} Error: {}", timed_out(*seconds))
            }
            Self::OutOfMemory | Self::TooManyProcesses => {
                format!("RequestId: {id} Error: {EXITED} with error: signal: killed")
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

const EXITED: &str = "Runtime exited";

fn timed_out(seconds: u32) -> String {
    format!("Task timed out after {seconds}.00 seconds")
}

/// The type that a runtime gave its error document.
pub(super) fn reported_type(document: &[u8]) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(rename = "errorType", borrow)]
        error_type: Cow<'a, str>,
    }
    match serde_json::from_slice::<Document<'_>>(document) {
        Ok(document) => document.error_type,
        Err(_) => Cow::Borrowed("Runtime.Unknown"),
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
        Some(reason) => format!("{EXITED} with error: {reason}"),
        None => format!("{EXITED} without providing a reason"),
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

impl Job {
    /// How long the function may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.order.timeout_seconds))
    }
}

/// What an environment says about a job.
pub(crate) enum Delivery {
    /// The function had it.
    Done(Invocation),
    /// The environment ended before the function had it: others may.
    NotDelivered,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    pub(crate) fn order() -> Order {
        Order {
            request_id: "5b0e".to_owned(),
            invoked_arn: String::new(),
            trace_id: String::new(),
            event: Bytes::new(),
            timeout_seconds: 3,
            resent_from: None,
            fault: Inflicted::default(),
        }
    }

    fn document(failure: &Failure) -> String {
        String::from_utf8(failure.document(&order()).to_vec()).unwrap()
    }

    #[test]
    fn a_timeout_says_after_how_long_and_in_the_log_when() {
        let failure = Failure::TimedOut { seconds: 3 };
        let document: serde_json::Value = serde_json::from_str(&document(&failure)).unwrap();
        let text = "RequestId: 5b0e Error: Task timed out after 3.00 seconds";
        let expected = json!({ "errorType": "Sandbox.Timedout", "errorMessage": text });
        assert_eq!(document, expected);
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        assert_eq!(
            failure.log_line(&order(), now).unwrap(),
            "2026-01-02T03:04:05.678Z 5b0e Task timed out after 3.00 seconds"
        );
    }

    #[test]
    fn an_error_that_the_runtime_reported_keeps_its_type() {
        let reported = |document: &'static str| {
            Failure::InitError(Bytes::from(document))
                .error_type()
                .into_owned()
        };
        assert_eq!(
            reported(r#"{"errorType":"Runtime.NoConfig"}"#),
            "Runtime.NoConfig"
        );
        assert_eq!(reported("no document"), "Runtime.Unknown");
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
