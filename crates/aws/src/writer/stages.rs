//! Settings of API stages as the SDK wants them.

use aws_sdk_apigatewayv2::types::{AccessLogSettings, LoggingLevel, RouteSettings as Sdk};
use deployer_core::stage_settings::{AccessLog, RouteSettings, StageUpdate};
use std::collections::HashMap;

/// What CreateStage and UpdateStage take. `None`: nothing changes.
pub(super) struct Settings {
    pub variables: Option<HashMap<String, String>>,
    pub default_route: Option<Sdk>,
    pub routes: Option<HashMap<String, Sdk>>,
    pub access_log: Option<AccessLogSettings>,
}

impl From<&StageUpdate> for Settings {
    fn from(update: &StageUpdate) -> Self {
        let routes: HashMap<String, Sdk> = update
            .routes
            .iter()
            .map(|(key, settings)| (key.to_string(), route(settings)))
            .collect();
        let variables: HashMap<String, String> = update.variables.clone().into_iter().collect();
        Self {
            variables: Some(variables).filter(|all| !all.is_empty()),
            default_route: update.default_route.as_ref().map(route),
            routes: Some(routes).filter(|all| !all.is_empty()),
            access_log: update.access_log.as_ref().map(access_log),
        }
    }
}

/// Always complete: whether AWS merges what is missing within one route's
/// settings or resets it needn't be known.
fn route(settings: &RouteSettings) -> Sdk {
    Sdk::builder()
        .throttling_burst_limit(i32::try_from(settings.burst_limit).unwrap_or(i32::MAX))
        .throttling_rate_limit(settings.rate_limit.0)
        .detailed_metrics_enabled(settings.metrics)
        .logging_level(LoggingLevel::from(settings.level.as_str()))
        .data_trace_enabled(settings.data_trace)
        .build()
}

fn access_log(log: &AccessLog) -> AccessLogSettings {
    AccessLogSettings::builder()
        .destination_arn(&log.destination_arn)
        .format(&log.format)
        .build()
}
