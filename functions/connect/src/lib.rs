//! `$connect`: accepts every connection, and notes which of them speak JSON.
//!
//! Only a table reaches the functions that must know it: without one, a client that
//! speaks JSON alone is refused, and told how to ask for JSON all the same.

use chat::{
    Event, EventError, Format, Response, SUBPROTOCOL, Served, Store, connection_id, expect_route,
    now,
};

const HEADER: &str = "sec-websocket-protocol";
const ONLY_JSON: &str = "The subprotocol chat.json needs the chat to keep its state in a table. \
                         Connect without it, and write \"format\":\"json\" into each request.";

/// Accepts the event, with the subprotocol `chat.json` where it is offered.
///
/// # Errors
/// When the event came by another route, or what the connection speaks cannot be noted.
pub async fn handle(event: &Event, store: Option<&impl Store>) -> Result<Served, EventError> {
    expect_route(event, &["$connect"])?;
    let offered = offered(event);
    let mut served = Served::default();
    match store {
        Some(store) if offered.contains(&SUBPROTOCOL) => {
            let id = connection_id(event)?;
            store.note(id, Format::Json, now(event)).await?;
            let headers = &mut served.response.headers;
            headers.insert("Sec-WebSocket-Protocol", SUBPROTOCOL);
        }
        None if offered == [SUBPROTOCOL] => {
            served.refused = Some("NO_TABLE");
            served.response = Response {
                status_code: 400,
                body: Some(ONLY_JSON),
                ..Response::default()
            };
        }
        _ => {}
    }
    Ok(served)
}

/// The subprotocols that the client offers.
fn offered(event: &Event) -> Vec<&str> {
    let values = event.headers.get_all(HEADER).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let names = texts.flat_map(|text| text.split(','));
    names
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::handle;
    use chat::testing::{connect_event, message_event};
    use chat::{Event, MemoryStore, Served, Store, respond};

    const NONE: Option<&MemoryStore> = None;

    fn offering(subprotocols: &'static str) -> Event {
        let mut event = connect_event("a=");
        let value = subprotocols.parse().unwrap();
        event.headers.insert("sec-websocket-protocol", value);
        event
    }

    async fn answer(event: &Event, store: Option<&impl Store>) -> serde_json::Value {
        let response = respond(handle(event, store).await).unwrap();
        serde_json::to_value(response).unwrap()
    }

    #[tokio::test]
    async fn every_event_of_the_route_is_accepted() {
        let store = MemoryStore::default();
        for store in [NONE, Some(&store)] {
            let event = connect_event("a=");
            assert_eq!(handle(&event, store).await, Ok(Served::default()));
            let other = offering("graphql-ws");
            assert_eq!(handle(&other, store).await, Ok(Served::default()));
        }
    }

    #[tokio::test]
    async fn with_a_table_json_is_chosen_where_it_is_offered() {
        let store = MemoryStore::default();
        let expected = serde_json::json!({
            "statusCode": 200, "headers": { "Sec-WebSocket-Protocol": "chat.json" },
        });
        for offer in ["chat.json", "graphql-ws, chat.json", "chat.json,x"] {
            assert_eq!(answer(&offering(offer), Some(&store)).await, expected);
        }
    }

    #[tokio::test]
    async fn without_a_table_a_client_that_speaks_json_alone_is_told_why_it_is_refused() {
        let refusal = answer(&offering("chat.json"), NONE).await;
        assert_eq!(refusal["statusCode"], 400);
        let body = refusal["body"].as_str().unwrap();
        assert!(body.contains("in a table"), "{body}");
        assert!(body.contains(r#""format":"json""#), "{body}");
        let other = answer(&offering("x, chat.json"), NONE).await;
        assert_eq!(other, serde_json::json!({ "statusCode": 200 }));
    }

    #[tokio::test]
    async fn another_route_is_an_error_that_names_it() {
        let event = message_event("join", "a=", "{}");
        let error = handle(&event, NONE).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected route key `join`: this function serves `$connect`"
        );
    }
}
