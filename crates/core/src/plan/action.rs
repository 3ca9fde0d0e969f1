//! One write to the cloud, as data. Values that exist only once an earlier step
//! is done (an API's id, a version's number) are named by what they belong to
//! and looked up in [`Bindings`](super::Bindings).

use super::PolicyTemplate;
use crate::authorizer::{Authorization, Authorizer};
use crate::desired::{DesiredFunction, DesiredTable, FunctionCode, FunctionConfiguration};
use crate::manifest::{ManifestDraft, ManifestKey};
use crate::names::{
    ApiId, AuthorizerId, DeploymentId, FunctionKey, FunctionName, FunctionVersion, IntegrationId,
    LogGroupName, RoleName, RouteId, RouteKey, TableName,
};
use crate::operations::Operation;
use crate::stage_settings::{ApiSettings, StageUpdate};
use crate::tags::Tags;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// A resource that is taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "kinds of resources and their names")]
pub enum Adopted {
    Role { role: RoleName },
    Function { name: FunctionName },
    LogGroup { log_group: LogGroupName },
    Api { api_id: ApiId, name: String },
    Table { name: TableName, arn: String },
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
#[expect(
    missing_docs,
    reason = "the variants are AWS's operations and their fields AWS's parameters"
)]
pub enum Action {
    /// Puts the ownership tags on what has our name and nobody's tags.
    Adopt {
        resource: Adopted,
        tags: Tags,
    },
    CreateLogGroup {
        log_group: LogGroupName,
        tags: Tags,
    },
    PutRetentionPolicy {
        log_group: LogGroupName,
        days: u32,
    },
    DeleteLogGroup {
        log_group: LogGroupName,
    },

    /// Makes the group that API Gateway itself uses for execution logs, before it
    /// does: with tags, it can be found when its API is gone.
    CreateExecutionLogGroup {
        tags: Tags,
    },
    PutExecutionLogRetention {
        days: u32,
    },

    DeleteLogStream {
        log_group: LogGroupName,
        log_stream: String,
    },
    CreateRole {
        role: RoleName,
        description: String,
        trust: Value,
        tags: Tags,
        permissions_boundary: Option<String>,
    },
    UpdateAssumeRolePolicy {
        role: RoleName,
        trust: Value,
    },
    PutRolePolicy {
        role: RoleName,
        policy: PolicyTemplate,
    },
    DeleteRolePolicy {
        role: RoleName,
        policy_name: String,
    },
    AttachRolePolicy {
        role: RoleName,
        policy_arn: String,
    },
    DetachRolePolicy {
        role: RoleName,
        policy_arn: String,
    },
    PutRolePermissionsBoundary {
        role: RoleName,
        policy_arn: String,
    },
    DeleteRolePermissionsBoundary {
        role: RoleName,
    },
    DeleteRole {
        role: RoleName,
    },

    /// Creates the function and publishes its first version in one call.
    CreateFunction {
        key: FunctionKey,
        function: Box<DesiredFunction>,
        tags: Tags,
    },
    UpdateFunctionConfiguration {
        key: FunctionKey,
        name: FunctionName,
        configuration: FunctionConfiguration,
    },
    /// With `publish`, the version it makes is published in the same call.
    UpdateFunctionCode {
        key: FunctionKey,
        name: FunctionName,
        code: FunctionCode,
        publish: bool,
    },
    PublishVersion {
        key: FunctionKey,
        name: FunctionName,
        code: FunctionCode,
    },
    DeleteVersion {
        name: FunctionName,
        version: FunctionVersion,
    },
    PutFunctionConcurrency {
        name: FunctionName,
        reserved: u32,
    },
    DeleteFunctionConcurrency {
        name: FunctionName,
    },
    DeleteFunction {
        name: FunctionName,
    },

    CreateApi {
        name: String,
        description: String,
        route_selection_expression: String,
        settings: ApiSettings,
        tags: Tags,
    },
    UpdateApi {
        description: String,
        route_selection_expression: String,
        settings: ApiSettings,
    },
    /// Lets API Gateway write logs in this account and region.
    UpdateAccount {
        role_arn: String,
    },
    DeleteApi {
        api_id: ApiId,
    },

    CreateIntegration {
        key: FunctionKey,
        function_arn: String,
        credentials_arn: String,
    },
    UpdateIntegration {
        key: FunctionKey,
        integration_id: IntegrationId,
        function_arn: String,
        credentials_arn: String,
    },
    DeleteIntegration {
        integration_id: IntegrationId,
    },
    CreateAuthorizer {
        authorizer: Authorizer,
        function_arn: String,
        credentials_arn: String,
    },
    UpdateAuthorizer {
        authorizer: Authorizer,
        authorizer_id: AuthorizerId,
        function_arn: String,
        credentials_arn: String,
    },
    DeleteAuthorizer {
        authorizer_id: AuthorizerId,
        name: String,
    },
    CreateRoute {
        route_key: RouteKey,
        function: FunctionKey,
        authorization: Authorization,
    },
    UpdateRoute {
        route_key: RouteKey,
        route_id: RouteId,
        function: FunctionKey,
        authorization: Authorization,
        /// The route names an authorizer, and asks none from now on.
        forget_authorizer: bool,
    },
    DeleteRoute {
        route_key: String,
        route_id: RouteId,
    },

    /// Its description names the release and its manifest.
    CreateDeployment {
        manifest: Box<ManifestDraft>,
    },
    DeleteDeployment {
        deployment_id: DeploymentId,
        name: String,
    },
    /// Writes the manifest of what is to go live, or is live and has lost its own:
    /// then under the key its deployment names.
    RecordRelease {
        journal: LogGroupName,
        manifest: Box<ManifestDraft>,
        key: Option<ManifestKey>,
    },
    /// The cut-over of a first release: everything becomes live at once.
    CreateStage {
        stage_name: String,
        settings: StageUpdate,
        tags: Tags,
    },
    /// The cut-over of a later release; settings that changed ride on it.
    UpdateStage {
        stage_name: String,
        settings: StageUpdate,
    },
    /// Settings that changed while the release did not.
    ConfigureStage {
        stage_name: String,
        settings: StageUpdate,
    },
    /// From now on only deployments change what the stage serves.
    DisableAutoDeploy {
        stage_name: String,
    },
    DeleteRouteSettings {
        stage_name: String,
        route_key: RouteKey,
    },
    DeleteAccessLogSettings {
        stage_name: String,
    },

    CreateTable {
        name: TableName,
        table: Box<DesiredTable>,
    },
    /// Makes it paid by the request.
    UpdateTable {
        name: TableName,
    },
    UpdateTimeToLive {
        name: TableName,
        attribute: String,
        enabled: bool,
    },
    UpdateContinuousBackups {
        name: TableName,
        point_in_time_recovery: bool,
    },
    DeleteTable {
        name: TableName,
    },

    Tag {
        resource: Taggable,
        tags: Tags,
    },
    Untag {
        resource: Taggable,
        keys: Vec<String>,
    },
}

/// What can have tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the variants are AWS's resources")]
pub enum Taggable {
    Api,
    Stage(String),
    Function(FunctionName),
    Role(RoleName),
    LogGroup(LogGroupName),
    /// By its ARN: emulated ones have accounts of their own.
    Table {
        name: TableName,
        arn: String,
    },
}

impl Taggable {
    /// As users read it.
    fn name(&self) -> String {
        match self {
            Self::Api => "api".to_owned(),
            Self::Stage(name) => format!("stage {name}"),
            Self::Function(name) => format!("function {name}"),
            Self::Role(name) => format!("role {name}"),
            Self::LogGroup(name) => format!("log group {name}"),
            Self::Table { name, .. } => format!("table {name}"),
        }
    }
}

/// What a step does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It is new.
    Create,
    /// It stays and changes.
    Change,
    /// It goes.
    Delete,
    /// What was prepared becomes live.
    Release,
    /// It stays, and is ours from now on.
    Adopt,
}

impl Action {
    /// The kind of write.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Adopt { .. } => Verb::Adopt,
            Self::CreateLogGroup { .. }
            | Self::CreateRole { .. }
            | Self::CreateFunction { .. }
            | Self::CreateApi { .. }
            | Self::CreateIntegration { .. }
            | Self::CreateAuthorizer { .. }
            | Self::CreateRoute { .. }
            | Self::CreateDeployment { .. }
            | Self::PublishVersion { .. }
            | Self::CreateExecutionLogGroup { .. }
            | Self::CreateTable { .. }
            | Self::RecordRelease { .. } => Verb::Create,
            Self::PutRetentionPolicy { .. }
            | Self::PutExecutionLogRetention { .. }
            | Self::AttachRolePolicy { .. }
            | Self::UpdateAccount { .. }
            | Self::ConfigureStage { .. }
            | Self::DisableAutoDeploy { .. }
            | Self::DeleteRouteSettings { .. }
            | Self::DeleteAccessLogSettings { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::UpdateTable { .. }
            | Self::UpdateTimeToLive { .. }
            | Self::UpdateContinuousBackups { .. }
            | Self::UpdateAssumeRolePolicy { .. }
            | Self::PutRolePolicy { .. }
            | Self::UpdateFunctionConfiguration { .. }
            | Self::UpdateFunctionCode { .. }
            | Self::PutRolePermissionsBoundary { .. }
            | Self::DeleteRolePermissionsBoundary { .. }
            | Self::PutFunctionConcurrency { .. }
            | Self::DeleteFunctionConcurrency { .. }
            | Self::UpdateApi { .. }
            | Self::UpdateIntegration { .. }
            | Self::UpdateAuthorizer { .. }
            | Self::UpdateRoute { .. } => Verb::Change,
            Self::DeleteLogGroup { .. }
            | Self::DeleteRolePolicy { .. }
            | Self::DetachRolePolicy { .. }
            | Self::DeleteRole { .. }
            | Self::DeleteFunction { .. }
            | Self::DeleteApi { .. }
            | Self::DeleteIntegration { .. }
            | Self::DeleteAuthorizer { .. }
            | Self::DeleteRoute { .. }
            | Self::DeleteDeployment { .. }
            | Self::DeleteVersion { .. }
            | Self::DeleteTable { .. }
            | Self::DeleteLogStream { .. } => Verb::Delete,
            Self::CreateStage { .. } | Self::UpdateStage { .. } => Verb::Release,
        }
    }

    /// AWS's name of the operation, as logs have it.
    pub fn operation(&self) -> &'static str {
        self.call().name()
    }

    /// The call that carries it out.
    pub fn call(&self) -> Operation {
        match self {
            Self::Adopt { resource, .. } => match resource {
                Adopted::Role { .. } => Operation::TagRole,
                Adopted::Function { .. } => Operation::TagFunction,
                Adopted::LogGroup { .. } => Operation::TagLogGroup,
                Adopted::Api { .. } => Operation::TagApi,
                Adopted::Table { .. } => Operation::TagTable,
            },
            Self::CreateLogGroup { .. } => Operation::CreateLogGroup,
            Self::PutRetentionPolicy { .. } => Operation::PutRetentionPolicy,
            Self::DeleteLogGroup { .. } => Operation::DeleteLogGroup,
            Self::CreateRole { .. } => Operation::CreateRole,
            Self::UpdateAssumeRolePolicy { .. } => Operation::UpdateAssumeRolePolicy,
            Self::PutRolePolicy { .. } => Operation::PutRolePolicy,
            Self::DeleteRolePolicy { .. } => Operation::DeleteRolePolicy,
            Self::DetachRolePolicy { .. } => Operation::DetachRolePolicy,
            Self::PutRolePermissionsBoundary { .. } => Operation::PutRolePermissionsBoundary,
            Self::DeleteRolePermissionsBoundary { .. } => Operation::DeleteRolePermissionsBoundary,
            Self::DeleteRole { .. } => Operation::DeleteRole,
            Self::CreateFunction { .. } => Operation::CreateFunction,
            Self::UpdateFunctionConfiguration { .. } => Operation::UpdateFunctionConfiguration,
            Self::UpdateFunctionCode { .. } => Operation::UpdateFunctionCode,
            Self::PublishVersion { .. } => Operation::PublishVersion,
            Self::PutFunctionConcurrency { .. } => Operation::PutFunctionConcurrency,
            Self::DeleteFunctionConcurrency { .. } => Operation::DeleteFunctionConcurrency,
            Self::DeleteFunction { .. } => Operation::DeleteFunction,
            Self::CreateApi { .. } => Operation::CreateApi,
            Self::UpdateApi { .. } => Operation::UpdateApi,
            Self::DeleteApi { .. } => Operation::DeleteApi,
            Self::CreateIntegration { .. } => Operation::CreateIntegration,
            Self::UpdateIntegration { .. } => Operation::UpdateIntegration,
            Self::DeleteIntegration { .. } => Operation::DeleteIntegration,
            Self::CreateAuthorizer { .. } => Operation::CreateAuthorizer,
            Self::UpdateAuthorizer { .. } => Operation::UpdateAuthorizer,
            Self::DeleteAuthorizer { .. } => Operation::DeleteAuthorizer,
            Self::CreateRoute { .. } => Operation::CreateRoute,
            Self::UpdateRoute { .. } => Operation::UpdateRoute,
            Self::DeleteRoute { .. } => Operation::DeleteRoute,
            Self::CreateDeployment { .. } => Operation::CreateDeployment,
            Self::DeleteDeployment { .. } => Operation::DeleteDeployment,
            Self::DeleteVersion { .. } => Operation::DeleteFunction,
            Self::DeleteLogStream { .. } => Operation::DeleteLogStream,
            Self::RecordRelease { .. } => Operation::PutLogEvents,
            Self::CreateStage { .. } => Operation::CreateStage,
            Self::UpdateStage { .. }
            | Self::ConfigureStage { .. }
            | Self::DisableAutoDeploy { .. } => Operation::UpdateStage,
            Self::DeleteRouteSettings { .. } => Operation::DeleteRouteSettings,
            Self::DeleteAccessLogSettings { .. } => Operation::DeleteAccessLogSettings,
            Self::CreateExecutionLogGroup { .. } => Operation::CreateLogGroup,
            Self::PutExecutionLogRetention { .. } => Operation::PutRetentionPolicy,
            Self::CreateTable { .. } => Operation::CreateTable,
            Self::UpdateTable { .. } => Operation::UpdateTable,
            Self::UpdateTimeToLive { .. } => Operation::UpdateTimeToLive,
            Self::UpdateContinuousBackups { .. } => Operation::UpdateContinuousBackups,
            Self::DeleteTable { .. } => Operation::DeleteTable,
            Self::AttachRolePolicy { .. } => Operation::AttachRolePolicy,
            Self::UpdateAccount { .. } => Operation::UpdateAccount,
            Self::Tag { resource, .. } => match resource {
                Taggable::Api | Taggable::Stage(_) => Operation::TagApi,
                Taggable::Function(_) => Operation::TagFunction,
                Taggable::Role(_) => Operation::TagRole,
                Taggable::LogGroup(_) => Operation::TagLogGroup,
                Taggable::Table { .. } => Operation::TagTable,
            },
            Self::Untag { resource, .. } => match resource {
                Taggable::Api | Taggable::Stage(_) => Operation::UntagApi,
                Taggable::Function(_) => Operation::UntagFunction,
                Taggable::Role(_) => Operation::UntagRole,
                Taggable::LogGroup(_) => Operation::UntagLogGroup,
                Taggable::Table { .. } => Operation::UntagTable,
            },
        }
    }

    /// Whether API Gateway serialises this write with others on the same API.
    pub fn is_api_mutation(&self) -> bool {
        matches!(
            self,
            Self::UpdateApi { .. }
                | Self::CreateIntegration { .. }
                | Self::UpdateIntegration { .. }
                | Self::DeleteIntegration { .. }
                | Self::CreateAuthorizer { .. }
                | Self::UpdateAuthorizer { .. }
                | Self::DeleteAuthorizer { .. }
                | Self::CreateRoute { .. }
                | Self::UpdateRoute { .. }
                | Self::DeleteRoute { .. }
                | Self::CreateDeployment { .. }
                | Self::DeleteDeployment { .. }
                | Self::CreateStage { .. }
                | Self::UpdateStage { .. }
                | Self::ConfigureStage { .. }
                | Self::DisableAutoDeploy { .. }
                | Self::DeleteRouteSettings { .. }
                | Self::DeleteAccessLogSettings { .. }
                | Self::Tag {
                    resource: Taggable::Api | Taggable::Stage(_),
                    ..
                }
                | Self::Untag {
                    resource: Taggable::Api | Taggable::Stage(_),
                    ..
                }
        )
    }

    /// Whether this write only names a function or its version, so that it needn't wait
    /// until the function can be invoked. Should Lambda want reserved concurrency to wait
    /// all the same, it says so, and is asked again. The deployment waits: a release that
    /// couldn't serve must not look like one to roll back to.
    pub fn may_precede_readiness(&self) -> bool {
        matches!(
            self,
            Self::CreateIntegration { .. }
                | Self::UpdateIntegration { .. }
                | Self::CreateAuthorizer { .. }
                | Self::UpdateAuthorizer { .. }
                | Self::RecordRelease { .. }
                | Self::PutFunctionConcurrency { .. }
                | Self::DeleteFunctionConcurrency { .. }
        )
    }

    /// The kind of resource and its name, as users read them.
    pub fn resource(&self) -> (&'static str, String) {
        match self {
            Self::Adopt { resource, .. } => match resource {
                Adopted::Role { role } => ("role", role.to_string()),
                Adopted::Function { name } => ("function", name.to_string()),
                Adopted::LogGroup { log_group } => ("log group", log_group.to_string()),
                Adopted::Api { api_id, name } => ("api", format!("{name} ({api_id})")),
                Adopted::Table { name, .. } => ("table", name.to_string()),
            },
            Self::CreateLogGroup { log_group, .. } | Self::DeleteLogGroup { log_group } => {
                ("log group", log_group.to_string())
            }
            Self::PutRetentionPolicy { log_group, .. } => ("retention", log_group.to_string()),
            Self::CreateRole { role, .. } | Self::DeleteRole { role } => ("role", role.to_string()),
            Self::UpdateAssumeRolePolicy { role, .. } => ("trust policy", role.to_string()),
            Self::PutRolePolicy { role, .. } => ("role policy", role.to_string()),
            Self::DeleteRolePolicy { role, policy_name } => {
                ("role policy", format!("{role}/{policy_name}"))
            }
            Self::AttachRolePolicy { role, policy_arn }
            | Self::DetachRolePolicy { role, policy_arn } => {
                ("attached policy", format!("{role}: {policy_arn}"))
            }
            Self::PutRolePermissionsBoundary { role, .. }
            | Self::DeleteRolePermissionsBoundary { role } => ("boundary", role.to_string()),
            Self::CreateFunction { function, .. } => ("function", function.name.to_string()),
            Self::UpdateFunctionConfiguration { name, .. } => ("configuration", name.to_string()),
            Self::UpdateFunctionCode { name, .. } => ("code", name.to_string()),
            Self::PublishVersion { name, .. } => ("version", name.to_string()),
            Self::PutFunctionConcurrency { name, .. }
            | Self::DeleteFunctionConcurrency { name } => ("concurrency", name.to_string()),
            Self::DeleteFunction { name } => ("function", name.to_string()),
            Self::CreateApi { name, .. } => ("api", name.clone()),
            Self::UpdateApi { .. } => ("api", String::new()),
            Self::DeleteApi { api_id } => ("api", api_id.to_string()),
            Self::CreateIntegration { key, .. } | Self::UpdateIntegration { key, .. } => {
                ("integration", key.to_string())
            }
            Self::DeleteIntegration { integration_id } => {
                ("integration", integration_id.to_string())
            }
            Self::CreateAuthorizer { authorizer, .. }
            | Self::UpdateAuthorizer { authorizer, .. } => {
                ("authorizer", authorizer.name().to_owned())
            }
            Self::DeleteAuthorizer {
                authorizer_id,
                name,
            } => ("authorizer", format!("{name} ({authorizer_id})")),
            Self::CreateRoute {
                route_key,
                function,
                ..
            }
            | Self::UpdateRoute {
                route_key,
                function,
                ..
            } => ("route", format!("{route_key} → {function}")),
            Self::DeleteRoute { route_key, .. } => ("route", route_key.clone()),
            Self::CreateDeployment { manifest } => ("deployment", manifest.release().to_string()),
            Self::DeleteDeployment {
                deployment_id,
                name,
            } => ("deployment", format!("{deployment_id} ({name})")),
            Self::DeleteVersion { name, version } => ("version", format!("{name}:{version}")),
            Self::DeleteLogStream {
                log_group,
                log_stream,
            } => ("manifest", format!("{log_group} {log_stream}")),
            Self::RecordRelease { journal, .. } => ("manifest", journal.to_string()),
            Self::CreateStage { stage_name, .. }
            | Self::UpdateStage { stage_name, .. }
            | Self::ConfigureStage { stage_name, .. }
            | Self::DisableAutoDeploy { stage_name } => ("stage", stage_name.clone()),
            Self::DeleteRouteSettings {
                stage_name,
                route_key,
            } => ("route settings", format!("{stage_name} {route_key}")),
            Self::DeleteAccessLogSettings { stage_name } => ("access log", stage_name.clone()),
            Self::CreateExecutionLogGroup { .. } => ("log group", "of execution logs".to_owned()),
            Self::PutExecutionLogRetention { .. } => ("retention", "of execution logs".to_owned()),
            Self::UpdateAccount { role_arn } => ("account", format!("logs by {role_arn}")),
            Self::CreateTable { name, .. } | Self::DeleteTable { name } => {
                ("table", name.to_string())
            }
            Self::UpdateTable { name } => ("capacity", name.to_string()),
            Self::UpdateTimeToLive { name, .. } => ("time to live", name.to_string()),
            Self::UpdateContinuousBackups { name, .. } => ("backups", name.to_string()),
            Self::Tag { resource, .. } | Self::Untag { resource, .. } => ("tags", resource.name()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb() {
            Verb::Create => "create",
            Verb::Change => "change",
            Verb::Delete => "delete",
            Verb::Release => "release",
            Verb::Adopt => "adopt",
        };
        let (kind, name) = self.resource();
        write!(f, "{verb} {kind} {name}")
    }
}
