//! What is said for each message: itself.
//!
//! No network here, so it is tested without one; `main.rs` posts what is decided here.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest as Event;

/// Something to post to a connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply<'e> {
    /// Where connections are reached: the domain and stage that the client connected to.
    pub endpoint: String,
    /// Who hears it.
    pub connection_id: &'e str,
    /// What.
    pub text: &'e str,
}

/// An event without a field that API Gateway always sends.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("event without `requestContext.{0}`")]
pub struct Missing(&'static str);

/// Sends a message back to its sender, word for word.
///
/// # Errors
/// When the event doesn't say where it came from.
pub fn reply(event: &Event) -> Result<Reply<'_>, Missing> {
    let context = &event.request_context;
    let domain = context.domain_name.as_deref();
    let domain = domain.ok_or(Missing("domainName"))?;
    let stage = context.stage.as_deref().ok_or(Missing("stage"))?;
    let connection_id = context.connection_id.as_deref();
    Ok(Reply {
        endpoint: format!("https://{domain}/{stage}"),
        connection_id: connection_id.ok_or(Missing("connectionId"))?,
        text: event.body.as_deref().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Event, Missing, reply};

    /// A `MESSAGE` event as API Gateway sends it.
    fn message() -> Event {
        serde_json::from_str(include_str!("../fixtures/message.json")).expect("an event")
    }

    #[test]
    fn a_message_goes_back_to_its_sender_word_for_word() {
        let event = message();
        let reply = reply(&event).expect("it says where it came from");
        let api = "https://abcd123456.execute-api.us-east-1.amazonaws.com/production";
        assert_eq!(reply.endpoint, api);
        assert_eq!(reply.connection_id, "PJqB0fHsqRcCHlw=");
        assert_eq!(reply.text, "hi there");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut event = message();
        event.request_context.connection_id = None;
        assert_eq!(reply(&event), Err(Missing("connectionId")));
        event.request_context.domain_name = None;
        assert_eq!(reply(&event), Err(Missing("domainName")));
    }
}
