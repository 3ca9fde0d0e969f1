//! From whatever is there to nothing.
//!
//! Everything goes at once, but for log groups, which come after what writes to
//! them and by which an interrupted `down` finds functions and their own roles
//! again. Tables go after the functions, those whose tags say so. Works on any
//! half-built state, and needs nothing of the stage file but the names. The
//! account's role for API Gateway's logs stays: others may write by it.

use super::roles::remove;
use super::stage_settings::execution_log_groups;
use super::tables::on_down;
use super::{Action, Bindings, Builder, Plan, functions};
use crate::manifest::journal;
use crate::names::{LogGroupName, Names, StageIdentity, TableName};
use crate::observed::Observed;
use crate::stage_file::Retained;
use crate::table::OnDown;
use crate::tags::{Ownership, Tags, ownership_of};
use std::collections::BTreeSet;

/// The writes that remove everything in `observed` that `names` owns, but for what
/// is retained ([`retained`] names it).
pub fn down(names: &Names, observed: &Observed, retain: &BTreeSet<Retained>) -> Plan {
    let identity: &StageIdentity = &names.identity;
    let ours = |tags: &Tags| ownership_of(tags, identity) == Ownership::Ours;
    let retained = retained(names, observed, retain);
    let mut builder = Builder::default();
    let apis = observed.apis.iter().filter(|api| ours(&api.tags));
    let apis: Vec<_> = apis
        .map(|api| api.api_id.clone())
        .map(|api_id| builder.add(Action::DeleteApi { api_id }, []))
        .collect();
    let doomed_functions = observed
        .functions
        .iter()
        .filter(|(_, state)| ours(&state.tags))
        .map(|(name, _)| name.clone())
        .collect();
    let doomed_log_groups: Vec<_> = observed
        .log_groups
        .keys()
        .filter(|name| !retained.contains(name))
        .filter(|name| ours(&observed.log_groups[*name].tags))
        .cloned()
        .collect();
    let mut before = functions::delete(&mut builder, doomed_functions, &[]);
    for name in on_down(names, observed, OnDown::Remove) {
        // Those that use it go first, or they would fail aloud.
        let name = Action::DeleteTable { name };
        builder.add(name, before.iter().chain(&apis).copied());
    }
    for (role, state) in observed.roles.iter().filter(|(_, state)| ours(&state.tags)) {
        let removed = remove(&mut builder, role, state, &[]);
        if *role != names.execution_role && *role != names.invoke_role {
            // A role of one function's own is found by the function's log group.
            before.push(removed);
        }
    }
    functions::delete_log_groups(&mut builder, doomed_log_groups, &before);
    let mut gateway_log_groups = execution_log_groups(names, observed);
    if observed
        .access_log_group
        .as_ref()
        .is_some_and(|state| ours(&state.tags))
    {
        gateway_log_groups.insert(names.access_log_group());
    }
    for log_group in gateway_log_groups {
        builder.add(Action::DeleteLogGroup { log_group }, apis.iter().copied());
    }
    // Last, because the lease under which all this is done lives there.
    if observed
        .journal
        .as_ref()
        .is_some_and(|state| ours(&state.tags))
    {
        let all = 0..builder.steps.len();
        builder.add(
            Action::DeleteLogGroup {
                log_group: journal(names),
            },
            all,
        );
    }
    Plan {
        identity: identity.clone(),
        bindings: Bindings::default(),
        steps: builder.steps,
        unnamed_tables: Vec::new(),
    }
}

/// The tables of this stage that a `down` leaves in the account.
pub fn retained_tables(names: &Names, observed: &Observed) -> Vec<TableName> {
    on_down(names, observed, OnDown::Retain)
}

/// The log groups of this stage that a `down` leaves in the account: the functions'. The
/// journal isn't among them: without the API its manifests say nothing.
pub fn retained(
    names: &Names,
    observed: &Observed,
    retain: &BTreeSet<Retained>,
) -> BTreeSet<LogGroupName> {
    if !retain.contains(&Retained::Logs) {
        return BTreeSet::new();
    }
    let groups = observed.log_groups.iter();
    groups
        .filter(|(_, state)| ownership_of(&state.tags, &names.identity) == Ownership::Ours)
        .map(|(name, _)| name.clone())
        .collect()
}
