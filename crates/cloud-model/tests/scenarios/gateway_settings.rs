//! Settings of APIs, stages and routes, and the account's role for logs.

use crate::common::{ACCOUNT, GATEWAY_TRUST, LAMBDA_TRUST, REGION, World};
use cloud_model::{LiveAuthorization, LoggingLevel, Realism};
use jiff::SignedDuration;
use serde_json::{Value, json};

const NOTHING: Value = Value::Null;
const POLICY: &str = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
const REFUSED: &str = "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.";
const MISSING: &str = "CloudWatch Logs role ARN must be set in account settings to enable logging";

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn patch(arn: &str) -> Value {
    json!({ "patchOperations": [{ "op": "replace", "path": "/cloudwatchRoleArn", "value": arn }] })
}

fn attach(world: &mut World) {
    let attached = [("RoleName", "logs"), ("PolicyArn", POLICY)];
    assert_eq!(world.iam("AttachRolePolicy", &attached).status, 200);
}

/// An account whose API Gateway may write logs.
fn logging_world() -> World {
    let mut world = World::new();
    world.new_role("logs", GATEWAY_TRUST);
    attach(&mut world);
    let set = world.gateway("PATCH", "/account", &patch(&role_arn("logs")));
    assert_eq!(set.ok()["cloudwatchRoleArn"], role_arn("logs"));
    world
}

/// An API with `$connect` and `join`, deployed as the stage `local`.
fn stage(world: &mut World, settings: &Value) -> (String, Value) {
    let api = world.new_api("chat");
    world.new_route(&api, "$connect", None);
    world.new_route(&api, "join", None);
    let deployment = world.new_deployment(&api, &json!({}));
    let mut body = settings.clone();
    body["stageName"] = json!("local");
    body["deploymentId"] = json!(deployment);
    let made = world.gateway("POST", &format!("/v2/apis/{api}/stages"), &body);
    (api, made.ok())
}

fn destination() -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/logs/access")
}

#[test]
fn the_accounts_role_for_logs_must_be_one_that_may_write_them() {
    let mut world = World::new();
    let account = world.gateway("GET", "/account", &NOTHING).ok();
    assert_eq!(account.get("cloudwatchRoleArn"), None);
    assert_eq!(account["throttleSettings"]["burstLimit"], 5000);
    let refused = |world: &mut World, name: &str| {
        world
            .gateway("PATCH", "/account", &patch(&role_arn(name)))
            .is_failure(400, "BadRequestException", REFUSED);
    };
    refused(&mut world, "nobody");
    world.new_role("logs", LAMBDA_TRUST);
    refused(&mut world, "logs");
    attach(&mut world);
    refused(&mut world, "logs");
    let trust = [("RoleName", "logs"), ("PolicyDocument", GATEWAY_TRUST)];
    assert_eq!(world.iam("UpdateAssumeRolePolicy", &trust).status, 200);
    world
        .gateway("PATCH", "/account", &patch(&role_arn("logs")))
        .ok();
    assert!(world.cloud.inventory().is_empty(), "it is the account's");
    world.gateway("PATCH", "/account", &patch("")).ok();
    assert_eq!(world.cloud.inventory().roles.names, ["logs"]);
}

#[test]
fn logs_need_the_accounts_role() {
    let mut world = World::new();
    let (api, _) = stage(&mut world, &json!({}));
    let path = format!("/v2/apis/{api}/stages/local");
    for settings in [
        json!({ "accessLogSettings": { "destinationArn": destination(), "format": "$context.requestId" } }),
        json!({ "defaultRouteSettings": { "loggingLevel": "ERROR" } }),
        json!({ "routeSettings": { "join": { "loggingLevel": "INFO" } } }),
    ] {
        world
            .gateway("PATCH", &path, &settings)
            .is_failure(400, "BadRequestException", MISSING);
    }
    world
        .gateway(
            "PATCH",
            &path,
            &json!({ "defaultRouteSettings": { "loggingLevel": "OFF" } }),
        )
        .ok();
}

#[test]
fn an_update_of_a_stage_merges_and_only_deletions_clear() {
    let mut world = logging_world();
    let (api, made) = stage(
        &mut world,
        &json!({
            "stageVariables": { "a": "1", "b": "2" },
            "defaultRouteSettings": { "throttlingBurstLimit": 7 },
            "routeSettings": { "join": { "throttlingRateLimit": 2.5 } },
            "accessLogSettings": { "destinationArn": destination(), "format": "$context.requestId" },
        }),
    );
    assert_eq!(made["defaultRouteSettings"]["throttlingBurstLimit"], 7);
    assert_eq!(made["routeSettings"]["join"]["throttlingRateLimit"], 2.5);
    let path = format!("/v2/apis/{api}/stages/local");
    let update = json!({
        "stageVariables": { "a": "", "c": "3" },
        "routeSettings": { "$connect": { "loggingLevel": "INFO" } },
    });
    let updated = world.gateway("PATCH", &path, &update).ok();
    assert_eq!(updated["stageVariables"], json!({ "b": "2", "c": "3" }));
    assert_eq!(updated["defaultRouteSettings"]["throttlingBurstLimit"], 7);
    assert_eq!(
        updated["accessLogSettings"]["destinationArn"],
        destination()
    );
    assert_eq!(updated["routeSettings"]["join"]["throttlingRateLimit"], 2.5);
    let live = world.cloud.live_stage(&api, "local").expect("it is live");
    assert!(live.may_log);
    assert_eq!(live.settings("$connect").level, LoggingLevel::Info);
    assert_eq!(live.settings("other").burst_limit, 7);
    assert_eq!(
        live.access_log.expect("there is one").log_group,
        "/logs/access"
    );

    for below in [
        "accesslogsettings",
        "routesettings/join",
        "routesettings/%24connect",
    ] {
        let deleted = world.gateway("DELETE", &format!("{path}/{below}"), &NOTHING);
        assert_eq!(deleted.status, 204, "{below}: {deleted:?}");
    }
    let shown = world.gateway("GET", &path, &NOTHING).ok();
    assert_eq!(shown.get("accessLogSettings"), None);
    assert_eq!(shown["routeSettings"], json!({}));
    let again = world.gateway("DELETE", &format!("{path}/routesettings/join"), &NOTHING);
    assert_eq!(again.failure().0, 404);
}

#[test]
fn an_access_logs_format_is_one_line_with_an_id() {
    let mut world = logging_world();
    let (api, _) = stage(&mut world, &json!({}));
    let path = format!("/v2/apis/{api}/stages/local");
    let long = format!("$context.requestId{}", "x".repeat(3072));
    for (arn, format) in [
        (destination().as_str(), "$context.stage"),
        (destination().as_str(), "$context.requestId\nx"),
        (destination().as_str(), long.as_str()),
        ("here", "$context.requestId"),
    ] {
        let settings = json!({ "destinationArn": arn, "format": format });
        let refused = world.gateway("PATCH", &path, &json!({ "accessLogSettings": settings }));
        assert_eq!(refused.failure().1, "BadRequestException", "{format}");
    }
}

#[test]
fn whether_the_address_serves_and_who_may_connect_is_frozen_by_a_deployment() {
    let mut world = World::new();
    let (api, _) = stage(&mut world, &json!({}));
    let path = format!("/v2/apis/{api}");
    let update = json!({ "disableExecuteApiEndpoint": true, "ipAddressType": "dualstack" });
    let updated = world.gateway("PATCH", &path, &update).ok();
    assert_eq!(updated["disableExecuteApiEndpoint"], true);
    assert_eq!(updated["ipAddressType"], "dualstack");
    let routes = world
        .gateway("GET", &format!("{path}/routes"), &NOTHING)
        .ok();
    let id = |key: &str| {
        let items = routes["items"].as_array().expect("a list");
        let route = items
            .iter()
            .find(|route| route["routeKey"] == key)
            .expect("a route");
        format!(
            "{path}/routes/{}",
            route["routeId"].as_str().expect("an id")
        )
    };
    let iam = json!({ "authorizationType": "AWS_IAM" });
    let changed = world.gateway("PATCH", &id("$connect"), &iam).ok();
    assert_eq!(changed["authorizationType"], "AWS_IAM");
    world.gateway("PATCH", &id("join"), &iam).is_failure(
        400,
        "BadRequestException",
        "Currently, authorization is restricted to the $connect route only",
    );
    let live = world.cloud.live_stage(&api, "local").expect("it is live");
    assert!(
        !live.endpoint_disabled && live.routes["$connect"].authorization == LiveAuthorization::None
    );
    world.new_deployment(&api, &json!({ "stageName": "local" }));
    let live = world.cloud.live_stage(&api, "local").expect("it is live");
    assert!(
        live.endpoint_disabled && live.routes["$connect"].authorization == LiveAuthorization::Iam
    );
}

#[test]
fn the_account_is_changed_once_in_20_seconds_and_knows_a_role_after_a_while() {
    let mut realism = Realism::none(1);
    realism.request_quotas = true;
    realism.iam_propagation = true;
    let mut world = World::with_realism(realism);
    world.new_role("logs", GATEWAY_TRUST);
    attach(&mut world);
    let arn = role_arn("logs");
    world.gateway("PATCH", "/account", &patch(&arn)).is_failure(
        400,
        "BadRequestException",
        REFUSED,
    );
    world.wait(SignedDuration::from_secs(13));
    let soon = world.gateway("PATCH", "/account", &patch(&arn));
    assert_eq!(soon.failure().0, 429);
    world.wait(SignedDuration::from_secs(7));
    world.gateway("PATCH", "/account", &patch(&arn)).ok();
}
