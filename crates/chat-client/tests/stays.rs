//! The client over real sockets: it comes back when its connection is cut.

use std::time::Duration;

use chat_client::{Client, Event, Options};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

const PATIENCE: Duration = Duration::from_secs(20);

/// A chat that a test plays.
struct Chat(TcpListener);

struct Peer(WebSocketStream<TcpStream>);

impl Chat {
    async fn accept(&self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.0.accept())
            .await
            .expect("the client connects")
            .expect("a connection");
        Peer(accept_async(stream).await.expect("a handshake"))
    }
}

impl Peer {
    async fn asked(&mut self) -> Value {
        let frame = timeout(PATIENCE, self.0.next()).await.expect("a frame");
        let frame = frame.expect("it is open").expect("it is legal");
        serde_json::from_str(frame.to_text().expect("text")).expect("JSON")
    }

    async fn tell(&mut self, envelope: Value) {
        let text = envelope.to_string();
        self.0.send(Message::text(text)).await.expect("it listens");
    }
}

async fn started() -> (Chat, Client, Receiver<Event>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/local", listener.local_addr().expect("bound"));
    let options = Options {
        first_wait: Duration::from_millis(1),
        ..Options::default()
    };
    let (client, events) = Client::start(move || url.clone(), options);
    (Chat(listener), client, events)
}

fn joined(last: u64) -> Value {
    json!({ "type": "joined", "room": "r", "member": { "connection": "a=" }, "members": 1,
        "last": last })
}

fn said(seq: u64) -> Value {
    json!({ "seq": seq, "from": { "connection": "b=" }, "text": "x", "at": 1 })
}

async fn told(events: &mut Receiver<Event>) -> u64 {
    loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("an event");
        if let Event::Message { said, .. } = event.expect("the client goes on") {
            return said.seq;
        }
    }
}

#[tokio::test]
async fn a_client_that_is_cut_comes_back_joins_again_and_tells_what_it_missed() {
    let (chat, client, mut events) = started().await;
    client.join("r").await.unwrap();
    let mut first = chat.accept().await;
    assert_eq!(first.asked().await["action"], "join");
    first.tell(joined(4)).await;
    let mut message = said(5);
    message["type"] = json!("message");
    message["room"] = json!("r");
    first.tell(message).await;
    assert_eq!(told(&mut events).await, 5);
    drop(first);

    let mut second = chat.accept().await;
    assert_eq!(second.asked().await["action"], "join");
    second.tell(joined(7)).await;
    let history = second.asked().await;
    assert_eq!(
        (&history["action"], &history["after"]),
        (&json!("history"), &json!(5))
    );
    let messages = [said(6), said(7)];
    let answer = json!({ "type": "history", "room": "r", "messages": messages, "more": false });
    second.tell(answer).await;
    assert_eq!(told(&mut events).await, 6);
    assert_eq!(told(&mut events).await, 7);
}

#[tokio::test]
async fn a_message_said_while_nobody_listens_is_said_when_the_chat_is_back() {
    let (chat, client, mut events) = started().await;
    client.join("r").await.unwrap();
    let id = client.send("r", "hello").await.unwrap();
    let mut peer = chat.accept().await;
    assert_eq!(peer.asked().await["action"], "join");
    peer.tell(joined(0)).await;
    let send = peer.asked().await;
    assert_eq!((&send["msg"], &send["id"]), (&json!("hello"), &json!(id)));
    peer.tell(json!({ "type": "sent", "room": "r", "seq": 1, "id": id }))
        .await;
    let is_sent = |event: &Event| matches!(event, Event::Sent { seq: 1, .. });
    loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("an event");
        if is_sent(&event.expect("the client goes on")) {
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_nobody_holds_any_more_closes_its_connection() {
    let (chat, client, events) = started().await;
    client.join("r").await.unwrap();
    let mut peer = chat.accept().await;
    peer.asked().await;
    drop(client);
    let last = timeout(PATIENCE, peer.0.next()).await.expect("it ends");
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
    drop(events);
}
