//! Lambda authorizers: kept, shown, refused, and frozen by deployments.

use cloud_model::{IdentitySource, LiveAuthorization, policy_allows};
use serde_json::{Value, json};

use crate::common::{ACCOUNT, World, function_arn, integration_uri};

const NOTHING: Value = Value::Null;

fn input(name: &str) -> Value {
    json!({
        "authorizerType": "REQUEST", "authorizerUri": integration_uri("gate"),
        "identitySource": ["route.request.header.Auth"], "name": name,
    })
}

/// An API's path and the id of its authorizer `gate`.
fn with_authorizer(world: &mut World) -> (String, String) {
    let api = format!("/v2/apis/{}", world.new_api("chat"));
    let made = world.gateway("POST", &format!("{api}/authorizers"), &input("gate"));
    assert_eq!(made.status, 201);
    let id = made.ok()["authorizerId"].as_str().unwrap().to_owned();
    (api, id)
}

#[test]
fn an_authorizer_is_shown_as_it_was_made_and_changed() {
    let mut world = World::new();
    let (api, id) = with_authorizer(&mut world);
    let path = format!("{api}/authorizers/{id}");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/gate");
    let change = json!({ "authorizerCredentialsArn": role, "identitySource": [] });
    world.gateway("PATCH", &path, &change).ok();
    let expected = json!({
        "authorizerCredentialsArn": role, "authorizerId": id, "authorizerType": "REQUEST",
        "authorizerUri": integration_uri("gate"), "identitySource": [], "name": "gate",
    });
    assert_eq!(world.gateway("GET", &path, &NOTHING).ok(), expected);
    let listed = world.gateway("GET", &format!("{api}/authorizers"), &NOTHING);
    assert_eq!(listed.ok(), json!({ "items": [expected] }));
    assert_eq!(world.gateway("DELETE", &path, &NOTHING).status, 204);
    let text = format!("Invalid Authorizer identifier specified {id}");
    for method in ["GET", "PATCH", "DELETE"] {
        let answer = world.gateway(method, &path, &json!({}));
        answer.is_failure(404, "NotFoundException", &text);
    }
}

#[test]
fn what_no_websocket_api_has_is_refused() {
    let mut world = World::new();
    let (api, _) = with_authorizer(&mut world);
    let path = format!("{api}/authorizers");
    let uri = "arn:aws:lambda:eu-west-1:1:function:gate";
    for (member, value, text) in [
        (
            "authorizerType",
            json!("JWT"),
            "JWT authorizers are not supported for WEBSOCKET APIs",
        ),
        (
            "authorizerType",
            json!("TOKEN"),
            "Invalid authorizerType specified: TOKEN",
        ),
        (
            "identitySource",
            json!(["$request.header.A"]),
            "Invalid mapping expression specified: $request.header.A",
        ),
        (
            "identitySource",
            NOTHING,
            "Missing required member: identitySource",
        ),
        (
            "authorizerResultTtlInSeconds",
            json!(300),
            "The local cloud does not support authorizerResultTtlInSeconds yet",
        ),
        (
            "enableSimpleResponses",
            json!(true),
            "The local cloud does not support enableSimpleResponses yet",
        ),
        ("name", json!("gate"), "Authorizer name must be unique"),
        (
            "authorizerUri",
            json!(uri),
            "Invalid Authorizer URI: arn:aws:lambda:eu-west-1:1:function:gate. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
        ),
    ] {
        let mut body = input("other");
        body[member] = value;
        let answer = world.gateway("POST", &path, &body);
        answer.is_failure(400, "BadRequestException", text);
    }
}

#[test]
fn only_connect_asks_an_authorizer_and_it_must_be_one_of_the_api() {
    let mut world = World::new();
    let (api, id) = with_authorizer(&mut world);
    let path = format!("{api}/routes");
    let route = |key: &str, id: Option<&str>| json!({ "routeKey": key, "authorizationType": "CUSTOM", "authorizerId": id });
    let elsewhere = world.gateway("POST", &path, &route("join", Some(&id)));
    let text = "Currently, authorization is restricted to the $connect route only";
    elsewhere.is_failure(400, "BadRequestException", text);
    let without = world.gateway("POST", &path, &route("$connect", None));
    let text = "Authorizer Id must be specified for CUSTOM authorization";
    without.is_failure(400, "BadRequestException", text);
    let unknown = world.gateway("POST", &path, &route("$connect", Some("x")));
    unknown.is_failure(
        404,
        "NotFoundException",
        "Invalid Authorizer identifier specified x",
    );

    let made = world
        .gateway("POST", &path, &route("$connect", Some(&id)))
        .ok();
    assert_eq!(
        (&made["authorizationType"], &made["authorizerId"]),
        (&json!("CUSTOM"), &json!(id))
    );
    let route_id = made["routeId"].as_str().unwrap();
    let authorizer = format!("{api}/authorizers/{id}");
    let text = format!(
        "Cannot delete Authorizer because it is referenced by the following Routes with Ids: [{route_id}]"
    );
    world
        .gateway("DELETE", &authorizer, &NOTHING)
        .is_failure(409, "ConflictException", &text);
    let open = json!({ "authorizationType": "NONE" });
    let opened = world
        .gateway("PATCH", &format!("{path}/{route_id}"), &open)
        .ok();
    assert_eq!(
        (&opened["authorizationType"], &opened["authorizerId"]),
        (&json!("NONE"), &NOTHING)
    );
    assert_eq!(world.gateway("DELETE", &authorizer, &NOTHING).status, 204);
}

#[test]
fn a_deployment_freezes_the_authorizer() {
    let mut world = World::new();
    let (api, id) = with_authorizer(&mut world);
    let route =
        json!({ "routeKey": "$connect", "authorizationType": "CUSTOM", "authorizerId": id });
    world.gateway("POST", &format!("{api}/routes"), &route).ok();
    let api_id = api.strip_prefix("/v2/apis/").unwrap();
    let deployment = world.new_deployment(api_id, &json!({}));
    let stage = json!({ "stageName": "s", "deploymentId": deployment });
    world.gateway("POST", &format!("{api}/stages"), &stage).ok();
    let change = json!({ "identitySource": [], "authorizerUri": integration_uri("other") });
    world
        .gateway("PATCH", &format!("{api}/authorizers/{id}"), &change)
        .ok();
    let live = world.cloud.live_stage(api_id, "s").unwrap();
    let LiveAuthorization::Custom(authorizer) = &live.routes["$connect"].authorization else {
        panic!("{live:?}");
    };
    assert_eq!(authorizer.function_arn, Some(function_arn("gate")));
    assert_eq!(
        authorizer.identity_sources,
        [IdentitySource::Header("Auth".to_owned())]
    );
}

#[test]
fn an_authorizers_policy_allows_what_it_says_unless_it_denies_it() {
    let arn = "arn:aws:execute-api:eu-central-1:1:api/s/$connect";
    let allows = |statements: Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        policy_allows(&policy, "execute-api:Invoke", arn)
    };
    let statement = |effect: &str, resource: &str| json!({ "Effect": effect, "Action": "execute-api:*", "Resource": resource });
    assert_eq!(allows(json!([statement("Allow", "*")])), Some(true));
    assert_eq!(
        allows(json!([statement("Allow", "*/s/$connect")])),
        Some(true)
    );
    assert_eq!(
        allows(json!([statement("Allow", "*/t/$connect")])),
        Some(false)
    );
    assert_eq!(
        allows(json!([statement("Allow", "*"), statement("Deny", arn)])),
        Some(false)
    );
    assert_eq!(allows(json!("no statements")), None);
}
