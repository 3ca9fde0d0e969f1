//! The chat room's contract: one conversation, word for word.

use chat::MemoryStore;
use chat::testing::{Recorder, invocation, message_event};
use serde_json::Value;

const A: &str = "PJqB0fHsqRcCHlw=";
const B: &str = "d4NsecoByQ0CH-Q=";

/// The functions behind their routes, and who has heard what.
struct Api {
    rooms: room::Handler<MemoryStore>,
    post: Recorder,
}

impl Api {
    /// Routes a message by its `action`, as the API does, and returns what A and
    /// what B hear of it.
    async fn says(&self, connection_id: &str, body: &str) -> [Vec<String>; 2] {
        let action = serde_json::from_str::<Value>(body).ok();
        let action = action.as_ref().and_then(|body| body["action"].as_str());
        let outcome = match action {
            Some(route @ ("join" | "send")) => {
                let event = message_event(route, connection_id, body);
                self.rooms.handle(&event, &self.post, &invocation()).await
            }
            _ => {
                let event = message_event("$default", connection_id, body);
                let none: Option<&MemoryStore> = None;
                default::handle(&event, &self.post, none, &invocation()).await
            }
        };
        outcome.expect("every message here is served");
        let heard = [self.post.take(A), self.post.take(B)];
        assert_eq!(self.post.take_all(), [], "nobody else is there to hear");
        heard
    }
}

#[tokio::test]
async fn two_people_meet_in_a_room() {
    let api = Api {
        rooms: room::Handler::new(MemoryStore::default()),
        post: Recorder::default(),
    };
    let only_a = |text: &str| [vec![text.to_owned()], vec![]];
    let only_b = |text: &str| [vec![], vec![text.to_owned()]];
    let both = |text: &str| [vec![text.to_owned()], vec![text.to_owned()]];
    let join = r#"{"action":"join","room":"room1"}"#;

    assert_eq!(api.says(A, "hi there").await, only_a("hi there"));
    assert_eq!(
        api.says(A, join).await,
        only_a("PJqB0fHsqRcCHlw= has joined to Room room1")
    );
    assert_eq!(
        api.says(A, join).await,
        only_a("You have already joined to room1.")
    );
    assert_eq!(
        api.says(A, r#"{"action":"send","room":"room1","msg":"this is AWS"}"#)
            .await,
        only_a("[PJqB0fHsqRcCHlw=]: this is AWS")
    );
    assert_eq!(
        api.says(B, r#"{"action":"send","room":"room1","msg":"x"}"#)
            .await,
        only_b("In order to send message room to room1, join first.")
    );
    assert_eq!(
        api.says(B, join).await,
        both("d4NsecoByQ0CH-Q= has joined to Room room1")
    );
    let body = r#"{"action":"send","room":"room1","msg":"this is AWS User B"}"#;
    assert_eq!(
        api.says(B, body).await,
        both("[d4NsecoByQ0CH-Q=]: this is AWS User B")
    );
}
