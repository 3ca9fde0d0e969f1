//! Where to post: the address of an API's `@connections`.
//!
//! Deliberately absent: an override by the environment. Here and on AWS the event says
//! it all.

use crate::event::{Event, EventError, present};

/// The address to post to for the connection an event came from: the domain and
/// stage the client connected to.
pub(crate) fn endpoint_url(event: &Event) -> Result<String, EventError> {
    let context = &event.request_context;
    let domain = present(context.domain_name.as_deref(), "domainName")?;
    let stage = present(context.stage.as_deref(), "stage")?;
    Ok(stage_url(domain, stage))
}

/// The address of a domain and stage.
pub(crate) fn stage_url(domain: &str, stage: &str) -> String {
    format!("https://{domain}/{stage}")
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
        assert_eq!(endpoint_url(&event).unwrap(), aws);
    }

    #[test]
    fn a_domain_of_the_local_cloud_has_a_path() {
        let mut event = message_event("join", "a=", "{}");
        event.request_context.domain_name = Some("127.0.0.1:9100/abcd123456".to_owned());
        event.request_context.stage = Some("local".to_owned());
        let local = "https://127.0.0.1:9100/abcd123456/local";
        assert_eq!(endpoint_url(&event).unwrap(), local);
    }

    #[test]
    fn a_missing_domain_or_stage_is_named() {
        let mut event = message_event("join", "a=", "{}");
        event.request_context.stage = None;
        let missing = Err(EventError::Missing("stage"));
        assert_eq!(endpoint_url(&event), missing);
        event.request_context.domain_name = None;
        let missing = Err(EventError::Missing("domainName"));
        assert_eq!(endpoint_url(&event), missing);
    }
}
