//! Functions, their versions, concurrency and log groups.
//!
//! The log group comes before its function: it is what makes a function findable
//! whose creation was interrupted, and it gets its retention before the first
//! line is written. Nothing ever calls `$LATEST`; a release invokes versions.

use super::changes::{change, configuration, or_none, tags};
use super::{Action, Bindings, Builder, FieldChange, StepId};
use crate::desired::{Desired, DesiredFunction};
use crate::names::{FunctionKey, FunctionName, LogGroupName};
use crate::observed::{FunctionState, Observed};
use crate::tags::{Ownership, ownership_of};
use std::collections::BTreeMap;

/// The steps after which each function's version exists and is permitted to run
/// as many times at once as it should.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    bindings: &mut Bindings,
    mut log_groups: BTreeMap<FunctionKey, Vec<StepId>>,
    roles: &BTreeMap<FunctionKey, Vec<StepId>>,
) -> BTreeMap<FunctionKey, Vec<StepId>> {
    let mut ready = BTreeMap::new();
    for (key, function) in &desired.functions {
        let mut steps = log_groups.remove(key).unwrap_or_default();
        let role = roles.get(key).map(Vec::as_slice).unwrap_or_default();
        match observed.functions.get(&function.name) {
            None => {
                let create = Action::CreateFunction {
                    key: key.clone(),
                    function: Box::new(function.clone()),
                    tags: function.tags.clone(),
                };
                let after = steps.iter().chain(role).copied();
                let created = builder.add(create, after);
                steps.push(created);
                if function.reserved_concurrency.is_some() {
                    steps.extend(concurrency(builder, function, None, Some(created)));
                }
            }
            Some(state) => {
                let updated = update(builder, key, function, state, role);
                let version = state.versions.iter().rev().find(|version| {
                    version.code == function.code && version.configuration == function.configuration
                });
                match version {
                    Some(found) => {
                        bindings.versions.insert(key.clone(), found.version.clone());
                    }
                    None => {
                        let publish = Action::PublishVersion {
                            key: key.clone(),
                            name: function.name.clone(),
                            code: function.code.clone(),
                        };
                        steps.push(builder.add(publish, updated));
                    }
                }
                steps.extend(updated);
                tag(builder, function, state, updated);
                steps.extend(concurrency(
                    builder,
                    function,
                    state.reserved_concurrency,
                    updated,
                ));
            }
        }
        ready.insert(key.clone(), steps);
    }
    ready
}

/// The functions' log groups, by the function.
pub(super) fn plan_log_groups(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
) -> BTreeMap<FunctionKey, Vec<StepId>> {
    let functions = desired.functions.iter();
    functions
        .map(|(key, function)| (key.clone(), log_group(builder, desired, observed, function)))
        .collect()
}

/// Tags are of the function as a whole: no release waits for them.
fn tag(
    builder: &mut Builder,
    function: &DesiredFunction,
    state: &FunctionState,
    after: Option<StepId>,
) {
    let name = function.name.clone();
    let (gone, set): (Vec<FieldChange>, Vec<FieldChange>) = tags(&state.tags, &function.tags)
        .into_iter()
        .partition(|change| !function.tags.contains_key(tag_of(change)));
    if !set.is_empty() {
        let tags = set
            .iter()
            .map(|change| {
                (
                    tag_of(change).to_owned(),
                    function.tags[tag_of(change)].clone(),
                )
            })
            .collect();
        let name = name.clone();
        builder.add_change(Action::TagFunction { name, tags }, after, set);
    }
    if !gone.is_empty() {
        let keys = gone
            .iter()
            .map(|change| tag_of(change).to_owned())
            .collect();
        builder.add_change(Action::UntagFunction { name, keys }, after, gone);
    }
}

fn tag_of(change: &FieldChange) -> &str {
    change.field.strip_prefix("tags.").unwrap_or(&change.field)
}

fn log_group(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    function: &DesiredFunction,
) -> Vec<StepId> {
    let log_group = &function.log_group;
    let state = observed.log_groups.get(log_group);
    let created = state.is_none().then(|| {
        let tags = desired.tags.clone();
        builder.add(
            Action::CreateLogGroup {
                log_group: log_group.clone(),
                tags,
            },
            [],
        )
    });
    let days = state.and_then(|state| state.retention_days);
    let retention = change(
        "days",
        or_none(days),
        function.log_retention_days.to_string(),
    );
    let put = retention.map(|retention| {
        let action = Action::PutRetentionPolicy {
            log_group: log_group.clone(),
            days: function.log_retention_days,
        };
        builder.add_change(action, created, vec![retention])
    });
    created.into_iter().chain(put).collect()
}

/// Brings `$LATEST` to what is desired; the last step of that, if any.
fn update(
    builder: &mut Builder,
    key: &FunctionKey,
    function: &DesiredFunction,
    state: &FunctionState,
    role: &[StepId],
) -> Option<StepId> {
    let mut last = None;
    let changes = configuration(&state.configuration, &function.configuration);
    if !changes.is_empty() {
        let action = Action::UpdateFunctionConfiguration {
            key: key.clone(),
            name: function.name.clone(),
            configuration: function.configuration.clone(),
        };
        last = Some(builder.add_change(action, role.iter().copied(), changes));
    }
    let changes: Vec<FieldChange> = [change(
        "code_sha256",
        &state.code.sha256,
        &function.code.sha256,
    )]
    .into_iter()
    .flatten()
    .chain(change(
        "architecture",
        &state.code.architecture,
        &function.code.architecture,
    ))
    .collect();
    if !changes.is_empty() {
        let action = Action::UpdateFunctionCode {
            key: key.clone(),
            name: function.name.clone(),
            code: function.code.clone(),
        };
        last = Some(builder.add_change(action, last, changes));
    }
    last
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

/// Our functions and log groups that the file no longer names.
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
