//! Field by field, what is different.

use crate::desired::FunctionConfiguration;
use crate::facilities::Facilities;
use crate::secrets::{self, SecretReference};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// One field, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// E.g. `memory_mb`.
    pub field: String,
    /// What it was.
    pub old: String,
    /// What it will be.
    pub new: String,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.field, self.old, self.new)
    }
}

/// The change of one field, if there is one.
pub(super) fn change<T: PartialEq + fmt::Display>(
    field: &str,
    old: T,
    new: T,
) -> Option<FieldChange> {
    (old != new).then(|| FieldChange {
        field: field.to_owned(),
        old: old.to_string(),
        new: new.to_string(),
    })
}

/// `Some` as its value, `None` as a word.
pub(super) fn or_none<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// All fields in which two configurations differ. Values of environment
/// variables stay hidden: people put secrets there.
pub(super) fn configuration(
    old: &FunctionConfiguration,
    new: &FunctionConfiguration,
) -> Vec<FieldChange> {
    let mut changes: Vec<FieldChange> = [
        change("description", &old.description, &new.description),
        change("role", &old.role_arn, &new.role_arn),
        change("runtime", &old.runtime, &new.runtime),
        change("memory_mb", &old.memory_mb, &new.memory_mb),
        change(
            "timeout_seconds",
            &old.timeout_seconds,
            &new.timeout_seconds,
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let names: BTreeSet<&String> = old
        .environment
        .keys()
        .chain(new.environment.keys())
        .collect();
    for name in names {
        if let Some(secret) = name.strip_prefix(secrets::VARIABLE_PREFIX) {
            changes.extend(change(
                &format!("secrets.{secret}"),
                reference(old.environment.get(name)),
                reference(new.environment.get(name)),
            ));
            continue;
        }
        let (before, after) = (old.environment.get(name), new.environment.get(name));
        if before != after {
            let word = |value: Option<&String>, set: &str| {
                value.map_or_else(|| "none".to_owned(), |_| set.to_owned())
            };
            changes.push(FieldChange {
                field: format!("environment.{name}"),
                old: word(before, "(hidden)"),
                new: word(after, "(another, hidden)"),
            });
        }
    }
    changes.extend(facilities(&old.facilities, &new.facilities));
    changes
}

/// A reference may be shown; what somebody put there by hand may be a value.
fn reference(text: Option<&String>) -> String {
    match text {
        None => "none".to_owned(),
        Some(text) if SecretReference::parse(text).is_ok() => text.clone(),
        Some(_) => "(hidden)".to_owned(),
    }
}

fn facilities(old: &Facilities, new: &Facilities) -> Vec<FieldChange> {
    let (before, after) = (old.logging, new.logging);
    [
        change(
            "ephemeral_storage_mb",
            old.ephemeral_storage_mb,
            new.ephemeral_storage_mb,
        ),
        change("tracing", old.tracing, new.tracing),
        change("log_format", before.format(), after.format()),
        change(
            "application_log_level",
            or_none(before.application()),
            or_none(after.application()),
        ),
        change(
            "system_log_level",
            or_none(before.system()),
            or_none(after.system()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
