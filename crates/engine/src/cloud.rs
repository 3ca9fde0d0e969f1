//! What the engine asks of a cloud. Reading and writing are two types: whoever
//! holds only a reader cannot change anything.
//!
//! `find_*` gives an Option, `list_*` pages to the end, `get_*` fails when there
//! is nothing.

use crate::error::CloudError;
use deployer_core::account::Account;
use deployer_core::api_details::ApiDetails;
use deployer_core::desired::FunctionCode;
use deployer_core::existing::ExistingFunction;
use deployer_core::manifest::{Manifest, ManifestKey};
use deployer_core::names::{
    ApiId, AuthorizerId, DeploymentId, FunctionKey, FunctionName, FunctionVersion, IntegrationId,
    LogGroupName, Names, RoleName, TableName,
};
use deployer_core::observed::{ApiState, FunctionState, LogGroupState, RoleState};
use deployer_core::plan::{Action, Bindings};
use deployer_core::table::TableState;
use deployer_core::tags::Tags;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Reads of one account and region. Every call may be repeated.
pub trait CloudReader: Send + Sync {
    /// Who is calling, and where.
    fn get_account(&self) -> impl Future<Output = Result<Account, CloudError>> + Send;

    /// A role with its policies and tags.
    fn find_role(
        &self,
        role: &RoleName,
    ) -> impl Future<Output = Result<Option<RoleState>, CloudError>> + Send;

    /// Log groups whose names begin with `prefix`, with their tags.
    fn list_log_groups(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<BTreeMap<LogGroupName, LogGroupState>, CloudError>> + Send;

    /// The functions whose names begin with `prefix`, whoever's they are.
    fn list_functions(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<FunctionName>, CloudError>> + Send;

    /// A function with its versions and tags.
    fn find_function(
        &self,
        function: &FunctionName,
    ) -> impl Future<Output = Result<Option<FunctionState>, CloudError>> + Send;

    /// A log group of exactly this name, with its tags.
    fn find_log_group(
        &self,
        log_group: &LogGroupName,
    ) -> impl Future<Output = Result<Option<LogGroupState>, CloudError>> + Send;

    /// Log groups that API Gateway uses for the execution logs of API stages of
    /// this name, whatever their API, with their tags.
    fn list_execution_log_groups(
        &self,
        api_stage: &str,
    ) -> impl Future<Output = Result<BTreeMap<LogGroupName, LogGroupState>, CloudError>> + Send;

    /// The ARN of the role by which API Gateway writes logs in this account and
    /// region, if one is set.
    fn find_logging_role(&self) -> impl Future<Output = Result<Option<String>, CloudError>> + Send;

    /// What a journal's streams are called; `None`: there is no journal.
    fn list_journal(
        &self,
        journal: &LogGroupName,
    ) -> impl Future<Output = Result<Option<JournalStreams>, CloudError>> + Send;

    /// A manifest in a journal, if it can be read (yet).
    fn find_manifest(
        &self,
        journal: &LogGroupName,
        key: &ManifestKey,
    ) -> impl Future<Output = Result<Option<Manifest>, CloudError>> + Send;

    /// The APIs tagged as this stage's, and those that have its name and nobody's
    /// tags; oldest first, with all below them.
    fn list_apis(
        &self,
        names: &Names,
    ) -> impl Future<Output = Result<Vec<ApiState>, CloudError>> + Send;

    /// The tags of a function that isn't the stage's, if it is there, and the alias or version
    /// that is named is.
    fn find_existing(
        &self,
        function: &ExistingFunction,
    ) -> impl Future<Output = Result<Option<Tags>, CloudError>> + Send;

    /// A WebSocket API, whoever's it is, with all below it.
    fn find_api_state(
        &self,
        api_id: &ApiId,
    ) -> impl Future<Output = Result<Option<ApiState>, CloudError>> + Send;

    /// The tables whose names begin with `prefix`, whoever's they are.
    fn list_tables(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<TableName>, CloudError>> + Send;

    /// A table with its settings and tags.
    fn find_table(
        &self,
        table: &TableName,
    ) -> impl Future<Output = Result<Option<TableState>, CloudError>> + Send;

    /// Whether a table can be used.
    fn get_table_readiness(
        &self,
        table: &TableName,
    ) -> impl Future<Output = Result<Readiness, CloudError>> + Send;

    /// Whether `$LATEST` can be updated and published, or a version invoked.
    fn get_function_readiness(
        &self,
        function: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> impl Future<Output = Result<Readiness, CloudError>> + Send;

    /// The status with which the stage's endpoint answers a plain GET.
    fn probe(&self, url: &str) -> impl Future<Output = Result<u16, CloudError>> + Send;
}

/// Reads of code that was published. Only a promotion needs them, of the stage that it
/// promotes from. Every call may be repeated.
pub trait CodeReader: Send + Sync {
    /// What a version runs, and where its zip can be had.
    fn find_code(
        &self,
        function: &FunctionName,
        version: &FunctionVersion,
    ) -> impl Future<Output = Result<Option<PublishedCode>, CloudError>> + Send;

    /// A zip of at most `limit` bytes. `resource` is what an error calls it.
    fn download(
        &self,
        resource: &str,
        location: &CodeLocation,
        limit: usize,
    ) -> impl Future<Output = Result<Arc<[u8]>, CloudError>> + Send;
}

/// Reads of an API with all there is to it. Who writes an API down in another form, or
/// takes one over, needs them. Every call may be repeated.
pub trait ApiReader: Send + Sync {
    /// The API of that id, whoever's it is.
    fn find_api(
        &self,
        api_id: &ApiId,
    ) -> impl Future<Output = Result<Option<ApiDetails>, CloudError>> + Send;
}

/// What a published version runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedCode {
    /// Its zip's hash, and its processor.
    pub code: FunctionCode,
    /// Of the zip.
    pub bytes: u64,
    /// Where the zip can be had, for some minutes.
    pub location: CodeLocation,
}

/// A presigned URL. Whoever knows it may read what it leads to, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeLocation(String);

impl CodeLocation {
    /// As the service gave it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// For asking, not for showing.
    pub fn url(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CodeLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeLocation(…)")
    }
}

/// Writes of one account and region.
pub trait CloudWriter: Send + Sync {
    /// Carries out one action: one attempt where a repetition could leave two of
    /// something, else as often as the SDK thinks right.
    fn perform(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> impl Future<Output = Result<Produced, CloudError>> + Send;
}

/// What a write may need beside its action.
#[derive(Debug, Clone)]
pub struct WriteContext<'a> {
    /// Where.
    pub account: &'a Account,
    /// What everything is called.
    pub names: &'a Names,
    /// What earlier steps (or the account) provided.
    pub bindings: &'a Bindings,
    /// The functions' zips.
    pub artifacts: &'a Artifacts,
}

/// The zip of each function.
pub type Artifacts = BTreeMap<FunctionKey, Arc<[u8]>>;

/// The streams of a journal, as CloudWatch Logs listed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStreams {
    /// The service's clock when it answered, if the answer said so; ms since 1970.
    pub listed_at_ms: Option<i64>,
    /// Each stream with its creation by the same clock, in ms since 1970.
    pub streams: BTreeMap<String, Option<i64>>,
}

/// What a write made that later steps refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Produced {
    /// Nothing to refer to.
    Nothing,
    /// A function's `$LATEST`, and whether it is ready for the next write to it.
    Latest(Readiness),
    /// The stage's API.
    Api {
        /// Its id.
        api_id: ApiId,
        /// Where it answers, without the stage.
        endpoint: String,
    },
    /// A function's version, and whether it can be invoked.
    Version(FunctionKey, FunctionVersion, Readiness),
    /// A function's integration.
    Integration(FunctionKey, IntegrationId),
    /// The authorizer that `$connect` asks.
    Authorizer(AuthorizerId),
    /// The deployment that is to go live.
    Deployment(DeploymentId),
}

impl Produced {
    /// Lets later steps find it.
    pub fn bind(self, bindings: &mut Bindings) {
        match self {
            Self::Nothing | Self::Latest(_) => {}
            Self::Api { api_id, endpoint } => {
                bindings.api_id = Some(api_id);
                bindings.api_endpoint = Some(endpoint);
            }
            Self::Version(key, version, _) => {
                bindings.versions.insert(key, version);
            }
            Self::Integration(key, id) => {
                bindings.integrations.insert(key, id);
            }
            Self::Authorizer(id) => bindings.authorizer = Some(id),
            Self::Deployment(id) => bindings.deployment_id = Some(id),
        }
    }
}

/// A function's `State` and `LastUpdateStatus` in one, or a table's `TableStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Active, and the last update is through.
    Ready,
    /// Still on its way; the service's word for the state.
    Pending(String),
    /// It will not get ready by waiting; Lambda's reason.
    Failed(String),
}
