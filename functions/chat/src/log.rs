//! The one line an invocation leaves in the log: who asked for what, and what
//! became of it. Never what was said.
//!
//! Where somebody was told something, the line is in CloudWatch's embedded metric
//! format as well, so that deliveries, stale members, throttling and latency become
//! metrics of the stage without a call.

use crate::event::{Event, EventError};
use crate::post::Delivery;
use crate::respond::Served;
use crate::split::Chunk;
use crate::store::StoreError;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{Write, stdout};
use std::time::Duration;

/// The metrics' namespace.
pub const NAMESPACE: &str = "Chat";

/// When an invocation was at its end, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// In milliseconds since 1970.
    pub(crate) ended: i64,
    pub(crate) took: Duration,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_key: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<&'l Delivery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    metrics: Option<Metrics<'l>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics<'m> {
    stage: &'m str,
    delivered: usize,
    undelivered: usize,
    stale: usize,
    throttled: usize,
    /// In milliseconds.
    latency: u64,
    #[serde(rename = "_aws")]
    aws: Value,
}

/// Writes an invocation's line to standard output, which Lambda keeps.
pub(crate) fn write(event: &Event, outcome: &Result<Served, EventError>, timing: Timing) {
    // A log that cannot be written must not fail an invocation that went well.
    let _ = writeln!(stdout(), "{}", line(event, outcome, timing));
}

/// As [`write`], for a part of a fan-out.
pub(crate) fn write_chunk(
    chunk: &Chunk,
    request_id: &str,
    outcome: &Result<Delivery, StoreError>,
    timing: Timing,
) {
    let delivery = outcome.as_ref().ok();
    let line = Line {
        request_id: Some(request_id),
        chunk: Some(&chunk.chunk),
        room: Some(&chunk.room),
        delivery,
        error: outcome.as_ref().err().map(ToString::to_string),
        metrics: delivery.map(|delivery| metrics(&chunk.stage, delivery, timing)),
        ..Line::default()
    };
    let line = serde_json::to_string(&line).unwrap_or_else(|error| error.to_string());
    let _ = writeln!(stdout(), "{line}");
}

fn line(event: &Event, outcome: &Result<Served, EventError>, timing: Timing) -> String {
    let context = &event.request_context;
    let served = outcome.as_ref().ok();
    let delivery = served.map(|it| &it.delivery);
    let delivery = delivery.filter(|it| **it != Delivery::default());
    let stage = context.stage.as_deref().unwrap_or_default();
    let failure = served.and_then(|it| it.failure.clone());
    let line = Line {
        request_id: context.request_id.as_deref(),
        route_key: context.route_key.as_deref(),
        connection_id: context.connection_id.as_deref(),
        disconnect_status_code: context.disconnect_status_code,
        chunk: None,
        room: served.and_then(|it| it.room.as_deref()),
        seq: served.and_then(|it| it.seq),
        refused: served.and_then(|it| it.refused),
        delivery,
        error: outcome.as_ref().err().map(ToString::to_string).or(failure),
        metrics: delivery.map(|delivery| metrics(stage, delivery, timing)),
    };
    serde_json::to_string(&line).unwrap_or_else(|error| error.to_string())
}

fn metrics<'m>(stage: &'m str, delivery: &Delivery, timing: Timing) -> Metrics<'m> {
    let metric = |name: &str, unit: &str| json!({ "Name": name, "Unit": unit });
    Metrics {
        stage,
        delivered: delivery.delivered,
        undelivered: delivery.undelivered,
        stale: delivery.gone.len(),
        throttled: delivery.throttled,
        latency: u64::try_from(timing.took.as_millis()).unwrap_or(u64::MAX),
        aws: json!({
            "Timestamp": timing.ended,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Stage"]],
                "Metrics": [
                    metric("Delivered", "Count"),
                    metric("Undelivered", "Count"),
                    metric("Stale", "Count"),
                    metric("Throttled", "Count"),
                    metric("Latency", "Milliseconds"),
                ],
            }],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timing, line};
    use crate::event::EventError;
    use crate::post::{Delivery, Failure};
    use crate::respond::Served;
    use crate::testing::{connect_event, disconnect_event, message_event};
    use serde_json::{Value, json};
    use std::time::Duration;

    const TIMING: Timing = Timing {
        ended: 1_701_245_043_500,
        took: Duration::from_millis(83),
    };

    #[test]
    fn an_accepted_connection_is_one_short_line() {
        assert_eq!(
            line(&connect_event("a="), &Ok(Served::default()), TIMING),
            r#"{"requestId":"PJqB0E1tKRcF-Qw=","routeKey":"$connect","connectionId":"a="}"#
        );
    }

    #[test]
    fn a_disconnection_says_its_status() {
        assert_eq!(
            line(&disconnect_event("a="), &Ok(Served::default()), TIMING),
            concat!(
                r#"{"requestId":"PJqCNG1tKRcF-Bg=","routeKey":"$disconnect","#,
                r#""connectionId":"a=","disconnectStatusCode":1005}"#
            )
        );
    }

    fn delivered() -> String {
        let event = message_event("send", "a=", r#"{"room":"r","msg":"secret"}"#);
        let delivery = Delivery {
            delivered: 2,
            undelivered: 1,
            throttled: 3,
            gone: vec!["b=".into()],
            failed: vec![Failure {
                connection_id: "c=".into(),
                error: "HTTP 500".into(),
            }],
            ..Delivery::default()
        };
        let served = Served {
            room: Some("r".into()),
            seq: Some(7),
            ..delivery.into()
        };
        line(&event, &Ok(served), TIMING)
    }

    #[test]
    fn a_delivery_is_told_in_full_without_what_was_said() {
        assert!(
            delivered().starts_with(concat!(
                r#"{"requestId":"PJqCFEqHqRcFd0w=","routeKey":"send","connectionId":"a=","#,
                r#""room":"r","seq":7,"#,
                r#""delivery":{"delivered":2,"undelivered":1,"throttled":3,"gone":["b="],"#,
                r#""failed":[{"connectionId":"c=","error":"HTTP 500"}]},"#
            )),
            "{}",
            delivered()
        );
        assert!(!delivered().contains("secret"));
    }

    #[test]
    fn each_metric_that_a_line_declares_has_its_value_and_dimension_in_it() {
        let line: Value = serde_json::from_str(&delivered()).unwrap();
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Namespace"], "Chat");
        assert_eq!(declared["Dimensions"], json!([["Stage"]]));
        assert_eq!(line["Stage"], "production");
        assert_eq!(line["_aws"]["Timestamp"], TIMING.ended);
        let values: Vec<_> = declared["Metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| {
                let name = metric["Name"].as_str().unwrap();
                (name, line[name].as_u64().unwrap())
            })
            .collect();
        let expected = [
            ("Delivered", 2),
            ("Undelivered", 1),
            ("Stale", 1),
            ("Throttled", 3),
            ("Latency", 83),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn an_error_is_named() {
        let outcome = Err(EventError::Missing("stage"));
        let line = line(&message_event("send", "a=", ""), &outcome, TIMING);
        assert!(line.ends_with(r#""error":"event without `requestContext.stage`"}"#));
    }
}
