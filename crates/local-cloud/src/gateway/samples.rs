//! Values for tests and fuzzing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::events::{ConnectionFacts, Occasion};
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

pub(crate) fn facts() -> ConnectionFacts {
    ConnectionFacts {
        connection_id: "PJqB0fHsqRcCHlw=".to_owned(),
        api_id: "abcd123456".to_owned(),
        stage: "local".to_owned(),
        domain_name: "127.0.0.1:9100/abcd123456".to_owned(),
        connected_at: moment("2023-11-29T08:04:01.796Z"),
        source_ip: "127.0.0.1".to_owned(),
        user_agent: Some("test".to_owned()),
        iam: None,
        authorizer: None,
    }
}

pub(crate) fn occasion() -> Occasion {
    Occasion {
        request_id: "PJqB0E1tKRcF-Qw=".to_owned(),
        at: moment("2023-11-29T08:04:01.798Z"),
        stage_variables: BTreeMap::new(),
    }
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}
