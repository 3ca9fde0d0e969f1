//! A group's events as lines of text that whoever keeps them appends to a file: each
//! change is a line, and reading all lines again gives the same group. When they have
//! become many more than what they tell, an image of the group takes their place.
//!
//! Deliberately absent: the file. Absent too: the group itself with its retention and
//! tags, which is part of the account's state.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store::{Received, Store, Stored, Stream};
use crate::limits::LOG_JOURNAL_SLACK_BYTES;
use crate::snapshot::LogBytes;

/// One change.
#[derive(Debug, Serialize, Deserialize)]
enum Line<'a> {
    /// The next event's number: no number is given twice, also when events are gone.
    Next(u64),
    /// A stream was made; in an image, a stream as it is.
    Stream {
        name: Cow<'a, str>,
        created: i64,
        received: Option<Received>,
        made: bool,
    },
    /// A stream was deleted with its events.
    Gone(Cow<'a, str>),
    /// Events of one stream came.
    Events {
        stream: Cow<'a, str>,
        events: Vec<Event<'a>>,
    },
}

/// Timestamp, time of arrival, number, message: lists are shorter than names.
#[derive(Debug, Serialize, Deserialize)]
struct Event<'a>(i64, i64, u64, Cow<'a, str>);

/// What has changed since somebody asked.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pending: Vec<u8>,
    /// Bytes of the file, without what is pending.
    written: usize,
    /// Bytes of the image that the file begins with.
    image: usize,
    /// The file isn't known to have what was taken.
    lost: bool,
}

impl Journal {
    /// Of a group whose file, should there be one, isn't its own.
    pub(super) fn anew() -> Self {
        Self {
            lost: true,
            ..Self::default()
        }
    }

    /// Of a group whose file has so many bytes.
    pub(super) fn of_file(written: usize) -> Self {
        Self {
            written,
            ..Self::default()
        }
    }

    /// The next ones who ask are given the whole group.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    fn note(&mut self, line: &Line<'_>) {
        append(&mut self.pending, line);
    }

    /// Notes that a stream was made.
    pub(super) fn note_stream(&mut self, name: &str, stream: &Stream) {
        self.note(&line_of(name, stream));
    }

    /// Notes that a stream was deleted.
    pub(super) fn note_gone(&mut self, name: &str) {
        self.note(&Line::Gone(name.into()));
    }

    /// Notes events of one stream.
    pub(super) fn note_events(&mut self, events: &[Stored]) {
        if let Some(first) = events.first() {
            self.note(&line_of_events(&first.stream, events.iter()));
        }
    }

    fn is_too_long(&self) -> bool {
        self.written + self.pending.len() > 2 * self.image + LOG_JOURNAL_SLACK_BYTES
    }
}

impl Store {
    /// What the group's file lacks, once.
    pub(super) fn take_journal(&mut self) -> Option<LogBytes> {
        let journal = self.journal.as_mut()?;
        if journal.lost || journal.is_too_long() {
            let image = self.image();
            self.journal = Some(Journal {
                written: image.len(),
                image: image.len(),
                ..Journal::default()
            });
            return Some(LogBytes::Replace(image));
        }
        if journal.pending.is_empty() {
            return None;
        }
        let pending = std::mem::take(&mut journal.pending);
        journal.written += pending.len();
        Some(LogBytes::Append(pending))
    }

    /// All lines that make this group.
    pub(super) fn image(&self) -> Vec<u8> {
        let mut image = Vec::new();
        append(&mut image, &Line::Next(self.next_number));
        for (name, stream) in &self.streams {
            append(&mut image, &line_of(name, stream));
        }
        let events: Vec<&Stored> = self.events.iter().collect();
        for run in events.chunk_by(|one, next| one.stream == next.stream) {
            let line = line_of_events(&run[0].stream, run.iter().copied());
            append(&mut image, &line);
        }
        image
    }

    /// The group that these lines make, or the number of the first line that is
    /// none. Behind the last line's end nothing counts: whoever wrote it was stopped.
    pub(super) fn replay(text: &[u8]) -> Result<Self, usize> {
        let mut store = Self::default();
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.last() != Some(&b'\n') {
                break;
            }
            let line: Line<'static> = serde_json::from_slice(line).map_err(|_| index + 1)?;
            store.take_line(line);
        }
        Ok(store)
    }

    fn take_line(&mut self, line: Line<'static>) {
        match line {
            Line::Next(number) => self.next_number = number,
            Line::Stream {
                name,
                created,
                received,
                made,
            } => {
                let stream = Stream::restored(created, received, made);
                self.streams.insert(Arc::from(&*name), stream);
            }
            Line::Gone(name) => self.remove_stream(&name),
            Line::Events { stream, events } => {
                let stream = self.name_of(&stream);
                for Event(timestamp, ingested, number, message) in events {
                    self.keep(Stored {
                        stream: Arc::clone(&stream),
                        timestamp,
                        ingested,
                        number,
                        message: message.into_owned(),
                    });
                }
            }
        }
    }
}

fn line_of<'a>(name: &'a str, stream: &Stream) -> Line<'a> {
    Line::Stream {
        name: name.into(),
        created: stream.created,
        received: stream.received,
        made: stream.made,
    }
}

fn line_of_events<'a>(name: &'a str, events: impl Iterator<Item = &'a Stored>) -> Line<'a> {
    let event = |it: &'a Stored| {
        let message = Cow::Borrowed(it.message.as_str());
        Event(it.timestamp, it.ingested, it.number, message)
    };
    Line::Events {
        stream: name.into(),
        events: events.map(event).collect(),
    }
}

fn append(to: &mut Vec<u8>, line: &Line<'_>) {
    // Writing text and numbers into memory can't fail.
    let _infallible = serde_json::to_writer(&mut *to, line);
    to.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogEvent;
    use crate::limits::{LOG_GROUP_BYTES, LOG_MESSAGE_BYTES};
    use crate::logs::store::Incoming;

    fn event(second: i64, message: &str) -> LogEvent {
        LogEvent {
            timestamp: jiff::Timestamp::from_second(second).unwrap(),
            message: message.to_owned(),
        }
    }

    fn journaled() -> Store {
        Store::new(true)
    }

    /// What a file has after a write.
    fn write(file: &mut Vec<u8>, store: &mut Store) {
        match store.take_journal() {
            None => {}
            Some(LogBytes::Append(bytes)) => file.extend(bytes),
            Some(LogBytes::Replace(bytes)) => *file = bytes,
        }
    }

    fn assert_same(file: &[u8], store: &Store) {
        let replayed = Store::replay(file).unwrap();
        assert!(replayed.image() == store.image(), "another group is kept");
    }

    #[test]
    fn the_lines_of_a_group_make_the_same_group() {
        let (mut file, mut store) = (Vec::new(), journaled());
        store.create_stream("made", 1);
        write(&mut file, &mut store);
        store.put("first", vec![event(2, "hello\n\"äöü\""), event(1, "")]);
        store.put("second", vec![event(3, "there")]);
        let message = "by the wire".to_owned();
        store.ingest(
            "made",
            vec![Incoming {
                timestamp: 5,
                message,
            }],
            9,
        );
        write(&mut file, &mut store);
        assert_same(&file, &store);
        store.delete_stream("second");
        store.delete_stream("first");
        write(&mut file, &mut store);
        assert_same(&file, &store);
        assert!(store.take_journal().is_none(), "nothing has changed since");
        let mut restored = Store::replay(&file).unwrap();
        assert_eq!(restored.sequence_token(), store.sequence_token());
        restored.put("third", vec![event(4, "again")]);
        store.put("third", vec![event(4, "again")]);
        assert_eq!(restored.image(), store.image());
    }

    #[test]
    fn a_groups_file_stays_bounded_and_never_misses_an_event() {
        let (mut file, mut store) = (Vec::new(), journaled());
        let large = "x".repeat(LOG_MESSAGE_BYTES);
        let (mut replaced, mut longest) = (0, 0);
        for second in 0..400 {
            store.put(
                &format!("stream {}", second / 50),
                vec![event(second, &large)],
            );
            let before = file.len();
            write(&mut file, &mut store);
            replaced += usize::from(file.len() < before);
            longest = longest.max(file.len());
            if second % 100 == 0 {
                assert_same(&file, &store);
            }
        }
        assert_same(&file, &store);
        assert!(replaced >= 2, "{replaced}");
        assert!(longest < 3 * LOG_GROUP_BYTES, "{longest}");
    }

    #[test]
    fn a_line_that_was_being_written_doesnt_count_and_any_other_that_is_none_is_named() {
        let (mut file, mut store) = (Vec::new(), journaled());
        for (second, message) in [(1, "a"), (2, "b")] {
            store.put("s", vec![event(second, message)]);
            write(&mut file, &mut store);
        }
        let torn = &file[..file.len() - 3];
        let restored = Store::replay(torn).unwrap();
        assert_eq!(restored.ordered(|_| true).len(), 1);
        let broken = [torn, b"\n", file.as_slice()].concat();
        let whole_lines = torn.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(Store::replay(&broken).unwrap_err(), whole_lines + 1);
    }

    #[test]
    fn what_a_file_didnt_get_is_given_again_as_a_whole() {
        let mut store = journaled();
        store.put("s", vec![event(1, "a")]);
        let _failed = store.take_journal();
        if let Some(journal) = &mut store.journal {
            journal.lose();
        }
        let mut file = b"whatever is there".to_vec();
        write(&mut file, &mut store);
        assert_same(&file, &store);
    }
}
