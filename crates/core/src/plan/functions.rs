//! Functions, their versions, concurrency and log groups.
//!
//! The log group comes before its function: it is what makes a function findable
//! whose creation was interrupted, and it gets its retention before anything
//! calls the function. Nothing ever calls `$LATEST`; a release invokes versions.

use super::changes::{change, configuration, or_none};
use super::log_group::{LogGroup, LogGroupSteps};
use super::{Action, Bindings, Builder, FieldChange, StepId};
use crate::desired::{Desired, DesiredFunction, FunctionCode};
use crate::names::{FunctionKey, FunctionName, LogGroupName};
use crate::observed::{FunctionState, Observed};
use crate::stage_file::Retained;
use crate::tags::{Ownership, ownership_of};
use std::collections::BTreeMap;

/// What prepares a function for a release.
#[derive(Debug, Default)]
pub(super) struct FunctionSteps {
    /// After which its version is known; `None`: it is already.
    pub version: Option<StepId>,
    /// Everything a release must come after.
    pub all: Vec<StepId>,
}

/// The steps after which each function's version exists and is permitted to run
/// as many times at once as it should.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    bindings: &mut Bindings,
    log_groups: &BTreeMap<FunctionKey, LogGroupSteps>,
    roles: &BTreeMap<FunctionKey, Vec<StepId>>,
) -> BTreeMap<FunctionKey, FunctionSteps> {
    let mut prepared = BTreeMap::new();
    for (key, function) in &desired.functions {
        let log_group = &log_groups[key];
        let mut steps = log_group.all.clone();
        let role = roles.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut version = None;
        match observed.functions.get(&function.name) {
            None => {
                let create = Action::CreateFunction {
                    key: key.clone(),
                    function: Box::new(function.clone()),
                    tags: function.tags.clone(),
                };
                let after = log_group.created.iter().chain(role).copied();
                let created = builder.add(create, after);
                version = Some(created);
                steps.push(created);
                if function.reserved_concurrency.is_some() {
                    steps.extend(concurrency(builder, function, None, Some(created)));
                }
            }
            Some(state) => {
                let published = state.versions.iter().rev().find(|version| {
                    version.code == function.code && version.configuration == function.configuration
                });
                let update = Update {
                    key,
                    function,
                    publish: published.is_none(),
                };
                let updated = update.plan(builder, state, role);
                match published {
                    Some(found) => {
                        bindings.versions.insert(key.clone(), found.version.clone());
                    }
                    None => version = updated,
                }
                steps.extend(updated);
                steps.extend(concurrency(
                    builder,
                    function,
                    state.reserved_concurrency,
                    updated,
                ));
            }
        }
        let steps = FunctionSteps {
            version,
            all: steps,
        };
        prepared.insert(key.clone(), steps);
    }
    prepared
}

/// The functions' log groups, by the function.
pub(super) fn plan_log_groups(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
) -> BTreeMap<FunctionKey, LogGroupSteps> {
    let functions = desired.functions.iter();
    functions
        .map(|(key, function)| (key.clone(), log_group(builder, observed, function)))
        .collect()
}

fn log_group(
    builder: &mut Builder,
    observed: &Observed,
    function: &DesiredFunction,
) -> LogGroupSteps {
    let log_group = &function.log_group;
    let group = LogGroup {
        state: observed.log_groups.get(log_group),
        retention_days: function.log_retention_days,
        create: Action::CreateLogGroup {
            log_group: log_group.clone(),
            tags: function.tags.clone(),
        },
        after: None,
        put_retention: Action::PutRetentionPolicy {
            log_group: log_group.clone(),
            days: function.log_retention_days,
        },
    };
    group.plan(builder)
}

struct Update<'a> {
    key: &'a FunctionKey,
    function: &'a DesiredFunction,
    /// Whether the version isn't published yet.
    publish: bool,
}

impl Update<'_> {
    /// Brings `$LATEST` to what is desired and publishes it; the last step of
    /// that, if any.
    fn plan(
        &self,
        builder: &mut Builder,
        state: &FunctionState,
        role: &[StepId],
    ) -> Option<StepId> {
        let configured = self.configuration(builder, state, role);
        let changes: Vec<FieldChange> = code_changes(&state.code, &self.function.code);
        let (key, name) = (self.key.clone(), self.function.name.clone());
        let code = self.function.code.clone();
        let action = match (changes.is_empty(), self.publish) {
            (true, false) => return configured,
            (true, true) => Action::PublishVersion { key, name, code },
            (false, publish) => Action::UpdateFunctionCode {
                key,
                name,
                code,
                publish,
            },
        };
        Some(builder.add_change(action, configured, changes))
    }

    fn configuration(
        &self,
        builder: &mut Builder,
        state: &FunctionState,
        role: &[StepId],
    ) -> Option<StepId> {
        let changes = configuration(&state.configuration, &self.function.configuration);
        if changes.is_empty() {
            return None;
        }
        let action = Action::UpdateFunctionConfiguration {
            key: self.key.clone(),
            name: self.function.name.clone(),
            configuration: self.function.configuration.clone(),
        };
        Some(builder.add_change(action, role.iter().copied(), changes))
    }
}

fn code_changes(old: &FunctionCode, new: &FunctionCode) -> Vec<FieldChange> {
    [
        change("code_sha256", &old.sha256, &new.sha256),
        change("architecture", &old.architecture, &new.architecture),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn concurrency(
    builder: &mut Builder,
    function: &DesiredFunction,
    now: Option<u32>,
    after: Option<StepId>,
) -> Option<StepId> {
    let wanted = function.reserved_concurrency;
    let changed = change("reserved", or_none(now), or_none(wanted))?;
    let name = function.name.clone();
    let action = match wanted {
        Some(reserved) => Action::PutFunctionConcurrency { name, reserved },
        None => Action::DeleteFunctionConcurrency { name },
    };
    Some(builder.add_change(action, after, vec![changed]))
}

/// Our functions and log groups that the file no longer names, but for what is
/// retained.
pub(super) fn doomed(
    desired: &Desired,
    observed: &Observed,
) -> (Vec<FunctionName>, Vec<LogGroupName>) {
    let identity = &desired.names.identity;
    let (kept_functions, kept_log_groups) = (desired.function_names(), desired.log_groups());
    let functions = observed
        .functions
        .iter()
        .filter(|(name, state)| {
            !kept_functions.contains(name) && ownership_of(&state.tags, identity) == Ownership::Ours
        })
        .map(|(name, _)| name.clone())
        .collect();
    let log_groups = observed
        .log_groups
        .iter()
        .filter(|_| !desired.retain.contains(&Retained::Logs))
        .filter(|(name, state)| {
            !kept_log_groups.contains(name)
                && ownership_of(&state.tags, identity) == Ownership::Ours
        })
        .map(|(name, _)| name.clone())
        .collect();
    (functions, log_groups)
}

/// Deletes functions.
pub(super) fn delete(
    builder: &mut Builder,
    functions: Vec<FunctionName>,
    after: &[StepId],
) -> Vec<StepId> {
    functions
        .into_iter()
        .map(|name| builder.add(Action::DeleteFunction { name }, after.iter().copied()))
        .collect()
}

/// Deletes log groups, after their functions, so that a last line finds its group
/// gone rather than making a new one, and after roles of their own, which are
/// found by them.
pub(super) fn delete_log_groups(
    builder: &mut Builder,
    log_groups: Vec<LogGroupName>,
    after: &[StepId],
) {
    for log_group in log_groups {
        builder.add(Action::DeleteLogGroup { log_group }, after.iter().copied());
    }
}
