//! What there is: APIs with what is live, functions, and who is connected.

use cloud_model::{LiveAuthorization, LiveRoute, ShownApi, ShownFunction, ShownStage};
use serde_json::{Value, json};

use super::deployments::target_of;
use super::release::hash_in;
use crate::gateway::Gateway;
use crate::limits::TRAFFIC_CONNECTIONS;

pub(super) fn of(gateway: &Gateway) -> Value {
    let model = &gateway.model;
    let (apis, functions) = model.shown();
    let apis: Vec<_> = apis.iter().map(|api| api_of(api, gateway.port)).collect();
    let functions: Vec<_> = functions.iter().map(function).collect();
    let open = gateway.registry.some(TRAFFIC_CONNECTIONS);
    let open: Vec<_> = open.iter().map(|one| one.facts.as_json()).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "region": model.region,
        "account": model.account_id,
        "consistent": !model.realism,
        "apis": apis,
        "functions": functions,
        "connections": open,
        "connectionsOpen": gateway.registry.count(),
    })
}

fn api_of(api: &ShownApi, port: u16) -> Value {
    let stages = api.stages.iter();
    let stages: Vec<_> = stages.map(|stage| stage_of(api, stage, port)).collect();
    json!({
        "apiId": api.api_id,
        "name": api.name,
        "routeSelectionExpression": api.route_selection_expression,
        "stages": stages,
    })
}

fn stage_of(api: &ShownApi, stage: &ShownStage, port: u16) -> Value {
    let live = stage.deployment.as_ref();
    let address = format!("127.0.0.1:{port}/{}/{}", api.api_id, stage.stage_name);
    let routes = live.map(|live| {
        let routes = live.routes.iter();
        let routes = routes.map(|it| route(it, &live.stage_variables));
        routes.collect::<Vec<_>>()
    });
    let description = live.and_then(|live| live.description.as_deref());
    json!({
        "stageName": stage.stage_name,
        "url": format!("ws://{address}"),
        "secureUrl": format!("wss://{address}"),
        "deploymentId": live.map(|live| &live.deployment_id),
        "autoDeploy": stage.auto_deploy,
        "updatedAt": stage.updated.as_millisecond(),
        "release": description.and_then(hash_in),
        "routes": routes.unwrap_or_default(),
    })
}

fn route(route: &LiveRoute, variables: &std::collections::BTreeMap<String, String>) -> Value {
    let target = target_of(route, variables);
    json!({
        "routeKey": route.route_key,
        "authorization": authorization(&route.authorization),
        "function": target.as_ref().map(|target| &target.function_name),
        "qualifier": target.as_ref().and_then(|target| target.qualifier.as_ref()),
        "timeoutMs": route.integration.as_ref().map(|it| it.timeout_ms),
    })
}

/// AWS's words.
pub(super) fn authorization(authorization: &LiveAuthorization) -> &'static str {
    match authorization {
        LiveAuthorization::None => "NONE",
        LiveAuthorization::Iam => "AWS_IAM",
        LiveAuthorization::Custom(_) => "CUSTOM",
    }
}

fn function(function: &ShownFunction) -> Value {
    let aliases = function.aliases.iter();
    let aliases: Vec<_> = aliases
        .map(|(name, version)| json!({ "name": name, "version": version }))
        .collect();
    let latest = &function.latest;
    json!({
        "functionName": function.function_name,
        "versions": function.versions,
        "aliases": aliases,
        "memoryMb": latest.memory_mb,
        "timeoutS": latest.timeout_seconds,
        "environmentNames": latest.environment_names,
    })
}
