//! Resource policies of functions: kept, shown, guarded, and asked.

use serde_json::{Value, json};

use crate::common::{ACCOUNT, FUNCTIONS, REGION, World, function_arn};

const NOTHING: Value = Value::Null;

fn permission(sid: &str) -> Value {
    json!({
        "StatementId": sid, "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    })
}

fn policy(name: &str) -> String {
    format!("{FUNCTIONS}/{name}/policy")
}

fn source(rest: &str) -> String {
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{rest}")
}

#[test]
fn a_permission_is_shown_as_a_statement_until_it_is_removed() {
    let mut world = World::new();
    world.new_function("chat");
    let mut input = permission("gateway");
    input["SourceArn"] = json!(source("api/*"));
    input["SourceAccount"] = json!(ACCOUNT);
    let added = world.lambda("POST", &policy("chat"), &input);
    assert_eq!(added.status, 201);
    let statement = json!({
        "Sid": "gateway", "Effect": "Allow", "Action": "lambda:InvokeFunction",
        "Principal": { "Service": "apigateway.amazonaws.com" }, "Resource": function_arn("chat"),
        "Condition": {
            "ArnLike": { "AWS:SourceArn": source("api/*") },
            "StringEquals": { "AWS:SourceAccount": ACCOUNT },
        },
    });
    let text = |value: &Value, member: &str| -> Value {
        serde_json::from_str(value[member].as_str().unwrap()).unwrap()
    };
    assert_eq!(text(&added.ok(), "Statement"), statement);
    let kept = world.lambda("GET", &policy("chat"), &NOTHING).ok();
    let whole = json!({ "Version": "2012-10-17", "Id": "default", "Statement": [statement] });
    assert_eq!(text(&kept, "Policy"), whole);
    let one = format!("{}/gateway", policy("chat"));
    assert_eq!(world.lambda("DELETE", &one, &NOTHING).status, 204);
    let missing = "The resource you requested does not exist.";
    let gone = world.lambda("GET", &policy("chat"), &NOTHING);
    gone.is_failure(404, "ResourceNotFoundException", missing);
    let text = "No policy is associated with the given resource.";
    let again = world.lambda("DELETE", &one, &NOTHING);
    again.is_failure(404, "ResourceNotFoundException", text);
}

#[test]
fn permissions_are_refused_as_recorded() {
    let mut world = World::new();
    world.new_function("chat");
    world
        .lambda("POST", &policy("chat"), &permission("s3"))
        .ok();
    let twice = world.lambda("POST", &policy("chat"), &permission("s3"));
    let text = "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.";
    twice.is_failure(409, "ResourceConflictException", text);
    let unknown = format!("{}/nope", policy("chat"));
    let text = "Statement nope is not found in resource policy.";
    world
        .lambda("DELETE", &unknown, &NOTHING)
        .is_failure(404, "ResourceNotFoundException", text);
    for (member, value, code, text) in [
        (
            "StatementId",
            "a.b",
            "ValidationException",
            "1 validation error detected: Value 'a.b' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        ),
        (
            "Principal",
            "nobody",
            "InvalidParameterValueException",
            "The provided principal was invalid. Please check the principal and try again.",
        ),
        (
            "PrincipalOrgID",
            "o-1",
            "InvalidParameterValueException",
            "The local cloud does not support PrincipalOrgID yet",
        ),
    ] {
        let mut input = permission("x");
        input[member] = json!(value);
        world
            .lambda("POST", &policy("chat"), &input)
            .is_failure(400, code, text);
    }
    let latest = format!("{}?Qualifier=$LATEST", policy("chat"));
    let text = "We currently do not support adding policies for $LATEST.";
    let refused = world.lambda("POST", &latest, &permission("x"));
    refused.is_failure(400, "InvalidParameterValueException", text);
    let text = format!("Function not found: {}", function_arn("none"));
    let refused = world.lambda("POST", &policy("none"), &permission("x"));
    refused.is_failure(404, "ResourceNotFoundException", &text);
}

#[test]
fn a_revision_id_guards_the_policy_and_its_size_is_bounded() {
    let mut world = World::new();
    world.new_function("chat");
    world
        .lambda("POST", &policy("chat"), &permission("first"))
        .ok();
    let kept = world.lambda("GET", &policy("chat"), &NOTHING).ok();
    let mut second = permission("second");
    second["RevisionId"] = json!("another");
    let text = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id";
    let refused = world.lambda("POST", &policy("chat"), &second);
    refused.is_failure(412, "PreconditionFailedException", text);
    second["RevisionId"] = kept["RevisionId"].clone();
    assert_eq!(world.lambda("POST", &policy("chat"), &second).status, 201);
    let refused = (0..1_000).find_map(|number| {
        let added = world.lambda("POST", &policy("chat"), &permission(&format!("p{number}")));
        (added.status != 201).then_some(added)
    });
    let (status, code, _) = refused.expect("there is a bound").failure();
    assert_eq!(
        (status, code.as_str()),
        (400, "PolicyLengthExceededException")
    );
}

#[test]
fn a_policy_lets_api_gateway_invoke_what_it_says_for_whom_it_says_and_no_more() {
    let mut world = World::new();
    world.new_function("chat");
    world
        .lambda("POST", &format!("{FUNCTIONS}/chat/versions"), &json!({}))
        .ok();
    let mut input = permission("gateway");
    input["SourceArn"] = json!(source("api/*/$connect"));
    let version = format!("{}?Qualifier=1", policy("chat"));
    world.lambda("POST", &version, &input).ok();
    let may = |world: &World, from: &str, function: &str| {
        let arn = function_arn(function);
        world.cloud.may_invoke_for(&source(from), &arn).is_ok()
    };
    assert!(may(&world, "api/prod/$connect", "chat:1"));
    assert!(!may(&world, "api/prod/join", "chat:1"), "another route");
    assert!(!may(&world, "other/prod/$connect", "chat:1"), "another API");
    assert!(
        !may(&world, "api/prod/$connect", "chat"),
        "not of that version"
    );

    let mut anything = permission("anything");
    anything["SourceAccount"] = json!("999999999999");
    world.lambda("POST", &policy("chat"), &anything).ok();
    assert!(!may(&world, "api/prod/join", "chat"), "another account");
    let mut s3 = permission("s3");
    s3["Principal"] = json!("s3.amazonaws.com");
    world.lambda("POST", &policy("chat"), &s3).ok();
    assert!(!may(&world, "api/prod/join", "chat"), "another service");
    world
        .lambda("POST", &policy("chat"), &permission("all"))
        .ok();
    assert!(may(&world, "api/prod/join", "chat"));

    world
        .lambda("DELETE", &format!("{FUNCTIONS}/chat"), &NOTHING)
        .ok();
    world.new_function("chat");
    assert!(
        !may(&world, "api/prod/join", "chat"),
        "a new function has no policy"
    );
}
