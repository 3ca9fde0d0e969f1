//! Both forms of one stage that has everything, and of one that can't be written down.

use super::{Deployed, NotExportable, cloudformation, terraform};
use crate::account::Account;
use crate::api_details::{
    ApiDetails, AuthorizerDetails, IntegrationDetails, RouteDetails, RouteResponseDetails,
    StageDetails,
};
use crate::desired::Desired;
use crate::observed::{ApiState, Observed};
use crate::plan::tests::{deployed, desired_with};
use std::collections::BTreeMap;

const SERVICE: &str = r#"
service = "chat"
[functions.room]
description = "keeps ${rooms}"
log_format = "json"
environment = { GREETING = "hello ${name}", ODD = "100%{x}" }
secrets = { API_KEY = "ssm:/chat/key" }
tags = { part = "room" }
invokes_itself = true
reserved_concurrency = 1
tables.ROOMS = { table = "rooms", actions = ["GetItem", "PutItem"] }
[[functions.room.iam]]
actions = ["s3:GetObject"]
resources = ["arn:aws:s3:::pictures/${aws:username}/*"]
[functions.gate]
[functions.gate-2]
[routes]
"$connect" = "gate-2"
join = "room"
"a.b" = "room"
"a-b" = "room"
[api_stage]
variables = { colour = "blue" }
throttling = { burst_limit = 100, rate_limit = 50.5 }
access_logs = {}
execution_logs = { level = "error" }
[route_settings."$connect"]
throttling = { burst_limit = 10, rate_limit = 5 }
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
[tables.rooms]
partition_key = "pk"
sort_key = "sk"
ttl = "expires"
point_in_time_recovery = true
on_down = "retain"
[tags]
team = "chat"
"#;

/// The API as the richer reader shows it.
fn details(api: &ApiState, name: &str) -> ApiDetails {
    let routes = api.routes.iter().map(|it| RouteDetails {
        route_id: it.route_id.clone(),
        route_key: it.route_key.clone(),
        target: it.target.clone(),
        authorization: it.authorization.clone(),
        authorizer_id: it.authorizer_id.clone(),
        api_key_required: false,
        operation_name: None,
        model_selection_expression: None,
        request_models: BTreeMap::new(),
        request_parameters: BTreeMap::new(),
        route_response_selection_expression: None,
        responses: Vec::new(),
    });
    let integrations = api.integrations.iter().map(|it| IntegrationDetails {
        integration_id: it.integration_id.clone(),
        integration_type: it.integration_type.clone(),
        uri: Some(it.uri.clone()),
        method: Some("POST".to_owned()),
        credentials_arn: it.credentials_arn.clone(),
        description: None,
        connection_type: Some("INTERNET".to_owned()),
        connection_id: None,
        content_handling: None,
        passthrough_behavior: Some("WHEN_NO_MATCH".to_owned()),
        payload_format_version: Some("1.0".to_owned()),
        request_parameters: BTreeMap::new(),
        request_templates: BTreeMap::new(),
        template_selection_expression: None,
        timeout_ms: Some(29_000),
        responses: Vec::new(),
    });
    let authorizers = api.authorizers.iter().map(|it| AuthorizerDetails {
        authorizer_id: it.authorizer_id.clone(),
        name: it.name.clone(),
        authorizer_type: "REQUEST".to_owned(),
        uri: Some(it.uri.clone()),
        credentials_arn: it.credentials_arn.clone(),
        identity_sources: it.identity_sources.iter().cloned().collect(),
    });
    let deployments = api.deployments.iter();
    ApiDetails {
        api_id: api.api_id.to_string(),
        name: name.to_owned(),
        protocol: "WEBSOCKET".to_owned(),
        endpoint: api.endpoint.clone(),
        description: Some(api.description.clone()),
        version: None,
        route_selection_expression: api.route_selection_expression.clone(),
        api_key_selection_expression: Some("$request.header.x-api-key".to_owned()),
        settings: api.settings.clone(),
        tags: api.tags.clone(),
        routes: routes.collect(),
        integrations: integrations.collect(),
        authorizers: authorizers.collect(),
        deployments: deployments
            .map(|it| (it.deployment_id.to_string(), it.description.clone()))
            .collect(),
        stages: api
            .stages
            .iter()
            .map(|state| StageDetails {
                state: state.clone(),
                description: None,
                client_certificate_id: None,
            })
            .collect(),
    }
}

struct Stage {
    desired: Desired,
    observed: Observed,
    api: ApiDetails,
}

impl Stage {
    fn new() -> Self {
        let desired = desired_with(SERVICE, "one");
        let observed = deployed(&desired).observed;
        let api = details(&observed.apis[0], &desired.names.api);
        Self {
            desired,
            observed,
            api,
        }
    }

    fn account(&self) -> &Account {
        &self.desired.account
    }

    fn deployed(&self) -> Result<Deployed<'_>, NotExportable> {
        Deployed::of(
            self.account(),
            &self.desired.names,
            &self.observed,
            &self.api,
        )
    }
}

#[test]
fn a_stage_with_everything_is_a_template_and_a_list_of_what_to_import() {
    let mut stage = Stage::new();
    let join = stage.api.routes.iter_mut();
    let join = join
        .into_iter()
        .find(|route| route.route_key == "join")
        .unwrap();
    join.route_response_selection_expression = Some("$default".to_owned());
    join.responses.push(RouteResponseDetails {
        id: "r1".to_owned(),
        key: "$default".to_owned(),
        model_selection_expression: None,
        response_models: BTreeMap::new(),
    });
    let written = cloudformation(&stage.deployed().unwrap());
    insta::assert_snapshot!("template", format!("{:#}", written.template));
    insta::assert_snapshot!("import", format!("{:#}", written.import));
    let labels = |value: &serde_json::Value| -> Vec<String> {
        let resources = value["Resources"].as_object().unwrap();
        resources.keys().cloned().collect()
    };
    let mut without_stage = labels(&written.template);
    without_stage.retain(|label| label != "Stage");
    assert_eq!(labels(&written.import_template), without_stage);
    assert_eq!(
        written.import.as_array().unwrap().len(),
        without_stage.len()
    );
}

#[test]
fn a_stage_with_everything_is_a_configuration_that_imports_each_resource() {
    let stage = Stage::new();
    let written = terraform(&stage.deployed().unwrap());
    insta::assert_snapshot!("terraform", format!("{written:#}"));
    let kinds = written["resource"].as_object().unwrap().values();
    let resources: usize = kinds.map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!(written["import"].as_array().unwrap().len(), resources);
    assert_eq!(
        stage.deployed().unwrap().notes(&stage.observed),
        [""; 0].map(String::from)
    );
}

#[test]
fn what_is_live_is_written_down_and_what_differs_from_it_is_said() {
    let mut stage = Stage::new();
    let room = stage.desired.names.function(&"room".into());
    let function = stage.observed.functions.get_mut(&room).unwrap();
    let mut newer = function.versions[0].clone();
    newer.version = "2".into();
    newer.configuration.memory_mb = 512;
    function.configuration = newer.configuration.clone();
    function.versions.push(newer);
    stage.api.routes.pop();
    let role = stage
        .observed
        .roles
        .get_mut(&stage.desired.names.invoke_role);
    let policies = &mut role.unwrap().inline_policies;
    policies.insert("by-hand".to_owned(), serde_json::Value::Null);
    let deployed = stage.deployed().unwrap();
    insta::assert_snapshot!(deployed.notes(&stage.observed).join("\n"));
    let written = terraform(&deployed);
    assert_eq!(
        written["resource"]["aws_lambda_function"]["room"]["memory_size"],
        128
    );
    let uri = &written["resource"]["aws_apigatewayv2_integration"]["room"]["integration_uri"];
    let uri = uri.as_str().unwrap();
    assert!(
        uri.ends_with(":function:chat-alpha-room:1/invocations"),
        "{uri}"
    );
}

#[test]
fn nothing_live_and_a_version_that_is_gone_are_said() {
    let mut stage = Stage::new();
    let room = stage.desired.names.function(&"room".into());
    let function = stage.observed.functions.get_mut(&room).unwrap();
    function.versions.clear();
    assert_eq!(
        stage.deployed().unwrap_err().to_string(),
        "the live release of chat/alpha invokes chat-alpha-room:1, which is gone"
    );
    stage.observed.releases.clear();
    assert_eq!(
        stage.deployed().unwrap_err().to_string(),
        "the live release of chat/alpha isn't recorded in the stage's journal"
    );
    stage.api.stages.clear();
    assert_eq!(
        stage.deployed().unwrap_err().to_string(),
        "chat/alpha has no live release"
    );
}
