//! The smallest account that plans can be applied to: each action changes an
//! [`Observed`] as AWS would, without AWS's validation.

use crate::desired::Desired;
use crate::manifest::{journal, stream_name};
use crate::names::{ApiId, DeploymentId, FunctionVersion, IntegrationId, RouteId};
use crate::observed::{
    ApiStageState, ApiState, DeploymentState, FunctionState, IntegrationState, LogGroupState,
    Observed, RoleState, RouteState, VersionState,
};
use crate::plan::{Action, Bindings, Plan};
use crate::policy::{Account, INLINE_POLICY_NAME};
use std::collections::BTreeMap;

pub struct Ledger {
    pub observed: Observed,
    account: Account,
    names: crate::names::Names,
    next_id: u32,
}

impl Ledger {
    pub fn new(desired: &Desired) -> Self {
        Self {
            observed: Observed::default(),
            account: desired.account.clone(),
            names: desired.names.clone(),
            next_id: 0,
        }
    }

    /// Applies the first `count` steps.
    pub fn apply(&mut self, plan: &Plan, count: usize) {
        let mut bindings = plan.bindings.clone();
        for step in plan.steps.iter().take(count) {
            self.apply_action(&step.action, &mut bindings);
        }
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("id{}", self.next_id)
    }

    fn api(&mut self, bindings: &Bindings) -> &mut ApiState {
        let id = bindings
            .api_id
            .clone()
            .expect("the plan binds the API first");
        self.observed
            .apis
            .iter_mut()
            .find(|api| api.api_id == id)
            .expect("the API exists")
    }

    fn uri(&self, function_arn: &str, version: &FunctionVersion) -> String {
        self.account
            .invocation_uri(&format!("{function_arn}:{version}"))
    }

    pub fn apply_action(&mut self, action: &Action, bindings: &mut Bindings) {
        match action.clone() {
            Action::CreateLogGroup { log_group, tags } => {
                let group = LogGroupState {
                    tags,
                    retention_days: None,
                };
                let former = match log_group == journal(&self.names) {
                    true => self.observed.journal.replace(group),
                    false => self.observed.log_groups.insert(log_group, group),
                };
                assert!(former.is_none());
            }
            Action::PutRetentionPolicy { log_group, days } => {
                self.observed
                    .log_groups
                    .get_mut(&log_group)
                    .expect("exists")
                    .retention_days = Some(days);
            }
            Action::DeleteLogGroup { log_group } if log_group == journal(&self.names) => {
                self.observed.journal.take().expect("exists");
                self.observed.releases.clear();
            }
            Action::DeleteLogGroup { log_group } => {
                self.observed.log_groups.remove(&log_group).expect("exists");
            }
            Action::CreateRole {
                role,
                trust,
                tags,
                permissions_boundary,
                ..
            } => {
                let state = RoleState {
                    arn: self.account.role_arn(&role),
                    tags,
                    trust,
                    inline_policies: BTreeMap::new(),
                    attached_policies: Vec::new(),
                    permissions_boundary,
                };
                assert!(self.observed.roles.insert(role, state).is_none());
            }
            Action::UpdateAssumeRolePolicy { role, trust } => {
                self.observed.roles.get_mut(&role).expect("exists").trust = trust;
            }
            Action::PutRolePolicy { role, policy } => {
                let document = policy
                    .document(&self.account, &self.names, bindings)
                    .expect("bound");
                let role = self.observed.roles.get_mut(&role).expect("exists");
                role.inline_policies
                    .insert(INLINE_POLICY_NAME.into(), document);
            }
            Action::DeleteRolePolicy { role, policy_name } => {
                let role = self.observed.roles.get_mut(&role).expect("exists");
                role.inline_policies.remove(&policy_name).expect("exists");
            }
            Action::DetachRolePolicy { role, policy_arn } => {
                let role = self.observed.roles.get_mut(&role).expect("exists");
                role.attached_policies.retain(|arn| *arn != policy_arn);
            }
            Action::PutRolePermissionsBoundary { role, policy_arn } => {
                let role = self.observed.roles.get_mut(&role).expect("exists");
                role.permissions_boundary = Some(policy_arn);
            }
            Action::DeleteRolePermissionsBoundary { role } => {
                let role = self.observed.roles.get_mut(&role).expect("exists");
                assert!(role.permissions_boundary.take().is_some());
            }
            Action::TagFunction { name, tags } => {
                let function = self.observed.functions.get_mut(&name).expect("exists");
                function.tags.extend(tags);
            }
            Action::UntagFunction { name, keys } => {
                let function = self.observed.functions.get_mut(&name).expect("exists");
                function.tags.retain(|key, _| !keys.contains(key));
            }
            Action::DeleteRole { role } => {
                let state = self.observed.roles.remove(&role).expect("exists");
                assert!(state.inline_policies.is_empty() && state.attached_policies.is_empty());
            }
            Action::CreateFunction {
                key,
                function,
                tags,
            } => {
                let version = VersionState {
                    version: "1".into(),
                    code: function.code.clone(),
                    configuration: function.configuration.clone(),
                };
                bindings.versions.insert(key, version.version.clone());
                let state = FunctionState {
                    tags,
                    code: function.code,
                    configuration: function.configuration,
                    versions: vec![version],
                    reserved_concurrency: None,
                };
                assert!(
                    self.observed
                        .functions
                        .insert(function.name, state)
                        .is_none()
                );
            }
            Action::UpdateFunctionConfiguration {
                name,
                configuration,
                ..
            } => {
                self.observed
                    .functions
                    .get_mut(&name)
                    .expect("exists")
                    .configuration = configuration;
            }
            Action::UpdateFunctionCode { name, code, .. } => {
                self.observed.functions.get_mut(&name).expect("exists").code = code;
            }
            Action::PublishVersion { key, name, .. } => {
                self.next_id += 1;
                let version = FunctionVersion::new((self.next_id + 100).to_string());
                let state = self.observed.functions.get_mut(&name).expect("exists");
                state.versions.push(VersionState {
                    version: version.clone(),
                    code: state.code.clone(),
                    configuration: state.configuration.clone(),
                });
                bindings.versions.insert(key, version);
            }
            Action::PutFunctionConcurrency { name, reserved } => {
                self.observed
                    .functions
                    .get_mut(&name)
                    .expect("exists")
                    .reserved_concurrency = Some(reserved);
            }
            Action::DeleteFunctionConcurrency { name } => {
                self.observed
                    .functions
                    .get_mut(&name)
                    .expect("exists")
                    .reserved_concurrency = None;
            }
            Action::DeleteFunction { name } => {
                self.observed.functions.remove(&name).expect("exists");
            }
            Action::CreateApi {
                description,
                route_selection_expression,
                tags,
                ..
            } => {
                let api_id = ApiId::new(self.id());
                bindings.api_id = Some(api_id.clone());
                bindings.api_endpoint = Some(format!("wss://{api_id}"));
                self.observed.apis.push(ApiState {
                    endpoint: format!("wss://{api_id}"),
                    api_id,
                    tags,
                    description,
                    route_selection_expression,
                    routes: Vec::new(),
                    integrations: Vec::new(),
                    deployments: Vec::new(),
                    stages: Vec::new(),
                });
            }
            Action::UpdateApi {
                description,
                route_selection_expression,
            } => {
                let api = self.api(bindings);
                api.description = description;
                api.route_selection_expression = route_selection_expression;
            }
            Action::DeleteApi { api_id } => self.observed.apis.retain(|api| api.api_id != api_id),
            Action::CreateIntegration {
                key,
                function_arn,
                credentials_arn,
            } => {
                let uri = self.uri(&function_arn, &bindings.versions[&key]);
                let integration_id = IntegrationId::new(self.id());
                bindings.integrations.insert(key, integration_id.clone());
                self.api(bindings).integrations.push(IntegrationState {
                    integration_id,
                    integration_type: "AWS_PROXY".into(),
                    uri,
                    credentials_arn: Some(credentials_arn),
                });
            }
            Action::UpdateIntegration {
                key,
                integration_id,
                function_arn,
                credentials_arn,
            } => {
                let uri = self.uri(&function_arn, &bindings.versions[&key]);
                let api = self.api(bindings);
                let found = api
                    .integrations
                    .iter_mut()
                    .find(|i| i.integration_id == integration_id);
                let integration = found.expect("exists");
                integration.uri = uri;
                integration.credentials_arn = Some(credentials_arn);
            }
            Action::DeleteIntegration { integration_id } => {
                let api = self.api(bindings);
                let target = format!("integrations/{integration_id}");
                assert!(
                    api.routes
                        .iter()
                        .all(|route| route.target.as_ref() != Some(&target))
                );
                api.integrations
                    .retain(|i| i.integration_id != integration_id);
            }
            Action::CreateRoute {
                route_key,
                function,
            } => {
                let route_id = RouteId::new(self.id());
                let target = Some(format!("integrations/{}", bindings.integrations[&function]));
                let api = self.api(bindings);
                assert!(
                    api.routes
                        .iter()
                        .all(|route| route.route_key != route_key.as_str())
                );
                api.routes.push(RouteState {
                    route_id,
                    route_key: route_key.to_string(),
                    target,
                });
            }
            Action::UpdateRoute {
                route_id, function, ..
            } => {
                let target = Some(format!("integrations/{}", bindings.integrations[&function]));
                let api = self.api(bindings);
                api.routes
                    .iter_mut()
                    .find(|route| route.route_id == route_id)
                    .expect("exists")
                    .target = target;
            }
            Action::DeleteRoute { route_id, .. } => {
                self.api(bindings)
                    .routes
                    .retain(|route| route.route_id != route_id);
            }
            Action::CreateDeployment { release } => {
                let deployment_id = DeploymentId::new(self.id());
                bindings.deployment_id = Some(deployment_id.clone());
                let api = self.api(bindings);
                assert!(!api.routes.is_empty(), "AWS wants at least one route");
                api.deployments.push(DeploymentState {
                    deployment_id,
                    description: release.description(),
                    created: None,
                });
            }
            Action::DeleteDeployment { deployment_id, .. } => {
                let api = self.api(bindings);
                assert!(
                    api.stages
                        .iter()
                        .all(|s| s.deployment_id.as_ref() != Some(&deployment_id)),
                    "AWS keeps what a stage serves"
                );
                api.deployments.retain(|d| d.deployment_id != deployment_id);
            }
            Action::DeleteVersion { name, version } => {
                let state = self.observed.functions.get_mut(&name).expect("exists");
                state.versions.retain(|v| v.version != version);
            }
            Action::RecordRelease { manifest, .. } => {
                assert!(self.observed.journal.is_some(), "the journal comes first");
                let manifest = manifest.complete(&bindings.versions).expect("bound");
                let deployment = bindings.deployment_id.clone().expect("bound");
                self.observed.releases.insert(deployment, manifest);
            }
            Action::DeleteLogStream { log_stream, .. } => {
                self.observed
                    .releases
                    .retain(|d, _| stream_name(d) != log_stream);
            }
            Action::CreateStage { stage_name, tags } => {
                let deployment_id = bindings.deployment_id.clone();
                self.api(bindings).stages.push(ApiStageState {
                    name: stage_name,
                    deployment_id,
                    tags,
                });
            }
            Action::UpdateStage { stage_name } => {
                let deployment_id = bindings.deployment_id.clone();
                let api = self.api(bindings);
                api.stages
                    .iter_mut()
                    .find(|stage| stage.name == stage_name)
                    .expect("exists")
                    .deployment_id = deployment_id;
            }
        }
    }
}
