//! Published versions: immutable copies of what was latest.

use jiff::SignedDuration;
use serde_json::Value;

use super::function::{Function, LATEST};
use super::reference::Reference;
use super::{Lambda, invalid_parameter, not_supported, read, validation};
use crate::assumptions::PUBLISH_COMPARES_CONTENT;
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::limits::VERSIONS_PER_FUNCTION;
use crate::wire::rest_json::{Reply, RestRequest};

impl Lambda {
    /// Gives the last version again when nothing changed since.
    pub(super) fn publish_version(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let settings = call.settings;
        let reference = Reference::read(name, None, settings)?;
        let members = request.members()?;
        if members.says_something("PublishTo") {
            return Err(not_supported("PublishTo"));
        }
        let description = members.text("Description")?;
        if let Some(text) = &description {
            constraints::length(text, "description", 0, 256).map_err(validation)?;
        }
        let guard = members
            .text("CodeSha256")?
            .filter(|sha256| !sha256.is_empty());
        let function = self.find_mut(&reference, settings)?;
        read::check_settled(function, call)?;
        read::check_revision(&members, function, call)?;
        let current = &function.latest.code.sha256;
        if let Some(guard) = guard.filter(|guard| guard != current) {
            return Err(invalid_parameter(format!(
                "CodeSHA256 ({guard}) is different from current CodeSHA256 in $LATEST ({current}). \
                 Please try again with the CodeSHA256 in $LATEST."
            )));
        }
        let (name, arn, now) = (function.name.clone(), function.arn(settings), call.now);
        if let Some(last) = function
            .unchanged_since_publication()
            .filter(|_| PUBLISH_COMPARES_CONTENT)
        {
            let arn = format!("{arn}:{}", last.version);
            return Ok(Reply::created(last.show(&name, &arn, settings, now)));
        }
        check_room(function)?;
        // Recorded: the answer shows the version active.
        let version = function.publish(description, SignedDuration::ZERO, call);
        let arn = format!("{arn}:{}", version.version);
        Ok(Reply::created(version.show(&name, &arn, settings, now)))
    }

    pub(super) fn list_versions_by_function(
        &self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let reference = Reference::read(name, None, call.settings)?;
        let function = self.find(&reference, call.settings)?;
        let versions = function.show_versions(call).into_iter();
        read::list(
            request,
            "Versions",
            versions.map(|(key, _, shown)| (key, shown)),
        )
    }
}

impl Function {
    /// `$LATEST` and all versions in their order: a key to page by, the
    /// function's name, the version as lists show it.
    pub(super) fn show_versions(&self, call: &Call<'_>) -> Vec<(String, String, Value)> {
        let arn = self.arn(call.settings);
        let show = |key: String, revision: &super::function::Revision| {
            let arn = format!("{arn}:{}", revision.version);
            (
                key,
                self.name.clone(),
                revision.show_listed(&self.name, &arn, call.now),
            )
        };
        let latest = show(LATEST.to_owned(), &self.latest);
        // Padded, so that keys sort as numbers do; `$` sorts before digits.
        let versions = self
            .versions
            .iter()
            .map(|(number, it)| show(format!("{number:020}"), it));
        std::iter::once(latest).chain(versions).collect()
    }
}

/// Bounds the versions of one function.
pub(super) fn check_room(function: &Function) -> Result<(), Failure> {
    if function.versions.len() < VERSIONS_PER_FUNCTION {
        return Ok(());
    }
    Err(not_supported(&format!(
        "more than {VERSIONS_PER_FUNCTION} versions of a function"
    )))
}
