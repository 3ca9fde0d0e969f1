//! Writes to IAM.

use super::tags::of_iam;
use crate::error::{Call, gone};
use aws_sdk_iam::Client;
use aws_smithy_types::retry::RetryConfig;
use deployer_core::account_logging::is_shared;
use deployer_core::plan::Action;
use deployer_core::policy::INLINE_POLICY_NAME;
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;

pub(super) async fn perform(
    iam: &Client,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let operation = action.call();
    match action {
        Action::CreateRole {
            role,
            description,
            trust,
            tags,
            permissions_boundary,
        } => {
            let call = Call::new(operation, role.as_str());
            let shared = is_shared(tags);
            let created = iam
                .create_role()
                .role_name(role.as_str())
                .description(description)
                .assume_role_policy_document(trust.to_string())
                .set_tags(Some(of_iam(call, tags)?))
                .set_permissions_boundary(permissions_boundary.clone())
                .customize()
                .config_override(
                    aws_sdk_iam::config::Config::builder().retry_config(RetryConfig::disabled()),
                )
                .send()
                .await
                .map_err(|error| call.error(error));
            match created {
                // Another stage's `up` was quicker: no lease covers both.
                Err(error) if shared && error.is("EntityAlreadyExists") => {}
                created => {
                    created?;
                }
            }
        }
        Action::AttachRolePolicy { role, policy_arn } => {
            let call = Call::new(operation, role.as_str());
            iam.attach_role_policy()
                .role_name(role.as_str())
                .policy_arn(policy_arn)
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::UpdateAssumeRolePolicy { role, trust } => {
            let call = Call::new(operation, role.as_str());
            iam.update_assume_role_policy()
                .role_name(role.as_str())
                .policy_document(trust.to_string())
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::PutRolePolicy { role, policy } => {
            let call = Call::new(operation, role.as_str());
            let document = policy
                .document(context.account, context.names, context.bindings)
                .ok_or_else(|| call.incomplete("id of the API, which the policy names"))?;
            iam.put_role_policy()
                .role_name(role.as_str())
                .policy_name(INLINE_POLICY_NAME)
                .policy_document(document.to_string())
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::DeleteRolePolicy { role, policy_name } => {
            let call = Call::new(operation, role.as_str());
            let request = iam
                .delete_role_policy()
                .role_name(role.as_str())
                .policy_name(policy_name);
            gone(request.send().await.map_err(|error| call.error(error)))?;
        }
        Action::DetachRolePolicy { role, policy_arn } => {
            let call = Call::new(operation, role.as_str());
            let request = iam
                .detach_role_policy()
                .role_name(role.as_str())
                .policy_arn(policy_arn);
            gone(request.send().await.map_err(|error| call.error(error)))?;
        }
        Action::PutRolePermissionsBoundary { role, policy_arn } => {
            let call = Call::new(operation, role.as_str());
            iam.put_role_permissions_boundary()
                .role_name(role.as_str())
                .permissions_boundary(policy_arn)
                .send()
                .await
                .map_err(|error| call.error(error))?;
        }
        Action::DeleteRolePermissionsBoundary { role } => {
            let call = Call::new(operation, role.as_str());
            let request = iam
                .delete_role_permissions_boundary()
                .role_name(role.as_str());
            gone(request.send().await.map_err(|error| call.error(error)))?;
        }
        Action::DeleteRole { role } => {
            let call = Call::new(operation, role.as_str());
            let answer = iam.delete_role().role_name(role.as_str()).send().await;
            gone(answer.map_err(|error| call.error(error)))?;
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}
