//! Settings of APIs and of their stages. What AWS leaves out is as AWS makes it.

use aws_sdk_apigatewayv2::types::{Api, IpAddressType, RouteSettings as Sdk, Stage};
use deployer_core::names::RouteKey;
use deployer_core::stage_settings::{
    AccessLog, ApiSettings, LoggingLevel, Rate, RouteSettings, StageSettings,
};

pub(super) fn api_settings(api: &Api) -> ApiSettings {
    settings_of(api.disable_execute_api_endpoint(), api.ip_address_type())
}

pub(super) fn settings_of(
    disable_execute_api_endpoint: Option<bool>,
    ip_address_type: Option<&IpAddressType>,
) -> ApiSettings {
    let default = ApiSettings::default();
    ApiSettings {
        disable_execute_api_endpoint: disable_execute_api_endpoint
            .unwrap_or(default.disable_execute_api_endpoint),
        ip_address_type: ip_address_type
            .map_or(default.ip_address_type, |kind| kind.as_str().to_owned()),
    }
}

pub(super) fn settings(stage: &Stage) -> StageSettings {
    let default_route = stage.default_route_settings().map(route);
    let default_route = default_route.unwrap_or_default();
    let routes = stage.route_settings().into_iter().flatten();
    let access_log = stage.access_log_settings().and_then(|settings| {
        // The ARN may be shown as DescribeLogGroups gives it.
        let arn = settings.destination_arn()?;
        Some(AccessLog {
            destination_arn: arn.strip_suffix(":*").unwrap_or(arn).to_owned(),
            format: settings.format().unwrap_or_default().to_owned(),
        })
    });
    StageSettings {
        variables: super::sorted(stage.stage_variables()),
        default_route,
        routes: routes
            .map(|(key, settings)| (RouteKey::new(key), route(settings)))
            .collect(),
        access_log,
    }
}

fn route(sdk: &Sdk) -> RouteSettings {
    let default = RouteSettings::default();
    RouteSettings {
        burst_limit: sdk
            .throttling_burst_limit()
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(default.burst_limit),
        rate_limit: sdk.throttling_rate_limit().map_or(default.rate_limit, Rate),
        metrics: sdk.detailed_metrics_enabled().unwrap_or_default(),
        level: sdk.logging_level().map_or(LoggingLevel::Off, |level| {
            LoggingLevel::from_aws(level.as_str())
        }),
        data_trace: sdk.data_trace_enabled().unwrap_or_default(),
    }
}
