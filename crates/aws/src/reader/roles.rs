//! IAM roles with their policies.

use crate::error::{Call, found};
use aws_sdk_iam::Client;
use deployer_core::observed::RoleState;
use deployer_core::operations::Operation;
use deployer_core::policy::INLINE_POLICY_NAME;
use deployer_engine::error::CloudError;
use futures_util::future::{join, try_join};
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub(super) async fn find(iam: &Client, role: &str) -> Result<Option<RoleState>, CloudError> {
    found(get(iam, role).await)
}

async fn get(iam: &Client, role: &str) -> Result<RoleState, CloudError> {
    // First whether it is there: most functions have no role of their own.
    let output = get_role(iam, role).await?;
    // Reads that were begun are finished: a command makes the same calls each time.
    let (inline_policies, attached_policies) =
        join(inline_policies(iam, role), attached_policies(iam, role)).await;
    let (inline_policies, attached_policies) = (inline_policies?, attached_policies?);
    let trust = output.assume_role_policy_document().unwrap_or_default();
    Ok(RoleState {
        arn: output.arn().to_owned(),
        description: output.description().unwrap_or_default().to_owned(),
        tags: output
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
        trust: document(trust),
        inline_policies: inline_policies.into_iter().collect(),
        attached_policies,
        permissions_boundary: output
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
    })
}

async fn get_role(iam: &Client, role: &str) -> Result<aws_sdk_iam::types::Role, CloudError> {
    let call = Call::new(Operation::GetRole, role);
    let output = iam
        .get_role()
        .role_name(role)
        .send()
        .await
        .map_err(|error| call.error(error))?;
    output.role.ok_or_else(|| call.incomplete("Role"))
}

async fn inline_policies(iam: &Client, role: &str) -> Result<Vec<(String, Value)>, CloudError> {
    let list = async {
        let call = Call::new(Operation::ListRolePolicies, role);
        let names: Result<Vec<String>, _> = iam
            .list_role_policies()
            .role_name(role)
            .into_paginator()
            .items()
            .send()
            .collect()
            .await;
        names.map_err(|error| call.error(error))
    };
    // Ours is asked for at once, by its name. Of a stranger the name is enough.
    let (names, ours) = try_join(list, inline_policy(iam, role, INLINE_POLICY_NAME)).await?;
    let strangers = names.into_iter().filter(|name| name != INLINE_POLICY_NAME);
    let strangers = strangers.map(|name| (name, Value::Null));
    let ours = ours.map(|document| (INLINE_POLICY_NAME.to_owned(), document));
    Ok(strangers.chain(ours).collect())
}

async fn inline_policy(iam: &Client, role: &str, name: &str) -> Result<Option<Value>, CloudError> {
    let call = Call::new(Operation::GetRolePolicy, role);
    let answer = iam
        .get_role_policy()
        .role_name(role)
        .policy_name(name)
        .send()
        .await;
    let output = found(answer.map_err(|error| call.error(error)))?;
    Ok(output.map(|output| document(output.policy_document())))
}

async fn attached_policies(iam: &Client, role: &str) -> Result<Vec<String>, CloudError> {
    let call = Call::new(Operation::ListAttachedRolePolicies, role);
    let policies: Result<Vec<_>, _> = iam
        .list_attached_role_policies()
        .role_name(role)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let policies = policies.map_err(|error| call.error(error))?;
    Ok(policies
        .iter()
        .filter_map(|policy| policy.policy_arn())
        .map(str::to_owned)
        .collect())
}

/// IAM answers with documents percent-encoded. One that isn't JSON compares
/// unequal to every document of ours and is replaced.
fn document(encoded: &str) -> Value {
    let text = percent_decode_str(encoded).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_decoded() {
        assert_eq!(
            document("%7B%22a%22%3A%201%7D"),
            serde_json::json!({ "a": 1 })
        );
        assert_eq!(document("nonsense"), Value::Null);
    }
}
