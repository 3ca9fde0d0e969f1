//! From whatever is there to what the stage file says.
//!
//! Everything new is prepared beside what is live; then one write moves the
//! stage to it; what only the former release needed goes last.

use super::Action;
use super::execution_roles::Situation;
use super::prune::Pruning;
use super::{Bindings, Builder, Plan, Refusal, api, functions, prune, refusal, roles};
use crate::desired::Desired;
use crate::names::StageIdentity;
use crate::observed::{ApiState, Observed};
use crate::tags::{Ownership, ownership_of};

/// The writes that lead from `observed` to `desired`.
///
/// # Errors
/// When a name the stage needs belongs to somebody else.
pub fn up(desired: &Desired, observed: &Observed) -> Result<Plan, Refusal> {
    refusal::check(desired, observed)?;
    let names = &desired.names;
    let (api_state, surplus_apis) = choose_api(observed, &names.identity, &names.api_stage);
    let (doomed_functions, doomed_log_groups) = functions::doomed(desired, observed);
    let mut builder = Builder::default();
    let mut bindings = Bindings::default();

    let api_created = api::plan_api(&mut builder, desired, api_state, &mut bindings);
    let pruning = Pruning::of(desired, observed, api_state);
    let situation = Situation {
        desired,
        observed,
        pruning: &pruning,
    };
    let invoke_role = roles::plan_invoke_role(
        &mut builder,
        desired,
        observed,
        &bindings,
        &doomed_functions,
    );
    let log_groups = functions::plan_log_groups(&mut builder, desired, observed);
    let execution_roles = situation.plan(&mut builder, &bindings, api_created, &log_groups);
    let functions_ready = functions::plan(
        &mut builder,
        desired,
        observed,
        &mut bindings,
        log_groups,
        &execution_roles.usable,
    );
    let mut ready = api::plan_draft(
        &mut builder,
        desired,
        api_state,
        &mut bindings,
        api_created,
        &functions_ready,
    );
    ready.extend(invoke_role.ready.iter().copied());
    ready.extend(execution_roles.steps.ready.iter().copied());
    ready.extend(functions_ready.into_values().flatten());
    let live = api::plan_release(
        &mut builder,
        desired,
        observed,
        api_state,
        &mut bindings,
        ready,
    );

    let mut unused = live.clone();
    unused.extend(functions::delete(&mut builder, doomed_functions, &live));
    invoke_role.narrow(&mut builder, &live);
    execution_roles.steps.narrow(&mut builder, &live);
    unused.extend(prune::plan(
        &mut builder,
        desired,
        observed,
        &pruning,
        &bindings,
        &live,
    ));
    unused.extend(situation.delete(&mut builder, &unused));
    functions::delete_log_groups(&mut builder, doomed_log_groups, &unused);
    for api in surplus_apis {
        builder.add(
            Action::DeleteApi {
                api_id: api.api_id.clone(),
            },
            live.iter().copied(),
        );
    }
    let steps = builder.steps;
    Ok(Plan {
        identity: names.identity.clone(),
        bindings,
        steps,
    })
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
