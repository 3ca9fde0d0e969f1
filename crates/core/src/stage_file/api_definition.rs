//! The API's settings of the service and one stage together.

use super::api::{
    AccessLogsTable, Authorization, ExecutionLogLevel, ExecutionLogsTable, ThrottlingTable,
};
use super::types::{ServiceFile, StageFile};
use crate::authorizer::Authorizer;
use crate::names::{ApiId, RouteKey};
use crate::stage_settings::{ApiSettings, LoggingLevel, Rate, RouteSettings};
use std::collections::{BTreeMap, BTreeSet};

/// Days that API Gateway's logs are kept when the files say nothing.
const DEFAULT_RETENTION_DAYS: u32 = 14;

/// What an access log says of each request when the files say nothing.
pub const DEFAULT_ACCESS_LOG_FORMAT: &str = r#"{"requestId":"$context.requestId","requestTime":"$context.requestTime","sourceIp":"$context.identity.sourceIp","connectionId":"$context.connectionId","eventType":"$context.eventType","routeKey":"$context.routeKey","status":"$context.status","error":"$context.error.message","integrationError":"$context.integration.error","integrationLatency":"$context.integrationLatency"}"#;

/// The API's settings, complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiDefinition {
    /// The API that is taken over; `None`: one that the deployer makes.
    pub adopt: Option<ApiId>,
    /// Of the API as a whole.
    pub settings: ApiSettings,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// How routes are treated that have no settings of their own.
    pub default_route: RouteSettings,
    /// Single routes that are treated otherwise.
    pub route_settings: BTreeMap<RouteKey, RouteSettings>,
    /// Routes whose callers must sign.
    pub iam_routes: BTreeSet<RouteKey>,
    /// Who decides whom `$connect` lets in; `None`: nobody is asked.
    pub authorizer: Option<Authorizer>,
    /// `None`: no access logs.
    pub access_logs: Option<AccessLogsDefinition>,
    /// Days; `None`: no execution logs.
    pub execution_log_retention_days: Option<u32>,
}

impl ApiDefinition {
    /// Whether API Gateway writes logs.
    pub fn write_logs(&self) -> bool {
        self.access_logs.is_some() || self.execution_log_retention_days.is_some()
    }
}

/// Access logs, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogsDefinition {
    /// One line with `$context` variables.
    pub format: String,
    /// Days.
    pub retention_days: u32,
}

/// The stage's first, then the service's.
pub(super) fn merge(service: &ServiceFile, stage: &StageFile) -> ApiDefinition {
    let api = [&stage.api, &service.api];
    let tables = [&stage.api_stage, &service.api_stage];
    let settings = ApiSettings::default();
    let execution_logs = execution_logs(tables.map(|table| table.execution_logs.as_ref()));
    let mut default_route = RouteSettings {
        metrics: first(tables, |table| table.metrics).unwrap_or_default(),
        level: execution_logs.0,
        data_trace: execution_logs.1,
        ..RouteSettings::default()
    };
    throttle(
        &mut default_route,
        tables.map(|table| table.throttling.as_ref()),
    );
    let mut variables = service.api_stage.variables.clone();
    variables.extend(stage.api_stage.variables.clone());
    let mut definition = ApiDefinition {
        adopt: stage.api.adopt.as_deref().map(ApiId::new),
        settings: ApiSettings {
            disable_execute_api_endpoint: first(api, |table| table.disable_execute_api_endpoint)
                .unwrap_or(settings.disable_execute_api_endpoint),
            ip_address_type: first(api, |table| table.ip_address_type)
                .map_or(settings.ip_address_type, |kind| kind.as_str().to_owned()),
        },
        variables,
        route_settings: BTreeMap::new(),
        iam_routes: BTreeSet::new(),
        authorizer: super::authorizer::merge(service, stage),
        access_logs: access_logs(tables.map(|table| table.access_logs.as_ref())),
        execution_log_retention_days: (execution_logs.0 != LoggingLevel::Off)
            .then_some(execution_logs.2),
        default_route,
    };
    let keys: BTreeSet<&String> = stage
        .route_settings
        .keys()
        .chain(service.route_settings.keys())
        .collect();
    for key in keys {
        let tables = [&stage.route_settings, &service.route_settings].map(|all| all.get(key));
        let route = RouteKey::new(key);
        if tables.into_iter().flatten().find_map(|t| t.authorization) == Some(Authorization::Iam) {
            definition.iam_routes.insert(route.clone());
        }
        let mut settings = definition.default_route.clone();
        throttle(
            &mut settings,
            tables.map(|table| table.and_then(|table| table.throttling.as_ref())),
        );
        if let Some(metrics) = tables.into_iter().flatten().find_map(|t| t.metrics) {
            settings.metrics = metrics;
        }
        if settings != definition.default_route {
            definition.route_settings.insert(route, settings);
        }
    }
    definition
}

fn first<T, V>(tables: [&T; 2], value: impl Fn(&T) -> Option<V>) -> Option<V> {
    tables.into_iter().find_map(value)
}

fn throttle(settings: &mut RouteSettings, tables: [Option<&ThrottlingTable>; 2]) {
    let tables = tables.map(|table| table.cloned().unwrap_or_default());
    if let Some(burst) = tables.iter().find_map(|table| table.burst_limit) {
        settings.burst_limit = burst;
    }
    if let Some(rate) = tables.iter().find_map(|table| table.rate_limit) {
        settings.rate_limit = Rate(rate);
    }
}

fn access_logs(tables: [Option<&AccessLogsTable>; 2]) -> Option<AccessLogsDefinition> {
    let said: Vec<&AccessLogsTable> = tables.into_iter().flatten().collect();
    if said.is_empty() {
        return None;
    }
    let format = said.iter().find_map(|table| table.format.clone());
    let days = said.iter().find_map(|table| table.retention_days);
    Some(AccessLogsDefinition {
        format: format.unwrap_or_else(|| DEFAULT_ACCESS_LOG_FORMAT.to_owned()),
        retention_days: days.unwrap_or(DEFAULT_RETENTION_DAYS),
    })
}

/// Level, data trace and days.
fn execution_logs(tables: [Option<&ExecutionLogsTable>; 2]) -> (LoggingLevel, bool, u32) {
    let said: Vec<&ExecutionLogsTable> = tables.into_iter().flatten().collect();
    let level = match said.iter().find_map(|table| table.level) {
        None | Some(ExecutionLogLevel::Off) => LoggingLevel::Off,
        Some(ExecutionLogLevel::Error) => LoggingLevel::Error,
        Some(ExecutionLogLevel::Info) => LoggingLevel::Info,
    };
    let trace = said.iter().find_map(|table| table.data_trace);
    let days = said.iter().find_map(|table| table.retention_days);
    (
        level,
        level != LoggingLevel::Off && trace.unwrap_or_default(),
        days.unwrap_or(DEFAULT_RETENTION_DAYS),
    )
}
