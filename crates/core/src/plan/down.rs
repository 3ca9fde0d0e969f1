//! From whatever is there to nothing.
//!
//! Traffic stops first (the API), then functions, then what they wrote to and
//! ran as. Works on any half-built state, and needs nothing of the stage file
//! but the names. The account's role for API Gateway's logs stays: others may
//! write by it.

use super::roles::detachments;
use super::stage_settings::execution_log_groups;
use super::{Action, Bindings, Builder, Plan, functions};
use crate::manifest::journal;
use crate::names::{Names, StageIdentity};
use crate::observed::Observed;
use crate::tags::{Ownership, Tags, ownership_of};

/// The writes that remove everything in `observed` that `names` owns.
pub fn down(names: &Names, observed: &Observed) -> Plan {
    let identity: &StageIdentity = &names.identity;
    let ours = |tags: &Tags| ownership_of(tags, identity) == Ownership::Ours;
    let mut builder = Builder::default();
    let apis: Vec<_> = observed
        .apis
        .iter()
        .filter(|api| ours(&api.tags))
        .map(|api| {
            builder.add(
                Action::DeleteApi {
                    api_id: api.api_id.clone(),
                },
                [],
            )
        })
        .collect();
    let doomed_functions = observed
        .functions
        .iter()
        .filter(|(_, state)| ours(&state.tags))
        .map(|(name, _)| name.clone())
        .collect();
    let mut doomed_log_groups: Vec<_> = observed
        .log_groups
        .iter()
        .filter(|(_, state)| ours(&state.tags))
        .map(|(name, _)| name.clone())
        .collect();
    if observed
        .access_log_group
        .as_ref()
        .is_some_and(|state| ours(&state.tags))
    {
        doomed_log_groups.push(names.access_log_group());
    }
    doomed_log_groups.extend(execution_log_groups(names, observed));
    let deleted = functions::delete(&mut builder, doomed_functions, doomed_log_groups, &apis);
    let unused: Vec<_> = apis.into_iter().chain(deleted).collect();
    for (role, state) in observed.roles.iter().filter(|(_, state)| ours(&state.tags)) {
        let inline = state
            .inline_policies
            .keys()
            .map(|policy_name| Action::DeleteRolePolicy {
                role: role.clone(),
                policy_name: policy_name.clone(),
            });
        let emptied: Vec<_> = inline
            .chain(detachments(role, state))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|action| builder.add(action, unused.iter().copied()))
            .collect();
        let before = if emptied.is_empty() {
            unused.clone()
        } else {
            emptied
        };
        builder.add(Action::DeleteRole { role: role.clone() }, before);
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
    }
}
