//! `$default`: sends what matches no route back to its sender.
//!
//! It posts, because an API Gateway route without a route response returns
//! nothing of its function's answer.

use chat::{Delivery, Event, EventError, Post, Telling, body, connection_id, expect_route, tell};

/// Echoes the message, word for word.
///
/// # Errors
/// When the event came by another route, or does not say from whom.
pub async fn handle(event: &Event, post: &impl Post) -> Result<Delivery, EventError> {
    expect_route(event, &["$default"])?;
    let echo = Telling::one(connection_id(event)?, body(event));
    Ok(tell(post, &echo).await)
}

#[cfg(test)]
mod tests {
    use super::handle;
    use chat::respond;
    use chat::testing::{Recorder, message_event};

    #[tokio::test]
    async fn the_message_goes_back_to_its_sender_word_for_word() {
        let post = Recorder::default();
        let body = " {\"action\": \"none\"}\n";
        let event = message_event("$default", "a=", body);
        assert_eq!(handle(&event, &post).await.unwrap().delivered, 1);
        assert_eq!(post.take_all(), [("a=".into(), body.into())]);
    }

    #[tokio::test]
    async fn a_sender_that_is_gone_is_no_failure() {
        let post = Recorder::default();
        post.lose("a=");
        let event = message_event("$default", "a=", "hi");
        let outcome = handle(&event, &post).await;
        assert_eq!(outcome.as_ref().unwrap().gone, ["a="]);
        assert!(respond(&event, outcome).is_ok());
    }

    #[tokio::test]
    async fn another_route_is_an_error_that_names_it_and_posts_nothing() {
        let post = Recorder::default();
        let error = handle(&message_event("join", "a=", "{}"), &post).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "unexpected route key `join`: this function serves `$default`"
        );
        assert_eq!(post.take_all(), []);
    }
}
