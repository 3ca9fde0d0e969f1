//! Describing log streams; a function environment writes to one each.

use std::sync::Arc;

use serde_json::{Value, json};

use super::groups::group_arn;
use super::store::Stream;
use super::{Logs, invalid_parameter, read};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::wire::members::{Members, present};

const PAGE: usize = 50;

impl Logs {
    pub(super) fn describe_log_streams(
        &self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let group_name = read::group_reference(members)?;
        let group = self.group(&group_name)?;
        let prefix = members.text("logStreamNamePrefix")?;
        let by_time = match members.text("orderBy")?.as_deref() {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") => true,
            Some(other) => {
                let rule = "Member must satisfy enum value set: [LogStreamName, LastEventTime]";
                return Err(invalid_parameter(constraints::violation(
                    other, "orderBy", rule,
                )));
            }
        };
        if by_time && prefix.is_some() {
            return Err(invalid_parameter(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        let descending = members.boolean("descending")?.unwrap_or(false);
        let matching = group.store.streams.iter().filter(|(name, _)| {
            prefix
                .as_ref()
                .is_none_or(|prefix| name.starts_with(prefix.as_str()))
        });
        let mut streams: Vec<(&Arc<str>, &Stream)> = matching.collect();
        if by_time {
            streams.sort_by_key(|(_, stream)| stream.received.map(|it| it.last));
        }
        if descending {
            streams.reverse();
        }
        let arn = group_arn(&group_name, call.settings);
        let show = |(index, (name, stream)): (usize, (&Arc<str>, &Stream))| {
            let received = stream.received.as_ref();
            let shown = present(json!({
                "arn": format!("{arn}:log-stream:{name}"),
                "creationTime": stream.created,
                "firstEventTimestamp": received.map(|it| it.first),
                "lastEventTimestamp": received.map(|it| it.last),
                "lastIngestionTime": received.map(|it| it.ingested),
                "logStreamName": &**name,
                "storedBytes": 0,
            }));
            // The order is not always that of names: pages count places.
            (format!("{index:020}"), shown)
        };
        let limit = read::limit(members, PAGE, PAGE)?;
        let page = read::page(members, limit, streams.into_iter().enumerate().map(show))?;
        Ok(present(
            json!({ "logStreams": page.items, "nextToken": page.next }),
        ))
    }
}
