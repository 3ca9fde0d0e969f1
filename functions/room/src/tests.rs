//! On the store in memory; what stores promise has a suite of its own.

use super::Handler as Any;
use chat::testing::{Recorder, disconnect_event, invocation, message_event};
use chat::{CONNECTION_LIFETIME_MS, Event, EventError, MemoryStore, Served, respond};
use serde_json::{Value, json};

const A: &str = "PJqB0fHsqRcCHlw=";
const B: &str = "d4NsecoByQ0CH-Q=";
const C: &str = "RYG0LEicPHcFo_A=";

type Handler = Any<MemoryStore>;

async fn handle(handler: &Handler, event: &Event, post: &Recorder) -> Result<Served, EventError> {
    handler.handle(event, post, &invocation()).await
}

/// A handler with some members in `room1`, who have heard of it.
async fn room_of(members: &[&str], post: &Recorder) -> Handler {
    let handler = Any::new(MemoryStore::default());
    for id in members {
        join(&handler, id, post).await;
    }
    post.take_all();
    handler
}

async fn join(handler: &Handler, id: &str, post: &Recorder) {
    let event = message_event("join", id, r#"{"action":"join","room":"room1"}"#);
    handle(handler, &event, post).await.unwrap();
}

async fn send(handler: &Handler, id: &str, post: &Recorder) -> chat::Delivery {
    let body = r#"{"action":"send","room":"room1","msg":"x"}"#;
    says(handler, "send", id, body, post).await.delivery
}

async fn says(handler: &Handler, route: &str, id: &str, body: &str, post: &Recorder) -> Served {
    let event = message_event(route, id, body);
    handle(handler, &event, post).await.unwrap()
}

#[tokio::test]
async fn a_gone_member_is_dropped_and_the_rest_are_served() {
    let post = Recorder::default();
    let handler = room_of(&[A, B, C], &post).await;
    post.lose(B);

    let delivery = send(&handler, A, &post).await;
    assert_eq!((delivery.delivered, delivery.gone), (2, vec![B.to_owned()]));

    // Were it still a member, it would be told, as its posts work again.
    post.mend(B);
    post.take_all();
    send(&handler, A, &post).await;
    let told = format!("[{A}]: x");
    assert_eq!(
        post.take_all(),
        [(A.to_owned(), told.clone()), (C.to_owned(), told)]
    );
}

#[tokio::test]
async fn a_member_that_fails_otherwise_stays_and_the_rest_are_served() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    post.break_off(B, "HTTP 500");
    assert_eq!(send(&handler, A, &post).await.failed[0].connection_id, B);
    assert_eq!(post.take(A).len(), 1);

    post.mend(B);
    assert_eq!(send(&handler, A, &post).await.delivered, 2);
    assert_eq!(post.take(B), [format!("[{A}]: x")]);
}

#[tokio::test]
async fn who_disconnects_is_told_nothing_more() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    let ended = handle(&handler, &disconnect_event(B), &post).await;
    assert_eq!(ended, Ok(Served::default()));
    assert_eq!(send(&handler, A, &post).await.delivered, 1);
    assert!(post.take(B).is_empty());
}

#[tokio::test]
async fn a_sender_that_is_gone_does_not_stop_its_message() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    post.lose(A);
    let delivery = send(&handler, A, &post).await;
    assert_eq!(delivery.gone, [A]);
    assert_eq!(post.take(B), [format!("[{A}]: x")]);
}

#[tokio::test]
async fn a_malformed_request_is_told_to_its_sender_and_changes_nothing() {
    let post = Recorder::default();
    let handler = room_of(&[A], &post).await;
    for (route, body, told) in [
        ("join", "{}", r#""room" is missing."#),
        (
            "join",
            r#"{"room":["room1"]}"#,
            r#""room" must be a string."#,
        ),
        ("join", "{room:1", "The message must be a JSON object."),
        ("send", r#"{"room":"room1"}"#, r#""msg" is missing."#),
        (
            "send",
            r#"{"room":"room1","msg":""}"#,
            r#""msg" must not be empty."#,
        ),
    ] {
        let event = message_event(route, B, body);
        let outcome = handle(&handler, &event, &post).await;
        assert!(respond(outcome).is_ok());
        assert_eq!(post.take_all(), [(B.to_owned(), told.to_owned())]);
    }
    assert_eq!(send(&handler, A, &post).await.delivered, 1);
}

#[tokio::test]
async fn members_older_than_any_connection_are_forgotten_at_the_next_join() {
    let post = Recorder::default();
    let handler = room_of(&[A], &post).await;
    let mut event = message_event("join", B, r#"{"room":"room1"}"#);
    event.request_context.connected_at += CONNECTION_LIFETIME_MS;
    event.request_context.request_time_epoch += CONNECTION_LIFETIME_MS;
    handle(&handler, &event, &post).await.unwrap();
    let told = format!("{B} has joined to Room room1");
    assert_eq!(post.take_all(), [(B.to_owned(), told)]);
}

#[tokio::test]
async fn another_route_is_an_error_that_names_it() {
    let post = Recorder::default();
    let event = message_event("$default", A, "{}");
    let error = handle(&Any::new(MemoryStore::default()), &event, &post)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unexpected route key `$default`: this function serves `join`, `send`, `leave`, `who`, `history`, `$disconnect`"
    );
    assert_eq!(post.take_all(), []);
}

/// What a connection has heard, as JSON.
fn envelopes(post: &Recorder, id: &str) -> Vec<Value> {
    let texts = post.take(id);
    let parse = |text: &String| serde_json::from_str(text).expect(text);
    texts.iter().map(parse).collect()
}

#[tokio::test]
async fn a_member_that_leaves_is_told_with_the_others_and_hears_no_more() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    says(&handler, "leave", A, r#"{"room":"room1"}"#, &post).await;
    let told = format!("{A} has left Room room1");
    assert_eq!([post.take(A), post.take(B)].concat(), [told.as_str(); 2]);

    assert_eq!(send(&handler, B, &post).await.delivered, 1);
    assert_eq!(post.take(A), [""; 0]);
    says(&handler, "leave", A, r#"{"room":"room1"}"#, &post).await;
    assert_eq!(post.take(A), ["You are not a member of room1."]);
    join(&handler, A, &post).await;
    assert_eq!(
        post.take(B).last().unwrap(),
        &format!("{A} has joined to Room room1")
    );
}

#[tokio::test]
async fn members_are_told_who_is_there_and_others_are_not() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    let body = r#"{"room":"room1"}"#;
    says(&handler, "who", A, body, &post).await;
    assert_eq!(
        post.take_all(),
        [(A.to_owned(), format!("Members of room1: {A}, {B}"))]
    );
    says(&handler, "who", C, body, &post).await;
    let refusal = "You are not a member of room1.".to_owned();
    assert_eq!(post.take_all(), [(C.to_owned(), refusal)]);
}

#[tokio::test]
async fn history_gives_members_the_last_messages_with_their_numbers() {
    let post = Recorder::default();
    let handler = room_of(&[A], &post).await;
    says(&handler, "history", A, r#"{"room":"room1"}"#, &post).await;
    assert_eq!(post.take(A), ["No messages in room1."]);
    for text in ["one", "two", "three"] {
        let body = json!({ "room": "room1", "msg": text }).to_string();
        says(&handler, "send", A, &body, &post).await;
    }
    join(&handler, B, &post).await;
    post.take_all();
    says(
        &handler,
        "history",
        B,
        r#"{"room":"room1","last":2}"#,
        &post,
    )
    .await;
    assert_eq!(post.take(B), [format!("2 [{A}]: two\n3 [{A}]: three")]);

    let body = r#"{"room":"room1","after":0,"last":2,"format":"json"}"#;
    says(&handler, "history", B, body, &post).await;
    let page = &envelopes(&post, B)[0];
    let seqs: Vec<_> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["seq"])
        .collect();
    assert_eq!(seqs, [1, 2]);
    assert_eq!(page["more"], true);
    says(&handler, "history", C, body, &post).await;
    assert_eq!(envelopes(&post, C)[0]["code"], "NOT_A_MEMBER");
}

#[tokio::test]
async fn a_repeated_message_is_acknowledged_and_told_nobody_again() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    let body = r#"{"room":"room1","msg":"x","id":"m1"}"#;
    let first = says(&handler, "send", A, body, &post).await;
    assert_eq!((first.seq, first.delivery.delivered), (Some(1), 2));
    post.take_all();
    let again = says(&handler, "send", A, body, &post).await;
    assert_eq!((again.seq, again.delivery.delivered), (Some(1), 0));
    let told = "You have already sent this message: it is number 1.".to_owned();
    assert_eq!(post.take_all(), [(A.to_owned(), told)]);

    // Another sender's ids are its own.
    says(&handler, "send", B, body, &post).await;
    assert_eq!(post.take(A), [format!("[{B}]: x")]);
}

#[tokio::test]
async fn who_asks_for_json_gets_all_of_the_room_so_and_the_others_do_not() {
    let post = Recorder::default();
    let handler = room_of(&[B], &post).await;
    let body = r#"{"room":"room1","format":"json"}"#;
    says(&handler, "join", A, body, &post).await;
    let joined = json!({
        "type": "joined", "room": "room1", "member": { "connection": A }, "members": 2, "last": 0,
    });
    assert_eq!(envelopes(&post, A), [joined]);
    assert_eq!(post.take(B), [format!("{A} has joined to Room room1")]);

    says(
        &handler,
        "send",
        A,
        r#"{"room":"room1","msg":"x","id":"m"}"#,
        &post,
    )
    .await;
    let message = json!({
        "type": "message", "room": "room1", "seq": 1, "id": "m",
        "from": { "connection": A }, "text": "x", "at": 1_701_245_043_417_i64,
    });
    let sent = json!({
        "type": "sent", "room": "room1", "seq": 1, "id": "m",
        "repeated": false, "delivered": 2, "undelivered": 0, "relayed": 0,
    });
    assert_eq!(envelopes(&post, A), [message, sent]);
    assert_eq!(post.take(B), [format!("[{A}]: x")]);

    // What it gets wrong afterwards is told in JSON, too.
    says(
        &handler,
        "send",
        A,
        r#"{"room":"room2","msg":"x","id":"n"}"#,
        &post,
    )
    .await;
    let error = json!({
        "type": "error", "code": "NOT_A_MEMBER", "room": "room2", "id": "n",
        "text": "In order to send message room to room2, join first.",
    });
    assert_eq!(envelopes(&post, A), [error]);
}

#[tokio::test]
async fn members_show_by_the_name_that_an_authorizer_gave_them() {
    let post = Recorder::default();
    let handler = Any::new(MemoryStore::default());
    let mut join = message_event("join", A, r#"{"room":"room1"}"#);
    let fields = &mut join.request_context.authorizer.fields;
    fields.insert("name".to_owned(), json!("Ann"));
    handle(&handler, &join, &post).await.unwrap();
    assert_eq!(post.take(A), ["Ann has joined to Room room1"]);
    send(&handler, A, &post).await;
    assert_eq!(post.take(A), ["[Ann]: x"]);
    says(&handler, "who", A, r#"{"room":"room1"}"#, &post).await;
    assert_eq!(post.take(A), ["Members of room1: Ann"]);
}

#[tokio::test]
async fn more_messages_than_a_connection_may_send_a_second_are_refused_until_time_passes() {
    let post = Recorder::default();
    let handler = room_of(&[A, B], &post).await;
    for _ in 0..chat::MESSAGES_PER_SECOND {
        assert_eq!(send(&handler, A, &post).await.delivered, 2);
    }
    post.take_all();
    assert_eq!(send(&handler, A, &post).await.delivered, 1);
    let refusal = "You cannot send more than 200 messages a second.".to_owned();
    assert_eq!(post.take_all(), [(A.to_owned(), refusal)]);
    assert_eq!(send(&handler, B, &post).await.delivered, 2);

    let mut later = message_event("send", A, r#"{"room":"room1","msg":"x"}"#);
    later.request_context.request_time_epoch += 1000;
    let served = handle(&handler, &later, &post).await.unwrap();
    assert_eq!((served.refused, served.delivery.delivered), (None, 2));
}

#[tokio::test]
async fn what_was_not_delivered_is_reported_to_a_sender_that_speaks_json() {
    let post = Recorder::default();
    let handler = room_of(&[A, B, C], &post).await;
    post.break_off(B, "HTTP 403");
    post.lose(C);
    let body = r#"{"room":"room1","msg":"x","format":"json"}"#;
    says(&handler, "send", A, body, &post).await;
    let sent: Value = serde_json::from_str(&post.take(A)[1]).unwrap();
    assert_eq!(
        (&sent["delivered"], &sent["undelivered"]),
        (&json!(1), &json!(1))
    );
}
