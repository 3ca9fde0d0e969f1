//! Disk, traces and log formats of functions: kept, shown, checked, and merged by
//! updates as Lambda does.

use serde_json::{Value, json};

use crate::common::{FUNCTIONS, World, function_input};

/// Lets the functions' role send traces.
fn permit_traces(world: &mut World) {
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "xray:*", "Resource": "*"
    }]});
    let put = [
        ("RoleName", "function"),
        ("PolicyName", "traces"),
        ("PolicyDocument", &policy.to_string()),
    ];
    assert_eq!(world.iam("PutRolePolicy", &put).status, 200);
}

fn update(world: &mut World, change: Value) -> crate::common::Answer {
    world.lambda("PUT", &format!("{FUNCTIONS}/chat/configuration"), &change)
}

fn shown(configuration: &Value) -> Value {
    json!([
        configuration["EphemeralStorage"]["Size"],
        configuration["TracingConfig"]["Mode"],
        configuration["LoggingConfig"],
    ])
}

#[test]
fn a_function_keeps_what_it_was_made_with_and_an_update_leaves_alone_what_it_does_not_name() {
    let mut world = World::new();
    world.new_function("other");
    permit_traces(&mut world);
    let mut input = function_input("chat");
    input["EphemeralStorage"] = json!({ "Size": 1024 });
    input["TracingConfig"] = json!({ "Mode": "Active" });
    input["LoggingConfig"] = json!({ "LogFormat": "JSON", "SystemLogLevel": "WARN" });
    let made = world.lambda("POST", FUNCTIONS, &input).ok();
    let logging = json!({
        "ApplicationLogLevel": "INFO",
        "LogFormat": "JSON",
        "LogGroup": "/aws/lambda/chat",
        "SystemLogLevel": "WARN",
    });
    assert_eq!(shown(&made), json!([1024, "Active", logging]));
    let updated = update(&mut world, json!({ "MemorySize": 256 })).ok();
    assert_eq!(shown(&updated), json!([1024, "Active", logging]));
}

#[test]
fn defaults_clear_and_levels_go_with_json() {
    let mut world = World::new();
    world.new_function("chat");
    let json_format = json!({ "LogFormat": "JSON", "ApplicationLogLevel": "DEBUG" });
    update(&mut world, json!({ "LoggingConfig": json_format })).ok();
    let updated = update(
        &mut world,
        json!({
            "EphemeralStorage": { "Size": 512 },
            "TracingConfig": { "Mode": "PassThrough" },
            "LoggingConfig": { "LogFormat": "Text" },
        }),
    )
    .ok();
    let logging = json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/chat" });
    assert_eq!(shown(&updated), json!([512, "PassThrough", logging]));
}

#[test]
fn publishing_after_a_change_makes_another_version() {
    let mut world = World::new();
    world.new_function("chat");
    let publish = |world: &mut World| {
        let path = format!("{FUNCTIONS}/chat/versions");
        world.lambda("POST", &path, &json!({})).ok()["Version"].clone()
    };
    assert_eq!(publish(&mut world), "1");
    update(&mut world, json!({ "EphemeralStorage": { "Size": 513 } })).ok();
    assert_eq!(publish(&mut world), "2");
}

#[test]
fn what_lambda_does_not_know_is_refused() {
    let mut world = World::new();
    world.new_function("chat");
    for (change, code, text) in [
        (
            json!({ "EphemeralStorage": { "Size": 511 } }),
            "ValidationException",
            "Value '511' at 'ephemeralStorage.size' failed",
        ),
        (
            json!({ "TracingConfig": { "Mode": "On" } }),
            "ValidationException",
            "enum value set: [Active, PassThrough]",
        ),
        (
            json!({ "LoggingConfig": { "LogFormat": "json" } }),
            "ValidationException",
            "enum value set: [JSON, Text]",
        ),
        (
            json!({ "LoggingConfig": { "SystemLogLevel": "WARN" } }),
            "InvalidParameterValueException",
            "LogFormat",
        ),
    ] {
        let (status, found, message) = update(&mut world, change).failure();
        assert_eq!((status, found.as_str()), (400, code));
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn tracing_needs_a_role_that_may_send_traces() {
    let mut world = World::new();
    world.new_function("chat");
    let active = json!({ "TracingConfig": { "Mode": "Active" } });
    update(&mut world, active.clone()).is_failure(
        400,
        "InvalidParameterValueException",
        "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
    );
    permit_traces(&mut world);
    update(&mut world, active).ok();
}
