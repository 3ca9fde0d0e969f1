//! The one line an invocation leaves in the log: who asked for what, and what
//! became of it. Never what was said.

use crate::event::{Event, EventError};
use crate::post::Delivery;
use serde::Serialize;
use std::io::{Write, stdout};

#[derive(Serialize)]
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
    delivery: Option<&'l Delivery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Writes an invocation's line to standard output, which Lambda keeps.
pub(crate) fn write(event: &Event, outcome: &Result<Delivery, EventError>) {
    // A log that cannot be written must not fail an invocation that went well.
    let _ = writeln!(stdout(), "{}", line(event, outcome));
}

fn line(event: &Event, outcome: &Result<Delivery, EventError>) -> String {
    let context = &event.request_context;
    let line = Line {
        request_id: context.request_id.as_deref(),
        route_key: context.route_key.as_deref(),
        connection_id: context.connection_id.as_deref(),
        disconnect_status_code: context.disconnect_status_code,
        delivery: outcome.as_ref().ok().filter(|d| **d != Delivery::default()),
        error: outcome.as_ref().err().map(ToString::to_string),
    };
    serde_json::to_string(&line).unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::event::EventError;
    use crate::post::{Delivery, Failure};
    use crate::testing::{connect_event, disconnect_event, message_event};

    #[test]
    fn an_accepted_connection_is_one_short_line() {
        assert_eq!(
            line(&connect_event("a="), &Ok(Delivery::default())),
            r#"{"requestId":"PJqB0E1tKRcF-Qw=","routeKey":"$connect","connectionId":"a="}"#
        );
    }

    #[test]
    fn a_disconnection_says_its_status() {
        assert_eq!(
            line(&disconnect_event("a="), &Ok(Delivery::default())),
            concat!(
                r#"{"requestId":"PJqCNG1tKRcF-Bg=","routeKey":"$disconnect","#,
                r#""connectionId":"a=","disconnectStatusCode":1005}"#
            )
        );
    }

    #[test]
    fn a_delivery_is_told_in_full_without_what_was_said() {
        let event = message_event("send", "a=", r#"{"room":"r","msg":"secret"}"#);
        let delivery = Delivery {
            delivered: 2,
            gone: vec!["b=".into()],
            failed: vec![Failure {
                connection_id: "c=".into(),
                error: "HTTP 500".into(),
            }],
        };
        assert_eq!(
            line(&event, &Ok(delivery)),
            concat!(
                r#"{"requestId":"PJqCFEqHqRcFd0w=","routeKey":"send","connectionId":"a=","#,
                r#""delivery":{"delivered":2,"gone":["b="],"#,
                r#""failed":[{"connectionId":"c=","error":"HTTP 500"}]}}"#
            )
        );
    }

    #[test]
    fn an_error_is_named() {
        let outcome = Err(EventError::Missing("stage"));
        let line = line(&message_event("send", "a=", ""), &outcome);
        assert!(line.ends_with(r#""error":"event without `requestContext.stage`"}"#));
    }
}
