//! Every envelope that the functions send is as docs/chat.schema.json says.

use chat::testing::{Recorder, invocation, message_event};
use chat::{MESSAGES_PER_SECOND, MemoryStore, ROOMS_PER_CONNECTION};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../../docs/chat.schema.json");

#[tokio::test]
async fn every_envelope_and_every_error_is_as_the_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let rooms = room::Handler::new(MemoryStore::default());
    let post = Recorder::default();
    let mut heard = Vec::new();
    let mut says = async |route: &str, id: &str, name: &str, mut body: Value| {
        body["format"] = json!("json");
        let mut event = message_event(route, id, &body.to_string());
        let fields = &mut event.request_context.authorizer.fields;
        fields.insert("name".to_owned(), json!(name));
        match route {
            "$default" => {
                let none: Option<&MemoryStore> = None;
                default::handle(&event, &post, none, &invocation()).await
            }
            _ => rooms.handle(&event, &post, &invocation()).await,
        }
        .expect("every message here is served");
        heard.extend(post.take_all());
    };
    let room = json!({ "room": "r" });
    says("$default", "a=", "", json!({ "any": "thing" })).await;
    says("join", "a=", "Ann", room.clone()).await;
    says("join", "b=", "", room.clone()).await;
    says("join", "b=", "", room.clone()).await;
    says("join", "b=", "", json!({})).await;
    for message in [
        json!({ "room": "r", "msg": "x" }),
        json!({ "room": "r", "msg": "x", "id": "m" }),
    ] {
        says("send", "a=", "Ann", message.clone()).await;
        says("send", "a=", "Ann", message.clone()).await;
        says("send", "c=", "", message).await;
    }
    says("who", "a=", "Ann", room.clone()).await;
    says("history", "a=", "Ann", room.clone()).await;
    says("leave", "b=", "", room.clone()).await;
    says("leave", "b=", "", room.clone()).await;
    for n in 0..=ROOMS_PER_CONNECTION {
        says("join", "d=", "", json!({ "room": format!("{n}") })).await;
    }
    for n in 0..=chat::MEMBERS_PER_ROOM {
        says("join", &format!("{n}="), "", json!({ "room": "full" })).await;
    }
    for _ in 0..=MESSAGES_PER_SECOND {
        says(
            "send",
            "a=",
            "Ann",
            json!({ "room": "r", "msg": "x", "id": "n" }),
        )
        .await;
    }
    for n in 0..chat::ROOMS {
        says(
            "join",
            &format!("e{n}="),
            "",
            json!({ "room": format!("e{n}") }),
        )
        .await;
    }

    let mut seen = BTreeSet::new();
    for (_, text) in heard {
        let envelope: Value = serde_json::from_str(&text).expect(&text);
        if let Err(error) = schema.validate(&envelope) {
            panic!("{text}: {error}");
        }
        let kind = |key: &str| envelope[key].as_str().map(str::to_owned);
        seen.extend(kind("type"));
        seen.extend(kind("code"));
    }
    // All that the schema knows has been heard, but what only a failing store brings.
    let known = SCHEMA.split('"').filter(|word| {
        let code = word.len() > 4 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let kind = SCHEMA.contains(&format!("\"const\": \"{word}\""));
        code || kind
    });
    let known: BTreeSet<_> = known.map(str::to_owned).collect();
    let missing: Vec<_> = known.difference(&seen).collect();
    assert_eq!(missing, ["UNAVAILABLE"]);
}
