//! CloudWatch Logs: groups, their retention and tags, streams, writing and
//! reading events. Functions' events come through `Cloud::put_log_events`.
//!
//! Deliberately absent: metrics, subscriptions, Insights queries.

mod events;
mod filter;
mod groups;
mod in_order;
mod ingest;
mod journal;
mod live_tail;
mod read;
mod store;
mod streams;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LogEvent;
use crate::call::Call;
use crate::error::Failure;
use crate::snapshot::LogBytes;
use crate::wire::members::Members;

pub(crate) use groups::About;
use groups::LogGroup;
use journal::Journal;
pub use live_tail::LiveTail;
use store::Store;

/// All log groups of the account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Logs {
    /// By name.
    groups: BTreeMap<String, LogGroup>,
    /// Of the next group: a group made again is another one.
    next_number: u64,
    /// Whether somebody keeps the events elsewhere.
    #[serde(skip)]
    journaled: bool,
}

/// Whether an operation changes streams and events alone.
pub(crate) fn writes_events(operation: &str) -> bool {
    matches!(
        operation,
        "CreateLogStream" | "DeleteLogStream" | "PutLogEvents"
    )
}

/// A line that isn't one of a group's events.
#[derive(Debug)]
pub(crate) struct BadLine {
    pub(crate) group: u64,
    pub(crate) line: usize,
}

impl Logs {
    /// Serves one call. `None`: the operation has no output.
    pub(crate) fn handle(
        &mut self,
        operation: &str,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        match operation {
            "CreateLogGroup" => self.create_log_group(members, call),
            "DeleteLogGroup" => self.delete_log_group(members),
            "DescribeLogGroups" => self.describe_log_groups(members, call).map(Some),
            "PutRetentionPolicy" => self.put_retention_policy(members),
            "DeleteRetentionPolicy" => self.delete_retention_policy(members),
            "TagResource" => self.tag_resource(members, call),
            "UntagResource" => self.untag_resource(members, call),
            "ListTagsForResource" => self.list_tags_for_resource(members, call).map(Some),
            "CreateLogStream" => self.create_log_stream(members, call),
            "DeleteLogStream" => self.delete_log_stream(members),
            "PutLogEvents" => self.put_log_events(members, call).map(Some),
            "DescribeLogStreams" => self.describe_log_streams(members, call).map(Some),
            "GetLogEvents" => self.get_log_events(members, call).map(Some),
            "FilterLogEvents" => self.filter_log_events(members, call).map(Some),
            other => Err(Failure::not_served(&format!("CloudWatch Logs' {other}"))),
        }
    }

    /// Adds events to a stream, which comes into being with them. `false`: there
    /// is no such group, and the events are gone.
    pub(crate) fn put(&mut self, group: &str, stream: &str, events: Vec<LogEvent>) -> bool {
        let Some(group) = self.groups.get_mut(group) else {
            return false;
        };
        group.store.put(stream, events);
        true
    }

    /// These groups as a list shows them: without events, and nothing else is
    /// asked of them. AWS's count of stored bytes lags by hours; here it is 0.
    pub(crate) fn seen_as(groups: BTreeMap<String, Arc<About>>) -> Self {
        let seen = |(name, about): (String, Arc<About>)| {
            let store = store::Store::default();
            let number = 0;
            (
                name,
                LogGroup {
                    about,
                    number,
                    store,
                },
            )
        };
        Self {
            groups: groups.into_iter().map(seen).collect(),
            ..Self::default()
        }
    }

    /// All groups by name, without their events.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Arc<About>)> {
        self.groups.iter().map(|(name, group)| (name, &group.about))
    }

    /// Names of all groups.
    pub(crate) fn names(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }

    /// From now on [`Logs::take_journals`] gives what has changed in the events.
    pub(crate) fn begin_journals(&mut self) {
        self.journaled = true;
        for group in self.groups.values_mut() {
            group.store.journal = Some(Journal::anew());
        }
    }

    /// What the groups' files lack, by the groups' numbers.
    pub(crate) fn take_journals(&mut self) -> Vec<(u64, LogBytes)> {
        let groups = self.groups.values_mut();
        groups
            .filter_map(|group| Some((group.number, group.store.take_journal()?)))
            .collect()
    }

    /// What was taken last has not come into any file.
    pub(crate) fn lose_journals(&mut self) {
        let stores = self.groups.values_mut().map(|group| &mut group.store);
        for journal in stores.filter_map(|store| store.journal.as_mut()) {
            journal.lose();
        }
    }

    /// All groups' events, by the groups' numbers.
    pub(crate) fn images(&self) -> BTreeMap<u64, Vec<u8>> {
        let groups = self.groups.values();
        groups
            .map(|group| (group.number, group.store.image()))
            .collect()
    }

    /// The groups' numbers.
    pub(crate) fn numbers(&self) -> BTreeSet<u64> {
        self.groups.values().map(|group| group.number).collect()
    }

    /// Reads the groups' events, whose changes are kept as before.
    pub(crate) fn restore(&mut self, images: &BTreeMap<u64, Vec<u8>>) -> Result<(), BadLine> {
        self.journaled = true;
        for group in self.groups.values_mut() {
            let image = images.get(&group.number).map_or(&[][..], Vec::as_slice);
            group.store = Store::replay(image).map_err(|line| BadLine {
                group: group.number,
                line,
            })?;
            group.store.journal = Some(Journal::of_file(image.len()));
        }
        Ok(())
    }

    fn group(&self, name: &str) -> Result<&LogGroup, Failure> {
        self.groups.get(name).ok_or_else(unknown_group)
    }

    fn group_mut(&mut self, name: &str) -> Result<&mut LogGroup, Failure> {
        self.groups.get_mut(name).ok_or_else(unknown_group)
    }
}

fn unknown_group() -> Failure {
    unknown("The specified log group does not exist.")
}

fn unknown(message: &str) -> Failure {
    Failure::new(400, "ResourceNotFoundException", message)
}

fn invalid_parameter(message: impl Into<String>) -> Failure {
    Failure::new(400, "InvalidParameterException", message)
}
