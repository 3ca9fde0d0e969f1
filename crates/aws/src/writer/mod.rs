//! Writes: one action of a plan, one call (CreateRole and the like make one
//! attempt where a repetition could leave two of something).
//!
//! Deleting what is already gone is done; creating what is already there is an
//! error: the plan was made from an older look.

mod apis;
mod authorizers;
mod function_settings;
mod functions;
mod log_groups;
mod roles;
mod stages;
mod tables;
mod tags;

use crate::account;
use crate::connect::Cloud;
use deployer_core::plan::Action;
use deployer_engine::cloud::{CloudWriter, Produced, WriteContext};
use deployer_engine::error::CloudError;

impl CloudWriter for Cloud {
    async fn perform(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> Result<Produced, CloudError> {
        match action {
            Action::CreateLogGroup { .. }
            | Action::PutRetentionPolicy { .. }
            | Action::DeleteLogGroup { .. }
            | Action::DeleteLogStream { .. }
            | Action::CreateExecutionLogGroup { .. }
            | Action::PutExecutionLogRetention { .. }
            | Action::RecordRelease { .. } => {
                log_groups::perform(&self.logs, action, context).await
            }
            Action::CreateRole { .. }
            | Action::UpdateAssumeRolePolicy { .. }
            | Action::PutRolePolicy { .. }
            | Action::DeleteRolePolicy { .. }
            | Action::AttachRolePolicy { .. }
            | Action::DetachRolePolicy { .. }
            | Action::PutRolePermissionsBoundary { .. }
            | Action::DeleteRolePermissionsBoundary { .. }
            | Action::DeleteRole { .. } => roles::perform(&self.iam, action, context).await,
            Action::CreateFunction { .. }
            | Action::UpdateFunctionConfiguration { .. }
            | Action::UpdateFunctionCode { .. }
            | Action::PublishVersion { .. }
            | Action::PutFunctionConcurrency { .. }
            | Action::DeleteFunctionConcurrency { .. }
            | Action::DeleteFunction { .. }
            | Action::DeleteVersion { .. } => {
                functions::perform(&self.lambda, action, context).await
            }
            Action::CreateApi { .. }
            | Action::UpdateApi { .. }
            | Action::DeleteApi { .. }
            | Action::CreateIntegration { .. }
            | Action::UpdateIntegration { .. }
            | Action::DeleteIntegration { .. }
            | Action::CreateAuthorizer { .. }
            | Action::UpdateAuthorizer { .. }
            | Action::DeleteAuthorizer { .. }
            | Action::CreateRoute { .. }
            | Action::UpdateRoute { .. }
            | Action::DeleteRoute { .. }
            | Action::CreateDeployment { .. }
            | Action::DeleteDeployment { .. }
            | Action::CreateStage { .. }
            | Action::UpdateStage { .. }
            | Action::ConfigureStage { .. }
            | Action::DisableAutoDeploy { .. }
            | Action::DeleteRouteSettings { .. }
            | Action::DeleteAccessLogSettings { .. } => {
                apis::perform(&self.apigateway, action, context).await
            }
            Action::CreateTable { .. }
            | Action::UpdateTable { .. }
            | Action::UpdateTimeToLive { .. }
            | Action::UpdateContinuousBackups { .. }
            | Action::DeleteTable { .. } => tables::perform(self, action, context).await,
            Action::UpdateAccount { role_arn } => {
                account::set_logging_role(&self.apigateway, role_arn).await?;
                Ok(Produced::Nothing)
            }
            Action::Adopt { .. } | Action::Tag { .. } | Action::Untag { .. } => {
                tags::perform(self, action, context).await
            }
        }
    }
}
