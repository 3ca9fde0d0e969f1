//! For tests of handlers: events as AWS sends them, and a [`Post`] that writes
//! down what it is asked to post.

use crate::event::Event;
use crate::post::{Post, PostError};
use crate::run::Invocation;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A `CONNECT` event of this connection.
pub fn connect_event(connection_id: &str) -> Event {
    event(include_str!("../fixtures/connect.json"), |event| {
        event["requestContext"]["connectionId"] = json!(connection_id);
    })
}

/// A `DISCONNECT` event of this connection.
pub fn disconnect_event(connection_id: &str) -> Event {
    event(include_str!("../fixtures/disconnect.json"), |event| {
        event["requestContext"]["connectionId"] = json!(connection_id);
    })
}

/// A `MESSAGE` event of this connection, routed by this key.
pub fn message_event(route_key: &str, connection_id: &str, body: &str) -> Event {
    event(include_str!("../fixtures/message.json"), |event| {
        event["requestContext"]["connectionId"] = json!(connection_id);
        event["requestContext"]["routeKey"] = json!(route_key);
        event["body"] = json!(body);
    })
}

/// An invocation that nobody else has, with time enough.
pub fn invocation() -> Invocation {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    Invocation {
        request_id: format!("request-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        deadline: Instant::now() + Duration::from_secs(10),
    }
}

fn event(fixture: &str, change: impl FnOnce(&mut Value)) -> Event {
    let mut event = serde_json::from_str(fixture).expect("a fixture is JSON");
    change(&mut event);
    serde_json::from_value(event).expect("a fixture is an event")
}

/// Writes down every text it delivers.
#[derive(Debug, Default)]
pub struct Recorder {
    delivered: RefCell<Vec<(String, String)>>,
    failing: RefCell<BTreeMap<String, PostError>>,
}

impl Recorder {
    /// From now on this connection is gone.
    pub fn lose(&self, connection_id: &str) {
        self.fail(connection_id, PostError::Gone);
    }

    /// From now on posts to this connection fail with this error.
    pub fn break_off(&self, connection_id: &str, error: &str) {
        self.fail(connection_id, PostError::Other(error.to_owned()));
    }

    fn fail(&self, connection_id: &str, error: PostError) {
        let mut failing = self.failing.borrow_mut();
        failing.insert(connection_id.to_owned(), error);
    }

    /// Posts to this connection work again.
    pub fn mend(&self, connection_id: &str) {
        self.failing.borrow_mut().remove(connection_id);
    }

    /// Takes what was delivered to this connection since the last taking.
    pub fn take(&self, connection_id: &str) -> Vec<String> {
        let mut delivered = self.delivered.borrow_mut();
        let (taken, rest) = delivered.drain(..).partition(|(id, _)| id == connection_id);
        *delivered = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, text)| text).collect()
    }

    /// Takes everything that was delivered, as connection and text, in order of
    /// connections.
    pub fn take_all(&self) -> Vec<(String, String)> {
        let mut taken = self.delivered.take();
        taken.sort();
        taken
    }
}

impl Post for Recorder {
    async fn post(&self, connection_id: &str, text: &str) -> Result<(), PostError> {
        if let Some(error) = self.failing.borrow().get(connection_id) {
            return Err(error.clone());
        }
        let mut delivered = self.delivered.borrow_mut();
        delivered.push((connection_id.to_owned(), text.to_owned()));
        Ok(())
    }
}
