//! What the data plane asks: functions, permissions, inventory.

use cloud_model::InvokeRefusal;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, FUNCTIONS, GATEWAY_TRUST, LAMBDA_TRUST, World, function_arn, zip_file,
};

fn allow(world: &mut World, role: &str, effect: &str, resource: &str) {
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"lambda:Invoke*","Resource":"{resource}"}}]}}"#
    );
    let parameters = [
        ("RoleName", role),
        ("PolicyName", effect),
        ("PolicyDocument", document.as_str()),
    ];
    assert_eq!(world.iam("PutRolePolicy", &parameters).status, 200);
}

fn reason(world: &World, role: Option<&str>, function: &str) -> String {
    match world.cloud.may_invoke(role, function, world.now) {
        Err(InvokeRefusal::Forbidden {
            function_arn,
            reason,
        }) => {
            assert_eq!(function_arn, function);
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn invoking_needs_a_role_that_trusts_the_gateway_and_allows_exactly_that_function() {
    let mut world = World::new();
    let arn = function_arn("chat:1");
    assert_eq!(
        reason(&world, None, &arn),
        "the integration has no credentials"
    );
    let role = format!("arn:aws:iam::{ACCOUNT}:role/invoke");
    assert_eq!(
        reason(&world, Some(&role), &arn),
        format!("the role {role} does not exist")
    );

    world.new_role("invoke", LAMBDA_TRUST);
    assert_eq!(
        reason(&world, Some(&role), &arn),
        format!("the role {role} does not trust apigateway.amazonaws.com")
    );
    let trust = [("RoleName", "invoke"), ("PolicyDocument", GATEWAY_TRUST)];
    assert_eq!(world.iam("UpdateAssumeRolePolicy", &trust).status, 200);
    assert_eq!(
        reason(&world, Some(&role), &arn),
        format!("the role {role} does not allow lambda:InvokeFunction")
    );

    allow(&mut world, "invoke", "Allow", &function_arn("chat"));
    assert!(
        world
            .cloud
            .may_invoke(Some(&role), &function_arn("chat"), world.now)
            .is_ok()
    );
    assert_eq!(
        reason(&world, Some(&role), &arn),
        format!("the role {role} does not allow lambda:InvokeFunction"),
        "the version is another ARN"
    );
    allow(&mut world, "invoke", "Allow", &function_arn("ch?t:*"));
    assert_eq!(world.cloud.may_invoke(Some(&role), &arn, world.now), Ok(()));
    assert!(
        world
            .cloud
            .role_allows(&role, "lambda:InvokeFunction", &arn, world.now)
    );
    allow(&mut world, "invoke", "Deny", "*");
    assert!(
        !world
            .cloud
            .role_allows(&role, "lambda:InvokeFunction", &arn, world.now)
    );
    assert_eq!(
        reason(&world, Some(&role), &arn),
        format!("the role {role} does not allow lambda:InvokeFunction")
    );
}

#[test]
fn an_attached_managed_policy_grants_nothing() {
    let mut world = World::new();
    let role = world.new_role("admin", GATEWAY_TRUST);
    let parameters = [
        ("RoleName", "admin"),
        ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ];
    assert_eq!(world.iam("AttachRolePolicy", &parameters).status, 200);
    assert!(!world.cloud.role_allows(
        &role,
        "lambda:InvokeFunction",
        &function_arn("chat"),
        world.now
    ));
}

#[test]
fn a_role_of_another_path_or_account_is_another_role() {
    let mut world = World::new();
    world.new_role("invoke", GATEWAY_TRUST);
    allow(&mut world, "invoke", "Allow", "*");
    for other in [
        format!("arn:aws:iam::{ACCOUNT}:role/path/invoke"),
        "arn:aws:iam::999999999999:role/invoke".to_owned(),
    ] {
        assert!(
            !world
                .cloud
                .role_allows(&other, "lambda:InvokeFunction", "arn:x", world.now),
            "{other}"
        );
    }
}

#[test]
fn a_function_is_found_by_name_and_arn_with_its_version() {
    let mut world = World::new();
    world.new_function("chat");
    let update = json!({
        "Environment": { "Variables": { "ROOM": "7" } }, "MemorySize": 256, "Timeout": 9,
        "LoggingConfig": { "LogGroup": "/chat/room" }
    });
    world
        .lambda("PUT", &format!("{FUNCTIONS}/chat/configuration"), &update)
        .ok();
    world
        .lambda("POST", &format!("{FUNCTIONS}/chat/versions"), &json!({}))
        .ok();
    world
        .lambda(
            "PUT",
            "/2017-10-31/functions/chat/concurrency",
            &json!({ "ReservedConcurrentExecutions": 3 }),
        )
        .ok();

    let latest = world.cloud.function_version("chat", world.now).unwrap();
    assert_eq!(
        (latest.function_name.as_str(), latest.version.as_str()),
        ("chat", "$LATEST")
    );
    assert_eq!(latest.invoked_arn, function_arn("chat"));
    assert_eq!(
        latest.environment.get("ROOM").map(String::as_str),
        Some("7")
    );
    assert_eq!(
        (
            latest.memory_mb,
            latest.timeout_seconds,
            latest.reserved_concurrency
        ),
        (256, 9, Some(3))
    );
    assert_eq!(latest.log_group, "/chat/room");
    assert_eq!(
        latest.role_arn,
        format!("arn:aws:iam::{ACCOUNT}:role/function")
    );

    let one = world
        .cloud
        .function_version(&function_arn("chat:1"), world.now)
        .unwrap();
    assert_eq!(
        (one.version.as_str(), one.invoked_arn),
        ("1", function_arn("chat:1"))
    );
    assert_eq!(one.code_sha256, latest.code_sha256);
    assert_eq!(one.zip, latest.zip);
    assert_eq!(
        world
            .cloud
            .function_version("chat:1", world.now)
            .unwrap()
            .invoked_arn,
        function_arn("chat:1")
    );
    for missing in ["chat:2", "other", "chat:alias"] {
        assert_eq!(
            world.cloud.function_version(missing, world.now),
            Err(InvokeRefusal::NotFound(function_arn(missing)))
        );
    }
    let nonsense = world.cloud.function_version("a:b:c:d", world.now);
    assert_eq!(nonsense, Err(InvokeRefusal::NotFound("a:b:c:d".to_owned())));
}

#[test]
fn published_versions_do_not_change_with_the_function() {
    let mut world = World::new();
    world.new_function("chat");
    world
        .lambda("POST", &format!("{FUNCTIONS}/chat/versions"), &json!({}))
        .ok();
    let one = world.cloud.function_version("chat:1", world.now).unwrap();
    let latest = world.cloud.function_version("chat", world.now).unwrap();
    world
        .lambda(
            "PUT",
            &format!("{FUNCTIONS}/chat/code"),
            &json!({ "ZipFile": zip_file("two") }),
        )
        .ok();
    world
        .lambda(
            "PUT",
            &format!("{FUNCTIONS}/chat/configuration"),
            &json!({ "MemorySize": 512 }),
        )
        .ok();
    assert_eq!(world.cloud.function_version("chat:1", world.now), Ok(one));
    let newer = world.cloud.function_version("chat", world.now).unwrap();
    assert_ne!(
        (&newer.code_sha256, &newer.revision_id),
        (&latest.code_sha256, &latest.revision_id)
    );
    assert_eq!(newer.memory_mb, 512);
}

#[test]
fn tags_do_not_change_what_runs() {
    let mut world = World::new();
    world.new_function("chat");
    let before = world.cloud.function_version("chat", world.now).unwrap();
    let path = format!("/2017-03-31/tags/{}", function_arn("chat"));
    world
        .lambda("POST", &path, &json!({ "Tags": { "a": "1" } }))
        .ok();
    assert_eq!(world.cloud.function_version("chat", world.now), Ok(before));
}

#[test]
fn a_new_function_is_not_active_and_an_update_serves_the_old_code_until_it_settles() {
    let mut world = World::with_activation(SignedDuration::from_secs(5));
    world.new_function("chat");
    let pending = world.cloud.function_version("chat", world.now);
    assert_eq!(pending, Err(InvokeRefusal::NotActive("Pending".to_owned())));
    world.wait(SignedDuration::from_secs(5));
    let old = world.cloud.function_version("chat", world.now).unwrap();
    world
        .lambda(
            "PUT",
            &format!("{FUNCTIONS}/chat/code"),
            &json!({ "ZipFile": zip_file("two") }),
        )
        .ok();
    world.wait(SignedDuration::from_millis(4_999));
    assert_eq!(
        world.cloud.function_version("chat", world.now),
        Ok(old.clone())
    );
    world.wait(SignedDuration::from_millis(1));
    assert_ne!(
        world
            .cloud
            .function_version("chat", world.now)
            .unwrap()
            .code_sha256,
        old.code_sha256
    );
}

#[test]
fn the_inventory_names_what_is_there() {
    let mut world = World::new();
    assert!(world.cloud.inventory().is_empty());
    let api = world.new_api("chat");
    world.new_function("room");
    world
        .logs(
            "CreateLogGroup",
            &json!({ "logGroupName": "/aws/lambda/room" }),
        )
        .ok();
    let inventory: Value = serde_json::to_value(world.cloud.inventory()).unwrap();
    let expected = json!({
        "apis": { "count": 1, "names": [format!("{api} chat")] },
        "functions": { "count": 1, "names": ["room"] },
        "roles": { "count": 1, "names": ["function"] },
        "log_groups": { "count": 1, "names": ["/aws/lambda/room"] },
        "policies": { "count": 0, "names": [] },
        "parameters": { "count": 0, "names": [] },
        "secrets": { "count": 0, "names": [] },
    });
    assert_eq!(inventory, expected);
    assert!(!world.cloud.inventory().is_empty());
}
