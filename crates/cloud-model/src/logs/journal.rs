//! A group's events as lines of text that whoever keeps them appends to a file: each
//! change is a line, and reading all lines again gives the same group. When they have
//! become many more than what they tell, an image of the group takes their place. It is
//! given in parts, so that neither its size nor the time it takes is ever that of a
//! whole group.
//!
//! Deliberately absent: the file. Absent too: the group itself with its retention and
//! tags, which is part of the account's state.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::in_order::Kept;
use super::store::{Received, Store, Stored, Stream};
use crate::limits::{LOG_IMAGE_PART_BYTES, LOG_JOURNAL_SLACK_BYTES};
use crate::snapshot::LogBytes;

/// An image's line takes no further event once its messages have so many bytes.
const LINE_BYTES: usize = 64 * 1024;

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
    /// An image of which parts were taken.
    imaging: Option<Imaging>,
}

/// How far an image has come.
#[derive(Debug, Clone, Copy, Default)]
struct Imaging {
    /// Events from this number on aren't in it yet, those that came meanwhile included.
    from: u64,
    /// The next event's number when the image was begun.
    until: u64,
    /// Bytes of the parts that were taken.
    taken: usize,
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

    /// Events that come now are noted by a part of an image.
    pub(super) fn is_imaging(&self) -> bool {
        self.imaging.is_some()
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
        if self.is_imaging() {
            // One of the parts to come has them.
            return;
        }
        if let Some(first) = events.first() {
            self.note(&line_of_events(
                &first.stream,
                events.iter().map(Stored::as_kept),
            ));
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
        if journal.lost || (journal.imaging.is_none() && journal.is_too_long()) {
            let until = self.next_number;
            *journal = Journal {
                imaging: Some(Imaging {
                    until,
                    ..Imaging::default()
                }),
                ..Journal::default()
            };
        }
        let pending = std::mem::take(&mut journal.pending);
        if let Some(imaging) = journal.imaging {
            return Some(self.take_image_part(imaging, pending));
        }
        if pending.is_empty() {
            return None;
        }
        journal.written += pending.len();
        Some(LogBytes::Append(pending))
    }

    /// The next part of an image. Streams that were made or deleted since the former one
    /// come before the events of this one: a deleted stream takes only those before it.
    fn take_image_part(&mut self, imaging: Imaging, pending: Vec<u8>) -> LogBytes {
        let first = imaging.taken == 0;
        let mut bytes = if first { self.head() } else { pending };
        // One part has all that came while the others were written: were it bounded, too,
        // a group that grows faster than its image would never have one.
        let came_meanwhile = imaging.from >= imaging.until;
        let part = if came_meanwhile {
            usize::MAX
        } else {
            LOG_IMAGE_PART_BYTES
        };
        let from = self.append_events(&mut bytes, imaging.from, part);
        let taken = imaging.taken + bytes.len();
        let done = Journal {
            written: taken,
            image: taken,
            ..Journal::default()
        };
        let last = from.is_none();
        self.journal = Some(match from {
            None => done,
            Some(from) => Journal {
                imaging: Some(Imaging {
                    from,
                    taken,
                    ..imaging
                }),
                ..Journal::default()
            },
        });
        LogBytes::Image { bytes, first, last }
    }

    /// All lines that make this group.
    pub(super) fn image(&self) -> Vec<u8> {
        let mut image = self.head();
        self.append_events(&mut image, 0, usize::MAX);
        image
    }

    /// An image's lines before its first event.
    fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        append(&mut head, &Line::Next(self.next_number));
        for (name, stream) in &self.streams {
            append(&mut head, &line_of(name, stream));
        }
        head
    }

    /// Appends the events from this number on, until there are so many bytes. Gives the
    /// first number that has no place.
    fn append_events(&self, to: &mut Vec<u8>, from: u64, bytes: usize) -> Option<u64> {
        let mut rest = self.events.since(from).peekable();
        while let Some(event) = rest.peek() {
            if to.len() >= bytes {
                return Some(event.number);
            }
            let stream = event.stream;
            let (mut run, mut length) = (Vec::new(), 0);
            while let Some(event) =
                rest.next_if(|event| event.stream == stream && length < LINE_BYTES)
            {
                length += event.message.len();
                run.push(event);
            }
            append(to, &line_of_events(stream, run.into_iter()));
        }
        None
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
        // Events of theirs were dropped while their image was taken.
        store.drop_empty_streams();
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
                    self.keep(&Stored {
                        stream: Arc::clone(&stream),
                        timestamp,
                        ingested,
                        number,
                        message: message.into(),
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

fn line_of_events<'a>(name: &'a str, events: impl Iterator<Item = Kept<'a>>) -> Line<'a> {
    let event = |it: Kept<'a>| {
        let message = Cow::Borrowed(it.message);
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

    /// What a file has after a write, and after each part of an image `meanwhile` happens.
    /// Answers the bytes of an image's largest part.
    fn write_while(
        file: &mut Vec<u8>,
        store: &mut Store,
        mut meanwhile: impl FnMut(&mut Store),
    ) -> usize {
        let (mut image, mut largest) = (Vec::new(), 0);
        while let Some(bytes) = store.take_journal() {
            match bytes {
                LogBytes::Append(bytes) => {
                    file.extend(bytes);
                    break;
                }
                LogBytes::Image { bytes, first, last } => {
                    assert_eq!(first, image.is_empty());
                    largest = largest.max(bytes.len());
                    image.extend(bytes);
                    if last {
                        *file = image;
                        break;
                    }
                    meanwhile(store);
                }
            }
        }
        largest
    }

    fn write(file: &mut Vec<u8>, store: &mut Store) {
        let largest = write_while(file, store, |_| ());
        assert!(
            largest <= LOG_IMAGE_PART_BYTES + 2 * LOG_MESSAGE_BYTES,
            "{largest}"
        );
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
    fn what_happens_between_the_parts_of_an_image_is_in_it() {
        let (mut file, mut store) = (Vec::new(), journaled());
        let kib = "x".repeat(1024);
        for second in 0..3_000 {
            store.put(&format!("{}", second % 3), vec![event(second, &kib)]);
        }
        let mut parts = 0;
        write_while(&mut file, &mut store, |store| {
            parts += 1;
            let event = event(10_000 + parts, "later");
            match parts {
                1 => store.put("3", vec![event]),
                2 => store.delete_stream("1"),
                3 => store.put("1", vec![event]),
                4 => store.create_stream("empty", 5),
                _ => {}
            }
        });
        assert!(parts > 4, "{parts}");
        assert_same(&file, &store);
        assert_eq!(store.ordered(|event| **event.stream == *"1").len(), 1);
        store.put("1", vec![event(20_000, "behind the image")]);
        assert!(matches!(store.journal.as_ref(), Some(journal) if !journal.pending.is_empty()));
        write(&mut file, &mut store);
        assert_same(&file, &store);
    }

    #[test]
    fn streams_whose_events_are_dropped_while_their_image_is_taken_are_gone() {
        let (mut file, mut store) = (Vec::new(), journaled());
        let large = "x".repeat(LOG_MESSAGE_BYTES);
        let full = i64::try_from(LOG_GROUP_BYTES / LOG_MESSAGE_BYTES).unwrap();
        for second in 0..full {
            store.put(&format!("old {second}"), vec![event(second, &large)]);
        }
        let mut second = full;
        write_while(&mut file, &mut store, |store| {
            for _ in 0..full / 4 {
                store.put("new", vec![event(second, &large)]);
                second += 1;
            }
        });
        let restored = Store::replay(&file).unwrap();
        let names = |store: &Store| store.streams.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&restored), names(&store));
        assert_eq!(restored.events.iter().count(), store.events.iter().count());
    }

    #[test]
    fn no_part_of_an_image_is_large_however_short_a_groups_lines_are() {
        let (mut file, mut store) = (Vec::new(), journaled());
        for second in 0..LOG_GROUP_BYTES as i64 / 40 {
            store.put(&format!("{}", second % 7), vec![event(second, "short")]);
        }
        write(&mut file, &mut store);
        assert!(
            file.len() > LOG_GROUP_BYTES,
            "lines are longer than what is counted"
        );
        assert_same(&file, &store);
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
