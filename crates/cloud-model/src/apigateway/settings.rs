//! Settings of routes within a stage, and of its access log.

use serde_json::{Value, json};

use super::{bad_request, read};
use crate::assumptions::{
    ACCESS_LOG_NOT_ONE_LINE, ACCESS_LOG_WITHOUT_ID, DEFAULT_BURST_LIMIT, DEFAULT_RATE_LIMIT,
};
use crate::dataplane::{LiveAccessLog, LiveSettings, LoggingLevel};
use crate::error::Failure;
use crate::limits::ACCESS_LOG_FORMAT_BYTES;
use crate::wire::members::Members;

/// As a new stage has them.
pub(super) const DEFAULTS: LiveSettings = LiveSettings {
    burst_limit: DEFAULT_BURST_LIMIT,
    rate_limit: DEFAULT_RATE_LIMIT,
    detailed_metrics: false,
    level: LoggingLevel::Off,
    data_trace: false,
};

pub(super) fn show(settings: &LiveSettings) -> Value {
    json!({
        "dataTraceEnabled": settings.data_trace,
        "detailedMetricsEnabled": settings.detailed_metrics,
        "loggingLevel": settings.level.as_str(),
        "throttlingBurstLimit": settings.burst_limit,
        "throttlingRateLimit": settings.rate_limit,
    })
}

/// What is given, on top of what was there: assumed, as with all else that
/// UpdateStage takes.
pub(super) fn merge(before: &LiveSettings, members: &Members) -> Result<LiveSettings, Failure> {
    let mut settings = before.clone();
    if let Some(level) = members.text("loggingLevel")? {
        settings.level = LoggingLevel::find(&level)
            .ok_or_else(|| bad_request(format!("Invalid loggingLevel specified: {level}")))?;
    }
    if let Some(trace) = members.boolean("dataTraceEnabled")? {
        settings.data_trace = trace;
    }
    if let Some(metrics) = members.boolean("detailedMetricsEnabled")? {
        settings.detailed_metrics = metrics;
    }
    if let Some(burst) = members.integer("throttlingBurstLimit")? {
        settings.burst_limit = burst;
    }
    if let Some(rate) = members.number("throttlingRateLimit")? {
        settings.rate_limit = rate;
    }
    if settings.burst_limit < 0 || settings.rate_limit < 0.0 {
        return Err(bad_request("Throttling limits must not be negative"));
    }
    Ok(settings)
}

/// The log group that an ARN names; whether it is there is not asked.
pub(super) fn access_log(
    members: &Members,
    before: Option<&LiveAccessLog>,
) -> Result<LiveAccessLog, Failure> {
    let arn = match (members.text("destinationArn")?, before) {
        (Some(arn), _) => arn,
        (None, Some(before)) => before.destination_arn.clone(),
        (None, None) => return Err(bad_request("Missing required member: destinationArn")),
    };
    let log_group = arn
        .strip_suffix(":*")
        .unwrap_or(&arn)
        .split_once(":log-group:")
        .filter(|(start, name)| start.starts_with("arn:") && !name.is_empty())
        .map(|(_, name)| name.to_owned());
    let Some(log_group) = log_group else {
        return Err(bad_request(format!("Invalid ARN specified: {arn}")));
    };
    let format = read::text(members, "format", 1, ACCESS_LOG_FORMAT_BYTES)?;
    let format = format.or_else(|| before.map(|before| before.format.clone()));
    let format = format.ok_or_else(|| bad_request("Missing required member: format"))?;
    if format.trim_end_matches('\n').contains('\n') {
        return Err(bad_request(ACCESS_LOG_NOT_ONE_LINE));
    }
    let has = |name: &str| format.contains(&format!("$context.{name}"));
    if !has("requestId") && !has("extendedRequestId") {
        return Err(bad_request(ACCESS_LOG_WITHOUT_ID));
    }
    Ok(LiveAccessLog {
        destination_arn: arn,
        log_group,
        format,
    })
}
