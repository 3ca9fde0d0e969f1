//! Reading events: of one stream, forwards and backwards, or of all streams,
//! filtered.

use std::ops::Range;

use serde_json::{Value, json};

use super::filter::Filter;
use super::groups::LogGroup;
use super::in_order::Kept;
use super::store::{Position, retained_since};
use super::{Logs, invalid_parameter, read, unknown};
use crate::call::Call;
use crate::error::Failure;
use crate::limits::LOG_PAGE_BYTES;
use crate::wire::members::{Members, present};

const MAX_EVENTS: usize = 10_000;

/// Which times a call asks for, cut to what the group's retention keeps.
fn times(members: &Members, group: &LogGroup, call: &Call<'_>) -> Result<Range<i64>, Failure> {
    let start = members.integer("startTime")?.unwrap_or(i64::MIN);
    let end = members.integer("endTime")?.unwrap_or(i64::MAX);
    if start > end {
        return Err(invalid_parameter("startTime must not be after endTime."));
    }
    Ok(start.max(retained_since(group.about.retention_days, call.now))..end)
}

impl Logs {
    pub(super) fn get_log_events(
        &self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let group = self.group(&read::group_reference(members)?)?;
        let stream = read::required(members, "logStreamName")?;
        if !group.store.streams.contains_key(stream.as_str()) {
            return Err(unknown("The specified log stream does not exist."));
        }
        // Unlike in FilterLogEvents, the end does not belong to the range.
        let times = times(members, group, call)?;
        let limit = read::limit(members, MAX_EVENTS, MAX_EVENTS)?;
        let from_head = members.boolean("startFromHead")?.unwrap_or(false);
        let events = group
            .store
            .ordered(|event| **event.stream == *stream && times.contains(&event.timestamp));
        let token = match members.text("nextToken")? {
            None => None,
            Some(text) => Some(Token::read(&text).ok_or_else(read::bad_token)?),
        };
        let forward = |start: usize| start..start + fitting(events[start..].iter(), limit);
        let backward = |end: usize| end - fitting(events[..end].iter().rev(), limit)..end;
        let place = |at| events.partition_point(|event| event.position() < at);
        let range = match token {
            None if from_head => forward(0),
            None => backward(events.len()),
            Some(Token::Forward(at)) => forward(place(at)),
            Some(Token::Backward(at)) => backward(place(at)),
        };
        let page = &events[range];
        let show = |event: &Kept<'_>| {
            json!({
                "ingestionTime": event.ingested,
                "message": event.message,
                "timestamp": event.timestamp,
            })
        };
        // At an end, AWS gives back the token it was given.
        let here = token.map(Token::position);
        let backward = page.first().map(|event| event.position()).or(here);
        let forward = page.last().map(|event| event.position().after()).or(here);
        let edge = Position {
            timestamp: i64::MIN,
            number: 0,
        };
        Ok(json!({
            "events": page.iter().map(show).collect::<Vec<_>>(),
            "nextBackwardToken": Token::Backward(backward.unwrap_or(edge)).write(),
            "nextForwardToken": Token::Forward(forward.unwrap_or(edge)).write(),
        }))
    }

    pub(super) fn filter_log_events(
        &self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let group = self.group(&read::group_reference(members)?)?;
        let names = members.texts("logStreamNames")?;
        let prefix = members.text("logStreamNamePrefix")?;
        if names.is_some() && prefix.is_some() {
            return Err(invalid_parameter(
                "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
            ));
        }
        // Streams are always interleaved, as AWS does since the flag is deprecated.
        members.boolean("interleaved")?;
        let filter = Filter::read(&members.text("filterPattern")?.unwrap_or_default())
            .map_err(invalid_parameter)?;
        let times = times(members, group, call)?;
        let limit = read::limit(members, MAX_EVENTS, MAX_EVENTS)?;
        let of_stream = |name: &str| {
            names
                .as_ref()
                .is_none_or(|names| names.iter().any(|it| it == name))
                && prefix
                    .as_ref()
                    .is_none_or(|prefix| name.starts_with(prefix.as_str()))
        };
        let events = group.store.ordered(|event| {
            (times.start..=times.end).contains(&event.timestamp)
                && of_stream(event.stream)
                && filter.matches(event.message)
        });
        let show = |event: Kept<'_>| {
            let Position { timestamp, number } = event.position();
            // Positions in digits sort as they do in numbers.
            let key = format!("{:020}{number:020}", timestamp.abs_diff(i64::MIN));
            let shown = json!({
                "eventId": key,
                "ingestionTime": event.ingested,
                "logStreamName": event.stream,
                "message": event.message,
                "timestamp": timestamp,
            });
            (key, shown)
        };
        let events = events
            .into_iter()
            .map(|event| (show(event), event.message.len()));
        let events = events.map(|((key, shown), bytes)| (key, (shown, bytes)));
        let page = read::page_of_events(members, limit, events, |(_, bytes)| *bytes)?;
        let shown: Vec<Value> = page.items.into_iter().map(|(shown, _)| shown).collect();
        Ok(present(
            json!({ "events": shown, "nextToken": page.next, "searchedLogStreams": [] }),
        ))
    }
}

/// How many of these events make a page.
fn fitting<'a>(events: impl Iterator<Item = &'a Kept<'a>>, limit: usize) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Kept<'_>| {
        let first = bytes == 0;
        bytes += event.message.len().max(1);
        first || bytes <= LOG_PAGE_BYTES
    };
    events.take(limit).take_while(fits).count()
}

/// A place and a direction: `f/{time}/{number}` or `b/…`.
#[derive(Debug, Clone, Copy)]
enum Token {
    Forward(Position),
    Backward(Position),
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        let (direction, place) = text.split_once('/')?;
        let (timestamp, number) = place.split_once('/')?;
        let at = Position {
            timestamp: timestamp.parse().ok()?,
            number: number.parse().ok()?,
        };
        match direction {
            "f" => Some(Self::Forward(at)),
            "b" => Some(Self::Backward(at)),
            _ => None,
        }
    }

    fn position(self) -> Position {
        match self {
            Self::Forward(at) | Self::Backward(at) => at,
        }
    }

    fn write(self) -> String {
        let direction = match self {
            Self::Forward(_) => "f",
            Self::Backward(_) => "b",
        };
        let Position { timestamp, number } = self.position();
        format!("{direction}/{timestamp}/{number}")
    }
}

impl Position {
    /// The place right behind.
    fn after(self) -> Self {
        Self {
            number: self.number + 1,
            ..self
        }
    }
}
