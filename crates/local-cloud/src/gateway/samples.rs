//! Values for tests.

use std::collections::BTreeMap;

use cloud_model::{LiveRoute, LiveStage};

pub(crate) fn stage() -> LiveStage {
    LiveStage {
        api_id: "abcd123456".to_owned(),
        stage_name: "local".to_owned(),
        deployment_id: "of9zuj".to_owned(),
        route_selection_expression: "$request.body.action".to_owned(),
        routes: BTreeMap::new(),
        stage_variables: BTreeMap::new(),
    }
}

pub(crate) fn route() -> LiveRoute {
    LiveRoute {
        route_key: "join".to_owned(),
        integration: None,
    }
}
