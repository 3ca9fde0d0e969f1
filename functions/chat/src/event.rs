//! What a handler reads of an API Gateway event.
//!
//! The event type is the public one; here are only the reads that say which
//! field is missing. Bodies arrive as text: API Gateway closes a connection that
//! sends a binary frame, so `isBase64Encoded` is never true here.

use crate::store::StoreError;
pub use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest as Event;

/// An event that its function cannot serve.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The API sends a route to a function that does not serve it.
    #[error("unexpected route key `{found}`: this function serves `{}`", .served.join("`, `"))]
    UnexpectedRoute {
        /// The route key of the event.
        found: String,
        /// The route keys the function serves.
        served: &'static [&'static str],
    },
    /// A field every event carries is missing.
    #[error("event without `requestContext.{0}`")]
    Missing(&'static str),
    /// What must be remembered for the connection could not be.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
}

/// The route the event came by, such as `$connect` or `join`.
///
/// # Errors
/// When the event has none.
pub fn route_key(event: &Event) -> Result<&str, EventError> {
    present(event.request_context.route_key.as_deref(), "routeKey")
}

/// The connection the event came from.
///
/// # Errors
/// When the event has none.
pub fn connection_id(event: &Event) -> Result<&str, EventError> {
    present(
        event.request_context.connection_id.as_deref(),
        "connectionId",
    )
}

/// The text of the message; empty for an event without one.
pub fn body(event: &Event) -> &str {
    event.body.as_deref().unwrap_or_default()
}

/// What the API's authorizer calls who is connected, if it gave a name.
pub fn name(event: &Event) -> Option<&str> {
    let name = event.request_context.authorizer.fields.get("name")?;
    name.as_str().filter(|name| !name.is_empty())
}

/// When API Gateway took the event, in milliseconds since 1970.
pub fn now(event: &Event) -> i64 {
    event.request_context.request_time_epoch
}

/// Holds the event to the route keys its function serves.
///
/// # Errors
/// Names the route key that is not served.
pub fn expect_route<'e>(
    event: &'e Event,
    served: &'static [&'static str],
) -> Result<&'e str, EventError> {
    let found = route_key(event)?;
    if served.contains(&found) {
        Ok(found)
    } else {
        Err(EventError::UnexpectedRoute {
            found: found.to_owned(),
            served,
        })
    }
}

/// A field that is there and not empty.
pub(crate) fn present<'e>(
    value: Option<&'e str>,
    name: &'static str,
) -> Result<&'e str, EventError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(EventError::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::{EventError, body, connection_id, expect_route, name};
    use crate::testing::{connect_event, disconnect_event, message_event};

    #[test]
    fn a_connect_event_as_aws_sends_it_is_read() {
        let event = connect_event("PJqB0fHsqRcCHlw=");
        assert_eq!(expect_route(&event, &["$connect"]), Ok("$connect"));
        assert_eq!(connection_id(&event), Ok("PJqB0fHsqRcCHlw="));
        assert_eq!(
            event.headers["host"],
            "abcd123456.execute-api.us-east-1.amazonaws.com"
        );
        assert_eq!(body(&event), "");
    }

    #[test]
    fn a_message_event_as_aws_sends_it_is_read_though_it_has_no_headers() {
        let event = message_event("join", "PJqB0fHsqRcCHlw=", r#"{"action":"join"}"#);
        assert_eq!(expect_route(&event, &["join", "send"]), Ok("join"));
        assert_eq!(body(&event), r#"{"action":"join"}"#);
        assert!(event.headers.is_empty());
        assert_eq!(event.request_context.request_time_epoch, 1_701_245_043_417);
    }

    #[test]
    fn a_disconnect_event_as_aws_sends_it_is_read_with_its_empty_headers() {
        let event = disconnect_event("PJqB0fHsqRcCHlw=");
        assert_eq!(expect_route(&event, &["$disconnect"]), Ok("$disconnect"));
        assert_eq!(event.headers["x-api-key"], "");
        assert_eq!(event.request_context.disconnect_status_code, Some(1005));
    }

    #[test]
    fn the_authorizers_name_is_read_and_an_empty_one_is_none() {
        let named = |authorizer: serde_json::Value| {
            let mut event = serde_json::to_value(message_event("join", "a=", "{}")).unwrap();
            event["requestContext"]["authorizer"] = authorizer;
            let event: super::Event = serde_json::from_value(event).unwrap();
            name(&event).map(str::to_owned)
        };
        let ann = serde_json::json!({ "principalId": "p", "name": "Ann" });
        assert_eq!(named(ann), Some("Ann".to_owned()));
        assert_eq!(named(serde_json::json!({ "name": "" })), None);
        assert_eq!(named(serde_json::json!({ "principalId": "p" })), None);
        assert_eq!(name(&message_event("join", "a=", "{}")), None);
    }

    #[test]
    fn an_unexpected_route_is_named_with_those_served() {
        let event = message_event("leave", "a=", "{}");
        let error = expect_route(&event, &["join", "send"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected route key `leave`: this function serves `join`, `send`"
        );
    }

    #[test]
    fn an_empty_field_is_as_good_as_a_missing_one() {
        let mut event = message_event("join", "", "{}");
        assert_eq!(
            connection_id(&event),
            Err(EventError::Missing("connectionId"))
        );
        event.request_context.connection_id = None;
        assert_eq!(
            connection_id(&event),
            Err(EventError::Missing("connectionId"))
        );
    }
}
