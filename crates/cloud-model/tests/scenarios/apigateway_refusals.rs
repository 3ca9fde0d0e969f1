//! API Gateway: what is refused, and how.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, World, integration_uri};

const NOTHING: Value = Value::Null;

fn api_input() -> Value {
    json!({ "name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action" })
}

fn with(mut base: Value, changes: Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

#[track_caller]
fn bad_request(world: &mut World, method: &str, path: &str, body: &Value, message: &str) {
    world
        .gateway(method, path, body)
        .is_failure(400, "BadRequestException", message);
}

#[test]
fn what_is_not_there_is_named_with_the_account() {
    let mut world = World::new();
    let text = format!("Invalid API identifier specified {ACCOUNT}:nope");
    for path in [
        "/v2/apis/nope",
        "/v2/apis/nope/routes",
        "/v2/apis/nope/stages/s",
    ] {
        world
            .gateway("GET", path, &NOTHING)
            .is_failure(404, "NotFoundException", &text);
    }
    let api = world.new_api("chat");
    for (path, text) in [
        ("routes/x", "Invalid Route identifier specified x"),
        (
            "integrations/x",
            "Invalid Integration identifier specified x",
        ),
        ("deployments/x", "Invalid deployment identifier specified x"),
        ("stages/x", "Invalid stage identifier specified x"),
    ] {
        for method in ["GET", "PATCH", "DELETE"] {
            let path = format!("/v2/apis/{api}/{path}");
            world
                .gateway(method, &path, &json!({}))
                .is_failure(404, "NotFoundException", text);
        }
    }
}

#[test]
fn apis_need_a_name_a_protocol_and_a_selection() {
    let mut world = World::new();
    let mut cases = Vec::new();
    cases.push((json!({}), "Missing required member: name"));
    cases.push((
        json!({ "name": "n" }),
        "Missing required member: protocolType",
    ));
    let no_selection = json!({ "name": "n", "protocolType": "WEBSOCKET" });
    cases.push((
        no_selection,
        "Route selection expression is required for WEBSOCKET protocol",
    ));
    let http = with(api_input(), json!({ "protocolType": "HTTP" }));
    cases.push((
        http,
        "The local cloud does not support protocolType HTTP yet",
    ));
    let long = with(api_input(), json!({ "name": "n".repeat(129) }));
    cases.push((
        long,
        "Invalid name specified: it must have between 1 and 128 characters",
    ));
    let tags = with(api_input(), json!({ "tags": { "aws:x": "" } }));
    cases.push((
        tags,
        "aws: prefixed tag key names are not allowed for external use.",
    ));
    for (option, value) in [
        ("corsConfiguration", json!({ "maxAge": 1 })),
        ("target", json!("arn:x")),
    ] {
        let body = with(api_input(), json!({ option: value }));
        let text = format!("The local cloud does not support {option} yet");
        bad_request(&mut world, "POST", "/v2/apis", &body, &text);
    }
    for (body, text) in cases {
        bad_request(&mut world, "POST", "/v2/apis", &body, text);
    }
    assert!(world.cloud.inventory().is_empty());
}

#[test]
fn a_route_key_is_used_once() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "$connect", None);
    let other = world.new_route(&api, "other", None);
    let text = "Route with key $connect already exists for this API";
    let body = json!({ "routeKey": "$connect" });
    let path = format!("/v2/apis/{api}/routes");
    world
        .gateway("POST", &path, &body)
        .is_failure(409, "ConflictException", text);
    world
        .gateway("PATCH", &format!("{path}/{other}"), &body)
        .is_failure(409, "ConflictException", text);
}

#[test]
fn routes_take_known_keys_and_targets_only() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}/routes");
    let reserved = "Route keys starting with $ are reserved: only $connect, $disconnect and $default are allowed";
    bad_request(
        &mut world,
        "POST",
        &path,
        &json!({ "routeKey": "$other" }),
        reserved,
    );
    bad_request(
        &mut world,
        "POST",
        &path,
        &json!({}),
        "Missing required member: routeKey",
    );
    let text = "Invalid target specified: x. It must have the form integrations/{integrationId}";
    bad_request(
        &mut world,
        "POST",
        &path,
        &json!({ "routeKey": "r", "target": "x" }),
        text,
    );
    world
        .gateway(
            "POST",
            &path,
            &json!({ "routeKey": "r", "target": "integrations/x" }),
        )
        .is_failure(
            404,
            "NotFoundException",
            "Invalid Integration identifier specified x",
        );
    for (option, value, named) in [
        ("apiKeyRequired", json!(true), "apiKeyRequired"),
        ("requestModels", json!({ "m": "n" }), "requestModels"),
        (
            "modelSelectionExpression",
            json!("$request.body.m"),
            "modelSelectionExpression",
        ),
    ] {
        let text = format!("The local cloud does not support {named} yet");
        bad_request(
            &mut world,
            "POST",
            &path,
            &json!({ "routeKey": "r", option: value }),
            &text,
        );
    }
    let defaults = json!({ "routeKey": "r", "authorizationType": "NONE", "apiKeyRequired": false });
    assert_eq!(world.gateway("POST", &path, &defaults).status, 201);
}

#[test]
fn only_lambda_proxies_are_integrated() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}/integrations");
    let base = || json!({ "integrationType": "AWS_PROXY", "integrationUri": integration_uri("f") });
    for kind in ["HTTP", "HTTP_PROXY", "MOCK", "AWS"] {
        let text = format!("The local cloud does not support integrationType {kind} yet");
        bad_request(
            &mut world,
            "POST",
            &path,
            &with(base(), json!({ "integrationType": kind })),
            &text,
        );
    }
    for (option, value, text) in [
        (
            "integrationUri",
            json!("https://x"),
            "Invalid integration URI specified: https://x",
        ),
        (
            "timeoutInMillis",
            json!(49),
            "Timeout should be between 50 ms and 29000 ms",
        ),
        (
            "timeoutInMillis",
            json!(29_001),
            "Timeout should be between 50 ms and 29000 ms",
        ),
        (
            "connectionType",
            json!("VPC_LINK"),
            "The local cloud does not support connectionType VPC_LINK yet",
        ),
        (
            "integrationMethod",
            json!("GET"),
            "The local cloud does not support integrationMethod GET yet",
        ),
        (
            "payloadFormatVersion",
            json!("2.0"),
            "The local cloud does not support payloadFormatVersion 2.0 yet",
        ),
        (
            "requestTemplates",
            json!({ "a": "b" }),
            "The local cloud does not support requestTemplates yet",
        ),
        (
            "credentialsArn",
            json!("role"),
            "Invalid credentials ARN specified: role",
        ),
        (
            "credentialsArn",
            json!("arn:aws:iam::*:user/*"),
            "The local cloud does not support the caller's credentials yet",
        ),
    ] {
        bad_request(
            &mut world,
            "POST",
            &path,
            &with(base(), json!({ option: value })),
            text,
        );
    }
    let text = "integrationUri is required for AWS_PROXY integrations";
    bad_request(
        &mut world,
        "POST",
        &path,
        &json!({ "integrationType": "AWS_PROXY" }),
        text,
    );
}

#[test]
fn an_integration_is_kept_while_routes_reference_it() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "f");
    let route = world.new_route(&api, "join", Some(&integration));
    let path = format!("/v2/apis/{api}/integrations/{integration}");
    let text = format!(
        "Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
    );
    world
        .gateway("DELETE", &path, &NOTHING)
        .is_failure(409, "ConflictException", &text);
    world
        .gateway(
            "DELETE",
            &format!("/v2/apis/{api}/routes/{route}"),
            &NOTHING,
        )
        .ok();
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
}

#[test]
fn a_deployment_needs_a_route_and_a_stage_that_is_there() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}/deployments");
    let text = "At least one route is required before deploying the Api";
    bad_request(&mut world, "POST", &path, &json!({}), text);
    world.new_route(&api, "r", None);
    world
        .gateway("POST", &path, &json!({ "stageName": "none" }))
        .is_failure(
            404,
            "NotFoundException",
            "Invalid stage identifier specified none",
        );
    let listed = world.gateway("GET", &path, &NOTHING).ok();
    assert_eq!(
        listed,
        json!({ "items": [] }),
        "a refused deployment leaves nothing"
    );
}

#[test]
fn a_deployment_is_kept_while_a_stage_points_to_it() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "r", None);
    let deployment = world.new_deployment(&api, &json!({}));
    let stage = json!({ "stageName": "local", "deploymentId": deployment });
    world
        .gateway("POST", &format!("/v2/apis/{api}/stages"), &stage)
        .ok();
    let path = format!("/v2/apis/{api}/deployments/{deployment}");
    let text = "Active stages pointing to this deployment must be moved or deleted";
    bad_request(&mut world, "DELETE", &path, &NOTHING, text);
    world
        .gateway("DELETE", &format!("/v2/apis/{api}/stages/local"), &NOTHING)
        .ok();
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
}

#[test]
fn stages_honour_what_they_accept() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}/stages");
    let base = || json!({ "stageName": "local" });
    for (option, value, text) in [
        (
            "accessLogSettings",
            json!({ "format": "x" }),
            "Missing required member: destinationArn",
        ),
        (
            "defaultRouteSettings",
            json!({ "loggingLevel": "INFO" }),
            "CloudWatch Logs role ARN must be set in account settings to enable logging",
        ),
        (
            "defaultRouteSettings",
            json!({ "loggingLevel": "DEBUG" }),
            "Invalid loggingLevel specified: DEBUG",
        ),
        (
            "defaultRouteSettings",
            json!({ "throttlingRateLimit": -1 }),
            "Throttling limits must not be negative",
        ),
        (
            "stageName",
            json!("$default"),
            "Invalid stage name. Only a-z, A-Z, 0-9, - and _ are allowed",
        ),
    ] {
        bad_request(
            &mut world,
            "POST",
            &path,
            &with(base(), json!({ option: value })),
            text,
        );
    }
    let variables = with(base(), json!({ "stageVariables": { "v": "sp ace" } }));
    let (status, code, text) = world.gateway("POST", &path, &variables).failure();
    assert_eq!((status, code.as_str()), (400, "BadRequestException"));
    assert!(text.starts_with("Stage variable v is invalid"), "{text}");
    world
        .gateway(
            "POST",
            &path,
            &with(base(), json!({ "deploymentId": "nope" })),
        )
        .is_failure(
            404,
            "NotFoundException",
            "Invalid deployment identifier specified nope",
        );
    world
        .gateway(
            "POST",
            &path,
            &with(base(), json!({ "routeSettings": { "nope": {} } })),
        )
        .is_failure(
            404,
            "NotFoundException",
            "Unable to find Route by key nope within the provided RouteSettings",
        );
    world.gateway("POST", &path, &base()).ok();
    world.gateway("POST", &path, &base()).is_failure(
        409,
        "ConflictException",
        "Stage already exists",
    );
}

#[test]
fn quotas_hold() {
    let mut world = World::new();
    let api = world.new_api("chat");
    for n in 0..10 {
        world
            .gateway(
                "POST",
                &format!("/v2/apis/{api}/stages"),
                &json!({ "stageName": format!("s{n}") }),
            )
            .ok();
    }
    for n in 0..300 {
        world.new_route(&api, &format!("r{n}"), None);
        world.new_integration(&api, "f");
    }
    let full = |things: &str| {
        format!(
            "Maximum number of {things} for this API has been reached. Please contact AWS if you need additional {things}."
        )
    };
    bad_request(
        &mut world,
        "POST",
        &format!("/v2/apis/{api}/stages"),
        &json!({ "stageName": "more" }),
        &full("Stages"),
    );
    bad_request(
        &mut world,
        "POST",
        &format!("/v2/apis/{api}/routes"),
        &json!({ "routeKey": "more" }),
        &full("Routes"),
    );
    let integration =
        json!({ "integrationType": "AWS_PROXY", "integrationUri": integration_uri("f") });
    bad_request(
        &mut world,
        "POST",
        &format!("/v2/apis/{api}/integrations"),
        &integration,
        &full("Integrations"),
    );
    for n in 1..600 {
        world.new_api(&n.to_string());
    }
    bad_request(
        &mut world,
        "POST",
        "/v2/apis",
        &api_input(),
        "Maximum number of APIs (600) has been reached",
    );
}

#[test]
fn pages_and_tags_refuse_what_they_do_not_know() {
    let mut world = World::new();
    let text = "Invalid maxResults specified: it must be between 1 and 500";
    for limit in ["0", "501", "x"] {
        bad_request(
            &mut world,
            "GET",
            &format!("/v2/apis?maxResults={limit}"),
            &NOTHING,
            text,
        );
    }
    bad_request(
        &mut world,
        "GET",
        "/v2/apis?nextToken=x",
        &NOTHING,
        "Invalid nextToken specified",
    );
    let text = "Invalid resource ARN specified: arn:aws:lambda:x";
    bad_request(
        &mut world,
        "GET",
        "/v2/tags/arn:aws:lambda:x",
        &NOTHING,
        text,
    );
    let api = world.new_api("chat");
    let arn = format!("/v2/tags/arn:aws:apigateway:eu-central-1::/apis/{api}");
    let many: std::collections::BTreeMap<String, &str> =
        (0..51).map(|n| (n.to_string(), "")).collect();
    bad_request(
        &mut world,
        "POST",
        &arn,
        &json!({ "tags": many }),
        "Number of tags exceeds resource tag limit.",
    );
    bad_request(&mut world, "DELETE", &arn, &NOTHING, "tagKeys is required");
}
