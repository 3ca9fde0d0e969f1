//! A room that is too large for one invocation, with parts of three members.

use chat::testing::{Recorder, invocation, message_event};
use chat::{Chunk, Delivery, MemoryStore, Progress, Relay, Served, StoreError, serve_chunk};
use std::cell::{Cell, RefCell};

/// Takes parts, unless it is broken.
#[derive(Default)]
struct Parts {
    taken: RefCell<Vec<Chunk>>,
    broken: Cell<bool>,
}

impl Relay for &Parts {
    fn splits(&self) -> bool {
        true
    }

    async fn relay(&self, chunk: &Chunk) -> Result<(), String> {
        if self.broken.get() {
            return Err("HTTP 429".to_owned());
        }
        self.taken.borrow_mut().push(chunk.clone());
        Ok(())
    }
}

/// Every part is new.
struct Fresh;

impl Progress for Fresh {
    async fn begin(&self, _: &str, _: i64, _: i64) -> Result<Option<String>, StoreError> {
        Ok(Some(String::new()))
    }

    async fn record(&self, _: &str, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

type Handler<'p> = room::Handler<MemoryStore, &'p Parts>;

fn handler(parts: &Parts) -> Handler<'_> {
    room::Handler::with_relay(MemoryStore::default(), parts).in_parts_of(3)
}

async fn says(rooms: &Handler<'_>, route: &str, id: &str, body: &str, post: &Recorder) -> Served {
    let event = message_event(route, id, body);
    let served = rooms.handle(&event, post, &invocation()).await;
    served.expect("every message here is served")
}

/// Eight members, of whom the last speaks JSON; whatever they heard so far is forgotten.
async fn fill(rooms: &Handler<'_>, parts: &Parts, post: &Recorder) {
    for n in 0..8 {
        let body = match n {
            7 => r#"{"room":"r","format":"json"}"#,
            _ => r#"{"room":"r"}"#,
        };
        says(rooms, "join", &format!("{n}="), body, post).await;
    }
    parts.taken.borrow_mut().clear();
    post.take_all();
}

const SEND: &str = r#"{"room":"r","msg":"x"}"#;

#[tokio::test]
async fn the_first_part_is_told_here_and_the_others_by_one_invocation_each() {
    let (parts, post) = (Parts::default(), Recorder::default());
    let rooms = handler(&parts);
    fill(&rooms, &parts, &post).await;
    let served = says(&rooms, "send", "0=", SEND, &post).await;
    let delivery = Delivery {
        delivered: 3,
        relayed: 5,
        ..Delivery::default()
    };
    assert_eq!(served.delivery, delivery);
    let taken = parts.taken.take();
    let sizes: Vec<_> = taken.iter().map(|part| part.members.len()).collect();
    assert_eq!(sizes, [3, 2]);
    assert_ne!(taken[0].chunk, taken[1].chunk);

    for part in &taken {
        let (store, invocation) = (rooms.store(), invocation());
        let served = serve_chunk(part, store, &Fresh, &post, &invocation, 0);
        served.await.expect("a part that is served");
    }
    let heard = post.take_all();
    let told: Vec<_> = heard.iter().map(|(id, _)| id.clone()).collect();
    let everyone: Vec<_> = (0..8).map(|n| format!("{n}=")).collect();
    assert_eq!(told, everyone, "each once");
    assert!(heard[..7].iter().all(|(_, text)| text == "[0=]: x"));
    assert!(
        heard[7]
            .1
            .starts_with(r#"{"type":"message","room":"r","seq":1,"#)
    );
}

#[tokio::test]
async fn a_part_that_nobody_takes_is_reported_as_undelivered() {
    let (parts, post) = (Parts::default(), Recorder::default());
    let rooms = handler(&parts);
    fill(&rooms, &parts, &post).await;
    parts.broken.set(true);
    let served = says(&rooms, "send", "0=", SEND, &post).await;
    assert_eq!(
        (served.delivery.delivered, served.delivery.undelivered),
        (3, 5)
    );
    assert_eq!(served.delivery.failed[0].error, "HTTP 429");
}

#[tokio::test]
async fn a_room_of_one_part_is_not_split() {
    let (parts, post) = (Parts::default(), Recorder::default());
    let rooms = handler(&parts);
    for id in ["a=", "b=", "c="] {
        says(&rooms, "join", id, r#"{"room":"r"}"#, &post).await;
    }
    let served = says(&rooms, "send", "a=", SEND, &post).await;
    assert_eq!((served.delivery.delivered, served.delivery.relayed), (3, 0));
    assert_eq!(parts.taken.take(), []);
}
