//! The part of the files that is about the API, its API stage and its routes.
//! The same in both files: the stage's wins, key by key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The API as a whole.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTable {
    /// Id of an API that is there already. `up --adopt` takes it over; its id and its URL
    /// stay. In a stage's own file only. Default: one that the deployer makes.
    #[schemars(regex(pattern = r"^[a-z0-9]{1,64}$"))]
    pub adopt: Option<String>,
    /// Whether clients can't use the API's own address (`….execute-api.…`), but
    /// need a custom domain. Default: false.
    pub disable_execute_api_endpoint: Option<bool>,
    /// `ipv4` or `dualstack` (IPv4 and IPv6). Default: `ipv4`.
    pub ip_address_type: Option<IpAddressType>,
}

/// Which addresses clients may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpAddressType {
    Ipv4,
    Dualstack,
}

impl IpAddressType {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Dualstack => "dualstack",
        }
    }
}

/// The API stage.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiStageTable {
    /// Stage variables, which events carry.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Limits of each route that has none of its own.
    pub throttling: Option<ThrottlingTable>,
    /// Metrics of each route. They cost. Default: false.
    pub metrics: Option<bool>,
    /// A line for each connection, message and disconnection.
    pub access_logs: Option<AccessLogsTable>,
    /// What API Gateway writes of its own work.
    pub execution_logs: Option<ExecutionLogsTable>,
}

/// How many requests are let through.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThrottlingTable {
    /// Requests at once. Default: AWS's, 5000.
    #[schemars(range(max = 2147483647))]
    pub burst_limit: Option<u32>,
    /// Requests a second in the long run. Default: AWS's, 10000.
    #[schemars(range(min = 0))]
    pub rate_limit: Option<f64>,
}

/// Access logs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessLogsTable {
    /// One line with `$context` variables, JSON or other text. Default: JSON.
    #[schemars(length(min = 1, max = 3072))]
    pub format: Option<String>,
    /// Days after which logs are deleted; one of CloudWatch's. Default: 14.
    #[schemars(extend("enum" = super::legal::RETENTION_DAYS_OR_NULL))]
    pub retention_days: Option<u32>,
}

/// Execution logs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionLogsTable {
    /// `error`, `info`, or `off` where the service's file says otherwise.
    pub level: Option<ExecutionLogLevel>,
    /// Whether whole messages are logged. Not for production. Default: false.
    pub data_trace: Option<bool>,
    /// Days after which logs are deleted; one of CloudWatch's. Default: 14.
    #[schemars(extend("enum" = super::legal::RETENTION_DAYS_OR_NULL))]
    pub retention_days: Option<u32>,
}

/// How much API Gateway writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionLogLevel {
    Off,
    Error,
    Info,
}

/// One route.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// `none`, `iam` (the handshake must be signed), or `custom` (the authorizer is
    /// asked, which `[authorizer]` alone says, too). For `$connect`.
    pub authorization: Option<Authorization>,
    /// Limits of this route.
    pub throttling: Option<ThrottlingTable>,
    /// Metrics of this route. Default: the stage's.
    pub metrics: Option<bool>,
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    None,
    Iam,
    Custom,
}

/// The Lambda authorizer that is asked whom `$connect` lets in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizerTable {
    /// The function that decides. No route leads to it.
    #[schemars(length(min = 1))]
    pub function: Option<String>,
    /// What a request must have, all of it, or it is refused with 401 and the function
    /// isn't asked; e.g. `route.request.querystring.token`. Default: nothing.
    #[schemars(extend("maxItems" = 10))]
    pub identity_sources: Option<BTreeSet<String>>,
    /// Whether it is asked. Default: true.
    pub enabled: Option<bool>,
}
