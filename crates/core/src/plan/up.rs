//! From whatever is there to what the stage file says.
//!
//! Everything new is prepared beside what is live; then one write moves the
//! stage to it; what only the former release needed goes last.

use super::Action;
use super::execution_roles::Situation;
use super::prune::Pruning;
use super::{
    Bindings, Builder, Plan, Refusal, adopt, api, auto_deploy, functions, prune, refusal, roles,
    stage_settings, tables, tags,
};
use crate::desired::Desired;
use crate::names::StageIdentity;
use crate::observed::{ApiState, Observed};
use crate::tags::{Ownership, ownership_of};

/// The writes that lead from `observed` to `desired`.
///
/// # Errors
/// When a name the stage needs belongs to somebody else, or to nobody and it isn't
/// to be adopted.
pub fn up(desired: &Desired, observed: &Observed) -> Result<Plan, Refusal> {
    let adopted = refusal::check(desired, observed)?;
    if adopted.is_empty() {
        return Ok(of_owned(desired, observed));
    }
    let as_ours = adopt::as_ours(desired, observed, &adopted);
    let plan = of_owned(desired, &as_ours);
    Ok(adopt::first(desired, observed, adopted, plan))
}

/// The same where everything in the way is ours.
fn of_owned(desired: &Desired, observed: &Observed) -> Plan {
    let names = &desired.names;
    let (api_state, surplus_apis) = choose_api(observed, &names.identity, &names.api_stage);
    let (doomed_functions, doomed_log_groups) = functions::doomed(desired, observed);
    let mut builder = Builder::default();
    let mut bindings = Bindings {
        existing: desired.existing_arns(),
        ..Bindings::default()
    };

    let pruning = Pruning::of(desired, observed, api_state);
    let situation = Situation {
        desired,
        observed,
        pruning: &pruning,
    };
    tags::plan(&mut builder, &situation, api_state);
    // Else it comes with what is recorded there.
    let journal_made = match desired.tables.is_empty() {
        true => None,
        false => api::plan_journal(&mut builder, desired, observed),
    };
    let table_steps = tables::plan(&mut builder, desired, observed, journal_made);
    let api_steps = api::plan_api(&mut builder, desired, api_state, &mut bindings);
    let api_created = api_steps.created;
    let settings = stage_settings::prepare(&mut builder, desired, observed, api_state, api_created);
    let invoke_role = roles::plan_invoke_role(
        &mut builder,
        desired,
        observed,
        &bindings,
        &doomed_functions,
        &pruning,
    );
    let log_groups = functions::plan_log_groups(&mut builder, desired, observed);
    let execution_roles = situation.plan(&mut builder, &bindings, api_created, &log_groups);
    let function_steps = functions::plan(
        &mut builder,
        desired,
        observed,
        &mut bindings,
        &log_groups,
        &execution_roles.usable,
    );
    let mut ready = api::plan_draft(
        &mut builder,
        desired,
        api_state,
        &mut bindings,
        api_created,
        &function_steps,
    );
    // The API's own settings are in what a deployment freezes.
    ready.extend(api_steps.updated);
    let altered = !ready.is_empty();
    ready.extend(invoke_role.ready.iter().copied());
    ready.extend(execution_roles.steps.ready.iter().copied());
    ready.extend(table_steps);
    ready.extend(function_steps.values().flat_map(|steps| &steps.all));
    let api::Live {
        released: live,
        configured,
    } = api::plan_release(
        &mut builder,
        desired,
        observed,
        api_state,
        &function_steps,
        api::Ready {
            steps: ready,
            altered,
            journal_made,
        },
        &settings,
    );

    let mut unused = live.clone();
    let deleted = functions::delete(&mut builder, doomed_functions, &live);
    unused.extend(&deleted);
    invoke_role.narrow(&mut builder, &live);
    execution_roles.steps.narrow(&mut builder, &live);
    unused.extend(prune::plan(
        &mut builder,
        desired,
        observed,
        &pruning,
        &bindings,
        altered,
        &live,
    ));
    let removed = situation.delete(&mut builder, &unused);
    // A role of a function's own is found by the function's log group.
    let before = match (deleted.is_empty(), removed.is_empty()) {
        (true, true) => live.clone(),
        _ => [deleted, removed].concat(),
    };
    functions::delete_log_groups(&mut builder, doomed_log_groups, &before);
    let mut settled = configured;
    for api in surplus_apis {
        let action = Action::DeleteApi {
            api_id: api.api_id.clone(),
        };
        settled.push(builder.add(action, live.iter().copied()));
    }
    settings.clear(&mut builder, desired, observed, api_state, &settled);
    let steps = builder.steps;
    let plan = Plan {
        identity: names.identity.clone(),
        bindings,
        steps,
        unnamed_tables: tables::unnamed(desired, observed),
    };
    auto_deploy::off_first(names, api_state, plan)
}

/// The API to keep — the one that serves the stage, else the oldest — and the
/// others that are ours: a lost answer to CreateApi may have left two.
pub(super) fn choose_api<'a>(
    observed: &'a Observed,
    identity: &StageIdentity,
    api_stage: &str,
) -> (Option<&'a ApiState>, Vec<&'a ApiState>) {
    let mut ours: Vec<&ApiState> = observed
        .apis
        .iter()
        .filter(|api| ownership_of(&api.tags, identity) == Ownership::Ours)
        .collect();
    let serving = ours
        .iter()
        .position(|api| api.live_deployment(api_stage).is_some());
    if ours.is_empty() {
        return (None, ours);
    }
    let kept = ours.remove(serving.unwrap_or(0));
    (Some(kept), ours)
}
