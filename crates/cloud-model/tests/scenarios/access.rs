//! IAM where it is enforced: what each call needs, and AWS's words for what is lacking.

use cloud_model::Caller;
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, Answer, LAMBDA_TRUST, REGION, World, function_input, integration_uri,
};

fn caller() -> Caller {
    Caller {
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci"),
        session_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/run"),
    }
}

/// A world in which the role `ci` has these statements, and all others ask as it.
fn enforcing(statements: &Value) -> World {
    let mut world = World::enforcing_iam();
    world.new_role("ci", LAMBDA_TRUST);
    world.new_role("function", LAMBDA_TRUST);
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let put = [
        ("RoleName", "ci"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    assert_eq!(world.iam("PutRolePolicy", &put).status, 200);
    world.caller = Some(caller());
    world
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

#[track_caller]
fn is_denied(answer: &Answer, status: u16, code: &str, what: &str) {
    let who = caller().session_arn;
    let text = format!("User: {who} is not authorized to perform: {what}");
    answer.is_failure(status, code, &text);
}

#[test]
fn each_protocol_refuses_in_its_own_shape_what_nothing_allows() {
    let mut world = enforcing(&json!([allow("sts:*", "*")]));
    let why = |action: &str| format!("because no identity-based policy allows the {action} action");
    let apis = format!("arn:aws:apigateway:{REGION}::/apis");
    let made = world.gateway("POST", "/v2/apis", &json!({ "name": "x" }));
    let what = format!(
        "apigateway:POST on resource: {apis} {}",
        why("apigateway:POST")
    );
    is_denied(&made, 403, "AccessDeniedException", &what);
    let listed = world.lambda("GET", "/2015-03-31/functions", &Value::Null);
    let what = format!(
        "lambda:ListFunctions on resource: * {}",
        why("lambda:ListFunctions")
    );
    is_denied(&listed, 403, "AccessDeniedException", &what);
    let role = world.iam("GetRole", &[("RoleName", "ci")]);
    let arn = caller().role_arn;
    let what = format!("iam:GetRole on resource: {arn} {}", why("iam:GetRole"));
    is_denied(&role, 403, "AccessDenied", &what);
    let groups = world.logs("DescribeLogGroups", &json!({}));
    let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group::log-stream:");
    let what = format!(
        "logs:DescribeLogGroups on resource: {arn} {}",
        why("logs:DescribeLogGroups")
    );
    is_denied(&groups, 400, "AccessDeniedException", &what);
}

#[test]
fn a_denial_and_a_boundary_are_told_apart_from_what_nobody_allows() {
    let statements = json!([
        allow("lambda:*", "*"),
        { "Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": "*" },
    ]);
    let mut world = enforcing(&statements);
    let path = "/2015-03-31/functions/chat";
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:chat");
    let deleted = world.lambda("DELETE", path, &Value::Null);
    let what = format!(
        "lambda:DeleteFunction on resource: {arn} with an explicit deny in an identity-based policy"
    );
    is_denied(&deleted, 403, "AccessDeniedException", &what);
    assert_eq!(
        world.lambda("GET", path, &Value::Null).status,
        404,
        "this it may"
    );

    world.caller = None;
    let bounds = json!({ "Version": "2012-10-17", "Statement": [allow("apigateway:*", "*")] });
    let bounds = bounds.to_string();
    let policy = [
        ("PolicyName", "bounds"),
        ("PolicyDocument", bounds.as_str()),
    ];
    assert_eq!(world.iam("CreatePolicy", &policy).status, 200);
    let boundary = format!("arn:aws:iam::{ACCOUNT}:policy/bounds");
    let put = [
        ("RoleName", "ci"),
        ("PermissionsBoundary", boundary.as_str()),
    ];
    assert_eq!(world.iam("PutRolePermissionsBoundary", &put).status, 200);
    world.caller = Some(caller());
    let what = format!(
        "lambda:GetFunction on resource: {arn} because no permissions boundary allows the lambda:GetFunction action"
    );
    is_denied(
        &world.lambda("GET", path, &Value::Null),
        403,
        "AccessDeniedException",
        &what,
    );
}

#[test]
fn who_makes_a_function_must_be_allowed_to_pass_its_role_to_lambda() {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/function");
    let pass = |service: &str| {
        json!({
            "Effect": "Allow", "Action": "iam:PassRole", "Resource": arn,
            "Condition": { "StringEquals": { "iam:PassedToService": service } },
        })
    };
    let create =
        |world: &mut World| world.lambda("POST", "/2015-03-31/functions", &function_input("chat"));
    let functions = allow("lambda:CreateFunction", "*");
    let mut world = enforcing(&json!([functions, pass("ec2.amazonaws.com")]));
    let what = format!(
        "iam:PassRole on resource: {arn} because no identity-based policy allows the iam:PassRole action"
    );
    is_denied(&create(&mut world), 403, "AccessDeniedException", &what);
    let mut world = enforcing(&json!([functions, pass("lambda.amazonaws.com")]));
    assert_eq!(create(&mut world).status, 201);
}

#[test]
fn tags_at_creation_and_roles_of_integrations_need_permissions_of_their_own() {
    let mut world = enforcing(&json!([allow(
        "apigateway:*",
        &format!("arn:aws:apigateway:{REGION}::/apis*")
    )]));
    let mut api = json!({
        "name": "chat", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action",
    });
    let made = world.gateway("POST", "/v2/apis", &api).ok();
    api["tags"] = json!({ "a": "b" });
    let (_, code, text) = world.gateway("POST", "/v2/apis", &api).failure();
    assert_eq!(code, "AccessDeniedException");
    assert!(
        text.contains("apigateway:POST on resource: arn:aws:apigateway:eu-central-1::/tags/*"),
        "{text}"
    );
    let integration = json!({
        "integrationType": "AWS_PROXY", "integrationUri": integration_uri("chat"),
        "credentialsArn": format!("arn:aws:iam::{ACCOUNT}:role/invoke"),
    });
    let path = format!("/v2/apis/{}/integrations", made["apiId"].as_str().unwrap());
    let (_, _, text) = world.gateway("POST", &path, &integration).failure();
    assert!(
        text.contains("iam:PassRole on resource: arn:aws:iam::123456789012:role/invoke"),
        "{text}"
    );
}

#[test]
fn a_role_is_assumed_by_whom_it_trusts_for_as_long_as_it_lets() {
    let mut world = World::enforcing_iam();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let arn = world.new_role("ci", &trust);
    let other = world.new_role("other", LAMBDA_TRUST);
    let mut assume = |arn: &str, seconds: &str| {
        let parameters = [
            ("RoleArn", arn),
            ("RoleSessionName", "run"),
            ("DurationSeconds", seconds),
        ];
        world.query("sts", "AssumeRole", &parameters)
    };
    let refused = assume(&other, "900");
    let text = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/local is not authorized to perform: sts:AssumeRole on resource: {other}"
    );
    refused.is_failure(403, "AccessDenied", &text);
    let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assume(&arn, "7200").is_failure(400, "ValidationError", text);
    let assumed = assume(&arn, "900");
    assert_eq!(assumed.status, 200, "{assumed:?}");
    let key = crate::common::element(&assumed.text, "AccessKeyId");
    let session = world.cloud.session(&key, world.now).unwrap();
    assert_eq!(session.caller, caller());
    world.wait(jiff::SignedDuration::from_secs(900));
    assert_eq!(world.cloud.session(&key, world.now), None, "it has ended");
}

#[test]
fn who_may_get_a_function_but_not_list_its_tags_is_told_so_in_their_place() {
    let statements = |last: &Value| {
        let others = [
            "lambda:CreateFunction",
            "lambda:TagResource",
            "lambda:GetFunction",
            "iam:PassRole",
        ];
        let mut all: Vec<Value> = others.iter().map(|action| allow(action, "*")).collect();
        all.push(last.clone());
        json!(all)
    };
    let got = |last: &Value| {
        let mut world = enforcing(&statements(last));
        let mut input = function_input("chat");
        input["Tags"] = json!({ "team": "chat" });
        let made = world.lambda("POST", "/2015-03-31/functions", &input);
        assert_eq!(made.status, 201, "{made:?}");
        let got = world.lambda("GET", "/2015-03-31/functions/chat", &Value::Null);
        assert_eq!(got.status, 200, "{got:?}");
        got.json()
    };
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:chat");
    let with = got(&allow("lambda:ListTags", &arn));
    assert_eq!(with["Tags"]["team"], "chat");
    assert_eq!(with["TagsError"], Value::Null);
    let without = got(&allow("sts:AssumeRole", "*"));
    assert_eq!(without["Tags"], Value::Null);
    assert_eq!(without["TagsError"]["ErrorCode"], "AccessDeniedException");
    let message = without["TagsError"]["Message"].as_str().expect("a text");
    let what = format!("is not authorized to perform: lambda:ListTags on resource: {arn}");
    assert!(message.contains(&what), "{message}");
}
