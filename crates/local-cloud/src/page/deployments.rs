//! What an API's deployments froze, with the functions that they run, so that two can be
//! compared.

use std::collections::{BTreeMap, BTreeSet};

use cloud_model::{LiveRoute, ShownDeployment, ShownVersion};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::overview::authorization;
use super::release::hash_in;
use super::{found, refusal};
use crate::gateway::{Gateway, with_stage_variables};
use crate::http_io::Answer;

/// The function behind a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    arn: String,
    pub(super) function_name: String,
    pub(super) qualifier: Option<String>,
}

/// `None`: the route has none.
pub(super) fn target_of(route: &LiveRoute, variables: &BTreeMap<String, String>) -> Option<Target> {
    let arn = route.integration.as_ref()?.function_arn.as_deref()?;
    let arn = with_stage_variables(arn, variables);
    let mut rest = arn.split(':').skip(6).map(str::to_owned);
    let (function_name, qualifier) = (rest.next()?, rest.next());
    Some(Target {
        arn,
        function_name,
        qualifier,
    })
}

/// `?apiId=…`: the deployments of that API, newest first.
pub(super) fn answer(gateway: &Gateway, query: Option<&str>) -> Answer {
    let mut pairs = query.unwrap_or_default().split('&');
    let Some(api_id) = pairs.find_map(|pair| pair.strip_prefix("apiId=")) else {
        return refusal(StatusCode::BAD_REQUEST, "apiId is missing: ?apiId=ID");
    };
    let api_id = percent_decode_str(api_id).decode_utf8_lossy();
    let version = |arn: &str| gateway.model.shown_version(arn);
    match gateway.model.shown_deployments(&api_id) {
        Some(all) => {
            let all: Vec<_> = all.iter().map(|it| show(it, version)).collect();
            found(&json!({ "deployments": all }))
        }
        None => refusal(StatusCode::NOT_FOUND, &format!("there is no API {api_id}")),
    }
}

fn show(deployment: &ShownDeployment, version: impl Fn(&str) -> Option<ShownVersion>) -> Value {
    let target = |route| target_of(route, &deployment.stage_variables);
    let routes: Vec<_> = deployment
        .routes
        .iter()
        .map(|route| show_route(route, target(route)))
        .collect();
    let targets = deployment.routes.iter().filter_map(target);
    let arns: BTreeSet<String> = targets.map(|target| target.arn).collect();
    // What is deleted can't be shown any more.
    let functions: Vec<_> = arns.iter().filter_map(|arn| version(arn)).collect();
    let functions: Vec<_> = functions.iter().map(show_version).collect();
    json!({
        "deploymentId": deployment.deployment_id,
        "createdAt": deployment.created.as_millisecond(),
        "description": deployment.description,
        "release": deployment.description.as_deref().and_then(hash_in),
        "liveOn": deployment.live_on,
        "routes": routes,
        "functions": functions,
    })
}

fn show_route(route: &LiveRoute, target: Option<Target>) -> Value {
    let integration = route.integration.as_ref().map(|integration| {
        json!({
            // The model takes no others.
            "type": "AWS_PROXY",
            "function": target.as_ref().map(|target| &target.function_name),
            "qualifier": target.as_ref().and_then(|target| target.qualifier.as_ref()),
            "timeoutMs": integration.timeout_ms,
        })
    });
    json!({
        "routeKey": route.route_key,
        "authorization": authorization(&route.authorization),
        "integration": integration,
    })
}

fn show_version(version: &ShownVersion) -> Value {
    json!({
        "functionName": version.function_name,
        "version": version.version,
        "codeSha256": version.code_sha256,
        "runtime": version.runtime,
        "memoryMb": version.memory_mb,
        "timeoutS": version.timeout_seconds,
        "environmentNames": version.environment_names,
    })
}
