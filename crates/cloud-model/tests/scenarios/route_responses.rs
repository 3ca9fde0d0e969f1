//! Route responses: kept, shown, refused, and frozen by deployments.

use serde_json::{Value, json};

use crate::common::World;

const NOTHING: Value = Value::Null;

#[test]
fn a_route_has_one_response_with_one_key() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let route = world.new_route(&api, "join", None);
    let path = format!("/v2/apis/{api}/routes/{route}/routeresponses");
    let input = json!({ "routeResponseKey": "$default" });
    let made = world.gateway("POST", &path, &input).ok();
    let id = made["routeResponseId"].as_str().unwrap().to_owned();
    assert_eq!(made["routeResponseKey"], "$default");
    let text = "Route response with key $default already exists for this route";
    world
        .gateway("POST", &path, &input)
        .is_failure(409, "ConflictException", text);
    let other = json!({ "routeResponseKey": "200" });
    let text = "Invalid routeResponseKey specified: only $default is supported";
    world
        .gateway("POST", &path, &other)
        .is_failure(400, "BadRequestException", text);
    let one = format!("{path}/{id}");
    assert_eq!(
        world.gateway("GET", &path, &NOTHING).ok()["items"],
        json!([made])
    );
    assert_eq!(world.gateway("GET", &one, &NOTHING).ok(), made);
    let expression = json!({ "modelSelectionExpression": "default" });
    let changed = world.gateway("PATCH", &one, &expression).ok();
    assert_eq!(changed["modelSelectionExpression"], "default");
    assert_eq!(world.gateway("DELETE", &one, &NOTHING).status, 204);
    let text = format!("Invalid RouteResponse identifier specified {id}");
    world
        .gateway("GET", &one, &NOTHING)
        .is_failure(404, "NotFoundException", &text);
    let nowhere = format!("/v2/apis/{api}/routes/x/routeresponses");
    let text = "Invalid Route identifier specified x";
    world
        .gateway("POST", &nowhere, &input)
        .is_failure(404, "NotFoundException", text);
}

#[test]
fn a_route_responds_with_a_response_and_its_selection_once_both_are_deployed() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let route = world.new_route(&api, "join", None);
    let deployment = world.new_deployment(&api, &json!({}));
    let stage = json!({ "stageName": "s", "deploymentId": deployment });
    world
        .gateway("POST", &format!("/v2/apis/{api}/stages"), &stage)
        .ok();
    let path = format!("/v2/apis/{api}/routes/{route}");
    let mut responds_after = |method: &str, path: &str, body: Value| {
        world.gateway(method, path, &body).ok();
        let before = world.cloud.live_stage(&api, "s").unwrap().routes["join"].responds;
        world.new_deployment(&api, &json!({ "stageName": "s" }));
        (
            before,
            world.cloud.live_stage(&api, "s").unwrap().routes["join"].responds,
        )
    };
    let selection = |text: &str| json!({ "routeResponseSelectionExpression": text });
    let responses = format!("{path}/routeresponses");
    let response = json!({ "routeResponseKey": "$default" });
    assert_eq!(responds_after("POST", &responses, response), (false, false));
    assert_eq!(
        responds_after("PATCH", &path, selection("$default")),
        (false, true)
    );
    assert_eq!(responds_after("PATCH", &path, selection("")), (true, false));
    let text = "Invalid routeResponseSelectionExpression specified: only $default is supported";
    let other = world.gateway("PATCH", &path, &selection("$request.body.x"));
    other.is_failure(400, "BadRequestException", text);
}
