//! From whatever is there to nothing.
//!
//! Traffic stops first (the API), then functions, then what they wrote to and
//! ran as. Works on any half-built state, and needs nothing of the stage file
//! but the names.

use super::roles::remove;
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
    let doomed_log_groups = observed
        .log_groups
        .iter()
        .filter(|(_, state)| ours(&state.tags))
        .map(|(name, _)| name.clone())
        .collect();
    let deleted = functions::delete(&mut builder, doomed_functions, &apis);
    let mut unused: Vec<_> = apis.into_iter().chain(deleted).collect();
    let roles: Vec<_> = observed
        .roles
        .iter()
        .filter(|(_, state)| ours(&state.tags))
        .map(|(role, state)| remove(&mut builder, role, state, &unused))
        .collect();
    unused.extend(roles);
    functions::delete_log_groups(&mut builder, doomed_log_groups, &unused);
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
