//! Where to post: the address of an API's `@connections`.

use crate::event::{Event, EventError, present};

/// Overrides the address, as in every AWS SDK. Looked at here because a client
/// that is given an address does not look.
pub(crate) const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";

/// The address to post to for the connection an event came from: the override
/// as it is when there is one, else the domain and stage the client connected to.
pub(crate) fn endpoint_url(configured: Option<&str>, event: &Event) -> Result<String, EventError> {
    if let Some(url) = configured.filter(|url| !url.is_empty()) {
        return Ok(url.to_owned());
    }
    let context = &event.request_context;
    let domain = present(context.domain_name.as_deref(), "domainName")?;
    let stage = present(context.stage.as_deref(), "stage")?;
    Ok(format!("https://{domain}/{stage}"))
}

#[cfg(test)]
mod tests {
    use super::endpoint_url;
    use crate::event::EventError;
    use crate::testing::message_event;

    #[test]
    fn the_address_is_the_domain_and_stage_the_client_connected_to() {
        let event = message_event("join", "a=", "{}");
        let aws = "https://abcd123456.execute-api.us-east-1.amazonaws.com/production";
        assert_eq!(endpoint_url(None, &event).unwrap(), aws);
        assert_eq!(endpoint_url(Some(""), &event).unwrap(), aws);
    }

    #[test]
    fn an_override_is_taken_as_it_is() {
        let mut event = message_event("join", "a=", "{}");
        event.request_context.domain_name = None;
        let local = "http://127.0.0.1:3001/prod";
        assert_eq!(endpoint_url(Some(local), &event).unwrap(), local);
    }

    #[test]
    fn a_missing_domain_or_stage_is_named() {
        let mut event = message_event("join", "a=", "{}");
        event.request_context.stage = None;
        let missing = Err(EventError::Missing("stage"));
        assert_eq!(endpoint_url(None, &event), missing);
        event.request_context.domain_name = None;
        let missing = Err(EventError::Missing("domainName"));
        assert_eq!(endpoint_url(None, &event), missing);
    }
}
