//! Which steps of a plan put right what somebody changed by hand.
//!
//! What is part of a release was changed by hand if the live release is what the files
//! say, and yet the account isn't. Deliberately absent: guesses about what is no part of
//! one (tags, retention, settings of the API stage): the files may have changed, too.

use super::lint::changes_draft;
use super::up::choose_api;
use super::{Action, Plan, Step, StepId};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::release::ReleaseHash;
use std::collections::BTreeSet;

/// The steps of `up`'s plan from `observed` to `desired` that put right what was changed
/// by hand, as far as that can be told.
pub fn drift(plan: &Plan, desired: &Desired, observed: &Observed) -> BTreeSet<StepId> {
    let names = &desired.names;
    let (api, _) = choose_api(observed, &names.identity, &names.api_stage);
    let live = api.and_then(|api| api.live_deployment(&names.api_stage));
    let live = live.and_then(|live| ReleaseHash::from_description(&live.description));
    let as_released = live == Some(ReleaseHash::of(desired));
    let steps = plan.steps.iter().enumerate();
    steps
        .filter(|(_, step)| never_ours(&step.action) || (as_released && of_a_release(step)))
        .map(|(id, _)| id)
        .collect()
}

/// Whether it undoes what no `up` does.
fn never_ours(action: &Action) -> bool {
    matches!(
        action,
        Action::DetachRolePolicy { .. }
            | Action::UpdateAssumeRolePolicy { .. }
            | Action::DisableAutoDeploy { .. }
    )
}

/// Whether it changes what a release's hash covers.
fn of_a_release(step: &Step) -> bool {
    match &step.action {
        Action::UpdateApi { .. } => step
            .changes
            .iter()
            .any(|change| change.field != "description"),
        Action::UpdateFunctionConfiguration { .. }
        | Action::UpdateFunctionCode { .. }
        | Action::CreateFunction { .. } => true,
        action => changes_draft(action),
    }
}
