//! Functions on Lambda Managed Instances.

use cloud_model::InvokeRefusal;
use serde_json::{Value, json};

use crate::common::{FUNCTIONS, World, function_arn, function_input};

const PROVIDER: &str = "arn:aws:lambda:eu-central-1:123456789012:capacity-provider:mine";

fn instances(inner: Value) -> Value {
    json!({ "CapacityProviderConfig": { "LambdaManagedInstancesCapacityProviderConfig": inner } })
}

fn update(world: &mut World, inner: Value) -> crate::common::Answer {
    let path = format!("{FUNCTIONS}/chat/configuration");
    world.lambda("PUT", &path, &instances(inner))
}

#[test]
fn a_version_on_managed_instances_has_several_events_at_once() {
    let mut world = World::new();
    world.new_function("other");
    let given = json!({
        "CapacityProviderArn": PROVIDER,
        "PerExecutionEnvironmentMaxConcurrency": 20,
    });
    let mut input = function_input("chat");
    input["CapacityProviderConfig"] = instances(given.clone())["CapacityProviderConfig"].clone();
    let made = world.lambda("POST", FUNCTIONS, &input).ok();
    assert_eq!(
        made["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"],
        given
    );
    let versions = format!("{FUNCTIONS}/chat/versions");
    world.lambda("POST", &versions, &Value::Null).ok();
    update(&mut world, json!({ "CapacityProviderArn": PROVIDER })).ok();
    world.lambda("POST", &versions, &Value::Null).ok();
    let events = |version: &str| {
        let found = world.cloud.function_version(version, world.now).unwrap();
        found.max_concurrency
    };
    assert_eq!(events("chat:1"), Some(20));
    assert_eq!(events("chat:2"), Some(8), "unless it says");
    assert_eq!(
        world.cloud.function_version("chat", world.now),
        Err(InvokeRefusal::NotPublished(function_arn("chat")))
    );
    let elsewhere = world.cloud.function_version("other", world.now).unwrap();
    assert_eq!(elsewhere.max_concurrency, None);
}

#[test]
fn what_managed_instances_cannot_be_is_refused() {
    let mut world = World::new();
    world.new_function("chat");
    let refused = [
        (json!({}), "ValidationException"),
        (
            json!({ "CapacityProviderArn": "mine" }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "CapacityProviderArn": PROVIDER, "PerExecutionEnvironmentMaxConcurrency": 1601 }),
            "ValidationException",
        ),
        (
            json!({ "CapacityProviderArn": PROVIDER, "ExecutionEnvironmentMemoryGiBPerVCpu": 4.0 }),
            "InvalidParameterValueException",
        ),
    ];
    for (inner, code) in refused {
        let (status, error, text) = update(&mut world, inner).failure();
        assert_eq!((status, error.as_str()), (400, code), "{text}");
    }
    let path = format!("{FUNCTIONS}/chat/configuration");
    let shown = world.lambda("GET", &path, &Value::Null).ok();
    assert_eq!(shown.get("CapacityProviderConfig"), None);
}
