//! Values for tests.

use std::collections::BTreeMap;

use cloud_model::{LiveAuthorization, LiveRoute, LiveSettings, LiveStage, LoggingLevel};

pub(crate) fn stage() -> LiveStage {
    LiveStage {
        api_id: "abcd123456".to_owned(),
        stage_name: "local".to_owned(),
        deployment_id: "of9zuj".to_owned(),
        route_selection_expression: "$request.body.action".to_owned(),
        routes: BTreeMap::new(),
        stage_variables: BTreeMap::new(),
        endpoint_disabled: false,
        default_settings: LiveSettings {
            burst_limit: 5_000,
            rate_limit: 10_000.0,
            detailed_metrics: false,
            level: LoggingLevel::Off,
            data_trace: false,
        },
        route_settings: BTreeMap::new(),
        access_log: None,
        may_log: false,
    }
}

pub(crate) fn route() -> LiveRoute {
    LiveRoute {
        route_key: "join".to_owned(),
        authorization: LiveAuthorization::None,
        responds: false,
        integration: None,
    }
}
