//! What one action makes, needs and touches: the table the linter goes by. An
//! action that isn't in it doesn't compile.

use crate::account_logging::is_role_name;
use crate::authorizer::Authorization;
use crate::desired::FunctionRole;
use crate::names::{ApiId, FunctionKey, FunctionName, LogGroupName, RoleName, TableName};
use crate::plan::{Action, Adopted, PolicyTemplate, Taggable};

/// Something a step can provide and another refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    LogGroup(LogGroupName),
    Role(RoleName),
    /// The account's role for API Gateway's logs, which all stages share.
    SharedRole,
    /// The log group that API Gateway uses for the plan's API.
    ExecutionLogGroup,
    Function(FunctionName),
    /// The version of a function that the plan's release invokes.
    Version(FunctionKey),
    Table(TableName),
    /// An API by its id.
    Api(ApiId),
    /// The API the plan works on, which may be made by the plan.
    ThisApi,
    /// The integration of a function.
    Integration(FunctionKey),
    /// The authorizer that `$connect` asks.
    Authorizer,
    /// The deployment that is to go live.
    Deployment,
}

/// An action in the linter's eyes.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    /// New by it.
    pub makes: Vec<Thing>,
    /// Must be there, whoever owns it.
    pub needs: Vec<Thing>,
    /// Is changed or deleted by it, or has a part that is; must be ours.
    pub touches: Option<Thing>,
    /// Nobody's before, ours after it.
    pub adopts: Option<Thing>,
}

impl Footprint {
    fn touching(thing: Thing) -> Self {
        Self {
            touches: Some(thing),
            ..Self::default()
        }
    }

    fn making(thing: Thing) -> Self {
        Self {
            makes: vec![thing],
            ..Self::default()
        }
    }

    fn makes(mut self, thing: Thing) -> Self {
        self.makes.push(thing);
        self
    }

    fn needs(mut self, thing: Thing) -> Self {
        self.needs.push(thing);
        self
    }
}

/// The action's footprint.
pub(super) fn of(action: &Action) -> Footprint {
    use Footprint as F;
    match action {
        Action::Adopt { resource, .. } => F {
            adopts: Some(match resource.clone() {
                Adopted::Role { role } => Thing::Role(role),
                Adopted::Function { name } => Thing::Function(name),
                Adopted::LogGroup { log_group } => Thing::LogGroup(log_group),
                Adopted::Api { api_id, .. } => Thing::Api(api_id),
                Adopted::Table { name, .. } => Thing::Table(name),
            }),
            ..F::default()
        },
        Action::CreateLogGroup { log_group, .. } => F::making(Thing::LogGroup(log_group.clone())),
        Action::PutRetentionPolicy { log_group, .. }
        | Action::DeleteLogGroup { log_group }
        | Action::DeleteLogStream { log_group, .. } => {
            F::touching(Thing::LogGroup(log_group.clone()))
        }
        Action::CreateTable { name, .. } => F::making(Thing::Table(name.clone())),
        Action::UpdateTable { name }
        | Action::UpdateTimeToLive { name, .. }
        | Action::UpdateContinuousBackups { name, .. }
        | Action::DeleteTable { name } => F::touching(Thing::Table(name.clone())),
        Action::CreateExecutionLogGroup { .. } => {
            F::making(Thing::ExecutionLogGroup).needs(Thing::ThisApi)
        }
        Action::PutExecutionLogRetention { .. } => F::touching(Thing::ExecutionLogGroup),
        Action::CreateRole { role, .. } => F::making(thing_of(role)),
        Action::AttachRolePolicy { role, .. } => F::touching(thing_of(role)),
        Action::UpdateAccount { .. } => F {
            needs: vec![Thing::SharedRole],
            ..F::default()
        },
        Action::Tag { resource, .. } | Action::Untag { resource, .. } => {
            F::touching(match resource {
                Taggable::Api | Taggable::Stage(_) => Thing::ThisApi,
                Taggable::Function(name) => Thing::Function(name.clone()),
                Taggable::Role(role) => thing_of(role),
                Taggable::LogGroup(name) => Thing::LogGroup(name.clone()),
                Taggable::Table { name, .. } => Thing::Table(name.clone()),
            })
        }
        Action::UpdateAssumeRolePolicy { role, .. }
        | Action::DeleteRolePolicy { role, .. }
        | Action::DetachRolePolicy { role, .. }
        | Action::PutRolePermissionsBoundary { role, .. }
        | Action::DeleteRolePermissionsBoundary { role }
        | Action::DeleteRole { role } => F::touching(thing_of(role)),
        Action::PutRolePolicy { role, policy } => {
            let touching = F::touching(Thing::Role(role.clone()));
            match policy {
                PolicyTemplate::Execution { .. } => touching.needs(Thing::ThisApi),
                PolicyTemplate::Invocation { .. } => touching,
            }
        }
        Action::CreateFunction { key, function, .. } => {
            let making = F::making(Thing::Function(function.name.clone()))
                .makes(Thing::Version(key.clone()))
                .needs(Thing::LogGroup(function.log_group.clone()));
            match &function.role {
                FunctionRole::Own { name, .. } => making.needs(Thing::Role(name.clone())),
                FunctionRole::Shared | FunctionRole::Given => making,
            }
        }
        Action::PublishVersion { key, name, .. } => {
            F::touching(Thing::Function(name.clone())).makes(Thing::Version(key.clone()))
        }
        Action::UpdateFunctionCode {
            key,
            name,
            publish: true,
            ..
        } => F::touching(Thing::Function(name.clone())).makes(Thing::Version(key.clone())),
        Action::UpdateFunctionConfiguration { name, .. }
        | Action::UpdateFunctionCode { name, .. }
        | Action::DeleteVersion { name, .. }
        | Action::PutFunctionConcurrency { name, .. }
        | Action::DeleteFunctionConcurrency { name }
        | Action::DeleteFunction { name } => F::touching(Thing::Function(name.clone())),
        Action::CreateApi { .. } => F::making(Thing::ThisApi),
        Action::DeleteApi { api_id } => F::touching(Thing::Api(api_id.clone())),
        Action::CreateIntegration { key, .. } => F::touching(Thing::ThisApi)
            .makes(Thing::Integration(key.clone()))
            .needs(Thing::Version(key.clone())),
        Action::UpdateIntegration { key, .. } => {
            F::touching(Thing::ThisApi).needs(Thing::Version(key.clone()))
        }
        Action::CreateAuthorizer { authorizer, .. } => F::touching(Thing::ThisApi)
            .makes(Thing::Authorizer)
            .needs(Thing::Version(authorizer.function.clone())),
        Action::UpdateAuthorizer { authorizer, .. } => {
            F::touching(Thing::ThisApi).needs(Thing::Version(authorizer.function.clone()))
        }
        Action::CreateRoute {
            function,
            authorization,
            ..
        }
        | Action::UpdateRoute {
            function,
            authorization,
            ..
        } => {
            let route = F::touching(Thing::ThisApi).needs(Thing::Integration(function.clone()));
            match authorization {
                Authorization::Custom => route.needs(Thing::Authorizer),
                Authorization::None | Authorization::Iam => route,
            }
        }
        Action::UpdateApi { .. }
        | Action::ConfigureStage { .. }
        | Action::DisableAutoDeploy { .. }
        | Action::DeleteRouteSettings { .. }
        | Action::DeleteAccessLogSettings { .. }
        | Action::DeleteIntegration { .. }
        | Action::DeleteAuthorizer { .. }
        | Action::DeleteRoute { .. }
        | Action::DeleteDeployment { .. } => F::touching(Thing::ThisApi),
        Action::CreateDeployment { manifest } => manifest.functions().fold(
            F::touching(Thing::ThisApi).makes(Thing::Deployment),
            |footprint, key| footprint.needs(Thing::Version(key.clone())),
        ),
        Action::RecordRelease {
            journal, manifest, ..
        } => manifest.functions().fold(
            F::touching(Thing::LogGroup(journal.clone())),
            |footprint, key| footprint.needs(Thing::Version(key.clone())),
        ),
        Action::CreateStage { .. } | Action::UpdateStage { .. } => {
            F::touching(Thing::ThisApi).needs(Thing::Deployment)
        }
    }
}

fn thing_of(role: &RoleName) -> Thing {
    match is_role_name(role) {
        true => Thing::SharedRole,
        false => Thing::Role(role.clone()),
    }
}

/// Whether the action changes what a deployment freezes, and nobody sees before.
pub(in crate::plan) fn changes_draft(action: &Action) -> bool {
    matches!(
        action,
        Action::UpdateApi { .. }
            | Action::CreateIntegration { .. }
            | Action::UpdateIntegration { .. }
            | Action::DeleteIntegration { .. }
            | Action::CreateAuthorizer { .. }
            | Action::UpdateAuthorizer { .. }
            | Action::DeleteAuthorizer { .. }
            | Action::CreateRoute { .. }
            | Action::UpdateRoute { .. }
            | Action::DeleteRoute { .. }
    )
}
