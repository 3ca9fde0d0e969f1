//! Policies that are nobody's: those that Lambda authorizers answer with.

use serde_json::Value;

use crate::iam::policy::{Context, Policy, allows};

/// Whether a policy document allows an action on a resource. An explicit Deny wins; a
/// condition that this model can't evaluate never allows. `None`: it is no policy.
pub fn policy_allows(document: &Value, action: &str, resource: &str) -> Option<bool> {
    let policy = Policy::read(document)?;
    Some(allows([&policy], action, resource, &Context::default()))
}
