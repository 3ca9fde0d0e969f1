//! Writing over the wire: making streams, deleting them, putting events.
//!
//! Deliberately absent: entities, and the check of sequence tokens, which AWS
//! has given up: any is accepted, and a next one is still given.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::groups::LogGroup;
use super::store::{Incoming, retained_since};
use super::{Logs, invalid_parameter, read, unknown};
use crate::assumptions::{
    LOGS_NOT_IN_ORDER, LOGS_SPAN, logs_event_too_large, logs_upload_too_large,
};
use crate::call::Call;
use crate::constraints;
use crate::error::{Failure, unsupported};
use crate::limits::{
    LOG_BATCH_BYTES, LOG_BATCH_EVENTS, LOG_EVENT_BYTES, LOG_EVENT_OVERHEAD_BYTES, LOG_NAME_CHARS,
    LOG_STREAMS_PER_GROUP,
};
use crate::wire::members::{Members, present};

const STREAM_PATTERN: &str = "[^:*]*";
const BATCH_SPAN: SignedDuration = SignedDuration::from_hours(24);
const OLDEST: SignedDuration = SignedDuration::from_hours(14 * 24);
const NEWEST: SignedDuration = SignedDuration::from_hours(2);

impl Logs {
    pub(super) fn create_log_stream(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let (group, stream) = (read::group_name(members)?, stream_name(members)?);
        let store = &mut self.group_mut(&group)?.store;
        if store.streams.contains_key(stream.as_str()) {
            return Err(Failure::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        if store.streams.len() >= LOG_STREAMS_PER_GROUP {
            return Err(invalid_parameter(unsupported(&format!(
                "more than {LOG_STREAMS_PER_GROUP} log streams of a group"
            ))));
        }
        store.create_stream(&stream, call.now.as_millisecond());
        Ok(None)
    }

    pub(super) fn delete_log_stream(
        &mut self,
        members: &Members,
    ) -> Result<Option<Value>, Failure> {
        let (group, stream) = (read::group_name(members)?, stream_name(members)?);
        let store = &mut self.group_mut(&group)?.store;
        if !store.streams.contains_key(stream.as_str()) {
            return Err(unknown_stream());
        }
        store.delete_stream(&stream);
        Ok(None)
    }

    pub(super) fn put_log_events(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let (group, stream) = (read::group_name(members)?, stream_name(members)?);
        members.text("sequenceToken")?;
        if members.says_something("entity") {
            return Err(invalid_parameter(unsupported("entity")));
        }
        let mut events = read_events(members)?;
        let group = self.group_mut(&group)?;
        if !group.store.streams.contains_key(stream.as_str()) {
            return Err(unknown_stream());
        }
        let bounds = Bounds::of(&events, group, call.now);
        events.truncate(bounds.too_new_start.unwrap_or(events.len()));
        events.drain(..bounds.first_kept().min(events.len()));
        group
            .store
            .ingest(&stream, events, call.now.as_millisecond());
        Ok(present(json!({
            "nextSequenceToken": group.store.sequence_token(),
            "rejectedLogEventsInfo": bounds.show(),
        })))
    }
}

/// Which events of a batch are dropped for their time, as AWS reports it: the
/// ends don't belong to what is dropped.
struct Bounds {
    too_old_end: usize,
    expired_end: usize,
    too_new_start: Option<usize>,
}

impl Bounds {
    fn of(events: &[Incoming], group: &LogGroup, now: Timestamp) -> Self {
        let before = |at: i64| events.partition_point(|event| event.timestamp < at);
        let now_ms = now.as_millisecond();
        let newest = now_ms + NEWEST.as_secs() * 1_000;
        let too_new = events.partition_point(|event| event.timestamp <= newest);
        Self {
            too_old_end: before(now_ms - OLDEST.as_secs() * 1_000),
            expired_end: before(retained_since(group.about.retention_days, now)),
            too_new_start: (too_new < events.len()).then_some(too_new),
        }
    }

    fn first_kept(&self) -> usize {
        self.too_old_end.max(self.expired_end)
    }

    fn show(&self) -> Option<Value> {
        let end = |end: usize| (end > 0).then_some(end);
        if self.first_kept() == 0 && self.too_new_start.is_none() {
            return None;
        }
        Some(present(json!({
            "expiredLogEventEndIndex": end(self.expired_end),
            "tooNewLogEventStartIndex": self.too_new_start,
            "tooOldLogEventEndIndex": end(self.too_old_end),
        })))
    }
}

fn stream_name(members: &Members) -> Result<String, Failure> {
    let name = read::required(members, "logStreamName")?;
    constraints::length(&name, "logStreamName", 1, LOG_NAME_CHARS).map_err(invalid_parameter)?;
    let holds = !name.contains([':', '*']);
    constraints::pattern(&name, "logStreamName", STREAM_PATTERN, holds)
        .map_err(invalid_parameter)?;
    Ok(name)
}

fn unknown_stream() -> Failure {
    unknown("The specified log stream does not exist.")
}

/// The events, in order of their times and within all sizes.
fn read_events(members: &Members) -> Result<Vec<Incoming>, Failure> {
    let list = members
        .objects("logEvents")?
        .ok_or_else(|| invalid_parameter(constraints::missing("logEvents")))?;
    let count = list.len();
    if count == 0 || count > LOG_BATCH_EVENTS {
        let rule = if count == 0 {
            "Member must have length greater than or equal to 1".to_owned()
        } else {
            format!("Member must have length less than or equal to {LOG_BATCH_EVENTS}")
        };
        let shown = format!("[{count} events]");
        return Err(invalid_parameter(constraints::violation(
            shown,
            "logEvents",
            &rule,
        )));
    }
    let mut events: Vec<Incoming> = Vec::with_capacity(count);
    let mut bytes = 0;
    for (index, event) in list.iter().enumerate() {
        let event = read_event(event, index + 1)?;
        let own = event.message.len() + LOG_EVENT_OVERHEAD_BYTES;
        if own > LOG_EVENT_BYTES {
            return Err(invalid_parameter(logs_event_too_large(
                own,
                LOG_EVENT_BYTES,
            )));
        }
        bytes += own;
        if events
            .last()
            .is_some_and(|last| last.timestamp > event.timestamp)
        {
            return Err(invalid_parameter(LOGS_NOT_IN_ORDER));
        }
        events.push(event);
    }
    if bytes > LOG_BATCH_BYTES {
        return Err(invalid_parameter(logs_upload_too_large(
            bytes,
            LOG_BATCH_BYTES,
        )));
    }
    if let [first, .., last] = events.as_slice()
        && last.timestamp - first.timestamp > BATCH_SPAN.as_secs() * 1_000
    {
        return Err(invalid_parameter(LOGS_SPAN));
    }
    Ok(events)
}

fn read_event(event: &Members, number: usize) -> Result<Incoming, Failure> {
    let member = |name: &str| format!("logEvents.{number}.member.{name}");
    let timestamp = event
        .integer("timestamp")?
        .ok_or_else(|| invalid_parameter(constraints::missing(&member("timestamp"))))?;
    constraints::range(timestamp, &member("timestamp"), 0, i64::MAX).map_err(invalid_parameter)?;
    let message = event
        .text("message")?
        .ok_or_else(|| invalid_parameter(constraints::missing(&member("message"))))?;
    constraints::length(&message, &member("message"), 1, usize::MAX).map_err(invalid_parameter)?;
    Ok(Incoming { timestamp, message })
}
