//! Which messages' telling came to its end, by the lines that invocations leave in the room
//! function's log: one that was killed leaves none.
//!
//! The local cloud keeps so many bytes of a log group: it is read as it goes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::witness::Place;
use crate::ask;
use crate::failure::Failure;

const GROUP: &str = "/aws/lambda/chat-local-room";
/// Between two readings.
const EVERY: Duration = Duration::from_secs(5);
/// Lines may come so much later than they say, in ms.
const LATENESS: i64 = 5_000;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Tellings {
    pub(super) ended: BTreeSet<Place>,
    /// Members that an invocation which came to its end says it didn't reach.
    pub(super) undelivered: u64,
    /// Lines that say the table failed.
    pub(super) errors: u64,
    seen: BTreeSet<String>,
    from: i64,
}

/// Reads until it is dropped.
pub(super) async fn follow(address: &str, tellings: &RefCell<Tellings>) -> Result<(), Failure> {
    loop {
        read(address, tellings).await?;
        sleep(EVERY).await;
    }
}

/// Reads what is new.
pub(super) async fn read(address: &str, tellings: &RefCell<Tellings>) -> Result<(), Failure> {
    let from = tellings.borrow().from;
    let mut token = Value::Null;
    loop {
        let mut question = json!({
            "logGroupName": GROUP,
            "startTime": (from - LATENESS).max(0),
            "filterPattern": "requestId",
        });
        if token.is_string() {
            question["nextToken"] = token;
        }
        let target = "Logs_20140328.FilterLogEvents";
        let answer = ask::call(address, "logs", target, &question).await?;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        for event in &events {
            tellings.borrow_mut().note(event);
        }
        token = answer["nextToken"].clone();
        if !token.is_string() {
            return Ok(());
        }
    }
}

impl Tellings {
    fn note(&mut self, event: &Value) {
        self.from = self.from.max(event["timestamp"].as_i64().unwrap_or(0));
        let id = event["eventId"].as_str().unwrap_or_default();
        if !self.seen.insert(id.to_owned()) {
            return;
        }
        let line = event["message"].as_str().unwrap_or_default();
        let line: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        self.errors += u64::from(line["error"].is_string());
        let undelivered = line["delivery"]["undelivered"].as_u64();
        self.undelivered += undelivered.unwrap_or(0);
        // A repetition has a number, too, but tells nobody.
        if let (Some(room), Some(seq), true) = (
            line["room"].as_str(),
            line["seq"].as_u64(),
            line["delivery"].is_object(),
        ) {
            self.ended.insert((room.to_owned(), seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_of_a_message_that_was_told_says_so() {
        let mut tellings = Tellings::default();
        let lines = [
            json!({ "requestId": "1", "room": "r", "seq": 1, "delivery": { "delivered": 3 } }),
            json!({ "requestId": "2", "room": "r", "seq": 2 }),
            json!({ "requestId": "3", "room": "r", "delivery": { "delivered": 1 } }),
            json!({ "requestId": "4", "room": "r", "seq": 4, "error": "the table" }),
            json!({ "requestId": "5", "room": "r", "seq": 5,
                "delivery": { "delivered": 2, "undelivered": 2 } }),
        ];
        for (number, line) in lines.iter().enumerate() {
            let event = json!({ "eventId": number.to_string(), "timestamp": number,
                "message": line.to_string() });
            tellings.note(&event);
            tellings.note(&event);
        }
        let ended = [("r".to_owned(), 1), ("r".to_owned(), 5)];
        assert_eq!(tellings.ended, ended.into());
        assert_eq!((tellings.undelivered, tellings.errors), (2, 1));
        assert_eq!(tellings.from, 4);
    }
}
