//! Taking over what has our names and nobody's tags: the ownership tags come
//! first, before any other write, so that whatever stops in between leaves
//! resources that the next `up` and `down` know as ours.
//!
//! Deliberately absent: deciding what may be adopted (`refusal`), and changes: what
//! was adopted is then planned for like anything else of ours.

use super::action::Adopted;
use super::changes::or_none;
use super::{Action, FieldChange, Plan, Step};
use crate::desired::Desired;
use crate::manifest::journal;
use crate::observed::Observed;
use crate::tags::Tags;

/// The account as it will be once the resources are tagged.
pub(super) fn as_ours(desired: &Desired, observed: &Observed, adopted: &[Adopted]) -> Observed {
    let mut observed = observed.clone();
    let claim = |tags: &mut Tags| tags.extend(desired.tags.clone());
    for resource in adopted {
        match resource {
            Adopted::Role { role } => {
                observed
                    .roles
                    .entry(role.clone())
                    .and_modify(|state| claim(&mut state.tags));
            }
            Adopted::Function { name } => {
                let entry = observed.functions.entry(name.clone());
                entry.and_modify(|state| claim(&mut state.tags));
            }
            Adopted::LogGroup { log_group } if *log_group == journal(&desired.names) => {
                observed
                    .journal
                    .iter_mut()
                    .for_each(|state| claim(&mut state.tags));
            }
            Adopted::LogGroup { log_group } if *log_group == desired.names.access_log_group() => {
                observed
                    .access_log_group
                    .iter_mut()
                    .for_each(|state| claim(&mut state.tags));
            }
            Adopted::LogGroup { log_group } => {
                let entry = observed.log_groups.entry(log_group.clone());
                entry.and_modify(|state| claim(&mut state.tags));
            }
            Adopted::Table { name, .. } => {
                let entry = observed.tables.entry(name.clone());
                entry.and_modify(|state| claim(&mut state.tags));
            }
            Adopted::Api { api_id, .. } => {
                let (ours, others) = std::mem::take(&mut observed.unowned_apis)
                    .into_iter()
                    .partition(|api| api.api_id == *api_id);
                observed.unowned_apis = others;
                observed.apis.extend(ours);
                observed
                    .apis
                    .iter_mut()
                    .filter(|api| api.api_id == *api_id)
                    .for_each(|api| claim(&mut api.tags));
            }
        }
    }
    observed
}

/// The plan with the adoptions before everything else.
pub(super) fn first(
    desired: &Desired,
    observed: &Observed,
    adopted: Vec<Adopted>,
    plan: Plan,
) -> Plan {
    let steps = adopted
        .into_iter()
        .map(|resource| {
            let owner = FieldChange {
                field: "owner".to_owned(),
                old: format!("nobody ({})", portrait(&resource, desired, observed)),
                new: desired.names.identity.to_string(),
            };
            Step {
                changes: vec![owner],
                action: Action::Adopt {
                    resource,
                    tags: desired.tags.clone(),
                },
                after: Vec::new(),
            }
        })
        .collect();
    plan.preceded_by(steps)
}

/// What a resource is, so that who reads the plan recognises it.
fn portrait(resource: &Adopted, desired: &Desired, observed: &Observed) -> String {
    let several = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let text = match resource {
        Adopted::Role { role } => observed.roles.get(role).map(|state| {
            let count = state.inline_policies.len() + state.attached_policies.len();
            let policies = match count {
                1 => "1 policy".to_owned(),
                _ => format!("{count} policies"),
            };
            format!("{}, {policies}", state.arn)
        }),
        Adopted::Function { name } => observed.functions.get(name).map(|state| {
            format!(
                "{}, {} MB, {}",
                state.configuration.runtime,
                state.configuration.memory_mb,
                several(state.versions.len(), "version")
            )
        }),
        Adopted::LogGroup { log_group } => {
            let state = match *log_group == journal(&desired.names) {
                true => observed.journal.as_ref(),
                false => observed.log_groups.get(log_group),
            };
            state.map(|state| format!("days kept: {}", or_none(state.retention_days)))
        }
        Adopted::Table { name, .. } => observed.tables.get(name).map(|state| {
            let key = state.key.as_ref().map(ToString::to_string);
            format!("{}, key {}", state.arn, or_none(key))
        }),
        Adopted::Api { api_id, .. } => {
            let mut apis = observed.unowned_apis.iter();
            apis.find(|api| api.api_id == *api_id).map(|api| {
                let stages: Vec<&str> =
                    api.stages.iter().map(|stage| stage.name.as_str()).collect();
                let stages = match stages.as_slice() {
                    [] => "no stages".to_owned(),
                    names => format!("stages {}", names.join(", ")),
                };
                format!("{}, {stages}", several(api.routes.len(), "route"))
            })
        }
    };
    text.unwrap_or_default()
}
