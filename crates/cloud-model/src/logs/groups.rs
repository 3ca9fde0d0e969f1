//! Log groups.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::Store;
use super::tags::add_tags;
use super::{Logs, invalid_parameter, read};
use crate::Settings;
use crate::call::Call;
use crate::constraints;
use crate::error::{Failure, unsupported};
use crate::limits::LOG_GROUPS;
use crate::tags::TagMap;
use crate::wire::members::{Members, present};

const PAGE: usize = 50;
const RETENTION_DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// One group.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LogGroup {
    /// Shared with whoever keeps what readers saw of it earlier.
    pub(super) about: Arc<About>,
    /// Its own, also among groups of its name.
    pub(super) number: u64,
    /// Kept apart from the rest, under the number.
    #[serde(skip)]
    pub(super) store: Store,
}

/// A group without its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    created: Timestamp,
    /// `None`: events never expire.
    pub(super) retention_days: Option<i64>,
    pub(super) tags: TagMap,
}

impl LogGroup {
    fn show(&self, name: &str, settings: &Settings) -> Value {
        let arn = group_arn(name, settings);
        present(json!({
            "arn": format!("{arn}:*"),
            "creationTime": self.about.created.as_millisecond(),
            "logGroupArn": arn,
            "logGroupClass": "STANDARD",
            "logGroupName": name,
            "metricFilterCount": 0,
            "retentionInDays": self.about.retention_days,
            "storedBytes": self.store.bytes(),
        }))
    }
}

/// The ARN that tagging takes; describing adds `:*`.
pub(super) fn group_arn(name: &str, settings: &Settings) -> String {
    format!(
        "arn:aws:logs:{}:{}:log-group:{name}",
        settings.region, settings.account_id
    )
}

impl Logs {
    pub(super) fn create_log_group(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let name = read::group_name(members)?;
        if members.says_something("kmsKeyId") {
            return Err(invalid_parameter(unsupported("kmsKeyId")));
        }
        if members.boolean("deletionProtectionEnabled")? == Some(true) {
            return Err(invalid_parameter(unsupported("deletionProtectionEnabled")));
        }
        if let Some(class) = members
            .text("logGroupClass")?
            .filter(|class| class != "STANDARD")
        {
            return Err(invalid_parameter(unsupported(&format!(
                "logGroupClass {class}"
            ))));
        }
        let mut tags = TagMap::new();
        // Too many is an error of TagResource alone; here the model's own rule comes first.
        add_tags(&mut tags, members.text_map("tags")?.unwrap_or_default())
            .map_err(|fault| invalid_parameter(fault.message))?;
        if self.groups.contains_key(&name) {
            return Err(Failure::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        if self.groups.len() >= LOG_GROUPS {
            return Err(Failure::new(
                400,
                "LimitExceededException",
                "Resource limit exceeded.",
            ));
        }
        let about = About {
            created: call.now,
            retention_days: None,
            tags,
        };
        let group = LogGroup {
            about: Arc::new(about),
            number: self.next_number,
            store: Store::new(self.journaled),
        };
        self.next_number += 1;
        self.groups.insert(name, group);
        Ok(None)
    }

    pub(super) fn delete_log_group(&mut self, members: &Members) -> Result<Option<Value>, Failure> {
        let name = read::group_name(members)?;
        self.group(&name)?;
        self.groups.remove(&name);
        Ok(None)
    }

    pub(super) fn describe_log_groups(
        &self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let prefix = members.text("logGroupNamePrefix")?;
        let pattern = members.text("logGroupNamePattern")?;
        if prefix.is_some() && pattern.is_some() {
            return Err(invalid_parameter(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            ));
        }
        let holds = |name: &str| {
            // A pattern is a part of the name, whatever its case.
            let part = pattern.as_ref().map(|it| it.to_lowercase());
            prefix
                .as_ref()
                .is_none_or(|prefix| name.starts_with(prefix.as_str()))
                && part.is_none_or(|part| name.to_lowercase().contains(&part))
        };
        let groups = self.groups.iter().filter(|(name, _)| holds(name));
        let shown = groups.map(|(name, group)| (name.clone(), group.show(name, call.settings)));
        let page = read::page(members, read::limit(members, PAGE, PAGE)?, shown)?;
        Ok(present(
            json!({ "logGroups": page.items, "nextToken": page.next }),
        ))
    }

    pub(super) fn put_retention_policy(
        &mut self,
        members: &Members,
    ) -> Result<Option<Value>, Failure> {
        let name = read::group_name(members)?;
        let days = members
            .integer("retentionInDays")?
            .ok_or_else(|| invalid_parameter(constraints::missing("retentionInDays")))?;
        if !RETENTION_DAYS.contains(&days) {
            let all: Vec<String> = RETENTION_DAYS.iter().map(i64::to_string).collect();
            let rule = format!("Member must satisfy enum value set: [{}]", all.join(", "));
            return Err(invalid_parameter(constraints::violation(
                days,
                "retentionInDays",
                &rule,
            )));
        }
        Arc::make_mut(&mut self.group_mut(&name)?.about).retention_days = Some(days);
        Ok(None)
    }

    pub(super) fn delete_retention_policy(
        &mut self,
        members: &Members,
    ) -> Result<Option<Value>, Failure> {
        let group = self.group_mut(&read::group_name(members)?)?;
        Arc::make_mut(&mut group.about).retention_days = None;
        Ok(None)
    }
}
