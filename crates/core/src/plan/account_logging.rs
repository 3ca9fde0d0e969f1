//! The account's role for API Gateway's logs: made and set only where none is.
//!
//! Deliberately absent: removing it, for other stages and APIs may write logs by
//! it, and replacing one that somebody else has set.

use super::{Action, Builder, StepId};
use crate::account_logging::{policy_arn, role_name, tags};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::policy;

/// Whether the deployer's own role is, or is to be, the one that is set.
pub(super) fn is_ours(desired: &Desired, observed: &Observed) -> bool {
    let ours = desired
        .account
        .role_arn(&role_name(&desired.account.region));
    let set = observed
        .account_logging
        .as_ref()
        .and_then(|logging| logging.role_arn.as_ref());
    desired.gateway.stage.write_logs() && set.is_none_or(|set| *set == ours)
}

/// The steps after which API Gateway may write logs.
pub(super) fn plan(builder: &mut Builder, desired: &Desired, observed: &Observed) -> Vec<StepId> {
    if !is_ours(desired, observed) {
        return Vec::new();
    }
    let role = role_name(&desired.account.region);
    let logging = observed.account_logging.as_ref();
    let state = logging.and_then(|logging| logging.shared_role.as_ref());
    let trust = policy::trust("apigateway.amazonaws.com");
    let mut steps = Vec::new();
    let made = match state {
        None => Some(Action::CreateRole {
            role: role.clone(),
            description: "API Gateway writes the logs of all APIs by this role".to_owned(),
            trust,
            permissions_boundary: None,
            tags: tags(),
        }),
        Some(state) if state.trust != trust => Some(Action::UpdateAssumeRolePolicy {
            role: role.clone(),
            trust,
        }),
        Some(_) => None,
    };
    let made = made.map(|action| builder.add(action, []));
    steps.extend(made);
    let policy_arn = policy_arn(&desired.account);
    if !state.is_some_and(|state| state.attached_policies.contains(&policy_arn)) {
        let action = Action::AttachRolePolicy {
            role: role.clone(),
            policy_arn,
        };
        steps.push(builder.add(action, made));
    }
    if logging.is_none_or(|logging| logging.role_arn.is_none()) {
        let action = Action::UpdateAccount {
            role_arn: desired.account.role_arn(&role),
        };
        steps.push(builder.add(action, steps.clone()));
    }
    steps
}
