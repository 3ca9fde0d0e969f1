//! The smallest account that plans can be applied to: each action changes an
//! [`Observed`] as AWS would, without AWS's validation.

use crate::account::Account;
use crate::account_logging::role_name;
use crate::authorizer::Authorization;
use crate::desired::Desired;
use crate::manifest::journal;
use crate::names::{
    ApiId, AuthorizerId, DeploymentId, EXECUTION_LOG_PREFIX, FunctionKey, FunctionName,
    FunctionVersion, IntegrationId, LogGroupName, RoleName, RouteId, TableName,
};
use crate::observed::{
    AccountLogging, ApiStageState, ApiState, AuthorizerState, DeploymentState, FunctionState,
    IntegrationState, LogGroupState, Observed, RoleState, RouteState, VersionState,
};
use crate::plan::{Action, Adopted, Bindings, Plan, Taggable};
use crate::policy::INLINE_POLICY_NAME;
use crate::stage_settings::{StageSettings, StageUpdate};
use crate::table::{TABLES_TAG, TableSettings, TableState, TableStatus};
use crate::tags::Tags;
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

    /// What everything is called.
    pub fn names(&self) -> &crate::names::Names {
        &self.names
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

    fn publish(&mut self, key: FunctionKey, name: &FunctionName, bindings: &mut Bindings) {
        self.next_id += 1;
        let version = FunctionVersion::new((self.next_id + 100).to_string());
        let state = self.observed.functions.get_mut(name).expect("exists");
        state.versions.push(VersionState {
            version: version.clone(),
            code: state.code.clone(),
            configuration: state.configuration.clone(),
            code_bytes: 0,
            modified: None,
        });
        bindings.versions.insert(key, version);
    }

    fn adopt(&mut self, resource: &Adopted, tags: &crate::tags::Tags) {
        let observed = &mut self.observed;
        let its = match resource {
            Adopted::Role { role } => &mut observed.roles.get_mut(role).expect("exists").tags,
            Adopted::Function { name } => {
                &mut observed.functions.get_mut(name).expect("exists").tags
            }
            Adopted::LogGroup { log_group } if *log_group == journal(&self.names) => {
                &mut observed.journal.as_mut().expect("exists").tags
            }
            Adopted::LogGroup { log_group } => {
                &mut observed.log_groups.get_mut(log_group).expect("exists").tags
            }
            Adopted::Table { name, .. } => &mut observed.tables.get_mut(name).expect("exists").tags,
            Adopted::Api { api_id, .. } => {
                let mut unowned = observed.unowned_apis.iter();
                let place = unowned.position(|api| api.api_id == *api_id);
                let api = observed.unowned_apis.remove(place.expect("exists"));
                observed.apis.push(api);
                &mut observed.apis.last_mut().expect("just pushed").tags
            }
        };
        its.extend(tags.clone());
    }

    pub fn apply_action(&mut self, action: &Action, bindings: &mut Bindings) {
        match action.clone() {
            Action::Adopt { resource, tags } => self.adopt(&resource, &tags),
            Action::CreateLogGroup { log_group, tags } => {
                let group = LogGroupState {
                    tags,
                    retention_days: None,
                };
                let former = if log_group == journal(&self.names) {
                    self.observed.journal.replace(group)
                } else if log_group == self.names.access_log_group() {
                    self.observed.access_log_group.replace(group)
                } else {
                    self.observed.log_groups.insert(log_group, group)
                };
                assert!(former.is_none());
            }
            Action::PutRetentionPolicy { log_group, days } => {
                self.log_group(&log_group).retention_days = Some(days);
            }
            Action::DeleteLogGroup { log_group } if log_group == journal(&self.names) => {
                self.observed.journal.take().expect("exists");
                self.observed.releases.clear();
            }
            Action::DeleteLogGroup { log_group } if log_group == self.names.access_log_group() => {
                self.observed.access_log_group.take().expect("exists");
                assert!(
                    self.observed
                        .apis
                        .iter()
                        .flat_map(|api| &api.stages)
                        .all(|stage| stage.settings.access_log.is_none()),
                    "nobody writes there any longer"
                );
            }
            Action::DeleteLogGroup { log_group }
                if log_group.as_str().starts_with(EXECUTION_LOG_PREFIX) =>
            {
                let groups = &mut self.observed.execution_log_groups;
                groups.remove(&log_group).expect("exists");
            }
            Action::DeleteLogGroup { log_group } => {
                self.observed.log_groups.remove(&log_group).expect("exists");
            }
            Action::CreateExecutionLogGroup { tags } => {
                let api_id = bindings.api_id.clone().expect("bound");
                let group = LogGroupState {
                    tags,
                    retention_days: None,
                };
                let name = self.names.execution_log_group(&api_id);
                let former = self.observed.execution_log_groups.insert(name, group);
                assert!(former.is_none());
            }
            Action::PutExecutionLogRetention { days } => {
                let api_id = bindings.api_id.clone().expect("bound");
                let name = self.names.execution_log_group(&api_id);
                self.log_group(&name).retention_days = Some(days);
            }
            Action::CreateRole { role, .. } if self.is_shared(&role) => {
                let Action::CreateRole {
                    description,
                    trust,
                    tags,
                    ..
                } = action.clone()
                else {
                    unreachable!()
                };
                let state = RoleState {
                    arn: self.account.role_arn(&role),
                    description,
                    tags,
                    trust,
                    inline_policies: BTreeMap::new(),
                    attached_policies: Vec::new(),
                    permissions_boundary: None,
                };
                self.logging().shared_role = Some(state);
            }
            Action::AttachRolePolicy { role, policy_arn } => {
                assert!(self.is_shared(&role));
                let role = self.logging().shared_role.as_mut().expect("exists");
                role.attached_policies.push(policy_arn);
            }
            Action::UpdateAccount { role_arn } => {
                let logging = self.logging();
                let role = logging.shared_role.as_ref().expect("exists");
                assert!(!role.attached_policies.is_empty(), "AWS checks it");
                logging.role_arn = Some(role_arn);
            }
            Action::Tag { resource, tags } => {
                self.tags_of(&resource, bindings).extend(tags);
            }
            Action::Untag { resource, keys } => {
                let tags = self.tags_of(&resource, bindings);
                tags.retain(|key, _| !keys.contains(key));
            }
            Action::CreateRole {
                role,
                description,
                trust,
                tags,
                permissions_boundary,
            } => {
                let state = RoleState {
                    arn: self.account.role_arn(&role),
                    description,
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
                    code_bytes: 0,
                    modified: None,
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
            Action::UpdateFunctionCode {
                key,
                name,
                code,
                publish,
            } => {
                self.observed.functions.get_mut(&name).expect("exists").code = code;
                if publish {
                    self.publish(key, &name, bindings);
                }
            }
            Action::PublishVersion { key, name, .. } => self.publish(key, &name, bindings),
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
                settings,
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
                    settings,
                    routes: Vec::new(),
                    integrations: Vec::new(),
                    authorizers: Vec::new(),
                    deployments: Vec::new(),
                    stages: Vec::new(),
                });
            }
            Action::UpdateApi {
                description,
                route_selection_expression,
                settings,
            } => {
                let api = self.api(bindings);
                api.settings = settings;
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
            Action::CreateAuthorizer {
                authorizer,
                function_arn,
                credentials_arn,
            } => {
                let authorizer_id = AuthorizerId::new(self.id());
                bindings.authorizer = Some(authorizer_id.clone());
                let uri = self.uri(&function_arn, &bindings.versions[&authorizer.function]);
                let authorizers = &mut self.api(bindings).authorizers;
                let mut others = authorizers.iter();
                assert!(others.all(|other| other.name != authorizer.name()));
                authorizers.push(AuthorizerState {
                    authorizer_id,
                    name: authorizer.name().to_owned(),
                    uri,
                    credentials_arn: Some(credentials_arn),
                    identity_sources: authorizer.identity_sources,
                });
            }
            Action::UpdateAuthorizer {
                authorizer,
                authorizer_id,
                function_arn,
                credentials_arn,
            } => {
                let uri = self.uri(&function_arn, &bindings.versions[&authorizer.function]);
                let mut authorizers = self.api(bindings).authorizers.iter_mut();
                let state = authorizers
                    .find(|it| it.authorizer_id == authorizer_id)
                    .expect("exists");
                state.uri = uri;
                state.credentials_arn = Some(credentials_arn);
                state.identity_sources = authorizer.identity_sources;
            }
            Action::DeleteAuthorizer { authorizer_id, .. } => {
                let api = self.api(bindings);
                let mut routes = api.routes.iter();
                assert!(routes.all(|it| it.authorizer_id.as_ref() != Some(&authorizer_id)));
                api.authorizers
                    .retain(|it| it.authorizer_id != authorizer_id);
            }
            Action::CreateRoute {
                route_key,
                function,
                authorization,
            } => {
                let authorizer_id = asked(authorization, bindings);
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
                    authorization: authorization.as_str().into(),
                    authorizer_id,
                });
            }
            Action::UpdateRoute {
                route_id,
                function,
                authorization,
                forget_authorizer,
                ..
            } => {
                let asked = asked(authorization, bindings);
                let target = Some(format!("integrations/{}", bindings.integrations[&function]));
                let api = self.api(bindings);
                let mut routes = api.routes.iter_mut();
                let route = routes
                    .find(|route| route.route_id == route_id)
                    .expect("exists");
                route.target = target;
                route.authorization = authorization.as_str().into();
                // An update merges: nothing said, nothing forgotten.
                if forget_authorizer || asked.is_some() {
                    assert_ne!(asked.is_some(), forget_authorizer);
                    route.authorizer_id = asked;
                }
            }
            Action::DeleteRoute { route_id, .. } => {
                self.api(bindings)
                    .routes
                    .retain(|route| route.route_id != route_id);
            }
            Action::CreateDeployment { manifest } => {
                let complete = manifest.complete(&bindings.versions).expect("bound");
                let description = manifest.release().description(&complete.key());
                let deployment_id = DeploymentId::new(self.id());
                bindings.deployment_id = Some(deployment_id.clone());
                let api = self.api(bindings);
                assert!(!api.routes.is_empty(), "AWS wants at least one route");
                api.deployments.push(DeploymentState {
                    deployment_id,
                    description,
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
            Action::RecordRelease { manifest, key, .. } => {
                assert!(self.observed.journal.is_some(), "the journal comes first");
                let manifest = manifest.complete(&bindings.versions).expect("bound");
                let key = key.unwrap_or_else(|| manifest.key());
                self.observed.releases.insert(key, manifest);
            }
            Action::DeleteLogStream { log_stream, .. } => {
                self.observed
                    .releases
                    .retain(|key, _| key.stream() != log_stream);
            }
            Action::CreateStage {
                stage_name,
                settings,
                tags,
            } => {
                let deployment_id = bindings.deployment_id.clone();
                self.api(bindings).stages.push(ApiStageState {
                    name: stage_name.clone(),
                    deployment_id,
                    auto_deploy: false,
                    tags,
                    settings: StageSettings::default(),
                });
                self.configure(&stage_name, settings, bindings);
            }
            Action::UpdateStage {
                stage_name,
                settings,
            } => {
                self.configure(&stage_name, settings, bindings);
                let deployment_id = bindings.deployment_id.clone();
                let stage = self.stage(&stage_name, bindings);
                assert!(!stage.auto_deploy, "it takes no deployment of others");
                stage.deployment_id = deployment_id;
            }
            Action::ConfigureStage {
                stage_name,
                settings,
            } => {
                assert!(!settings.is_empty(), "something changes");
                self.configure(&stage_name, settings, bindings);
            }
            Action::DisableAutoDeploy { stage_name } => {
                self.stage(&stage_name, bindings).auto_deploy = false;
            }
            Action::DeleteRouteSettings {
                stage_name,
                route_key,
            } => {
                let settings = &mut self.stage(&stage_name, bindings).settings;
                settings.routes.remove(&route_key).expect("exists");
            }
            Action::CreateTable { name, table } => {
                let journal = self.observed.journal.as_ref();
                assert!(
                    journal.is_some_and(|it| it.tags.contains_key(TABLES_TAG)),
                    "noted first"
                );
                let state = TableState {
                    arn: self.account.table_arn(&name),
                    tags: table.tags,
                    key: Some(table.key),
                    on_demand: true,
                    status: TableStatus::Active,
                    settings: Some(TableSettings::default()),
                };
                let former = self.observed.tables.insert(name, state);
                assert!(former.is_none_or(|it| !it.is_there()));
            }
            Action::UpdateTable { name } => self.table(&name).on_demand = true,
            Action::UpdateTimeToLive {
                name,
                attribute,
                enabled,
            } => {
                let ttl = &mut self.table_settings(&name).ttl;
                assert_ne!(ttl.is_some(), enabled, "it is one way or the other already");
                *ttl = enabled.then_some(attribute);
            }
            Action::UpdateContinuousBackups {
                name,
                point_in_time_recovery,
            } => {
                self.table_settings(&name).point_in_time_recovery = point_in_time_recovery;
            }
            Action::DeleteTable { name } => {
                assert!(self.observed.tables.remove(&name).is_some());
            }
            Action::DeleteAccessLogSettings { stage_name } => {
                let settings = &mut self.stage(&stage_name, bindings).settings;
                settings.access_log.take().expect("exists");
            }
        }
    }

    /// Somebody turns `autoDeploy` on: the draft is live, in a deployment of AWS's.
    pub fn deploy_by_itself(&mut self) {
        for api in &mut self.observed.apis {
            for stage in &mut api.stages {
                let deployment_id = DeploymentId::new(format!("auto{}", api.deployments.len()));
                stage.auto_deploy = true;
                stage.deployment_id = Some(deployment_id.clone());
                api.deployments.push(DeploymentState {
                    deployment_id,
                    description: "Automatic deployment".to_owned(),
                    created: None,
                });
            }
        }
    }

    fn stage(&mut self, name: &str, bindings: &Bindings) -> &mut ApiStageState {
        let mut stages = self.api(bindings).stages.iter_mut();
        stages.find(|stage| stage.name == name).expect("exists")
    }

    /// As UpdateStage does: what isn't given stays, what is empty goes.
    fn configure(&mut self, stage: &str, update: StageUpdate, bindings: &Bindings) {
        let route_keys: Vec<String> = self
            .api(bindings)
            .routes
            .iter()
            .map(|route| route.route_key.clone())
            .collect();
        let settings = &mut self.stage(stage, bindings).settings;
        settings.variables.extend(update.variables);
        settings.variables.retain(|_, value| !value.is_empty());
        if let Some(route) = update.default_route {
            settings.default_route = route;
        }
        for key in update.routes.keys() {
            assert!(
                route_keys.iter().any(|known| known == key.as_str()),
                "{key}"
            );
        }
        settings.routes.extend(update.routes);
        if let Some(log) = update.access_log {
            settings.access_log = Some(log);
        }
        let settings = settings.clone();
        if settings.write_logs() {
            let logging = self.observed.account_logging.as_ref();
            assert!(logging.is_some_and(|logging| logging.role_arn.is_some()));
        }
        if settings.access_log.is_some() {
            assert!(self.observed.access_log_group.is_some());
        }
        if settings.write_execution_logs() {
            let api_id = bindings.api_id.as_ref().expect("bound");
            let name = self.names.execution_log_group(api_id);
            assert!(self.observed.execution_log_groups.contains_key(&name));
        }
    }

    fn table(&mut self, name: &TableName) -> &mut TableState {
        self.observed.tables.get_mut(name).expect("exists")
    }

    fn table_settings(&mut self, name: &TableName) -> &mut TableSettings {
        self.table(name).settings.as_mut().expect("served")
    }

    fn is_shared(&self, role: &RoleName) -> bool {
        *role == role_name(&self.account.region)
    }

    fn logging(&mut self) -> &mut AccountLogging {
        self.observed.account_logging.get_or_insert_default()
    }

    fn log_group(&mut self, name: &LogGroupName) -> &mut LogGroupState {
        if *name == self.names.access_log_group() {
            return self.observed.access_log_group.as_mut().expect("exists");
        }
        if *name == journal(&self.names) {
            return self.observed.journal.as_mut().expect("exists");
        }
        let groups = match name.as_str().starts_with(EXECUTION_LOG_PREFIX) {
            true => &mut self.observed.execution_log_groups,
            false => &mut self.observed.log_groups,
        };
        groups.get_mut(name).expect("exists")
    }

    fn tags_of(&mut self, resource: &Taggable, bindings: &Bindings) -> &mut Tags {
        match resource {
            Taggable::Api => &mut self.api(bindings).tags,
            Taggable::Stage(name) => &mut self.stage(name, bindings).tags,
            Taggable::Function(name) => {
                &mut self.observed.functions.get_mut(name).expect("exists").tags
            }
            Taggable::Role(name) => &mut self.observed.roles.get_mut(name).expect("exists").tags,
            Taggable::LogGroup(name) => &mut self.log_group(name).tags,
            Taggable::Table { name, .. } => &mut self.table(name).tags,
        }
    }
}

/// The authorizer that a route asks.
fn asked(authorization: Authorization, bindings: &Bindings) -> Option<AuthorizerId> {
    (authorization == Authorization::Custom).then(|| bindings.authorizer.clone().expect("bound"))
}
