//! The events of one group, bounded in bytes: when they get too many, the
//! oldest are dropped, and a stream goes with its last event unless it was made
//! by a call of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::in_order::{InOrder, Kept};
use super::journal::Journal;
use crate::LogEvent;
use crate::limits::{LOG_EVENT_OVERHEAD_BYTES, LOG_GROUP_BYTES, LOG_MESSAGE_BYTES};

/// An event that is to be kept.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) stream: Arc<str>,
    /// ms since 1970.
    pub(super) timestamp: i64,
    /// When it arrived, ms since 1970.
    pub(super) ingested: i64,
    /// Order of arrival in the group; breaks ties of time.
    pub(super) number: u64,
    pub(super) message: Box<str>,
}

impl Stored {
    /// As it will be read.
    pub(super) fn as_kept(&self) -> Kept<'_> {
        Kept {
            stream: &self.stream,
            timestamp: self.timestamp,
            ingested: self.ingested,
            number: self.number,
            message: &self.message,
        }
    }
}

/// What an event counts.
fn bytes_of(message: &str) -> usize {
    message.len() + LOG_EVENT_OVERHEAD_BYTES
}

/// An event that came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    /// ms since 1970.
    pub(super) timestamp: i64,
    pub(super) message: String,
}

/// A place in the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) timestamp: i64,
    pub(super) number: u64,
}

/// A stream: when it was made, what it has received, how much of it is kept.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) created: i64,
    /// `None`: it never had an event.
    pub(super) received: Option<Received>,
    kept: usize,
    /// Made by CreateLogStream, and not gone before DeleteLogStream.
    pub(super) made: bool,
}

impl Stream {
    /// A stream as it was, before its events are back.
    pub(super) fn restored(created: i64, received: Option<Received>, made: bool) -> Self {
        Self {
            created,
            received,
            kept: 0,
            made,
        }
    }
}

/// Times of a stream's events, ms since 1970.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) ingested: i64,
}

/// Events in the order of arrival, and their streams by name.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) events: InOrder,
    pub(super) streams: BTreeMap<Arc<str>, Stream>,
    bytes: usize,
    pub(super) next_number: u64,
    /// `None`: nobody keeps the events elsewhere.
    pub(super) journal: Option<Journal>,
}

impl Store {
    /// Nothing yet; with a journal, if somebody keeps the events elsewhere.
    pub(super) fn new(journaled: bool) -> Self {
        Self {
            journal: journaled.then(Journal::anew),
            ..Self::default()
        }
    }

    /// Keeps a function's events; they are taken to arrive when they were
    /// written.
    pub(super) fn put(&mut self, stream: &str, events: Vec<LogEvent>) {
        let arrived = events.into_iter().map(|event| {
            let timestamp = event.timestamp.as_millisecond();
            let message = cut(event.message);
            (timestamp, Incoming { timestamp, message })
        });
        self.keep_all(stream, arrived);
    }

    /// Keeps events that arrive now.
    pub(super) fn ingest(&mut self, stream: &str, events: Vec<Incoming>, now: i64) {
        self.keep_all(stream, events.into_iter().map(|event| (now, event)));
    }

    /// Makes a stream, which stays even without events.
    pub(super) fn create_stream(&mut self, stream: &str, now: i64) {
        let made = Stream::restored(now, None, true);
        if let Some(journal) = &mut self.journal {
            journal.note_stream(stream, &made);
        }
        self.streams.insert(self.name_of(stream), made);
    }

    /// Deletes a stream with its events.
    pub(super) fn delete_stream(&mut self, stream: &str) {
        if let Some(journal) = &mut self.journal {
            journal.note_gone(stream);
        }
        self.remove_stream(stream);
    }

    pub(super) fn remove_stream(&mut self, stream: &str) {
        self.streams.remove(stream);
        self.events.retain(|event| **event.stream != *stream);
        self.bytes = self.events.iter().map(|it| bytes_of(it.message)).sum();
    }

    /// What PutLogEvents calls the next event's place: 56 digits.
    pub(super) fn sequence_token(&self) -> String {
        format!("49{:054}", self.next_number)
    }

    pub(super) fn name_of(&self, stream: &str) -> Arc<str> {
        match self.streams.get_key_value(stream) {
            Some((name, _)) => name.clone(),
            None => Arc::from(stream),
        }
    }

    /// Events of one stream, each with the time of its arrival.
    fn keep_all(&mut self, stream: &str, events: impl Iterator<Item = (i64, Incoming)>) {
        let stream = self.name_of(stream);
        let number = |(place, (ingested, event)): (usize, (i64, Incoming))| Stored {
            stream: Arc::clone(&stream),
            timestamp: event.timestamp,
            ingested,
            number: self.next_number + place as u64,
            message: event.message.into(),
        };
        let events: Vec<Stored> = events.enumerate().map(number).collect();
        if let Some(journal) = &mut self.journal {
            if journal.is_imaging() && !self.streams.contains_key(&stream) {
                // Its first event may be gone when its part is taken.
                let created = events.first().map_or(0, |event| event.timestamp);
                journal.note_stream(&stream, &Stream::restored(created, None, false));
            }
            journal.note_events(&events);
        }
        for event in events {
            self.keep(&event);
        }
    }

    pub(super) fn keep(&mut self, stored: &Stored) {
        let (timestamp, ingested, number) = (stored.timestamp, stored.ingested, stored.number);
        if !self.events.push(stored) {
            return;
        }
        let entry = self.streams.entry(Arc::clone(&stored.stream));
        let stream = entry.or_insert_with(|| Stream::restored(timestamp, None, false));
        let received = stream.received.get_or_insert(Received {
            first: timestamp,
            last: timestamp,
            ingested,
        });
        received.first = received.first.min(timestamp);
        received.last = received.last.max(timestamp);
        received.ingested = received.ingested.max(ingested);
        stream.kept += 1;
        self.next_number = self.next_number.max(number + 1);
        self.bytes += bytes_of(&stored.message);
        while self.bytes > LOG_GROUP_BYTES {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.events.first() else {
            return;
        };
        self.bytes -= bytes_of(oldest.message);
        if let Some(stream) = self.streams.get_mut(oldest.stream) {
            stream.kept -= 1;
            if stream.kept == 0 && !stream.made {
                self.streams.remove(oldest.stream);
            }
        }
        self.events.drop_first();
    }

    /// A stream goes with its last event, unless a call has made it.
    pub(super) fn drop_empty_streams(&mut self) {
        self.streams
            .retain(|_, stream| stream.made || stream.kept > 0);
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The events that hold, in the order in which events are read.
    pub(super) fn ordered(&self, holds: impl Fn(&Kept<'_>) -> bool) -> Vec<Kept<'_>> {
        let events = self.events.iter().filter(|event| holds(event));
        let mut events: Vec<Kept<'_>> = events.collect();
        events.sort_by_key(Kept::position);
        events
    }
}

/// Cuts a message to its limit, between two characters.
fn cut(mut message: String) -> String {
    if message.len() > LOG_MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(LOG_MESSAGE_BYTES));
    }
    message
}

/// The oldest time that a retention of so many days keeps.
pub(super) fn retained_since(retention_days: Option<i64>, now: Timestamp) -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    retention_days.map_or(i64::MIN, |days| now.as_millisecond() - days * DAY_MS)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{LOG_GROUP_BYTES, LOG_MESSAGE_BYTES, Store};
    use crate::LogEvent;

    fn event(second: i64, message: &str) -> LogEvent {
        LogEvent {
            timestamp: Timestamp::from_second(second).unwrap(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn the_oldest_events_are_dropped_and_their_stream_with_them() {
        let mut store = Store::default();
        let large = "x".repeat(LOG_MESSAGE_BYTES);
        store.put("first", vec![event(1, "hello")]);
        for second in 0..100 {
            store.put("second", vec![event(second, &large)]);
        }
        assert!(store.bytes() <= LOG_GROUP_BYTES);
        assert_eq!(
            store.streams.keys().map(|name| &**name).collect::<Vec<_>>(),
            ["second"]
        );
        let kept = store.ordered(|_| true);
        assert_eq!(kept.len(), LOG_GROUP_BYTES / (LOG_MESSAGE_BYTES + 26));
        assert_eq!(kept.last().unwrap().timestamp, 99_000);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let mut store = Store::default();
        store.put(
            "s",
            vec![
                event(1, &"ä".repeat(LOG_MESSAGE_BYTES)),
                event(1, &format!("x{}", "ä".repeat(LOG_MESSAGE_BYTES))),
            ],
        );
        let lengths: Vec<usize> = store
            .ordered(|_| true)
            .iter()
            .map(|it| it.message.len())
            .collect();
        assert_eq!(lengths, [LOG_MESSAGE_BYTES, LOG_MESSAGE_BYTES - 1]);
    }

    #[test]
    fn events_are_read_by_time_then_arrival() {
        let mut store = Store::default();
        store.put("a", vec![event(2, "late"), event(1, "early")]);
        store.put("b", vec![event(1, "early too")]);
        let messages: Vec<&str> = store
            .ordered(|_| true)
            .iter()
            .map(|it| it.message)
            .collect();
        assert_eq!(messages, ["early", "early too", "late"]);
    }
}
