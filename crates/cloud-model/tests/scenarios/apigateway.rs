//! API Gateway: what works.

use cloud_model::Effect;
use serde_json::{Value, json};

use crate::common::{REGION, World, all_pages, function_arn, integration_uri};

const NOTHING: Value = Value::Null;
const ITEMS: [&str; 4] = ["items", "routeKey", "nextToken", "nextToken"];

#[test]
fn a_new_api_has_the_defaults_of_websocket_apis() {
    let mut world = World::new();
    let body = json!({
        "name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action",
        "description": "d", "tags": { "owner": "me" }
    });
    let answer = world.gateway("POST", "/v2/apis", &body);
    assert_eq!(answer.status, 201);
    let api = answer.ok();
    let id = api["apiId"].as_str().unwrap();
    assert!(
        id.len() == 10
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
        "{id}"
    );
    let expected = json!({
        "apiEndpoint": format!("ws://127.0.0.1:9100/{id}"),
        "apiId": id,
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "createdDate": "2026-01-02T03:04:05Z",
        "description": "d",
        "disableExecuteApiEndpoint": false,
        "disableSchemaValidation": false,
        "ipAddressType": "ipv4",
        "name": "chat",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
        "tags": { "owner": "me" },
    });
    assert_eq!(api, expected);
    assert_eq!(
        world
            .gateway("GET", &format!("/v2/apis/{id}"), &NOTHING)
            .ok(),
        expected
    );
}

#[test]
fn api_names_are_not_unique() {
    let mut world = World::new();
    assert_ne!(world.new_api("chat"), world.new_api("chat"));
    assert_eq!(world.cloud.inventory().apis.count, 2);
}

#[test]
fn updating_an_api_merges_and_clears_with_empty_text() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let path = format!("/v2/apis/{api}");
    let update = json!({ "description": "d", "version": "1", "name": "talk" });
    let shown = world.gateway("PATCH", &path, &update).ok();
    assert_eq!(
        (&shown["description"], &shown["version"], &shown["name"]),
        (&json!("d"), &json!("1"), &json!("talk"))
    );
    let shown = world
        .gateway("PATCH", &path, &json!({ "description": "" }))
        .ok();
    assert_eq!(
        (shown.get("description"), &shown["version"]),
        (None, &json!("1"))
    );
}

#[test]
fn routes_and_integrations_show_their_defaults() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat");
    let shown = world
        .gateway(
            "GET",
            &format!("/v2/apis/{api}/integrations/{integration}"),
            &NOTHING,
        )
        .ok();
    let expected = json!({
        "connectionType": "INTERNET",
        "integrationId": integration,
        "integrationMethod": "POST",
        "integrationType": "AWS_PROXY",
        "integrationUri": integration_uri("chat"),
        "passthroughBehavior": "WHEN_NO_MATCH",
        "payloadFormatVersion": "1.0",
        "timeoutInMillis": 29000,
    });
    assert_eq!(shown, expected);
    let route = world.new_route(&api, "$connect", Some(&integration));
    let shown = world
        .gateway("GET", &format!("/v2/apis/{api}/routes/{route}"), &NOTHING)
        .ok();
    let expected = json!({
        "apiKeyRequired": false,
        "authorizationType": "NONE",
        "routeId": route,
        "routeKey": "$connect",
        "target": format!("integrations/{integration}"),
    });
    assert_eq!(shown, expected);
}

#[test]
fn updating_a_route_changes_key_and_target() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat");
    let route = world.new_route(&api, "join", Some(&integration));
    let path = format!("/v2/apis/{api}/routes/{route}");
    let shown = world
        .gateway("PATCH", &path, &json!({ "routeKey": "enter" }))
        .ok();
    assert_eq!(shown["routeKey"], "enter");
    assert_eq!(shown["target"], format!("integrations/{integration}"));
    assert_eq!(
        world
            .gateway("PATCH", &path, &json!({ "routeKey": "enter" }))
            .status,
        200,
        "its own key"
    );
    let shown = world.gateway("PATCH", &path, &json!({ "target": "" })).ok();
    assert_eq!(shown.get("target"), None);
}

#[test]
fn updating_an_integration_merges() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat");
    let path = format!("/v2/apis/{api}/integrations/{integration}");
    let role = "arn:aws:iam::123456789012:role/invoke";
    let update = json!({ "timeoutInMillis": 50, "credentialsArn": role });
    let shown = world.gateway("PATCH", &path, &update).ok();
    assert_eq!(
        (&shown["timeoutInMillis"], &shown["credentialsArn"]),
        (&json!(50), &json!(role))
    );
    let shown = world
        .gateway("PATCH", &path, &json!({ "credentialsArn": "" }))
        .ok();
    assert_eq!(
        (&shown["timeoutInMillis"], shown.get("credentialsArn")),
        (&json!(50), None)
    );
}

#[test]
fn lists_page_to_the_end() {
    let mut world = World::new();
    let api = world.new_api("chat");
    for n in 0..7 {
        world.new_route(&api, &format!("r{n}"), None);
    }
    let path = format!("/v2/apis/{api}/routes?maxResults=3");
    let pages = all_pages(&mut world, "apigateway", &path, ITEMS);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut keys = pages.concat();
    keys.sort();
    assert_eq!(keys, ["r0", "r1", "r2", "r3", "r4", "r5", "r6"]);
}

#[test]
fn apis_integrations_deployments_and_stages_page_too() {
    let mut world = World::new();
    let api = world.new_api("a");
    world.new_api("b");
    for _ in 0..2 {
        world.new_integration(&api, "f");
    }
    world.new_route(&api, "r", None);
    for name in ["s", "t"] {
        world.new_deployment(&api, &json!({}));
        world
            .gateway(
                "POST",
                &format!("/v2/apis/{api}/stages"),
                &json!({ "stageName": name }),
            )
            .ok();
    }
    for (path, key) in [
        ("/v2/apis".to_owned(), "apiId"),
        (format!("/v2/apis/{api}/integrations"), "integrationId"),
        (format!("/v2/apis/{api}/deployments"), "deploymentId"),
        (format!("/v2/apis/{api}/stages"), "stageName"),
    ] {
        let path = format!("{path}?maxResults=1");
        let pages = all_pages(
            &mut world,
            "apigateway",
            &path,
            ["items", key, "nextToken", "nextToken"],
        );
        assert_eq!(pages.len(), 2, "{path}");
        assert_ne!(pages[0], pages[1], "{path}");
    }
}

#[test]
fn a_deployment_is_an_immutable_snapshot() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat:1");
    let join = world.new_route(&api, "join", Some(&integration));
    world.new_route(&api, "bare", None);
    let stage = json!({ "stageName": "local", "stageVariables": { "color": "red" } });
    world
        .gateway("POST", &format!("/v2/apis/{api}/stages"), &stage)
        .ok();
    assert_eq!(
        world.cloud.live_stage(&api, "local"),
        None,
        "a stage without deployment serves nothing"
    );

    let first = world.new_deployment(&api, &json!({ "stageName": "local" }));
    let before = world.cloud.live_stage(&api, "local").unwrap();
    assert_eq!(
        (before.deployment_id.as_str(), before.api_id.as_str()),
        (first.as_str(), api.as_str())
    );
    assert_eq!(before.route_selection_expression, "$request.body.action");
    assert_eq!(before.stage_variables["color"], "red");
    assert_eq!(before.routes.keys().collect::<Vec<_>>(), ["bare", "join"]);
    assert_eq!(before.routes["bare"].integration, None);
    let live = before.routes["join"].integration.as_ref().unwrap();
    assert_eq!(
        live.function_arn.as_deref(),
        Some(function_arn("chat:1").as_str())
    );
    assert_eq!(
        (live.timeout_ms, live.credentials_arn.as_deref()),
        (29_000, None)
    );

    // All of the draft changes, and nothing of what is live.
    let uri = json!({ "integrationUri": integration_uri("chat:2"), "timeoutInMillis": 1000 });
    world
        .gateway(
            "PATCH",
            &format!("/v2/apis/{api}/integrations/{integration}"),
            &uri,
        )
        .ok();
    world
        .gateway(
            "PATCH",
            &format!("/v2/apis/{api}"),
            &json!({ "routeSelectionExpression": "$request.body.kind" }),
        )
        .ok();
    world
        .gateway("DELETE", &format!("/v2/apis/{api}/routes/{join}"), &NOTHING)
        .ok();
    world.new_route(&api, "enter", Some(&integration));
    assert_eq!(world.cloud.live_stage(&api, "local"), Some(before.clone()));

    // A new deployment is not live until a stage is moved to it.
    let second = world.new_deployment(&api, &json!({}));
    assert_eq!(world.cloud.live_stage(&api, "local"), Some(before.clone()));
    let stage_path = format!("/v2/apis/{api}/stages/local");
    world
        .gateway("PATCH", &stage_path, &json!({ "deploymentId": second }))
        .ok();
    let after = world.cloud.live_stage(&api, "local").unwrap();
    assert_eq!(after.deployment_id, second);
    assert_eq!(after.route_selection_expression, "$request.body.kind");
    assert_eq!(after.routes.keys().collect::<Vec<_>>(), ["bare", "enter"]);
    let live = after.routes["enter"].integration.as_ref().unwrap();
    assert_eq!(
        (live.function_arn.as_deref(), live.timeout_ms),
        (Some(function_arn("chat:2").as_str()), 1000)
    );

    // And back with one call.
    world
        .gateway("PATCH", &stage_path, &json!({ "deploymentId": first }))
        .ok();
    assert_eq!(world.cloud.live_stage(&api, "local"), Some(before));
}

#[test]
fn a_deployment_shows_that_it_is_deployed_and_takes_a_description() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "$default", None);
    let id = world.new_deployment(&api, &json!({ "description": "one" }));
    let path = format!("/v2/apis/{api}/deployments/{id}");
    let expected = json!({
        "autoDeployed": false,
        "createdDate": "2026-01-02T03:04:05Z",
        "deploymentId": id,
        "deploymentStatus": "DEPLOYED",
        "description": "one",
    });
    assert_eq!(world.gateway("GET", &path, &NOTHING).ok(), expected);
    let shown = world
        .gateway("PATCH", &path, &json!({ "description": "two" }))
        .ok();
    assert_eq!(shown["description"], "two");
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
    assert_eq!(world.gateway("GET", &path, &NOTHING).status, 404);
}

#[test]
fn a_stage_shows_its_defaults_and_accepts_settings_that_equal_them() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "join", None);
    let defaults = json!({
        "dataTraceEnabled": false, "detailedMetricsEnabled": false, "loggingLevel": "OFF",
        "throttlingBurstLimit": 5000, "throttlingRateLimit": 10000.0
    });
    let body = json!({
        "stageName": "local", "defaultRouteSettings": defaults, "autoDeploy": false,
        "routeSettings": { "join": { "throttlingBurstLimit": 5000 } }
    });
    let answer = world.gateway("POST", &format!("/v2/apis/{api}/stages"), &body);
    assert_eq!(answer.status, 201);
    let expected = json!({
        "autoDeploy": false,
        "createdDate": "2026-01-02T03:04:05Z",
        "defaultRouteSettings": defaults,
        "lastUpdatedDate": "2026-01-02T03:04:05Z",
        "routeSettings": { "join": defaults },
        "stageName": "local",
        "stageVariables": {},
        "tags": {},
    });
    assert_eq!(answer.ok(), expected);
}

#[test]
fn updating_a_stage_merges_variables_and_ignores_an_empty_description() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let body = json!({ "stageName": "local", "description": "d", "stageVariables": { "a": "1", "b": "2" } });
    world
        .gateway("POST", &format!("/v2/apis/{api}/stages"), &body)
        .ok();
    let update = json!({ "description": "", "stageVariables": { "a": "", "c": "3" } });
    let shown = world
        .gateway("PATCH", &format!("/v2/apis/{api}/stages/local"), &update)
        .ok();
    assert_eq!(shown["stageVariables"], json!({ "b": "2", "c": "3" }));
    assert_eq!(shown["description"], "d");
}

#[test]
fn deleting_an_api_takes_everything_along() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat");
    world.new_route(&api, "join", Some(&integration));
    world
        .gateway(
            "POST",
            &format!("/v2/apis/{api}/stages"),
            &json!({ "stageName": "local" }),
        )
        .ok();
    world.new_deployment(&api, &json!({ "stageName": "local" }));
    assert!(world.cloud.live_stage(&api, "local").is_some());
    let answer = world.gateway("DELETE", &format!("/v2/apis/{api}"), &NOTHING);
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.effects,
        [Effect::ApiDeleted {
            api_id: api.clone()
        }]
    );
    assert_eq!(world.cloud.live_stage(&api, "local"), None);
    assert!(world.cloud.inventory().is_empty());
    assert_eq!(
        world
            .gateway("GET", &format!("/v2/apis/{api}/routes"), &NOTHING)
            .status,
        404
    );
}

#[test]
fn deleting_a_stage_keeps_its_deployment() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "join", None);
    world
        .gateway(
            "POST",
            &format!("/v2/apis/{api}/stages"),
            &json!({ "stageName": "local" }),
        )
        .ok();
    let deployment = world.new_deployment(&api, &json!({ "stageName": "local" }));
    let answer = world.gateway("DELETE", &format!("/v2/apis/{api}/stages/local"), &NOTHING);
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.effects,
        [Effect::StageDeleted {
            api_id: api.clone(),
            stage_name: "local".to_owned()
        }]
    );
    assert_eq!(world.cloud.live_stage(&api, "local"), None);
    let path = format!("/v2/apis/{api}/deployments/{deployment}");
    assert_eq!(world.gateway("GET", &path, &NOTHING).status, 200);
}

#[test]
fn tags_of_apis_and_stages_by_encoded_and_raw_arn() {
    let mut world = World::new();
    let api = world.new_api("chat");
    world
        .gateway(
            "POST",
            &format!("/v2/apis/{api}/stages"),
            &json!({ "stageName": "local" }),
        )
        .ok();
    let encoded = format!("/v2/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Fapis%2F{api}");
    let raw = format!("/v2/tags/arn:aws:apigateway:{REGION}::/apis/{api}");
    let answer = world.gateway("POST", &encoded, &json!({ "tags": { "a": "1", "b": "2" } }));
    assert_eq!((answer.status, answer.text.as_str()), (201, ""));
    assert_eq!(
        world.gateway("GET", &raw, &NOTHING).ok(),
        json!({ "tags": { "a": "1", "b": "2" } })
    );
    assert_eq!(
        world
            .gateway(
                "DELETE",
                &format!("{encoded}?tagKeys=a&tagKeys=x"),
                &NOTHING
            )
            .status,
        204
    );
    let shown = world
        .gateway("GET", &format!("/v2/apis/{api}"), &NOTHING)
        .ok();
    assert_eq!(shown["tags"], json!({ "b": "2" }));

    let stage = format!("{encoded}%2Fstages%2Flocal");
    world
        .gateway("POST", &stage, &json!({ "tags": { "s": "1" } }))
        .ok();
    assert_eq!(
        world
            .gateway("GET", &format!("{raw}/stages/local"), &NOTHING)
            .ok(),
        json!({ "tags": { "s": "1" } })
    );
    let shown = world
        .gateway("GET", &format!("/v2/apis/{api}/stages/local"), &NOTHING)
        .ok();
    assert_eq!(shown["tags"], json!({ "s": "1" }));
}
