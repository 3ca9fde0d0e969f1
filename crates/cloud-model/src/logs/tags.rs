//! Tags of log groups, by the ARN without `:*`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Logs, invalid_parameter, read, unknown};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::limits::TAGS_PER_RESOURCE;
use crate::tags::{self, TagFault, TagMap};
use crate::wire::members::Members;

impl Logs {
    pub(super) fn tag_resource(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let new = members
            .text_map("tags")?
            .filter(|tags| !tags.is_empty())
            .ok_or_else(|| invalid_parameter(constraints::missing("tags")))?;
        add_tags(self.tags_of(members, call)?, new)?;
        Ok(None)
    }

    pub(super) fn untag_resource(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let keys = members
            .texts("tagKeys")?
            .ok_or_else(|| invalid_parameter(constraints::missing("tagKeys")))?;
        if keys.len() > TAGS_PER_RESOURCE {
            let rule = format!("Member must have length less than or equal to {TAGS_PER_RESOURCE}");
            let shown = format!("[{}]", keys.join(", "));
            let text = constraints::violation(shown, "tagKeys", &rule);
            return Err(invalid_parameter(text));
        }
        tags::remove(
            self.tags_of(members, call)?,
            keys.iter().map(String::as_str),
        );
        Ok(None)
    }

    pub(super) fn list_tags_for_resource(
        &mut self,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        Ok(json!({ "tags": self.tags_of(members, call)? }))
    }

    fn tags_of(&mut self, members: &Members, call: &Call<'_>) -> Result<&mut TagMap, Failure> {
        let arn = read::required(members, "resourceArn")?;
        let settings = call.settings;
        let prefix = format!(
            "arn:aws:logs:{}:{}:log-group:",
            settings.region, settings.account_id
        );
        let name = arn
            .strip_prefix(&prefix)
            .filter(|name| !name.is_empty() && !name.contains(':'))
            .ok_or_else(|| invalid_parameter(format!("Invalid resource ARN: {arn}")))?;
        let group = self.groups.get_mut(name);
        group
            .map(|group| &mut Arc::make_mut(&mut group.about).tags)
            .ok_or_else(|| unknown("The specified resource does not exist."))
    }
}

/// Adds tags, or says which rule they break.
pub(super) fn add_tags(tags: &mut TagMap, new: TagMap) -> Result<(), Failure> {
    tags::add(tags, new).map_err(|fault| match fault {
        TagFault::TooMany => Failure::new(400, "TooManyTagsException", fault.to_string()),
        _ => invalid_parameter(fault.to_string()),
    })
}
