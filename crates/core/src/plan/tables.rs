//! Tables: they come before the release whose functions use them, and stay when it goes.
//!
//! That the stage has tables is noted at its journal before the first of them is made, so
//! that a `down` that knows nothing else looks for them. Deliberately absent: removing a
//! table that the files no longer name. Its items may be all there is; `down` asks its tag.

use super::changes::{change, or_none};
use super::{Action, Builder, StepId, Taggable};
use crate::desired::{Desired, DesiredTable};
use crate::manifest::journal;
use crate::names::{Names, TableName};
use crate::observed::Observed;
use crate::table::{OnDown, TABLES_NOTED, TABLES_TAG, TableSettings, TableState};
use crate::tags::{Ownership, Tags, ownership_of};

/// The steps after which all tables are as they should be. `journal_made`: the step that
/// makes the journal, if there is one.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    journal_made: Option<StepId>,
) -> Vec<StepId> {
    let noted = note(builder, desired, observed, journal_made);
    let mut steps = Vec::new();
    for (name, table) in &desired.tables {
        let state = observed.tables.get(name).filter(|state| state.is_there());
        steps.extend(match state {
            None => create(builder, name, table, noted.or(journal_made)),
            Some(state) => update(builder, name, table, state),
        });
    }
    steps.extend(noted);
    steps
}

fn note(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    journal_made: Option<StepId>,
) -> Option<StepId> {
    let is_noted = |tags: &Tags| tags.contains_key(TABLES_TAG);
    let noted = observed
        .journal
        .as_ref()
        .is_some_and(|it| is_noted(&it.tags));
    if desired.tables.is_empty() || noted {
        return None;
    }
    let action = Action::Tag {
        resource: Taggable::LogGroup(journal(&desired.names)),
        tags: Tags::from([(TABLES_TAG.to_owned(), TABLES_NOTED.to_owned())]),
    };
    Some(builder.add(action, journal_made))
}

fn create(
    builder: &mut Builder,
    name: &TableName,
    table: &DesiredTable,
    after: Option<StepId>,
) -> Vec<StepId> {
    let action = Action::CreateTable {
        name: name.clone(),
        table: Box::new(table.clone()),
    };
    let created = builder.add(action, after);
    let mut steps = vec![created];
    steps.extend(settings(
        builder,
        name,
        table,
        &TableSettings::default(),
        Some(created),
    ));
    steps
}

fn update(
    builder: &mut Builder,
    name: &TableName,
    table: &DesiredTable,
    state: &TableState,
) -> Vec<StepId> {
    let mut steps = Vec::new();
    if !state.on_demand {
        let changed = change("billing_mode", "PROVISIONED", "PAY_PER_REQUEST");
        let action = Action::UpdateTable { name: name.clone() };
        steps.push(builder.add_change(action, [], changed.into_iter().collect()));
    }
    if let Some(now) = &state.settings {
        let after = steps.last().copied();
        steps.extend(settings(builder, name, table, now, after));
    }
    steps
}

/// One after the other: DynamoDB may refuse a change of a table while another is made.
fn settings(
    builder: &mut Builder,
    name: &TableName,
    table: &DesiredTable,
    now: &TableSettings,
    after: Option<StepId>,
) -> Vec<StepId> {
    let wanted = &table.settings;
    let mut steps: Vec<StepId> = Vec::new();
    let ttl = change(
        "ttl",
        or_none(now.ttl.as_ref()),
        or_none(wanted.ttl.as_ref()),
    );
    // From one attribute to another is refused before.
    if let (Some(changed), Some(attribute)) = (ttl, wanted.ttl.as_ref().or(now.ttl.as_ref())) {
        let action = Action::UpdateTimeToLive {
            name: name.clone(),
            attribute: attribute.clone(),
            enabled: wanted.ttl.is_some(),
        };
        steps.push(builder.add_change(action, after, vec![changed]));
    }
    let recovery = change(
        "point_in_time_recovery",
        now.point_in_time_recovery,
        wanted.point_in_time_recovery,
    );
    if let Some(changed) = recovery {
        let action = Action::UpdateContinuousBackups {
            name: name.clone(),
            point_in_time_recovery: wanted.point_in_time_recovery,
        };
        let after = steps.last().copied().or(after);
        steps.push(builder.add_change(action, after, vec![changed]));
    }
    steps
}

/// The stage's tables that aren't about to go, by what `down` does with them.
pub(super) fn on_down(names: &Names, observed: &Observed, what: OnDown) -> Vec<TableName> {
    let ours = |tags: &Tags| ownership_of(tags, &names.identity) == Ownership::Ours;
    let tables = observed.tables.iter();
    tables
        .filter(|(_, state)| state.is_there() && ours(&state.tags))
        .filter(|(_, state)| OnDown::of(&state.tags) == what)
        .map(|(name, _)| name.clone())
        .collect()
}

/// The stage's tables that the files no longer name. They stay.
pub(super) fn unnamed(desired: &Desired, observed: &Observed) -> Vec<TableName> {
    let both = [OnDown::Remove, OnDown::Retain];
    both.into_iter()
        .flat_map(|what| on_down(&desired.names, observed, what))
        .filter(|name| !desired.tables.contains_key(name))
        .collect()
}
