//! Stages with `autoDeploy`: each change of the draft is live at once.

use serde_json::{Value, json};

use crate::common::World;

const NOTHING: Value = Value::Null;

/// An API with a route and a stage `s` that deploys by itself.
fn world() -> (World, String, String) {
    let mut world = World::new();
    let api = world.new_api("chat");
    world.new_route(&api, "join", None);
    let stages = format!("/v2/apis/{api}/stages");
    let stage = json!({ "stageName": "s", "autoDeploy": true });
    world.gateway("POST", &stages, &stage).ok();
    (world, api, format!("{stages}/s"))
}

fn live_routes(world: &World, api: &str) -> Vec<String> {
    let live = world.cloud.live_stage(api, "s").unwrap();
    live.routes.into_keys().collect()
}

#[test]
fn a_stage_that_deploys_by_itself_serves_each_change_of_the_draft() {
    let (mut world, api, stage) = world();
    let shown = world.gateway("GET", &stage, &NOTHING).ok();
    let id = shown["deploymentId"].as_str().unwrap();
    let text = format!("Successfully deployed stage with deployment ID '{id}'");
    assert_eq!(shown["autoDeploy"], true);
    assert_eq!(shown["lastDeploymentStatusMessage"], text);
    let path = format!("/v2/apis/{api}/deployments/{id}");
    let deployment = world.gateway("GET", &path, &NOTHING).ok();
    assert_eq!(deployment["autoDeployed"], true);
    let text = "Automatic deployment triggered by changes to the Api configuration";
    assert_eq!(deployment["description"], text);

    let integration = world.new_integration(&api, "chat");
    let send = world.new_route(&api, "send", Some(&integration));
    assert_eq!(live_routes(&world, &api), ["join", "send"]);
    let path = format!("/v2/apis/{api}/integrations/{integration}");
    let slow = json!({ "timeoutInMillis": 1_000 });
    world.gateway("PATCH", &path, &slow).ok();
    let live = world.cloud.live_stage(&api, "s").unwrap();
    let invoked = live.routes["send"].integration.as_ref().unwrap();
    assert_eq!(invoked.timeout_ms, 1_000);
    let api_path = format!("/v2/apis/{api}");
    let selection = json!({ "routeSelectionExpression": "$request.body.kind" });
    world.gateway("PATCH", &api_path, &selection).ok();
    let live = world.cloud.live_stage(&api, "s").unwrap();
    assert_eq!(live.route_selection_expression, "$request.body.kind");
    let path = format!("{api_path}/routes/{send}");
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
    assert_eq!(live_routes(&world, &api), ["join"]);
}

#[test]
fn reads_refused_writes_and_other_stages_deploy_nothing() {
    let (mut world, api, stage) = world();
    let other = json!({ "stageName": "other" });
    let stages = format!("/v2/apis/{api}/stages");
    world.gateway("POST", &stages, &other).ok();
    let before = world.gateway("GET", &stage, &NOTHING).ok();
    let taken = json!({ "routeKey": "join" });
    let routes = format!("/v2/apis/{api}/routes");
    assert_eq!(world.gateway("POST", &routes, &taken).status, 409);
    world.gateway("GET", &routes, &NOTHING).ok();
    assert_eq!(world.gateway("GET", &stage, &NOTHING).ok(), before);
    world.new_route(&api, "send", None);
    assert_ne!(world.gateway("GET", &stage, &NOTHING).ok(), before);
    assert_eq!(world.cloud.live_stage(&api, "other"), None);
}

#[test]
fn a_stage_that_deploys_by_itself_is_told_no_deployment() {
    let (mut world, api, stage) = world();
    let deployment = world.new_deployment(&api, &json!({}));
    let text = "Deployments cannot be set on a stage that has autoDeploy enabled";
    let pointed = json!({ "deploymentId": deployment });
    let deployed = json!({ "stageName": "s" });
    let made = json!({ "stageName": "t", "autoDeploy": true, "deploymentId": deployment });
    for (method, path, body) in [
        ("PATCH", stage.clone(), &pointed),
        ("POST", format!("/v2/apis/{api}/deployments"), &deployed),
        ("POST", format!("/v2/apis/{api}/stages"), &made),
    ] {
        let answer = world.gateway(method, &path, body);
        answer.is_failure(400, "BadRequestException", text);
    }
    let off = json!({ "autoDeploy": false });
    let shown = world.gateway("PATCH", &stage, &off).ok();
    assert_eq!(shown["autoDeploy"], false);
    world.gateway("PATCH", &stage, &pointed).ok();
    world.new_route(&api, "send", None);
    assert_eq!(live_routes(&world, &api), ["join"]);
    let on = json!({ "autoDeploy": true });
    world.gateway("PATCH", &stage, &on).ok();
    assert_eq!(live_routes(&world, &api), ["join", "send"]);
}

#[test]
fn without_a_route_nothing_is_deployed_and_the_stage_goes_on_with_what_it_has() {
    let (mut world, api, stage) = world();
    let routes = format!("/v2/apis/{api}/routes");
    let listed = world.gateway("GET", &routes, &NOTHING).ok();
    let id = listed["items"][0]["routeId"].as_str().unwrap();
    let path = format!("{routes}/{id}");
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
    assert_eq!(live_routes(&world, &api), ["join"]);
    let shown = world.gateway("GET", &stage, &NOTHING).ok();
    let text = "At least one route is required before deploying the Api";
    assert_eq!(
        shown["lastDeploymentStatusMessage"],
        format!("Deployment attempt failed: {text}")
    );
    let second = json!({ "stageName": "t", "autoDeploy": true });
    let stages = format!("/v2/apis/{api}/stages");
    world
        .gateway("POST", &stages, &second)
        .is_failure(400, "BadRequestException", text);
}
