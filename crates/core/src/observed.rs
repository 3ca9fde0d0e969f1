//! What was found in the account for one deploy stage: plain data, filled by
//! whoever can read the cloud, understood by the planner.

use crate::desired::{FunctionCode, FunctionConfiguration};
use crate::manifest::{Manifest, ManifestKey};
use crate::names::{
    ApiId, AuthorizerId, DeploymentId, FunctionKey, FunctionName, FunctionVersion, IntegrationId,
    LogGroupName, RoleName, RouteId, TableName,
};
use crate::release::manifest_key;
use crate::stage_settings::{ApiSettings, StageSettings};
use crate::table::TableState;
use crate::tags::Tags;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything found under the stage's names, ours or not; the planner looks at
/// the tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The roles with our names.
    pub roles: BTreeMap<RoleName, RoleState>,
    /// Log groups under our prefix.
    pub log_groups: BTreeMap<LogGroupName, LogGroupState>,
    /// Functions under our names.
    pub functions: BTreeMap<FunctionName, FunctionState>,
    /// Those of the functions that aren't the stage's that are there, with the alias or
    /// version that is named; their tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<FunctionKey, Tags>,
    /// APIs with our tags; a lost answer may have left two. Oldest first.
    pub apis: Vec<ApiState>,
    /// APIs with our name that nobody tagged; AWS allows several of one name. And the one
    /// that the stage's file names, while it isn't ours.
    pub unowned_apis: Vec<ApiState>,
    /// The stage's journal, if it exists.
    pub journal: Option<LogGroupState>,
    /// The manifests in the journal.
    pub releases: BTreeMap<ManifestKey, Manifest>,
    /// The log group of access logs, if it exists.
    pub access_log_group: Option<LogGroupState>,
    /// Log groups of execution logs: of this stage's APIs, and of APIs that are
    /// gone and had a stage of this name.
    pub execution_log_groups: BTreeMap<LogGroupName, LogGroupState>,
    /// Tables under our names, where the stage has or had any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<TableName, TableState>,
    /// How API Gateway writes logs in this account and region; `None`: nobody
    /// asked, because the file wants no logs.
    pub account_logging: Option<AccountLogging>,
}

/// By which role API Gateway writes the logs of all APIs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AccountLogging {
    /// The role's ARN, if one is set.
    pub role_arn: Option<String>,
    /// The role that the deployer makes for it, if it exists.
    pub shared_role: Option<RoleState>,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleState {
    /// Its ARN.
    pub arn: String,
    /// What it is for.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
    /// Who may assume it.
    pub trust: Value,
    /// Inline policies by name.
    pub inline_policies: BTreeMap<String, Value>,
    /// ARNs of attached managed policies.
    pub attached_policies: Vec<String>,
    /// ARN of the policy that bounds it.
    pub permissions_boundary: Option<String>,
}

/// A CloudWatch log group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogGroupState {
    /// Its tags.
    pub tags: Tags,
    /// `None`: kept for ever.
    pub retention_days: Option<u32>,
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionState {
    /// Its tags.
    pub tags: Tags,
    /// Code of `$LATEST`.
    pub code: FunctionCode,
    /// Configuration of `$LATEST`.
    pub configuration: FunctionConfiguration,
    /// Published versions, oldest first.
    pub versions: Vec<VersionState>,
    /// `None`: unreserved.
    pub reserved_concurrency: Option<u32>,
}

/// A published version of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionState {
    /// Its number.
    pub version: FunctionVersion,
    /// Its code.
    pub code: FunctionCode,
    /// Its configuration.
    pub configuration: FunctionConfiguration,
    /// Bytes of its zip.
    pub code_bytes: u64,
    /// When it was published, in AWS's form.
    pub modified: Option<String>,
}

/// An API with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiState {
    /// Its id.
    pub api_id: ApiId,
    /// Its tags.
    pub tags: Tags,
    /// Where it answers, without the stage, e.g. `wss://….amazonaws.com`.
    pub endpoint: String,
    /// Its description.
    pub description: String,
    /// How a message finds its route.
    pub route_selection_expression: String,
    /// Its other settings.
    pub settings: ApiSettings,
    /// The draft's routes.
    pub routes: Vec<RouteState>,
    /// The draft's integrations.
    pub integrations: Vec<IntegrationState>,
    /// The draft's authorizers.
    pub authorizers: Vec<AuthorizerState>,
    /// Its deployments.
    pub deployments: Vec<DeploymentState>,
    /// Its API stages.
    pub stages: Vec<ApiStageState>,
}

impl Observed {
    /// What a deployment froze, if its manifest can be read.
    pub fn manifest_of(&self, deployment: &DeploymentState) -> Option<&Manifest> {
        self.releases.get(&deployment.manifest_key())
    }

    /// An API's deployments, newest first: by AWS's clock, then by the
    /// manifest's.
    pub fn newest_first<'a>(&self, api: &'a ApiState) -> Vec<&'a DeploymentState> {
        let age = |deployment: &DeploymentState| {
            let manifest = self.manifest_of(deployment);
            let at = manifest.map(|manifest| manifest.provenance.at.clone());
            (
                deployment.created.clone(),
                at,
                deployment.deployment_id.clone(),
            )
        };
        let mut deployments: Vec<&DeploymentState> = api.deployments.iter().collect();
        deployments.sort_by_key(|deployment| std::cmp::Reverse(age(deployment)));
        deployments
    }
}

impl ApiState {
    /// The URIs of what the draft invokes, integrations and authorizers.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        let integrations = self.integrations.iter().map(|it| it.uri.as_str());
        integrations.chain(self.authorizers.iter().map(|it| it.uri.as_str()))
    }

    /// The deployment that is live on the API stage `name`.
    pub fn live_deployment(&self, name: &str) -> Option<&DeploymentState> {
        let stage = self.stages.iter().find(|stage| stage.name == name)?;
        let id = stage.deployment_id.as_ref()?;
        self.deployments
            .iter()
            .find(|deployment| deployment.deployment_id == *id)
    }
}

/// A route of the draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteState {
    /// Its id.
    pub route_id: RouteId,
    /// Its key.
    pub route_key: String,
    /// E.g. `integrations/a1b2c3d`.
    pub target: Option<String>,
    /// AWS's word, e.g. `NONE` or `AWS_IAM`.
    pub authorization: String,
    /// The authorizer it asks, where that is `CUSTOM`.
    pub authorizer_id: Option<AuthorizerId>,
}

/// An integration of the draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntegrationState {
    /// Its id.
    pub integration_id: IntegrationId,
    /// E.g. `AWS_PROXY`.
    pub integration_type: String,
    /// What it invokes.
    pub uri: String,
    /// The role API Gateway assumes for it.
    pub credentials_arn: Option<String>,
}

/// An authorizer of the draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizerState {
    /// Its id.
    pub authorizer_id: AuthorizerId,
    /// Its name; an API has no two of one name.
    pub name: String,
    /// What it invokes.
    pub uri: String,
    /// The role API Gateway assumes for it.
    pub credentials_arn: Option<String>,
    /// What a request must have to be decided on.
    pub identity_sources: BTreeSet<String>,
}

/// An immutable snapshot of the draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentState {
    /// Its id.
    pub deployment_id: DeploymentId,
    /// Carries the release's hash when we made it.
    pub description: String,
    /// RFC 3339, when AWS says so.
    pub created: Option<String>,
}

impl DeploymentState {
    /// What its manifest is known by.
    pub fn manifest_key(&self) -> ManifestKey {
        manifest_key(&self.description)
            .unwrap_or_else(|| ManifestKey::of_deployment(&self.deployment_id))
    }
}

/// An API stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiStageState {
    /// Its name.
    pub name: String,
    /// What is live there.
    pub deployment_id: Option<DeploymentId>,
    /// Whether each change of the draft is live at once; never by us.
    pub auto_deploy: bool,
    /// Its tags.
    pub tags: Tags,
    /// Variables, limits, logs.
    pub settings: StageSettings,
}
