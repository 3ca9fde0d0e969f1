//! Tags of what is there already: what the file adds, changes, or no longer has.
//! What is made gets its tags with it.

use super::changes::{FieldChange, or_none};
use super::execution_roles::Situation;
use super::{Action, Builder};
use crate::manifest::journal;
use crate::observed::ApiState;
use crate::plan::Taggable;
use crate::record;
use crate::tags::{Tags, is_reserved};

/// Brings the tags of everything that stays to what they should be.
pub(super) fn plan(builder: &mut Builder, situation: &Situation<'_>, api: Option<&ApiState>) {
    let (desired, observed) = (situation.desired, situation.observed);
    let names = &desired.names;
    let mut found: Vec<(Taggable, &Tags)> = Vec::new();
    if let Some(api) = api {
        found.push((Taggable::Api, &api.tags));
        let stage = api.stages.iter().find(|s| s.name == names.api_stage);
        found.extend(stage.map(|stage| (Taggable::Stage(stage.name.clone()), &stage.tags)));
        if desired.gateway.execution_log_retention_days.is_some() {
            let name = names.execution_log_group(&api.api_id);
            let state = observed.execution_log_groups.get(&name);
            found.extend(state.map(|state| (Taggable::LogGroup(name), &state.tags)));
        }
    }
    let invoke_role = observed.roles.get_key_value(&names.invoke_role);
    // One that is about to go needs none.
    let execution_role = situation.stays(&names.execution_role);
    for (role, state) in invoke_role.into_iter().chain(execution_role) {
        found.push((Taggable::Role(role.clone()), &state.tags));
    }
    if desired.gateway.access_log_retention_days.is_some() {
        let state = observed.access_log_group.as_ref();
        let name = names.access_log_group();
        found.extend(state.map(|state| (Taggable::LogGroup(name), &state.tags)));
    }
    for (resource, now) in found {
        plan_one(builder, resource, now, &desired.tags);
    }
    if let Some(state) = &observed.journal {
        let mut wanted = desired.tags.clone();
        wanted.extend(record::wanted(desired));
        let resource = Taggable::LogGroup(journal(names));
        let goes = |key: &str| !is_reserved(key) || record::is_cleared(key, desired);
        plan_where(builder, resource, &state.tags, &wanted, goes);
    }
    for (name, table) in &desired.tables {
        if let Some(state) = observed.tables.get(name).filter(|it| it.is_there()) {
            let (name, arn) = (name.clone(), state.arn.clone());
            plan_one(
                builder,
                Taggable::Table { name, arn },
                &state.tags,
                &table.tags,
            );
        }
    }
    for function in desired.functions.values() {
        let mut found: Vec<(Taggable, &Tags)> = Vec::new();
        let own_role = situation.stays(&names.own_role(&function.name));
        found.extend(own_role.map(|(role, s)| (Taggable::Role(role.clone()), &s.tags)));
        let state = observed.functions.get(&function.name);
        found.extend(state.map(|s| (Taggable::Function(function.name.clone()), &s.tags)));
        let state = observed.log_groups.get(&function.log_group);
        found.extend(state.map(|s| (Taggable::LogGroup(function.log_group.clone()), &s.tags)));
        for (resource, now) in found {
            plan_one(builder, resource, now, &function.tags);
        }
    }
}

fn plan_one(builder: &mut Builder, resource: Taggable, now: &Tags, wanted: &Tags) {
    plan_where(builder, resource, now, wanted, |key| !is_reserved(key));
}

/// `goes`: whether a tag that isn't wanted is removed.
fn plan_where(
    builder: &mut Builder,
    resource: Taggable,
    now: &Tags,
    wanted: &Tags,
    goes: impl Fn(&str) -> bool,
) {
    let word = |key: &String, tags: &Tags| or_none(tags.get(key));
    let change = |key: &String| FieldChange {
        field: key.clone(),
        old: word(key, now),
        new: word(key, wanted),
    };
    let gone: Vec<String> = now
        .keys()
        .filter(|key| !wanted.contains_key(*key) && goes(key))
        .cloned()
        .collect();
    let changes: Vec<FieldChange> = gone.iter().map(change).collect();
    let mut before = None;
    if !gone.is_empty() {
        let action = Action::Untag {
            resource: resource.clone(),
            keys: gone,
        };
        // First, so that the new ones never exceed the limit.
        before = Some(builder.add_change(action, [], changes));
    }
    let set: Tags = wanted
        .iter()
        .filter(|(key, value)| now.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !set.is_empty() {
        let changes = set.keys().map(change).collect();
        let action = Action::Tag {
            resource,
            tags: set,
        };
        builder.add_change(action, before, changes);
    }
}
