//! A model of one AWS account and region: API Gateway v2 (WebSocket APIs),
//! Lambda, IAM roles, STS, CloudWatch Logs and metrics, SSM parameters and Secrets Manager as
//! one state machine.
//!
//! [`Cloud::handle`] takes a request as it comes over the wire (restJson1,
//! awsQuery or awsJson1.1), changes the state and gives AWS's answer, together
//! with [`Effect`]s for whoever keeps sockets and processes. The data plane asks
//! [`Cloud::live_stage`], [`Cloud::function_version`] and [`Cloud::may_invoke`].
//!
//! Deliberately absent: I/O, a clock, randomness. Time and numbers for ids are
//! handed in, so that the same model serves HTTP clients and, in-process on
//! virtual time, a simulation; equal inputs give equal answers. The state can be
//! taken out and put back ([`Snapshot`], [`Cloud::take_changes`]); keeping it in files
//! is somebody else's. Absent too:
//! invoking functions, WebSocket connections and `@connections`, checking
//! signatures. What is assumed about AWS without a source stands in one module,
//! `assumptions`; every bound stands in `limits`.

mod access;
mod apigateway;
mod assumptions;
mod call;
mod caller;
mod constraints;
mod dataplane;
mod error;
mod iam;
mod ids;
mod input_rules;
mod inventory;
mod lambda;
mod limits;
mod logs;
mod metrics;
mod operations;
mod paging;
mod permissions;
mod policy;
mod realism;
mod secrets_manager;
mod serve;
mod shown;
mod snapshot;
mod ssm;
mod sts;
mod tags;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use caller::Caller;
pub use dataplane::{
    Effect, FunctionVersion, IdentitySource, InvokeRefusal, LiveAccessLog, LiveAuthorization,
    LiveAuthorizer, LiveIntegration, LiveRoute, LiveSettings, LiveStage, LogEvent, LoggingLevel,
};
pub use ids::IdSource;
pub use inventory::{Inventory, ResourceList};
pub use lambda::NoCode;
pub use logs::LiveTail;
pub use metrics::{GATEWAY as GATEWAY_METRICS, LAMBDA as LAMBDA_METRICS, Measure};
pub use operations::operations;
pub use policy::policy_allows;
pub use realism::Realism;
pub use serve::Unverified;
pub use shown::{ShownApi, ShownDeployment, ShownFunction, ShownStage, ShownVersion};
pub use snapshot::{Changes, LogBytes, RestoreError, Snapshot, State};
pub use sts::Session;
pub use wire::signature_scope::signing_name;

/// What account and region this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// 12 digits.
    pub account_id: String,
    /// E.g. `eu-central-1`.
    pub region: String,
    /// Where WebSocket clients connect, e.g. `ws://127.0.0.1:9100`. An API's
    /// `apiEndpoint` is `{websocket_base}/{apiId}`.
    pub websocket_base: String,
    /// GetFunction says that a function's zip is at `{code_base}/{digest}?…`; whoever
    /// serves that asks [`Cloud::code`].
    pub code_base: String,
    /// What those addresses are signed with. Nobody else may know it.
    pub code_key: String,
    /// How long a function stays `Pending` after creation and `InProgress`
    /// after an update. Zero: until the call that changed it has been answered.
    pub function_activation: SignedDuration,
    /// AWS's quotas, 409s and delays. `None`: every request is served, and all
    /// writes take effect at once.
    pub realism: Option<Realism>,
    /// Whether callers that are roles may only do what their policies allow. The
    /// account's own user may do anything.
    pub enforce_iam: bool,
}

/// A request's outcome.
#[derive(Debug)]
pub struct Handled {
    /// AWS's answer, an error included.
    pub response: http::Response<Bytes>,
    /// What the call means for processes and sockets.
    pub effects: Vec<Effect>,
    /// How long AWS takes to answer; zero without [`Realism::conflicts`]. Whoever
    /// passes the answer on waits so long, or a client whose calls follow each
    /// other seems to make them at once.
    pub held_back: SignedDuration,
}

/// The account and region.
#[derive(Debug)]
pub struct Cloud {
    settings: Settings,
    gateway: apigateway::Gateway,
    lambda: lambda::Lambda,
    iam: iam::Iam,
    logs: logs::Logs,
    metrics: metrics::Metrics,
    ssm: ssm::Ssm,
    secrets: secrets_manager::SecretsManager,
    sts: sts::Sts,
    habits: Option<realism::Habits>,
    counts: snapshot::Counts,
}

impl Cloud {
    /// An empty account.
    pub fn new(settings: Settings) -> Self {
        Self {
            habits: settings.realism.map(realism::Habits::new),
            settings,
            gateway: apigateway::Gateway::default(),
            lambda: lambda::Lambda::default(),
            iam: iam::Iam::default(),
            logs: logs::Logs::default(),
            metrics: metrics::Metrics::default(),
            ssm: ssm::Ssm::default(),
            secrets: secrets_manager::SecretsManager::default(),
            sts: sts::Sts::default(),
            counts: snapshot::Counts::default(),
        }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Notes what was measured now, for CloudWatch.
    pub fn record(&mut self, measures: &[Measure<'_>], now: Timestamp) {
        for measure in measures {
            self.metrics.record(measure, now);
        }
    }

    /// Serves one control-plane request. Every answer is AWS's, errors too; a
    /// request that this model does not serve is answered with 501.
    pub fn handle(
        &mut self,
        request: &http::Request<Bytes>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Handled {
        self.handle_as(request, None, now, ids)
    }

    /// As [`Cloud::handle`], of a caller that may do what its role allows. SSM and
    /// Secrets Manager ask for that always, the other control planes where
    /// [`Settings::enforce_iam`] is set.
    pub fn handle_as(
        &mut self,
        request: &http::Request<Bytes>,
        caller: Option<&Caller>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Handled {
        serve::serve(self, request, caller, now, ids)
    }

    /// Actions, each with its resource (an ARN, or `*`), that whoever makes a request must be
    /// allowed where [`Settings::enforce_iam`] is set. Empty for services that ask by
    /// themselves.
    pub fn needs(&self, request: &http::Request<Bytes>) -> Vec<(String, String)> {
        serve::find_service(request).map_or_else(
            |_| Vec::new(),
            |service| access::all_needs(service, request, &self.iam, &self.settings),
        )
    }

    /// AWS's answer to a request whose signature isn't what it should be.
    pub fn refuse_unverified(
        &self,
        request: &http::Request<Bytes>,
        why: Unverified,
        ids: &mut dyn IdSource,
    ) -> http::Response<Bytes> {
        serve::refuse_unverified(request, why, ids)
    }

    /// The session of a role that an access key id belongs to, unless it has ended.
    pub fn session(&self, access_key_id: &str, now: Timestamp) -> Option<&Session> {
        self.sts.session(access_key_id, now)
    }

    /// What an API stage serves now. `None`: no such API or stage, or the stage
    /// has no deployment.
    pub fn live_stage(&self, api_id: &str, stage_name: &str) -> Option<LiveStage> {
        self.gateway.live_stage(api_id, stage_name)
    }

    /// All APIs, as somebody looks at them.
    pub fn shown_apis(&self) -> Vec<ShownApi> {
        self.gateway.shown()
    }

    /// An API's deployments, newest first. `None`: there is no such API.
    pub fn shown_deployments(&self, api_id: &str) -> Option<Vec<ShownDeployment>> {
        self.gateway.shown_deployments(api_id)
    }

    /// All functions, as somebody looks at them.
    pub fn shown_functions(&self) -> Vec<ShownFunction> {
        self.lambda.shown()
    }

    /// The version of a function that a name or an ARN names first, settled or not.
    pub fn shown_version(&self, function_arn_or_name: &str) -> Option<ShownVersion> {
        self.lambda
            .shown_version(function_arn_or_name, &self.settings)
    }

    /// The code and configuration that an invocation runs now. Takes a name, a
    /// partial or full ARN, each with or without a qualifier. During an update
    /// it is what was there before; of an alias with weights, the version that it
    /// names first.
    ///
    /// # Errors
    /// [`InvokeRefusal::NotFound`] and, until a new function is active,
    /// [`InvokeRefusal::NotActive`].
    pub fn function_version(
        &self,
        function_arn_or_name: &str,
        now: Timestamp,
    ) -> Result<FunctionVersion, InvokeRefusal> {
        self.lambda
            .function_version(function_arn_or_name, &self.settings, now)
    }

    /// As [`Cloud::function_version`]; of an alias with weights, one of its versions,
    /// for which one number is drawn. Nothing is drawn otherwise.
    ///
    /// # Errors
    /// As those of [`Cloud::function_version`].
    pub fn drawn_version(
        &self,
        function_arn_or_name: &str,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<FunctionVersion, InvokeRefusal> {
        self.lambda
            .drawn_version(function_arn_or_name, &self.settings, now, ids)
    }

    /// The zip that a `Code.Location` leads to, by the digest and the query there.
    ///
    /// # Errors
    /// When GetFunction gave no such address, or too long ago.
    pub fn code(&self, digest: &str, query: &str, now: Timestamp) -> Result<Arc<Bytes>, NoCode> {
        self.lambda.code(digest, query, &self.settings, now)
    }

    /// Whether API Gateway may invoke a function with an integration's
    /// credentials: the role exists, trusts `apigateway.amazonaws.com`, and its
    /// policies allow `lambda:InvokeFunction` on exactly that ARN.
    ///
    /// # Errors
    /// [`InvokeRefusal::Forbidden`] with the condition that failed.
    pub fn may_invoke(
        &self,
        credentials_arn: Option<&str>,
        function_arn: &str,
        now: Timestamp,
    ) -> Result<(), InvokeRefusal> {
        let known = self.known_iam(now);
        let iam = known.as_ref().unwrap_or(&self.iam);
        permissions::may_invoke(iam, &self.settings, credentials_arn, function_arn)
    }

    /// Whether API Gateway may invoke a function without credentials: its resource
    /// policy lets `apigateway.amazonaws.com` invoke exactly that function, version or
    /// alias on behalf of `source_arn`, the ARN of a route or an authorizer.
    ///
    /// # Errors
    /// [`InvokeRefusal::Forbidden`].
    pub fn may_invoke_for(
        &self,
        source_arn: &str,
        function_arn: &str,
    ) -> Result<(), InvokeRefusal> {
        permissions::may_invoke_for(&self.lambda, &self.settings, source_arn, function_arn)
    }

    /// Whether a role's inline policies allow an action on a resource. An
    /// explicit Deny wins; `*` and `?` match as in IAM; a condition that this
    /// model can't evaluate never allows. Attached managed policies are only
    /// names here: they grant nothing.
    pub fn role_allows(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
        now: Timestamp,
    ) -> bool {
        let known = self.known_iam(now);
        let iam = known.as_ref().unwrap_or(&self.iam);
        iam.role_allows(role_arn, action, resource)
    }

    /// Roles as the data plane knows them at `now`, if that is not as they are.
    fn known_iam(&self, now: Timestamp) -> Option<iam::Iam> {
        self.habits.as_ref()?.known_iam(now)
    }

    /// Keeps events of a stream, which is created by its first ones. `false`:
    /// the group doesn't exist, and the events are dropped. Each group keeps a
    /// bounded number of bytes; the oldest events go first.
    pub fn put_log_events(
        &mut self,
        log_group: &str,
        log_stream: &str,
        events: Vec<LogEvent>,
    ) -> bool {
        self.logs.put(log_group, log_stream, events)
    }

    /// What a session of StartLiveTail shows next: the JSON of a `sessionUpdate`.
    pub fn live_tail(&self, tail: &mut LiveTail) -> Value {
        self.logs.update(tail)
    }

    /// Roles but the one by which API Gateway writes logs: it is part of the
    /// account's settings.
    fn roles_of_their_own(&self) -> Vec<String> {
        let set = self.gateway.logs_role();
        let set = set.and_then(|arn| self.iam.find_role(arn));
        let mut names = self.iam.names();
        names.retain(|name| set.is_none_or(|role| !role.is_called(name)));
        names
    }

    /// Everything that costs or can leak in this account, by name.
    pub fn inventory(&self) -> Inventory {
        Inventory {
            apis: ResourceList::new(self.gateway.names()),
            functions: ResourceList::new(self.lambda.names()),
            roles: ResourceList::new(self.roles_of_their_own()),
            log_groups: ResourceList::new(self.logs.names()),
            policies: ResourceList::new(self.iam.policy_arns()),
            parameters: ResourceList::new(self.ssm.names()),
            secrets: ResourceList::new(self.secrets.names()),
        }
    }
}
