//! What whoever deploys a stage must be allowed, as an IAM policy: which permissions each
//! call needs ([`needs`]), on which resources of the stage ([`scope`]), and for which of
//! the commands.
//!
//! It is what the stage's file asks for as it is, and what it takes to put right what was
//! changed by hand. Deliberately absent: permissions of the functions (`policy`), and
//! whether anybody has them.

mod document;
mod needs;
mod scope;
#[cfg(test)]
mod tests;

pub use document::{Document, MANAGED_POLICY_LIMIT, Statement};
pub use needs::Purpose;
pub use scope::Scope;

use crate::operations::Operation;
use needs::{Need, needs};
use std::collections::BTreeSet;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// `lambda:CreateFunction`; of API Gateway `apigateway:POST`.
    pub action: &'static str,
    /// An ARN with `*` for what isn't known, or `*`.
    pub resource: String,
    /// The service that a role is handed to, of `iam:PassRole`.
    pub passed_to: Option<&'static str>,
}

/// What a stage's commands need, each permission once.
pub fn of_stage(scope: &Scope, purposes: &[Purpose]) -> BTreeSet<Permission> {
    let of_one = |operation: &Operation| of_operation(*operation, scope, purposes);
    Operation::ALL.iter().flat_map(of_one).collect()
}

/// Whether the command ever makes the call.
pub fn makes(purpose: Purpose, operation: Operation) -> bool {
    needs(operation)
        .iter()
        .any(|need| need.by.contains(&purpose))
}

/// What one call needs, for any of these purposes. Nothing where the stage has no resource
/// that it could be about.
pub fn of_operation(
    operation: Operation,
    scope: &Scope,
    purposes: &[Purpose],
) -> BTreeSet<Permission> {
    let mut permissions = BTreeSet::new();
    for Need {
        by,
        actions,
        on,
        passed_to,
    } in needs(operation)
    {
        if !by.iter().any(|purpose| purposes.contains(purpose)) {
            continue;
        }
        for resource in on.iter().flat_map(|on| scope.resources(*on)) {
            permissions.extend(actions.iter().map(|action| Permission {
                action,
                resource: resource.clone(),
                passed_to: *passed_to,
            }));
        }
    }
    permissions
}
