//! Lambda: what is refused, and how.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, FUNCTIONS, GATEWAY_TRUST, LAMBDA_TRUST, World, function_arn, function_input, zip_file,
};

const NOTHING: Value = Value::Null;
const INVALID: &str = "InvalidParameterValueException";
const VALIDATION: &str = "ValidationException";

/// A world with the role that functions assume.
fn world() -> World {
    let mut world = World::new();
    world.new_role("function", LAMBDA_TRUST);
    world
}

#[track_caller]
fn refused(world: &mut World, changes: Value, code: &str, message: &str) {
    let mut input = function_input("chat");
    for (key, value) in changes.as_object().unwrap() {
        input[key] = value.clone();
    }
    world
        .lambda("POST", FUNCTIONS, &input)
        .is_failure(400, code, message);
    assert_eq!(world.cloud.inventory().functions.count, 0);
}

fn constraint(value: &str, member: &str, rule: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    )
}

#[test]
fn the_role_must_exist_and_trust_lambda() {
    let mut world = World::new();
    let text = "The role defined for the function cannot be assumed by Lambda.";
    refused(&mut world, json!({}), INVALID, text);
    world.new_role("function", GATEWAY_TRUST);
    refused(&mut world, json!({}), INVALID, text);
    let trust = [("RoleName", "function"), ("PolicyDocument", LAMBDA_TRUST)];
    world.iam("UpdateAssumeRolePolicy", &trust);
    assert_eq!(
        world
            .lambda("POST", FUNCTIONS, &function_input("chat"))
            .status,
        201
    );
    let other = json!({ "Role": format!("arn:aws:iam::{ACCOUNT}:role/none") });
    world
        .lambda("PUT", &format!("{FUNCTIONS}/chat/configuration"), &other)
        .is_failure(400, INVALID, text);
}

#[test]
fn a_function_is_created_once() {
    let mut world = world();
    world
        .lambda("POST", FUNCTIONS, &function_input("chat"))
        .ok();
    world
        .lambda("POST", FUNCTIONS, &function_input("chat"))
        .is_failure(
            409,
            "ResourceConflictException",
            "Function already exist: chat",
        );
}

#[test]
fn values_outside_their_range_are_named() {
    let mut world = world();
    let world = &mut world;
    refused(
        world,
        json!({ "Timeout": 901 }),
        VALIDATION,
        &constraint(
            "901",
            "timeout",
            "Member must have value less than or equal to 900",
        ),
    );
    refused(
        world,
        json!({ "Timeout": 0 }),
        VALIDATION,
        &constraint(
            "0",
            "timeout",
            "Member must have value greater than or equal to 1",
        ),
    );
    refused(
        world,
        json!({ "MemorySize": 127 }),
        VALIDATION,
        &constraint(
            "127",
            "memorySize",
            "Member must have value greater than or equal to 128",
        ),
    );
    refused(
        world,
        json!({ "MemorySize": 10241 }),
        VALIDATION,
        &constraint(
            "10241",
            "memorySize",
            "Member must have value less than or equal to 10240",
        ),
    );
    let long = "d".repeat(257);
    refused(
        world,
        json!({ "Description": long }),
        VALIDATION,
        &constraint(
            &long,
            "description",
            "Member must have length less than or equal to 256",
        ),
    );
    refused(
        world,
        json!({ "Architectures": ["x86_64", "arm64"] }),
        VALIDATION,
        &constraint(
            "[x86_64, arm64]",
            "architectures",
            "Member must have length less than or equal to 1",
        ),
    );
    refused(
        world,
        json!({ "Architectures": ["X86_64"] }),
        VALIDATION,
        &constraint(
            "[X86_64]",
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        ),
    );
    let name = "a".repeat(65);
    refused(
        world,
        json!({ "FunctionName": name }),
        INVALID,
        &constraint(
            &name,
            "functionName",
            "Member must have length less than or equal to 64",
        ),
    );
    refused(
        world,
        json!({ "Role": "r1" }),
        VALIDATION,
        &constraint(
            "r1",
            "role",
            r"Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        ),
    );
}

#[test]
fn what_is_mandatory_is_asked_for() {
    let mut world = world();
    let text = "Runtime and Handler are mandatory parameters for functions created with deployment packages.";
    refused(&mut world, json!({ "Runtime": null }), INVALID, text);
    refused(&mut world, json!({ "Handler": null }), INVALID, text);
    refused(
        &mut world,
        json!({ "Code": {} }),
        INVALID,
        "Please provide a source for function code.",
    );
    let null = |member: &str| {
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        )
    };
    refused(
        &mut world,
        json!({ "Code": null }),
        VALIDATION,
        &null("code"),
    );
    refused(
        &mut world,
        json!({ "Role": null }),
        VALIDATION,
        &null("role"),
    );
    refused(
        &mut world,
        json!({ "FunctionName": null }),
        VALIDATION,
        &null("functionName"),
    );
}

#[test]
fn options_that_would_not_be_honoured_are_refused() {
    let mut world = world();
    for (option, value, named) in [
        (
            "Runtime",
            json!("python3.13"),
            "the runtime python3.13; use provided.al2023",
        ),
        ("PackageType", json!("Image"), "PackageType Image"),
        (
            "Code",
            json!({ "S3Bucket": "b", "S3Key": "k" }),
            "code from S3Bucket; send it as ZipFile",
        ),
        (
            "Code",
            json!({ "ImageUri": "i" }),
            "code from ImageUri; send it as ZipFile",
        ),
        ("Layers", json!(["arn:x"]), "Layers"),
        (
            "VpcConfig",
            json!({ "SubnetIds": ["s"] }),
            "VpcConfig.SubnetIds",
        ),
        (
            "FileSystemConfigs",
            json!([{ "Arn": "x" }]),
            "FileSystemConfigs",
        ),
        (
            "DeadLetterConfig",
            json!({ "TargetArn": "x" }),
            "DeadLetterConfig.TargetArn",
        ),
        ("KMSKeyArn", json!("arn:x"), "KMSKeyArn"),
        (
            "SnapStart",
            json!({ "ApplyOn": "PublishedVersions" }),
            "SnapStart.ApplyOn PublishedVersions",
        ),
    ] {
        let text = format!("The local cloud does not support {named} yet");
        refused(&mut world, json!({ option: value }), INVALID, &text);
    }
    let (_, code, text) = {
        let mut input = function_input("chat");
        input["Runtime"] = json!("cobol");
        world.lambda("POST", FUNCTIONS, &input).failure()
    };
    assert_eq!(code, INVALID);
    assert!(text.starts_with("Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [provided.al2023, "), "{text}");
    assert!(text.ends_with("] or be a valid ARN"), "{text}");

    let mut input = function_input("chat");
    for (option, value) in [
        (
            "VpcConfig",
            json!({ "SubnetIds": [], "SecurityGroupIds": [] }),
        ),
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("EphemeralStorage", json!({ "Size": 512 })),
        ("SnapStart", json!({ "ApplyOn": "None" })),
        ("Layers", json!([])),
    ] {
        input[option] = value;
    }
    assert_eq!(
        world.lambda("POST", FUNCTIONS, &input).status,
        201,
        "what equals the default is accepted"
    );
}

#[test]
fn code_that_is_no_zip_is_refused() {
    let mut world = world();
    let text = "Could not unzip uploaded file. Please check your file, then try to upload again.";
    refused(
        &mut world,
        json!({ "Code": { "ZipFile": STANDARD.encode("no zip") } }),
        INVALID,
        text,
    );
    refused(
        &mut world,
        json!({ "Code": { "ZipFile": "%" } }),
        "SerializationException",
        "ZipFile is not valid base64",
    );
}

#[test]
fn large_code_has_errors_of_its_own() {
    let mut world = world();
    let mut input = function_input("chat");
    input["Code"]["ZipFile"] = json!(STANDARD.encode(vec![0; 52_428_801]));
    world.lambda("POST", FUNCTIONS, &input).is_failure(
        413,
        "RequestEntityTooLargeException",
        "Zipped size must be smaller than 52428800 bytes",
    );
    input["Code"]["ZipFile"] = json!("A".repeat(70_167_211));
    world.lambda("POST", FUNCTIONS, &input).is_failure(
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    );
}

#[test]
fn environment_errors_reach_the_client() {
    let mut world = world();
    let variables =
        |name: &str, value: &str| json!({ "Environment": { "Variables": { name: value } } });
    refused(
        &mut world,
        variables("AWS_REGION", "x"),
        INVALID,
        "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION",
    );
    let value = "x".repeat(4_096);
    refused(
        &mut world,
        variables("VALUE", &value),
        INVALID,
        &format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {{\"VALUE\":\"{value}\"}}"
        ),
    );
}

#[test]
fn a_function_that_is_not_there_is_not_found() {
    let mut world = World::new();
    let unknown = format!("Function not found: {}", function_arn("chat"));
    let code = "ResourceNotFoundException";
    for (method, part, body) in [
        ("GET", "", NOTHING),
        ("DELETE", "", NOTHING),
        ("GET", "/configuration", NOTHING),
        ("GET", "/versions", NOTHING),
        ("PUT", "/configuration", json!({})),
        ("PUT", "/code", json!({ "ZipFile": zip_file("x") })),
        ("POST", "/versions", json!({})),
    ] {
        let answer = world.lambda(method, &format!("{FUNCTIONS}/chat{part}"), &body);
        answer.is_failure(404, code, &unknown);
        assert_eq!(
            answer.json(),
            json!({ "Type": "User", "Message": unknown }),
            "recorded: with a capital"
        );
    }
    world
        .lambda(
            "PUT",
            "/2017-10-31/functions/chat/concurrency",
            &json!({ "ReservedConcurrentExecutions": 1 }),
        )
        .is_failure(404, code, &format!("{unknown}:$LATEST"));
    world.new_function("chat");
    world
        .lambda("GET", &format!("{FUNCTIONS}/chat?Qualifier=1221"), &NOTHING)
        .is_failure(404, code, &format!("{unknown}:1221"));
}

#[test]
fn qualifiers_stand_where_they_make_sense() {
    let mut world = World::new();
    world.new_function("chat");
    world
        .lambda(
            "DELETE",
            &format!("{FUNCTIONS}/chat?Qualifier=$LATEST"),
            &NOTHING,
        )
        .is_failure(
            400,
            INVALID,
            "$LATEST version cannot be deleted without deleting the function.",
        );
    world
        .lambda("GET", &format!("{FUNCTIONS}/chat:1?Qualifier=2"), &NOTHING)
        .is_failure(
            400,
            INVALID,
            "The derived qualifier from the function name does not match the specified qualifier.",
        );
    let path = format!(
        "/2017-10-31/functions/{}/concurrency",
        function_arn("chat:1")
    );
    world.lambda("PUT", &path, &json!({ "ReservedConcurrentExecutions": 1 })).is_failure(
        400,
        INVALID,
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
    );
    world
        .lambda(
            "GET",
            &format!("{FUNCTIONS}?FunctionVersion=invalid"),
            &NOTHING,
        )
        .is_failure(
            400,
            VALIDATION,
            &constraint(
                "invalid",
                "functionVersion",
                "Member must satisfy enum value set: [ALL]",
            ),
        );
    world
        .lambda("GET", &format!("{FUNCTIONS}?Marker=x"), &NOTHING)
        .is_failure(400, INVALID, "Invalid Marker");
}

#[test]
fn tags_have_lambdas_own_errors() {
    let mut world = World::new();
    world.new_function("chat");
    let path = format!("/2017-03-31/tags/{}", function_arn("chat"));
    let many: BTreeMap<String, &str> = (0..51).map(|n| (n.to_string(), "")).collect();
    world
        .lambda("POST", &path, &json!({ "Tags": many }))
        .is_failure(400, INVALID, "Number of tags exceeds resource tag limit.");
    world
        .lambda("POST", &path, &json!({ "Tags": {} }))
        .is_failure(
            400,
            INVALID,
            "An error occurred and the request cannot be processed.",
        );
    let null = "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null";
    world
        .lambda("DELETE", &path, &NOTHING)
        .is_failure(400, VALIDATION, null);
    let text =
        "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    world
        .lambda(
            "POST",
            &format!("{path}:1"),
            &json!({ "Tags": { "a": "" } }),
        )
        .is_failure(400, INVALID, text);
    let (status, code, text) = world
        .lambda("GET", "/2017-03-31/tags/arn:aws:something", &NOTHING)
        .failure();
    assert_eq!((status, code.as_str()), (400, VALIDATION));
    assert!(text.starts_with("1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:"), "{text}");
}
