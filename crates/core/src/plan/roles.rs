//! The two roles of a stage and their inline policies.
//!
//! A policy is widened before the cut-over and narrowed after it: what is live
//! must never lose a permission it still uses.

use super::{Action, Bindings, Builder, PolicyTemplate, StepId};
use crate::desired::Desired;
use crate::names::{FunctionName, RoleName};
use crate::observed::{Observed, RoleState};
use crate::policy::{self, INLINE_POLICY_NAME};

/// What later steps come after.
pub(super) struct RoleSteps {
    /// The execution role exists.
    pub execution_role: Option<StepId>,
    /// Everything a new release needs is permitted.
    pub ready: Vec<StepId>,
    /// Policies to narrow once the release is live, and the steps that widen them.
    narrow: Vec<(RoleName, PolicyTemplate, Option<StepId>)>,
    /// Permissions we didn't give. The live release may use them.
    strangers: Vec<(Action, Option<StepId>)>,
}

pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    bindings: &Bindings,
    api_created: Option<StepId>,
    doomed: &[FunctionName],
) -> RoleSteps {
    let names = &desired.names;
    let with_doomed = |mut kept: Vec<FunctionName>| {
        kept.extend(doomed.iter().cloned());
        // One order, so that equal permissions are equal documents.
        kept.sort();
        kept
    };
    let mut functions = desired.function_names();
    functions.sort();
    let all_functions = with_doomed(functions.clone());
    let log_groups =
        |functions: &[FunctionName]| functions.iter().map(|f| names.log_group(f)).collect();
    let roles = [
        Role {
            name: &names.execution_role,
            service: "lambda.amazonaws.com",
            purpose: "functions run as this role",
            wide: PolicyTemplate::Execution {
                log_groups: log_groups(&all_functions),
            },
            exact: PolicyTemplate::Execution {
                log_groups: log_groups(&functions),
            },
            policy_after: api_created,
        },
        Role {
            name: &names.invoke_role,
            service: "apigateway.amazonaws.com",
            purpose: "API Gateway assumes this role to invoke the functions",
            wide: PolicyTemplate::Invocation {
                functions: all_functions,
            },
            exact: PolicyTemplate::Invocation { functions },
            policy_after: None,
        },
    ];
    let mut steps = RoleSteps {
        execution_role: None,
        ready: Vec::new(),
        narrow: Vec::new(),
        strangers: Vec::new(),
    };
    for role in roles {
        let state = observed.roles.get(role.name);
        let exists = role.plan_role(builder, desired, state);
        if role.name == &names.execution_role {
            steps.execution_role = exists;
        }
        let current = state.and_then(|state| state.inline_policies.get(INLINE_POLICY_NAME));
        let wide = role.wide.document(&desired.account, names, bindings);
        let mut widened = None;
        if current.is_none() || current != wide.as_ref() {
            let after = exists.into_iter().chain(role.policy_after);
            let action = Action::PutRolePolicy {
                role: role.name.clone(),
                policy: role.wide.clone(),
            };
            widened = Some(builder.add(action, after));
            steps.ready.extend(widened);
        } else {
            steps.ready.extend(exists);
        }
        if role.wide != role.exact {
            steps.narrow.push((role.name.clone(), role.exact, widened));
        }
        for action in state
            .into_iter()
            .flat_map(|state| strangers(role.name, state))
        {
            steps.strangers.push((action, widened.or(exists)));
        }
    }
    steps
}

impl RoleSteps {
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

struct Role<'a> {
    name: &'a RoleName,
    service: &'static str,
    purpose: &'static str,
    wide: PolicyTemplate,
    exact: PolicyTemplate,
    policy_after: Option<StepId>,
}

impl Role<'_> {
    fn plan_role(
        &self,
        builder: &mut Builder,
        desired: &Desired,
        state: Option<&RoleState>,
    ) -> Option<StepId> {
        let trust = policy::trust(self.service);
        match state {
            None => Some(builder.add(
                Action::CreateRole {
                    role: self.name.clone(),
                    description: format!("{}: {}", desired.names.identity, self.purpose),
                    trust,
                    tags: desired.tags.clone(),
                },
                [],
            )),
            Some(state) if state.trust != trust => Some(builder.add(
                Action::UpdateAssumeRolePolicy {
                    role: self.name.clone(),
                    trust,
                },
                [],
            )),
            Some(_) => None,
        }
    }
}

/// Policies on our role that we didn't put there.
fn strangers(role: &RoleName, state: &RoleState) -> Vec<Action> {
    let inline = state
        .inline_policies
        .keys()
        .filter(|name| *name != INLINE_POLICY_NAME)
        .map(|name| Action::DeleteRolePolicy {
            role: role.clone(),
            policy_name: name.clone(),
        });
    inline.chain(detachments(role, state)).collect()
}

/// Takes the managed policies off a role.
pub(super) fn detachments(role: &RoleName, state: &RoleState) -> Vec<Action> {
    let detach = |policy_arn: &String| Action::DetachRolePolicy {
        role: role.clone(),
        policy_arn: policy_arn.clone(),
    };
    state.attached_policies.iter().map(detach).collect()
}
