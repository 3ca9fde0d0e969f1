//! What AWS's models forbid is refused before anything is done.

use serde_json::{Value, json};

use crate::common::{Answer, LAMBDA_TRUST, World};

const ROLE: &str = "arn:aws:iam::123456789012:role/somebody";

fn secrets(world: &mut World, operation: &str, body: &Value) -> Answer {
    let target = format!("secretsmanager.{operation}");
    world.json11("secretsmanager", &target, body, None)
}

#[test]
fn members_that_break_their_models_rule_are_refused_in_their_services_words() {
    let mut world = World::new();
    let description = [
        ("PolicyName", "p"),
        ("PolicyDocument", "{}"),
        ("Description", "\u{2603}"),
    ];
    world.iam("CreatePolicy", &description).is_failure(
        400,
        "ValidationError",
        "1 validation error detected: Value '\u{2603}' at 'description' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
    );
    let class = world.logs("DescribeLogGroups", &json!({ "logGroupClass": "BIG" }));
    class.is_failure(
        400,
        "InvalidParameterException",
        "1 validation error detected: Value 'BIG' at 'logGroupClass' failed to satisfy constraint: \
         Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]",
    );
    let times = json!({ "logGroupName": "g", "startTime": -1 });
    let (status, code, text) = world.logs("FilterLogEvents", &times).failure();
    assert_eq!((status, code.as_str()), (400, "InvalidParameterException"));
    assert!(text.ends_with("greater than or equal to 0"), "{text}");
    let token = json!({ "Name": "n", "SecretString": "s", "ClientRequestToken": "short" });
    let refused = secrets(&mut world, "CreateSecret", &token);
    assert_eq!(refused.failure().1, "ValidationException");
    // Nothing was made.
    let id = json!({ "SecretId": "n" });
    let absent = secrets(&mut world, "GetSecretValue", &id);
    assert_eq!(absent.failure().1, "ResourceNotFoundException");
}

#[test]
fn a_session_is_not_given_where_what_would_narrow_it_is_not_honoured() {
    let mut world = World::new();
    let given = [("RoleArn", ROLE), ("RoleSessionName", "me")];
    for member in ["Policy", "PolicyArns.member.1.arn", "Tags.member.1.Key"] {
        let parameters = [&given[..], &[(member, "x")]].concat();
        let (status, code, text) = world.query("sts", "AssumeRole", &parameters).failure();
        assert_eq!((status, code.as_str()), (400, "ValidationError"));
        assert!(text.contains(member), "{text}");
    }
}

#[test]
fn tags_of_roles_need_a_key_a_value_and_legal_characters() {
    let mut world = World::new();
    world.new_role("r", LAMBDA_TRUST);
    for tags in [
        &[][..],
        &[("Tags.member.1.Value", "v")],
        &[("Tags.member.1.Key", "k")],
        &[("Tags.member.1.Key", "k!"), ("Tags.member.1.Value", "v")],
    ] {
        let parameters = [&[("RoleName", "r")], tags].concat();
        let refused = world.iam("TagRole", &parameters);
        assert_eq!(refused.failure().1, "ValidationError", "{tags:?}");
    }
    let keyless = world.iam("UntagRole", &[("RoleName", "r")]);
    assert_eq!(keyless.failure().1, "ValidationError");
    let listed = world.iam("ListRoleTags", &[("RoleName", "r")]);
    assert!(!listed.text.contains("<Key>"), "{}", listed.text);
}

#[test]
fn nothing_is_created_with_an_empty_text_where_there_must_be_one() {
    let mut world = World::new();
    let api = world.new_api("chat");
    let routes = format!("/v2/apis/{api}/routes");
    let refused = |answer: Answer| assert_eq!(answer.failure().0, 400);
    refused(world.gateway("POST", &routes, &json!({ "routeKey": "a", "target": "" })));
    let listed = world.gateway("GET", &routes, &Value::Null).ok();
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn a_secret_that_lies_in_wait_may_be_deleted_at_once_after_all() {
    let mut world = World::new();
    let mut call = |operation: &str, body: Value| {
        let answer = secrets(&mut world, operation, &body);
        answer.status
    };
    assert_eq!(
        call("CreateSecret", json!({ "Name": "n", "SecretString": "s" })),
        200
    );
    assert_eq!(call("DeleteSecret", json!({ "SecretId": "n" })), 200);
    assert_eq!(call("DeleteSecret", json!({ "SecretId": "n" })), 400);
    let at_once = json!({ "SecretId": "n", "ForceDeleteWithoutRecovery": true });
    assert_eq!(call("DeleteSecret", at_once), 200);
    assert_eq!(
        call("CreateSecret", json!({ "Name": "n", "SecretString": "s" })),
        200
    );
}
