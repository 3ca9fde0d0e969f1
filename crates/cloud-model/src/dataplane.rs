//! What the data plane reads of the model: live stages and function versions as
//! values, frozen at the moment they are asked for.
//!
//! Deliberately absent: sockets, processes, HTTP. Those live in the local cloud
//! (or in a simulation), which asks these questions and acts on the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::logs::LiveTail;

/// What a deployment froze, as one API stage serves it now.
///
/// Changing routes or integrations of the API afterwards does not change this;
/// only pointing the stage at another deployment does.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveStage {
    /// Id of the API (10 characters).
    pub api_id: String,
    /// Name of the API stage, e.g. `local`.
    pub stage_name: String,
    /// The deployment that is live.
    pub deployment_id: String,
    /// The API's route selection expression, e.g. `$request.body.action`.
    pub route_selection_expression: String,
    /// Routes by route key.
    pub routes: BTreeMap<String, LiveRoute>,
    /// Stage variables. Not frozen by a deployment: they belong to the stage.
    pub stage_variables: BTreeMap<String, String>,
    /// Whether clients may not come by the API's own address. Frozen.
    pub endpoint_disabled: bool,
    /// Of routes that have no settings of their own. The stage's, not frozen, as
    /// all below.
    pub default_settings: LiveSettings,
    /// Of single routes.
    pub route_settings: BTreeMap<String, LiveSettings>,
    /// Where a line for each request goes.
    pub access_log: Option<LiveAccessLog>,
    /// Whether the account has a role by which logs can be written.
    pub may_log: bool,
}

impl LiveStage {
    /// The settings of a route.
    pub fn settings(&self, route_key: &str) -> &LiveSettings {
        self.route_settings
            .get(route_key)
            .unwrap_or(&self.default_settings)
    }

    /// The log group of execution logs.
    pub fn execution_log_group(&self) -> String {
        format!("/aws/apigateway/{}/{}", self.api_id, self.stage_name)
    }
}

/// How a route is treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSettings {
    /// Requests at once.
    pub burst_limit: i64,
    /// Requests a second in the long run.
    pub rate_limit: f64,
    /// Whether CloudWatch has metrics of each route.
    pub detailed_metrics: bool,
    /// Execution logs.
    pub level: LoggingLevel,
    /// Whether they contain whole messages.
    pub data_trace: bool,
}

/// How much of its own work API Gateway logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LoggingLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// Everything.
    Info,
}

impl LoggingLevel {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Error => "ERROR",
            Self::Info => "INFO",
        }
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        [Self::Off, Self::Error, Self::Info]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// An access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAccessLog {
    /// As it was given.
    pub destination_arn: String,
    /// The log group it names.
    pub log_group: String,
    /// One line with `$context` variables.
    pub format: String,
}

/// A route of a live stage with the integration it had when it was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRoute {
    /// The exact key, e.g. `$connect` or `join`.
    pub route_key: String,
    /// What is asked of callers.
    pub authorization: LiveAuthorization,
    /// Whether what the function answers goes back to the client.
    pub responds: bool,
    /// `None`: the route has no target; calling it is a server error.
    pub integration: Option<LiveIntegration>,
}

/// What a route asks of callers, as frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveAuthorization {
    /// Nothing.
    None,
    /// A signature of somebody who may invoke the route.
    Iam,
    /// The policy of a Lambda authorizer.
    Custom(LiveAuthorizer),
}

/// A Lambda REQUEST authorizer as frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAuthorizer {
    /// Its id.
    pub authorizer_id: String,
    /// As [`LiveIntegration::function_arn`].
    pub function_arn: Option<String>,
    /// The role API Gateway assumes to invoke, when there is one.
    pub credentials_arn: Option<String>,
    /// What a request must have before the function is asked.
    pub identity_sources: Vec<IdentitySource>,
}

/// Where in a request something of the caller's identity stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentitySource {
    /// `route.request.header.{name}`
    Header(String),
    /// `route.request.querystring.{name}`
    QueryString(String),
    /// `stageVariables.{name}`
    StageVariable(String),
    /// `context.{path}`
    Context(String),
}

impl IdentitySource {
    /// Reads a mapping expression; `None` when it is none of a WebSocket API.
    pub fn read(expression: &str) -> Option<Self> {
        let after = |prefix: &str| {
            let name = expression.strip_prefix(prefix)?;
            (!name.is_empty()).then(|| name.to_owned())
        };
        after("route.request.header.")
            .map(Self::Header)
            .or_else(|| after("route.request.querystring.").map(Self::QueryString))
            .or_else(|| after("stageVariables.").map(Self::StageVariable))
            .or_else(|| after("context.").map(Self::Context))
    }
}

/// A Lambda proxy integration as frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveIntegration {
    /// The function ARN out of the integration URI, qualifier included; stage
    /// variables not yet replaced. `None`: the URI is not a Lambda invocation.
    pub function_arn: Option<String>,
    /// The role API Gateway assumes to invoke, when there is one.
    pub credentials_arn: Option<String>,
    /// 50 to 29,000 ms.
    pub timeout_ms: u32,
}

/// A function's code and configuration under one qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionVersion {
    /// Unqualified name.
    pub function_name: String,
    /// `$LATEST` or a version number.
    pub version: String,
    /// ARN as invoked, qualifier included.
    pub invoked_arn: String,
    /// base64(sha256(zip)).
    pub code_sha256: String,
    /// Changes with every update of code or configuration: two equal ids mean
    /// the same environment can serve.
    pub revision_id: String,
    /// The uploaded zip.
    pub zip: Arc<Bytes>,
    /// The execution role's ARN.
    pub role_arn: String,
    /// What its runtime is to call, as configured.
    pub handler: String,
    /// The configured environment variables.
    pub environment: BTreeMap<String, String>,
    /// 128 to 10,240 MB.
    pub memory_mb: u32,
    /// 1 to 900 s.
    pub timeout_seconds: u32,
    /// Of the function as a whole; `None`: unreserved.
    pub reserved_concurrency: Option<u32>,
    /// Where its output goes, e.g. `/aws/lambda/chat-local-room`.
    pub log_group: String,
    /// `Text` or `JSON`.
    pub log_format: String,
    /// Of what the function writes; with `JSON` only.
    pub log_level: Option<String>,
    /// Of what Lambda writes about it; with `JSON` only.
    pub system_log_level: Option<String>,
    /// As `RuntimeVersionConfig` shows it.
    pub runtime_version_arn: String,
    /// Events that a process is given at once, on Lambda Managed Instances. `None`:
    /// elsewhere, one after the other.
    pub max_concurrency: Option<u32>,
}

/// Why a function is not invoked. Gateway clients only ever see
/// `Internal server error`; the reason is for logs and for the Invoke API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeRefusal {
    /// No function, or no such version.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// The function is `Pending` or `Failed`.
    #[error(
        "The operation cannot be performed at this time. The function is currently in the following state: {0}"
    )]
    NotActive(String),
    /// Lambda Managed Instances run published versions only. Assumed: the text.
    #[error("Lambda Managed Instances run published versions only, not {0}")]
    NotPublished(String),
    /// No role was given, it doesn't exist, doesn't trust API Gateway, or its
    /// policies do not allow `lambda:InvokeFunction` on this function.
    #[error("API Gateway is not allowed to invoke {function_arn}: {reason}")]
    Forbidden {
        /// What was to be invoked.
        function_arn: String,
        /// Which of the conditions failed.
        reason: String,
    },
}

/// One line of a log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it was written.
    pub timestamp: Timestamp,
    /// Without the trailing newline; at most 256 KiB (longer ones are cut).
    pub message: String,
}

/// What a control-plane call means for processes and sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Close the API's connections.
    ApiDeleted {
        /// The API.
        api_id: String,
    },
    /// Close the stage's connections.
    StageDeleted {
        /// The API.
        api_id: String,
        /// The stage.
        stage_name: String,
    },
    /// End the function's processes.
    FunctionDeleted {
        /// Unqualified name.
        function_name: String,
    },
    /// The answer goes on with what the session shows.
    LiveTailStarted(Box<LiveTail>),
}
