//! An invocation that has ended, as it is kept ([`crate::past`]) and told
//! ([`crate::traffic`]). Pure.
//!
//! Deliberately absent: what a process's variables are.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::invocation::{Order, Outcome};
use super::report::Report;
use crate::limits::{TRAFFIC_PARSED, TRAFFIC_TEXT};
use crate::traffic::{add_size, add_text};

/// One that has ended.
pub(crate) struct Ended {
    pub(crate) order: Arc<Order>,
    pub(crate) version: String,
    at: Timestamp,
    status: Cow<'static, str>,
    took: Duration,
    /// Whether a process was started for it.
    cold: bool,
    init: Option<Duration>,
    memory_mb: u32,
    used_mb: u64,
    /// `None`: it is too long to be looked into.
    response: Option<Bytes>,
    response_bytes: usize,
}

impl Ended {
    pub(super) fn new(
        report: &Report<'_>,
        order: Arc<Order>,
        version: &str,
        cold: bool,
        outcome: &Outcome,
        at: Timestamp,
    ) -> Self {
        let (status, answer) = match (outcome, report.failure) {
            (Outcome::Answer(answer), _) => (Cow::Borrowed("ok"), answer),
            (Outcome::FunctionError(document), None) => (Cow::Borrowed("error"), document),
            (Outcome::FunctionError(document), Some(failure)) => {
                (failure.error_type().into_owned().into(), document)
            }
        };
        let length = answer.len();
        let response = if length > TRAFFIC_PARSED {
            None
        } else if length > TRAFFIC_TEXT {
            Some(answer.clone())
        } else {
            // A few bytes would keep the whole buffer that they were read into.
            Some(Bytes::copy_from_slice(answer))
        };
        Self {
            order,
            version: version.to_owned(),
            at,
            status,
            took: report.took,
            cold,
            init: report.init,
            memory_mb: report.memory_mb,
            used_mb: report.used_mb(),
            response,
            response_bytes: answer.len(),
        }
    }

    /// As the ARN has it that was invoked.
    pub(crate) fn function_name(&self) -> Option<&str> {
        self.order.invoked_arn.split(':').nth(6)
    }

    /// Bytes that keeping it takes, roughly.
    pub(crate) fn size(&self) -> usize {
        let response = self.response.as_ref().map_or(0, Bytes::len);
        size_of::<Self>() + size_of::<Order>() + self.order.event.len() + response
    }

    /// What is shown of it.
    pub(crate) fn json(&self) -> Value {
        let milliseconds = |took: Duration| took.as_secs_f64() * 1000.0;
        let order = &self.order;
        let mut event = json!({
            "kind": "invocation",
            "at": self.at.as_millisecond(),
            "functionName": self.function_name(),
            "version": self.version,
            "requestId": order.request_id,
            "status": self.status,
            "durationMs": milliseconds(self.took),
            "cold": self.cold,
            "initMs": self.init.map(milliseconds),
            "memoryMb": self.memory_mb,
            "usedMb": self.used_mb,
        });
        if let Some(first) = &order.resent_from {
            event["resentFrom"] = first.as_str().into();
        }
        add_text(&mut event, "event", &order.event);
        match &self.response {
            Some(response) => add_text(&mut event, "response", response),
            None => add_size(&mut event, "response", self.response_bytes),
        }
        event
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::runtime::invocation::Failure;
    use crate::runtime::invocation::tests::order;

    /// One whose event has so many bytes.
    pub(crate) fn ended(request_id: &str, bytes: usize) -> Ended {
        let mut order = order();
        order.request_id = request_id.to_owned();
        order.event = Bytes::from(vec![b'x'; bytes]);
        of(order, None)
    }

    fn of(order: Order, failure: Option<&Failure>) -> Ended {
        let report = Report {
            order: &order,
            took: Duration::from_millis(1500),
            init: Some(Duration::from_micros(2500)),
            memory_mb: 128,
            peak_mb: 20,
            failure,
            reported: None,
        };
        let outcome = match failure {
            Some(failure) => Outcome::FunctionError(failure.document(&order)),
            None => Outcome::Answer(Bytes::from(vec![b'x'; TRAFFIC_PARSED + 1])),
        };
        let at = Timestamp::UNIX_EPOCH;
        let copy = Arc::new(Order {
            request_id: order.request_id.clone(),
            invoked_arn: order.invoked_arn.clone(),
            trace_id: String::new(),
            event: order.event.clone(),
            resent_from: order.resent_from.clone(),
            ..crate::runtime::invocation::tests::order()
        });
        Ended::new(&report, copy, "3", true, &outcome, at)
    }

    #[test]
    fn an_invocation_says_what_came_of_it() {
        let mut order = order();
        order.invoked_arn = "arn:aws:lambda:r:1:function:chat-room:3".to_owned();
        order.event = Bytes::from_static(br#"{"headers":{"Cookie":"abc"}}"#);
        let event = of(order, Some(&Failure::TimedOut { seconds: 3 })).json();
        assert_eq!(event["functionName"], "chat-room");
        assert_eq!(event["status"], "Sandbox.Timedout");
        assert_eq!(
            (&event["durationMs"], &event["initMs"]),
            (&json!(1500.0), &json!(2.5))
        );
        assert_eq!(event["event"], r#"{"headers":{"Cookie":"***"}}"#);
        assert_eq!(event.get("resentFrom"), None);
        let response = event["response"].as_str().unwrap();
        assert!(response.contains("Task timed out"));
    }

    #[test]
    fn a_very_long_answer_isnt_kept_and_its_size_is_told() {
        let mut order = order();
        order.resent_from = Some("first".to_owned());
        let ended = of(order, None);
        assert!(ended.size() < TRAFFIC_PARSED);
        let event = ended.json();
        assert_eq!(event["responseBytes"], TRAFFIC_PARSED + 1);
        assert_eq!(event.get("response"), None);
        assert_eq!(event["resentFrom"], "first");
    }
}
