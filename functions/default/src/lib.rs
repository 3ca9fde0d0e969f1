//! `$default`: sends what matches no route back to its sender.
//!
//! It posts, because an API Gateway route without a route response returns
//! nothing of its function's answer.

use chat::{
    Envelope, Event, EventError, Format, Invocation, Post, Served, Store, Telling, body,
    connection_id, expect_route, fan_out, format,
};

/// Echoes the message: word for word, or in an envelope to whom speaks JSON.
///
/// # Errors
/// When the event came by another route, or does not say from whom.
pub async fn handle(
    event: &Event,
    post: &impl Post,
    store: Option<&impl Store>,
    invocation: &Invocation,
) -> Result<Served, EventError> {
    expect_route(event, &["$default"])?;
    let to = connection_id(event)?;
    let body = body(event);
    let (spoken, failure) = match (format(body), store) {
        (Some(format), _) => (format, None),
        (None, None) => (Format::Plain, None),
        (None, Some(store)) => match store.format(to).await {
            Ok(format) => (format.unwrap_or_default(), None),
            // A wrong form is better than silence.
            Err(error) => (Format::Plain, Some(error.to_string())),
        },
    };
    let echo = Envelope::Echo {
        text: body.to_owned(),
    };
    let text = echo.text(spoken).unwrap_or_default();
    let telling = Telling { to, text: &text };
    let delivery = fan_out(post, &[telling], invocation.deadline, |_| {}).await;
    Ok(Served {
        failure,
        ..delivery.into()
    })
}

#[cfg(test)]
mod tests {
    use super::handle;
    use chat::testing::{Recorder, invocation, message_event};
    use chat::{Event, EventError, Format, Joining, MemoryStore, Served, Store, respond};

    async fn echo(event: &Event, post: &Recorder) -> Result<Served, EventError> {
        let none: Option<&MemoryStore> = None;
        handle(event, post, none, &invocation()).await
    }

    #[tokio::test]
    async fn the_message_goes_back_to_its_sender_word_for_word() {
        let post = Recorder::default();
        let body = " {\"action\": \"none\"}\n";
        let event = message_event("$default", "a=", body);
        assert_eq!(echo(&event, &post).await.unwrap().delivery.delivered, 1);
        assert_eq!(post.take_all(), [("a=".into(), body.into())]);
    }

    #[tokio::test]
    async fn who_speaks_json_gets_it_in_an_envelope() {
        let post = Recorder::default();
        let body = r#"{"format":"json"}"#;
        let event = message_event("$default", "a=", body);
        echo(&event, &post).await.unwrap();
        let told = r#"{"type":"echo","text":"{\"format\":\"json\"}"}"#;
        assert_eq!(post.take("a="), [told]);

        let store = MemoryStore::default();
        let joining = Joining {
            id: "a=",
            name: None,
            format: Format::Json,
            connected_at: 0,
            request: "1",
        };
        store.join("r", &joining, 0).await.unwrap();
        let event = message_event("$default", "a=", "hi");
        handle(&event, &post, Some(&store), &invocation())
            .await
            .unwrap();
        assert_eq!(post.take("a="), [r#"{"type":"echo","text":"hi"}"#]);
    }

    #[tokio::test]
    async fn a_sender_that_is_gone_is_no_failure() {
        let post = Recorder::default();
        post.lose("a=");
        let event = message_event("$default", "a=", "hi");
        let outcome = echo(&event, &post).await;
        assert_eq!(outcome.as_ref().unwrap().delivery.gone, ["a="]);
        assert!(respond(outcome).is_ok());
    }

    #[tokio::test]
    async fn another_route_is_an_error_that_names_it_and_posts_nothing() {
        let post = Recorder::default();
        let error = echo(&message_event("join", "a=", "{}"), &post).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "unexpected route key `join`: this function serves `$default`"
        );
        assert_eq!(post.take_all(), []);
    }
}
