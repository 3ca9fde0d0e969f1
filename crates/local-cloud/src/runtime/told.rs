//! An invocation as the traffic tells it ([`crate::traffic`]). Pure.
//!
//! Deliberately absent: what a process's variables are.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::invocation::Outcome;
use super::report::Report;
use crate::traffic::add_text;

/// One that has ended.
pub(super) struct Told<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) version: &'a str,
    /// Whether a process was started for it.
    pub(super) cold: bool,
    pub(super) outcome: &'a Outcome,
}

impl Told<'_> {
    pub(super) fn event(&self, now: Timestamp) -> Value {
        let report = self.report;
        let order = report.order;
        let milliseconds = |took: std::time::Duration| took.as_secs_f64() * 1000.0;
        let (status, answer) = match (self.outcome, report.failure) {
            (Outcome::Answer(answer), _) => ("ok".to_owned(), answer),
            (Outcome::FunctionError(document), None) => ("error".to_owned(), document),
            (Outcome::FunctionError(document), Some(failure)) => {
                (failure.error_type().into_owned(), document)
            }
        };
        let mut event = json!({
            "kind": "invocation",
            "at": now.as_millisecond(),
            "functionName": order.invoked_arn.split(':').nth(6),
            "version": self.version,
            "requestId": order.request_id,
            "status": status,
            "durationMs": milliseconds(report.took),
            "cold": self.cold,
            "initMs": report.init.map(milliseconds),
            "memoryMb": report.memory_mb,
            "usedMb": report.used_mb(),
        });
        add_text(&mut event, "event", &order.event);
        add_text(&mut event, "response", answer);
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::invocation::Failure;
    use crate::runtime::invocation::tests::order;
    use bytes::Bytes;
    use std::time::Duration;

    #[test]
    fn an_invocation_says_what_came_of_it() {
        let mut order = order();
        order.invoked_arn = "arn:aws:lambda:r:1:function:chat-room:3".to_owned();
        order.event = Bytes::from_static(br#"{"headers":{"Cookie":"abc"}}"#);
        let failure = Failure::TimedOut { seconds: 3 };
        let report = Report {
            order: &order,
            took: Duration::from_millis(1500),
            init: Some(Duration::from_micros(2500)),
            memory_mb: 128,
            peak_mb: 20,
            failure: Some(&failure),
            reported: None,
        };
        let outcome = Outcome::FunctionError(failure.document(&order));
        let told = Told {
            report: &report,
            version: "3",
            cold: true,
            outcome: &outcome,
        };
        let event = told.event(Timestamp::UNIX_EPOCH);
        assert_eq!(event["functionName"], "chat-room");
        assert_eq!(event["status"], "Sandbox.Timedout");
        assert_eq!(
            (&event["durationMs"], &event["initMs"]),
            (&json!(1500.0), &json!(2.5))
        );
        assert_eq!(event["event"], r#"{"headers":{"Cookie":"***"}}"#);
        assert!(
            event["response"]
                .as_str()
                .unwrap()
                .contains("Task timed out")
        );
    }
}
