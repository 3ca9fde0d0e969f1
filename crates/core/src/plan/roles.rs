//! Roles: making them, their boundaries and inline policies, and the one that
//! API Gateway assumes.
//!
//! A policy is widened before the cut-over and narrowed after it: what is live
//! must never lose a permission it still uses.

use super::changes::{FieldChange, change, or_none};
use super::prune::Pruning;
use super::{Action, Bindings, Builder, PolicyTemplate, StepId};
use crate::desired::Desired;
use crate::manifest::Manifest;
use crate::names::{FunctionName, RoleName};
use crate::observed::{Observed, RoleState};
use crate::policy::{self, INLINE_POLICY_NAME};
use crate::tags::Tags;
use serde_json::Value;
use std::collections::BTreeSet;

/// A role as it should be now, and once the new release is live.
pub(super) struct Role<'a> {
    pub name: &'a RoleName,
    pub service: &'static str,
    pub purpose: &'static str,
    pub permissions_boundary: Option<&'a str>,
    /// What must be there before it.
    pub after: Vec<StepId>,
    /// What the live and the new release need.
    pub wide: PolicyTemplate,
    /// What is needed afterwards.
    pub exact: PolicyTemplate,
    /// What must be there before its policy.
    pub policy_after: Option<StepId>,
    /// Given to it when it is made.
    pub tags: &'a Tags,
}

/// What later steps come after.
#[derive(Default)]
pub(super) struct RoleSteps {
    /// Everything a new release needs is permitted.
    pub ready: Vec<StepId>,
    /// Policies to narrow once the release is live, and the steps that widen them.
    narrow: Vec<(RoleName, PolicyTemplate, Option<StepId>)>,
    /// Permissions we didn't give. The live release may use them.
    strangers: Vec<(Action, Option<StepId>)>,
}

/// The role API Gateway assumes.
pub(super) fn plan_invoke_role(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    bindings: &Bindings,
    doomed: &[FunctionName],
    pruning: &Pruning<'_>,
) -> RoleSteps {
    let mut functions = desired.function_names();
    functions.sort();
    let mut all_functions = functions.clone();
    all_functions.extend(doomed.iter().cloned());
    // One order, so that equal permissions are equal documents.
    all_functions.sort();
    let existing = Existing::of(desired, observed, pruning);
    let role = Role {
        name: &desired.names.invoke_role,
        service: "apigateway.amazonaws.com",
        purpose: "API Gateway assumes this role to invoke the functions",
        permissions_boundary: desired.permissions_boundary.as_deref(),
        after: Vec::new(),
        wide: PolicyTemplate::Invocation {
            functions: all_functions,
            existing: existing.wide.into_iter().collect(),
        },
        exact: PolicyTemplate::Invocation {
            functions,
            existing: existing.exact.into_iter().collect(),
        },
        policy_after: None,
        tags: &desired.tags,
    };
    let mut steps = RoleSteps::default();
    steps.plan(builder, desired, observed, bindings, role);
    steps
}

/// ARNs of functions that aren't the stage's and that its releases invoke.
struct Existing {
    /// Before the cut-over.
    wide: BTreeSet<String>,
    /// After it.
    exact: BTreeSet<String>,
}

impl Existing {
    fn of(desired: &Desired, observed: &Observed, pruning: &Pruning<'_>) -> Self {
        let mut exact: BTreeSet<String> = desired.existing_arns().into_values().collect();
        let invoked = |manifest: &Manifest| manifest.existing.values().cloned().collect::<Vec<_>>();
        exact.extend(pruning.kept_manifests().flat_map(invoked));
        let mut wide = exact.clone();
        wide.extend(pruning.present_manifests().flat_map(invoked));
        wide.extend(pruning.staying_manifest().into_iter().flat_map(invoked));
        // A release that can't be read (yet) may need what is permitted now.
        if pruning.keeps_unreadable() {
            exact.extend(permitted(desired, observed));
        }
        if pruning.keeps_unreadable() || pruning.has_unreadable() {
            wide.extend(permitted(desired, observed));
        }
        Self { wide, exact }
    }
}

/// What the role may invoke now that hasn't a name of the stage's.
fn permitted(desired: &Desired, observed: &Observed) -> Vec<String> {
    let own = desired
        .account
        .function_arn(&FunctionName::new(desired.names.function_prefix()));
    let state = observed.roles.get(&desired.names.invoke_role);
    let policy = state.and_then(|state| state.inline_policies.get(INLINE_POLICY_NAME));
    let resources = policy.and_then(|policy| policy["Statement"][0]["Resource"].as_array());
    let arns = resources.into_iter().flatten().filter_map(Value::as_str);
    arns.filter(|arn| !arn.starts_with(&own))
        .map(str::to_owned)
        .collect()
}

impl RoleSteps {
    /// Plans a role; the steps after which it exists and has its policy, if there
    /// are any.
    pub(super) fn plan(
        &mut self,
        builder: &mut Builder,
        desired: &Desired,
        observed: &Observed,
        bindings: &Bindings,
        role: Role<'_>,
    ) -> (Option<StepId>, Option<StepId>) {
        let state = observed.roles.get(role.name);
        let exists = role.plan_role(builder, desired, state);
        let current = state.and_then(|state| state.inline_policies.get(INLINE_POLICY_NAME));
        let wide = role
            .wide
            .document(&desired.account, &desired.names, bindings);
        let mut widened = None;
        if current.is_none() || current != wide.as_ref() {
            let after = exists.into_iter().chain(role.policy_after);
            let action = Action::PutRolePolicy {
                role: role.name.clone(),
                policy: role.wide.clone(),
            };
            let changes = statements(current, wide.as_ref());
            widened = Some(builder.add_change(action, after, changes));
            self.ready.extend(widened);
        } else {
            self.ready.extend(exists);
        }
        if let Some(state) = state {
            self.ready
                .extend(role.plan_boundary(builder, state, exists));
        }
        if role.wide != role.exact {
            self.narrow.push((role.name.clone(), role.exact, widened));
        }
        for action in state
            .into_iter()
            .flat_map(|state| strangers(role.name, state))
        {
            self.strangers.push((action, widened.or(exists)));
        }
        (exists, widened)
    }

    /// Takes away what only the former release needed, `after` the cut-over. There
    /// may be none, if a former `up` stopped behind it: the policy's own widening
    /// comes first in any case.
    pub(super) fn narrow(self, builder: &mut Builder, after: &[StepId]) {
        for (role, policy, widened) in self.narrow {
            builder.add(
                Action::PutRolePolicy { role, policy },
                after.iter().copied().chain(widened),
            );
        }
        for (action, widened) in self.strangers {
            builder.add(action, after.iter().copied().chain(widened));
        }
    }
}

impl Role<'_> {
    fn plan_role(
        &self,
        builder: &mut Builder,
        desired: &Desired,
        state: Option<&RoleState>,
    ) -> Option<StepId> {
        let trust = policy::trust(self.service);
        let after = self.after.iter().copied();
        match state {
            None => Some(builder.add(
                Action::CreateRole {
                    role: self.name.clone(),
                    description: format!("{}: {}", desired.names.identity, self.purpose),
                    trust,
                    tags: self.tags.clone(),
                    permissions_boundary: self.permissions_boundary.map(str::to_owned),
                },
                after,
            )),
            Some(state) if state.trust != trust => Some(builder.add(
                Action::UpdateAssumeRolePolicy {
                    role: self.name.clone(),
                    trust,
                },
                after,
            )),
            Some(_) => None,
        }
    }

    fn plan_boundary(
        &self,
        builder: &mut Builder,
        state: &RoleState,
        exists: Option<StepId>,
    ) -> Option<StepId> {
        let now = state.permissions_boundary.as_deref();
        let changed = change(
            "permissions_boundary",
            or_none(now),
            or_none(self.permissions_boundary),
        )?;
        let role = self.name.clone();
        let action = match self.permissions_boundary {
            Some(policy_arn) => Action::PutRolePermissionsBoundary {
                role,
                policy_arn: policy_arn.to_owned(),
            },
            None => Action::DeleteRolePermissionsBoundary { role },
        };
        Some(builder.add_change(action, exists, vec![changed]))
    }
}

/// The statements in which two policies differ.
fn statements(old: Option<&Value>, new: Option<&Value>) -> Vec<FieldChange> {
    let (Some(old), Some(new)) = (old, new) else {
        return Vec::new();
    };
    let of = |policy: &Value| match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let (old, new) = (of(old), of(new));
    let gone = old.iter().filter(|statement| !new.contains(statement));
    let added = new.iter().filter(|statement| !old.contains(statement));
    let line = |old: String, new: String| FieldChange {
        field: "statement".to_owned(),
        old,
        new,
    };
    gone.map(|statement| line(statement.to_string(), "none".to_owned()))
        .chain(added.map(|statement| line("none".to_owned(), statement.to_string())))
        .collect()
}

/// Policies on our role that we didn't put there.
fn strangers(role: &RoleName, state: &RoleState) -> Vec<Action> {
    removals(role, state)
        .filter(|action| {
            !matches!(action, Action::DeleteRolePolicy { policy_name, .. } if policy_name == INLINE_POLICY_NAME)
        })
        .collect()
}

/// Takes all policies from a role.
fn removals<'a>(role: &'a RoleName, state: &'a RoleState) -> impl Iterator<Item = Action> + 'a {
    let inline = state
        .inline_policies
        .keys()
        .map(|policy_name| Action::DeleteRolePolicy {
            role: role.clone(),
            policy_name: policy_name.clone(),
        });
    let attached = state
        .attached_policies
        .iter()
        .map(|policy_arn| Action::DetachRolePolicy {
            role: role.clone(),
            policy_arn: policy_arn.clone(),
        });
    inline.chain(attached)
}

/// Deletes a role with its policies; a boundary goes with the role.
pub(super) fn remove(
    builder: &mut Builder,
    role: &RoleName,
    state: &RoleState,
    after: &[StepId],
) -> StepId {
    let emptied: Vec<_> = removals(role, state)
        .map(|action| builder.add(action, after.iter().copied()))
        .collect();
    let before = if emptied.is_empty() {
        after.to_vec()
    } else {
        emptied
    };
    builder.add(Action::DeleteRole { role: role.clone() }, before)
}
