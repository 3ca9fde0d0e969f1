//! StartLiveTail: a session that shows the events that arrive in some log groups. The
//! model says what a session shows; whoever has the sockets asks it each second.
//!
//! Deliberately absent: how it is written on the wire, and how long a session lasts.

use serde_json::{Value, json};

use super::filter::Filter;
use super::in_order::Kept;
use super::store::Store;
use super::{Logs, invalid_parameter};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::ids::uuid;
use crate::limits::{LIVE_TAIL_EVENTS, LIVE_TAIL_GROUPS, LIVE_TAIL_STREAMS};
use crate::wire::members::{Members, present};

/// A session of StartLiveTail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTail {
    /// The session's first event, `sessionStart`.
    pub start: Value,
    groups: Vec<Followed>,
    streams: Option<Streams>,
    filter: Filter,
}

/// A group, and how far the session has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Followed {
    identifier: String,
    name: String,
    /// A group of the same name made later is another one.
    group: u64,
    next: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Streams {
    Named(Vec<String>),
    Prefixed(Vec<String>),
}

impl Streams {
    fn read(members: &Members, groups: usize) -> Result<Option<Self>, Failure> {
        let list = |name: &str| -> Result<Option<Vec<String>>, Failure> {
            let texts = members.texts(name)?.filter(|texts| !texts.is_empty());
            if texts
                .as_ref()
                .is_some_and(|it| it.len() > LIVE_TAIL_STREAMS)
            {
                return Err(too_many(name, LIVE_TAIL_STREAMS));
            }
            Ok(texts)
        };
        let streams = match (list("logStreamNames")?, list("logStreamNamePrefixes")?) {
            (Some(_), Some(_)) => {
                return Err(invalid_parameter(
                    "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.",
                ));
            }
            (Some(names), None) => Self::Named(names),
            (None, Some(prefixes)) => Self::Prefixed(prefixes),
            (None, None) => return Ok(None),
        };
        if groups > 1 {
            return Err(invalid_parameter(
                "Log streams can be specified for a single log group only.",
            ));
        }
        Ok(Some(streams))
    }

    fn has(&self, stream: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| name == stream),
            Self::Prefixed(prefixes) => prefixes.iter().any(|it| stream.starts_with(it.as_str())),
        }
    }
}

impl Logs {
    /// A session that shows what arrives from now on.
    pub(crate) fn start_live_tail(
        &self,
        members: &Members,
        call: &mut Call<'_>,
        request_id: &str,
    ) -> Result<LiveTail, Failure> {
        let identifiers = members
            .texts("logGroupIdentifiers")?
            .filter(|identifiers| !identifiers.is_empty())
            .ok_or_else(|| invalid_parameter(constraints::missing("logGroupIdentifiers")))?;
        if identifiers.len() > LIVE_TAIL_GROUPS {
            return Err(too_many("logGroupIdentifiers", LIVE_TAIL_GROUPS));
        }
        let streams = Streams::read(members, identifiers.len())?;
        let pattern = members.text("logEventFilterPattern")?;
        let filter =
            Filter::read(pattern.as_deref().unwrap_or_default()).map_err(invalid_parameter)?;
        let groups: Result<Vec<Followed>, Failure> =
            identifiers.iter().map(|it| self.followed(it)).collect();
        let (names, prefixes) = match &streams {
            None => (None, None),
            Some(Streams::Named(names)) => (Some(names), None),
            Some(Streams::Prefixed(prefixes)) => (None, Some(prefixes)),
        };
        let start = present(json!({
            "requestId": request_id,
            "sessionId": uuid(call.ids),
            "logGroupIdentifiers": identifiers,
            "logStreamNames": names,
            "logStreamNamePrefixes": prefixes,
            "logEventFilterPattern": pattern,
        }));
        Ok(LiveTail {
            groups: groups?,
            start,
            streams,
            filter,
        })
    }

    fn followed(&self, identifier: &str) -> Result<Followed, Failure> {
        // Unlike elsewhere, names alone won't do, and neither will an ARN with `:*`.
        let name = identifier.split_once(":log-group:").map(|(_, name)| name);
        let name = name.filter(|name| !name.ends_with('*')).ok_or_else(|| {
            invalid_parameter(
                "logGroupIdentifiers must be ARNs of log groups, without :* at the end.",
            )
        })?;
        let group = self.group(name)?;
        Ok(Followed {
            identifier: identifier.to_owned(),
            name: name.to_owned(),
            group: group.number,
            next: group.store.next_number,
        })
    }

    /// What has arrived since the session's last update: its next event,
    /// `sessionUpdate`.
    pub(crate) fn update(&self, tail: &mut LiveTail) -> Value {
        let LiveTail {
            groups,
            streams,
            filter,
            ..
        } = tail;
        let mut results = Vec::new();
        let mut sampled = false;
        for followed in groups {
            let group = self.groups.get(&followed.name);
            let Some(group) = group.filter(|group| group.number == followed.group) else {
                continue;
            };
            let next = std::mem::replace(&mut followed.next, group.store.next_number);
            let shown = arrived_since(&group.store, next)
                .filter(|event| streams.as_ref().is_none_or(|it| it.has(event.stream)))
                .filter(|event| filter.matches(event.message));
            for event in shown {
                if results.len() == LIVE_TAIL_EVENTS {
                    sampled = true;
                    break;
                }
                results.push(json!({
                    "ingestionTime": event.ingested,
                    "logGroupIdentifier": followed.identifier,
                    "logStreamName": event.stream,
                    "message": event.message,
                    "timestamp": event.timestamp,
                }));
            }
        }
        json!({ "sessionMetadata": { "sampled": sampled }, "sessionResults": results })
    }
}

fn arrived_since(store: &Store, next: u64) -> impl Iterator<Item = Kept<'_>> {
    store.events.since(next)
}

fn too_many(name: &str, most: usize) -> Failure {
    invalid_parameter(constraints::violation(
        "[…]".to_owned(),
        name,
        &format!("Member must have length less than or equal to {most}"),
    ))
}
