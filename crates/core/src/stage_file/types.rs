//! What may stand in the files under `stages/`, as types. The JSON Schemas
//! beside them are generated from these types, and the files are checked
//! against those schemas: one source of truth.
//!
//! Deliberately absent: `flatten` and `untagged`, which turn a typo into a
//! message about something else.

use super::api::{ApiStageTable, ApiTable, AuthorizerTable, RouteTable};
use super::iam::IamStatement;
use super::tables::{TableTable, TableUse};
use crate::facilities::{ApplicationLogLevel, LogFormat, SystemLogLevel, Tracing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// `stages/service.toml`: what all stages of the service share.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// The service's name; every resource's name begins with it.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*[a-z0-9]$"), length(max = 28))]
    pub service: String,
    /// What the service is, for the API's description.
    #[schemars(length(min = 1, max = 900))]
    pub description: Option<String>,
    /// How API Gateway finds a message's route. Default: `$request.body.action`.
    #[schemars(length(min = 1, max = 128))]
    pub route_selection_expression: Option<String>,
    /// How many releases are kept to roll back to, the live one included. Default: 5.
    #[schemars(range(min = 1, max = 50))]
    pub keep_releases: Option<u16>,
    /// What `down`, and an `up` that removes a function, leave in the account. Default: nothing.
    pub retain: Option<BTreeSet<Retained>>,
    /// Settings of every function that doesn't say otherwise.
    #[serde(default)]
    pub defaults: FunctionDefaults,
    /// The Lambda functions, by the name the routes use.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 300, "propertyNames" = super::legal::function_names()))]
    pub functions: BTreeMap<String, FunctionSettings>,
    /// Which function serves which route key.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 300, "propertyNames" = super::legal::route_keys()))]
    pub routes: BTreeMap<String, String>,
    /// The API as a whole.
    #[serde(default)]
    pub api: ApiTable,
    /// The API stage: variables, limits, logs.
    #[serde(default)]
    pub api_stage: ApiStageTable,
    /// Settings of single routes, by route key.
    #[serde(default)]
    pub route_settings: BTreeMap<String, RouteTable>,
    /// The function that decides who may connect.
    #[serde(default)]
    pub authorizer: AuthorizerTable,
    /// The DynamoDB tables, by the name that functions use.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20, "propertyNames" = super::legal::function_names()))]
    pub tables: BTreeMap<String, TableTable>,
    /// Tags of everything that can have them, beside the deployer's own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// `stages/<stage>.toml`: what differs in one stage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageFile {
    /// Where the stage lives.
    pub target: Target,
    /// Shown by `plan`, `up` and `status`: what users of this stage must know.
    #[schemars(length(min = 1, max = 500))]
    pub notice: Option<String>,
    /// AWS region, e.g. `eu-central-1`. Default: the environment's or profile's.
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"))]
    pub region: Option<String>,
    /// Profile in `~/.aws/config`. Default: `AWS_PROFILE`, or the default chain.
    #[schemars(length(min = 1, max = 128))]
    pub aws_profile: Option<String>,
    /// The AWS account that the stage lives in. Credentials of another one are refused.
    /// Default: any.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,
    /// Whether `down` wants the stage's name typed, or given by `--confirm`. Default: false.
    pub protected: Option<bool>,
    /// Whether the file is a template: `up` and `plan` take it with `--as` only, which names
    /// the stage. Default: false.
    pub template: Option<bool>,
    /// How long a stage lives after its last `up`, e.g. `3d`; then `down --expired` removes it.
    /// Default: for ever.
    #[schemars(length(min = 1, max = 40))]
    pub ttl: Option<String>,
    /// Whether `up` wants all changes of the source committed. Default: false.
    pub clean_git: Option<bool>,
    /// Port of the local cloud on 127.0.0.1. Default: 9100.
    #[schemars(range(min = 1024))]
    pub port: Option<u16>,
    /// How many releases are kept to roll back to, the live one included.
    #[schemars(range(min = 1, max = 50))]
    pub keep_releases: Option<u16>,
    /// What `down`, and an `up` that removes a function, leave in the account; instead of the service's.
    pub retain: Option<BTreeSet<Retained>>,
    /// Settings of every function of this stage that doesn't say otherwise.
    #[serde(default)]
    pub defaults: FunctionDefaults,
    /// Settings of single functions in this stage.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSettings>,
    /// Which function serves which route key, where it isn't as in the service.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 300, "propertyNames" = super::legal::route_keys()))]
    pub routes: BTreeMap<String, String>,
    /// The API as a whole.
    #[serde(default)]
    pub api: ApiTable,
    /// The API stage: variables, limits, logs.
    #[serde(default)]
    pub api_stage: ApiStageTable,
    /// Settings of single routes, by route key.
    #[serde(default)]
    pub route_settings: BTreeMap<String, RouteTable>,
    /// The function that decides who may connect.
    #[serde(default)]
    pub authorizer: AuthorizerTable,
    /// The DynamoDB tables, by the name that functions use.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20, "propertyNames" = super::legal::function_names()))]
    pub tables: BTreeMap<String, TableTable>,
    /// Tags of everything that can have them, beside the deployer's own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Where a stage lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum Target {
    Local,
    Aws,
}

/// What outlives a stage.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum Retained {
    Logs,
}

/// Where a function keeps what outlives an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum StateKept {
    Memory,
}

impl StateKept {
    /// The word of the stage files, which is what functions are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
        }
    }
}

/// A function's processor.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum Architecture {
    #[serde(rename = "x86_64")]
    X86_64,
    Arm64,
}

impl Architecture {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// The processor that `std::env::consts::ARCH` names, if Lambda has it.
    pub fn from_rust_arch(arch: &str) -> Option<Self> {
        match arch {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }
}

/// Settings that make sense for all functions at once.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionDefaults {
    /// MB, 128 to 10,240. Default: 128.
    #[schemars(range(min = 128, max = 10240))]
    pub memory_mb: Option<u32>,
    /// Seconds, 1 to 900. API Gateway waits at most 29. Default: 10.
    #[schemars(range(min = 1, max = 900))]
    pub timeout_seconds: Option<u32>,
    /// Processor. Default: `x86_64`. The local cloud always uses the host's.
    pub architecture: Option<Architecture>,
    /// Days after which logs are deleted; one of CloudWatch's. Default: 14.
    #[schemars(extend("enum" = super::legal::RETENTION_DAYS_OR_NULL))]
    pub log_retention_days: Option<u32>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Secrets: names, and references to where their values are kept. The
    /// function resolves them when it starts; the deployer never reads them.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 50, "propertyNames" = super::legal::secret_names()))]
    pub secrets: BTreeMap<String, String>,
    /// ARN of the KMS key that secrets are encrypted with, if it isn't AWS's own.
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$"))]
    pub secrets_kms_key: Option<String>,
    /// ARN of the policy that bounds what the roles of the stage may do.
    #[schemars(regex(
        pattern = r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$"
    ))]
    pub permissions_boundary: Option<String>,
    /// MB of `/tmp`, 512 to 10,240. Default: 512.
    #[schemars(range(min = 512, max = 10240))]
    pub ephemeral_storage_mb: Option<u32>,
    /// Whether Lambda samples traces for X-Ray. Default: `pass_through`.
    pub tracing: Option<Tracing>,
    /// The format of logs. Default: `text`.
    pub log_format: Option<LogFormat>,
    /// With `log_format = "json"`: the lowest level of the function's own lines. Default: `info`.
    pub application_log_level: Option<ApplicationLogLevel>,
    /// With `log_format = "json"`: the lowest level of Lambda's lines. Default: `info`.
    pub system_log_level: Option<SystemLogLevel>,
    /// Tables that are used, by the environment variable that is given their name. Items
    /// may be read and written as `actions` say.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20, "propertyNames" = super::legal::secret_names()))]
    pub tables: BTreeMap<String, TableUse>,
    /// Tags of the function, beside the deployer's own.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 40))]
    pub tags: BTreeMap<String, String>,
}

/// Settings of one function.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionSettings {
    /// A function that is there already and isn't the deployer's: its name or ARN, perhaps
    /// with `:` and an alias or a version. Routes lead to it; it isn't built, changed or
    /// removed. Nothing else can be said of it.
    #[schemars(length(min = 1, max = 300))]
    pub existing: Option<String>,
    /// The Cargo package that builds it. Default: the function's name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub package: Option<String>,
    /// What the function is for.
    #[schemars(length(min = 1, max = 256))]
    pub description: Option<String>,
    /// MB, 128 to 10,240.
    #[schemars(range(min = 128, max = 10240))]
    pub memory_mb: Option<u32>,
    /// Seconds, 1 to 900. API Gateway waits at most 29.
    #[schemars(range(min = 1, max = 900))]
    pub timeout_seconds: Option<u32>,
    /// Processor.
    pub architecture: Option<Architecture>,
    /// Days after which logs are deleted; one of CloudWatch's.
    #[schemars(extend("enum" = super::legal::RETENTION_DAYS_OR_NULL))]
    pub log_retention_days: Option<u32>,
    /// Environment variables, added to the defaults'.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How many environments at most run at once. 0 switches the function off.
    #[schemars(range(max = 100000))]
    pub reserved_concurrency: Option<u32>,
    /// Where the function keeps what outlives an event. `memory`: in its one environment,
    /// so it takes `reserved_concurrency = 1`.
    pub state: Option<StateKept>,
    /// Secrets: names, and references to where their values are kept. The
    /// function resolves them when it starts; the deployer never reads them.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 50, "propertyNames" = super::legal::secret_names()))]
    pub secrets: BTreeMap<String, String>,
    /// ARN of the KMS key that secrets are encrypted with, if it isn't AWS's own.
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$"))]
    pub secrets_kms_key: Option<String>,
    /// ARN of the policy that bounds what this function's role may do.
    #[schemars(regex(
        pattern = r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$"
    ))]
    pub permissions_boundary: Option<String>,
    /// MB of `/tmp`, 512 to 10,240.
    #[schemars(range(min = 512, max = 10240))]
    pub ephemeral_storage_mb: Option<u32>,
    /// Whether Lambda samples traces for X-Ray.
    pub tracing: Option<Tracing>,
    /// The format of logs.
    pub log_format: Option<LogFormat>,
    /// With `log_format = "json"`: the lowest level of the function's own lines.
    pub application_log_level: Option<ApplicationLogLevel>,
    /// With `log_format = "json"`: the lowest level of Lambda's lines.
    pub system_log_level: Option<SystemLogLevel>,
    /// Tables that are used, by the environment variable that is given their name. Items
    /// may be read and written as `actions` say.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20, "propertyNames" = super::legal::secret_names()))]
    pub tables: BTreeMap<String, TableUse>,
    /// Whether the function may invoke itself, any version of it. Default: false.
    pub invokes_itself: Option<bool>,
    /// Tags of the function, beside the deployer's own, added to the defaults'.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 40))]
    pub tags: BTreeMap<String, String>,
    /// What the function may do beside logging, posting to connections and
    /// reading its secrets. It then runs as a role of its own.
    #[serde(default)]
    #[schemars(extend("maxItems" = 50))]
    pub iam: Vec<IamStatement>,
    /// ARN of an existing role to run as. The deployer never changes it.
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"))]
    pub role_arn: Option<String>,
}
