//! The protocols themselves: signatures, unknown operations, request ids, types.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use crate::common::{ACCOUNT, World, element};

fn unsigned(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn unsigned_requests_are_refused_in_their_protocol() {
    let mut world = World::new();
    let rest = world.send(&unsigned("GET", "/v2/apis", &[], ""));
    rest.is_failure(
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );

    let form = [("content-type", "application/x-www-form-urlencoded")];
    let query = world.send(&unsigned("POST", "/", &form, "Action=ListRoles"));
    query.is_failure(
        403,
        "MissingAuthenticationToken",
        "Missing Authentication Token",
    );
    assert_eq!(element(&query.text, "RequestId"), query.request_id);

    let target = [("x-amz-target", "Logs_20140328.DescribeLogGroups")];
    let json = world.send(&unsigned("POST", "/", &target, "{}"));
    json.is_failure(
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    );
}

#[test]
fn what_is_not_served_is_named() {
    let mut world = World::new();
    let code = "UnknownOperationException";
    world
        .gateway("POST", "/v2/vpclinks", &json!({}))
        .is_failure(
            501,
            code,
            "The local cloud does not serve POST /v2/vpclinks yet",
        );
    world
        .lambda("POST", "/2015-03-31/functions/chat/url", &json!({}))
        .is_failure(
            501,
            code,
            "The local cloud does not serve POST /2015-03-31/functions/chat/url yet",
        );
    world.iam("CreateUser", &[]).is_failure(
        501,
        code,
        "The local cloud does not serve IAM's CreateUser yet",
    );
    world.query("sts", "GetSessionToken", &[]).is_failure(
        501,
        code,
        "The local cloud does not serve STS's GetSessionToken yet",
    );
    world.logs("PutMetricFilter", &json!({})).is_failure(
        501,
        code,
        "The local cloud does not serve CloudWatch Logs' PutMetricFilter yet",
    );
    world.rest("s3", "GET", "/bucket", &json!({})).is_failure(
        501,
        code,
        "The local cloud does not serve the service s3 yet",
    );
}

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let mut world = World::new();
    let mut seen = Vec::new();
    seen.push(world.gateway("GET", "/v2/apis", &json!(null)).request_id);
    seen.push(
        world
            .gateway("GET", "/v2/apis/none", &json!(null))
            .request_id,
    );
    seen.push(world.logs("DescribeLogGroups", &json!({})).request_id);
    let roles = world.iam("ListRoles", &[]);
    assert_eq!(element(&roles.text, "RequestId"), roles.request_id);
    seen.push(roles.request_id);
    for id in &seen {
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_member_of_another_type_is_a_serialization_exception() {
    let mut world = World::new();
    let text = "NUMBER_VALUE can not be converted to a String: name";
    world
        .gateway("POST", "/v2/apis", &json!({ "name": 1 }))
        .is_failure(400, "SerializationException", text);
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": [] }))
        .is_failure(
            400,
            "SerializationException",
            "START_ARRAY can not be converted to a String: logGroupName",
        );
    let text = "STRING_VALUE can not be converted to an Integer: Timeout";
    world
        .lambda("POST", "/2015-03-31/functions", &json!({ "FunctionName": "f", "Role": "r", "Timeout": "3" }))
        .is_failure(400, "ValidationException", "1 validation error detected: Value 'r' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
    world
        .lambda(
            "POST",
            "/2015-03-31/functions",
            &json!({ "FunctionName": "f", "Role": role, "Timeout": "3" }),
        )
        .is_failure(400, "SerializationException", text);
}

#[test]
fn unknown_members_are_ignored() {
    let mut world = World::new();
    let made = world.logs(
        "CreateLogGroup",
        &json!({ "logGroupName": "g", "notYetInvented": { "a": 1 } }),
    );
    assert_eq!(made.status, 200);
}

#[test]
fn any_signed_caller_is_the_local_user() {
    let mut world = World::new();
    let answer = world.query("sts", "GetCallerIdentity", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(element(&answer.text, "Account"), ACCOUNT);
    assert_eq!(
        element(&answer.text, "Arn"),
        format!("arn:aws:iam::{ACCOUNT}:user/local")
    );
    assert!(answer.text.starts_with(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
    ));
}
