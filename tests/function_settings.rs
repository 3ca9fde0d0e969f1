//! Production settings of functions over the wire: set, read back, changed by
//! hand and restored, cleared; and a real function that reads its secrets.

use deployer_core::desired::Desired;
use deployer_engine::cloud::Artifacts;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::up::{make_plan, up};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use testkit::by_hand::{self, Operation};
use testkit::{Fault, FaultyWriter, Release, World};
use tokio::time::{Instant, sleep};

const PLAIN: Release = Release {
    service: r#"
service = "chat"
keep_releases = 1
[functions.connect]
[functions.room]
[routes]
"$connect" = "connect"
join = "room"
"#,
    code: "first",
};

/// Every setting.
const ALL: Release = Release {
    service: r#"
service = "chat"
keep_releases = 1
[functions.connect]
role_arn = "arn:aws:iam::000000000000:role/theirs"
[functions.room]
secrets = { API_KEY = "ssm:/chat/key", TOKEN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:chat/token-AbCdEf" }
secrets_kms_key = "arn:aws:kms:us-east-1:000000000000:key/k"
permissions_boundary = "arn:aws:iam::000000000000:policy/bounds"
ephemeral_storage_mb = 1024
tracing = "active"
log_format = "json"
application_log_level = "debug"
system_log_level = "warn"
tags = { team = "chat" }
[[functions.room.iam]]
actions = ["dynamodb:GetItem"]
resources = ["arn:aws:dynamodb:us-east-1:000000000000:table/chat"]
[routes]
"$connect" = "connect"
join = "room"
"#,
    code: "first",
};

const ROOM: &str = "/2015-03-31/functions/chat-alpha-room";
const OWN_ROLE: &str = "chat-alpha-us-east-1-function-room";
const BOUNDS: &str = "arn:aws:iam::000000000000:policy/bounds";

async fn lambda(world: &World, method: &str, path: &str, body: Value) -> Value {
    by_hand::succeed(world.port(), Operation::Lambda(method, path), &body).await
}

async fn iam(world: &World, form: &str) -> String {
    let (status, text) = by_hand::call(world.port(), Operation::Iam(form), &Value::Null).await;
    assert_eq!(status, 200, "{form}: {text}");
    text
}

/// A document as part of a form.
fn encoded(document: &Value) -> String {
    let text = document.to_string();
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What isn't the deployer's: a role and a policy that the file refers to.
async fn prepare(world: &World) {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole"
    }]});
    let trust = encoded(&trust);
    iam(
        world,
        &format!("Action=CreateRole&RoleName=theirs&AssumeRolePolicyDocument={trust}"),
    )
    .await;
    let all = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "*", "Resource": "*"
    }]});
    let all = encoded(&all);
    iam(
        world,
        &format!("Action=CreatePolicy&PolicyName=bounds&PolicyDocument={all}"),
    )
    .await;
}

async fn plan_of(world: &World, release: Release) -> String {
    let (desired, _) = world.session.desired(release);
    let planned = make_plan(&world.session.cloud, &desired).await;
    planned.expect("it reads").0.to_string()
}

#[tokio::test]
async fn every_setting_is_set_read_back_and_cleared_when_it_leaves_the_file() {
    let world = World::new().await;
    prepare(&world).await;
    world.converge(ALL, "a first up").await;

    let room = lambda(&world, "GET", ROOM, Value::Null).await;
    let configuration = &room["Configuration"];
    assert_eq!(configuration["EphemeralStorage"]["Size"], 1024);
    assert_eq!(configuration["TracingConfig"]["Mode"], "Active");
    let logging = json!({
        "ApplicationLogLevel": "DEBUG",
        "LogFormat": "JSON",
        "LogGroup": "/aws/lambda/chat-alpha-room",
        "SystemLogLevel": "WARN",
    });
    assert_eq!(configuration["LoggingConfig"], logging);
    let variables = json!({
        "DEPLOYER_SECRET_API_KEY": "arn:aws:ssm:us-east-1:000000000000:parameter/chat/key",
        "DEPLOYER_SECRET_TOKEN":
            "arn:aws:secretsmanager:us-east-1:000000000000:secret:chat/token-AbCdEf",
    });
    assert_eq!(configuration["Environment"]["Variables"], variables);
    assert!(
        configuration["Role"]
            .as_str()
            .expect("an ARN")
            .ends_with(OWN_ROLE)
    );
    assert_eq!(room["Tags"]["team"], "chat");
    assert_eq!(room["Tags"]["deployer:stage"], "alpha");
    let connect = lambda(
        &world,
        "GET",
        "/2015-03-31/functions/chat-alpha-connect",
        Value::Null,
    )
    .await;
    let role = "arn:aws:iam::000000000000:role/theirs";
    assert_eq!(connect["Configuration"]["Role"], role);

    let role = iam(&world, &format!("Action=GetRole&RoleName={OWN_ROLE}")).await;
    assert!(role.contains(BOUNDS), "{role}");
    let policy = format!("Action=GetRolePolicy&RoleName={OWN_ROLE}&PolicyName=deployer");
    let policy = iam(&world, &policy).await;
    for part in [
        "ssm%3AGetParameter",
        "parameter%2Fchat%2Fkey",
        "secretsmanager%3AGetSecretValue",
        "kms%3ADecrypt",
        "xray%3APutTraceSegments",
        "dynamodb%3AGetItem",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }

    world.converge(PLAIN, "settings removed").await;
    let room = lambda(&world, "GET", ROOM, Value::Null).await;
    let configuration = &room["Configuration"];
    assert_eq!(configuration["EphemeralStorage"]["Size"], 512);
    assert_eq!(configuration["TracingConfig"]["Mode"], "PassThrough");
    let logging = json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/chat-alpha-room" });
    assert_eq!(configuration["LoggingConfig"], logging);
    assert_eq!(configuration["Environment"]["Variables"], json!({}));
    assert_eq!(room["Tags"].get("team"), None);
    let form = format!("Action=GetRole&RoleName={OWN_ROLE}");
    let (status, _) = by_hand::call(world.port(), Operation::Iam(&form), &Value::Null).await;
    assert_eq!(status, 404, "no release runs as it any more");

    world.converge(ALL, "settings set again").await;
    let down = world.session.down(PLAIN).await.expect("it reads");
    assert!(
        down.outcome.complete() && down.left.is_empty(),
        "{}",
        down.left
    );
    let roles = iam(&world, "Action=ListRoles").await;
    assert_eq!(
        roles.matches("<RoleName>").count(),
        1,
        "only theirs: {roles}"
    );
    iam(&world, "Action=DeleteRole&RoleName=theirs").await;
    world.empty(PLAIN, "a life").await;
}

#[tokio::test]
async fn what_is_changed_by_hand_is_seen_field_by_field_and_restored() {
    let world = World::new().await;
    prepare(&world).await;
    world.converge(ALL, "a first up").await;
    let configuration = format!("{ROOM}/configuration");
    let tags = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:chat-alpha-room";
    let other_boundary = format!(
        "Action=PutRolePermissionsBoundary&RoleName={OWN_ROLE}&PermissionsBoundary=arn:aws:iam::aws:policy/PowerUserAccess"
    );
    let no_boundary = format!("Action=DeleteRolePermissionsBoundary&RoleName={OWN_ROLE}");
    let document = encoded(&json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "s3:*", "Resource": "*"
    }]}));
    let other_policy = format!(
        "Action=PutRolePolicy&RoleName={OWN_ROLE}&PolicyName=deployer&PolicyDocument={document}"
    );
    let put = Operation::Lambda("PUT", &configuration);
    let untag = format!("{tags}?tagKeys=team");
    let by_hand: [(Operation<'_>, Value, &str); 11] = [
        (
            put,
            json!({ "EphemeralStorage": { "Size": 2048 } }),
            "ephemeral_storage_mb: 2048 → 1024",
        ),
        (
            put,
            json!({ "TracingConfig": { "Mode": "PassThrough" } }),
            "tracing: pass_through → active",
        ),
        (
            put,
            json!({ "LoggingConfig": { "LogFormat": "Text" } }),
            "log_format: text → json",
        ),
        (
            put,
            json!({ "LoggingConfig": { "ApplicationLogLevel": "FATAL" } }),
            "application_log_level: fatal → debug",
        ),
        (
            put,
            json!({ "LoggingConfig": { "SystemLogLevel": "INFO" } }),
            "system_log_level: info → warn",
        ),
        (
            put,
            json!({ "Environment": { "Variables": { "DEPLOYER_SECRET_API_KEY": "hunter2" } } }),
            "secrets.API_KEY: (hidden) → arn:aws:ssm:us-east-1:000000000000:parameter/chat/key",
        ),
        (
            Operation::Lambda("POST", tags),
            json!({ "Tags": { "team": "other", "by-hand": "1" } }),
            "by-hand: 1 → none",
        ),
        (
            Operation::Lambda("DELETE", &untag),
            Value::Null,
            "team: none → chat",
        ),
        (
            Operation::Iam(&other_boundary),
            Value::Null,
            "permissions_boundary: arn:aws:iam::aws:policy/PowerUserAccess → arn:aws:iam::000000000000:policy/bounds",
        ),
        (
            Operation::Iam(&no_boundary),
            Value::Null,
            "permissions_boundary: none → arn:aws:iam::000000000000:policy/bounds",
        ),
        (
            Operation::Iam(&other_policy),
            Value::Null,
            r#""Action":"s3:*","Resource":"*"} → none"#,
        ),
    ];
    for (operation, body, change) in by_hand {
        let (status, text) = by_hand::call(world.port(), operation, &body).await;
        assert!(status < 300, "{operation:?}: {status} {text}");
        let plan = plan_of(&world, ALL).await;
        assert!(plan.contains(change), "{change}: {plan}");
        assert!(!plan.contains("hunter2"), "{plan}");
        world.converge(ALL, change).await;
    }
}

#[tokio::test]
async fn an_up_with_every_setting_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    prepare(&world).await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("{fault:?} write {write}");
            world.converge(PLAIN, &after).await;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let up = world.session.up_with(ALL, &writer).await;
            up.expect("reading works");
            let finished = !writer.reached();
            world.converge(ALL, &after).await;
            if finished {
                break;
            }
            write += 1;
        }
    }
    let down = world.session.down(PLAIN).await.expect("it reads");
    assert!(down.left.is_empty(), "{}", down.left);
}

/// How long reads may lag behind; generous, since it only passes when a test fails.
const SETTLED: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_setting_is_set_on_an_account_as_slow_and_strict_as_aws() {
    let world = World::realistic(3).await;
    prepare(&world).await;
    let up = world.session.up(ALL).await.expect("reading works");
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    let started = Instant::now();
    loop {
        let plan = plan_of(&world, ALL).await;
        if plan.ends_with("nothing to do") {
            break;
        }
        assert!(started.elapsed() < SETTLED, "{plan}");
        sleep(Duration::from_millis(200)).await;
    }
    let down = world.session.down(ALL).await.expect("it reads");
    assert!(
        down.outcome.complete() && down.left.is_empty(),
        "{}",
        down.left
    );
}

/// The fixture, built as functions are: by a cargo invocation of its own.
fn fixture() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let built = Command::new(cargo)
        .args([
            "build",
            "--package",
            "secrets",
            "--example",
            "tells_a_secret",
        ])
        .args(["--locked", "--quiet"])
        .current_dir(workspace.expect("the deployer lies in the workspace"))
        .status()
        .expect("cargo runs");
    assert!(built.success());
    // …/target/debug/deps/function_settings-…
    let test = std::env::current_exe().expect("this test's path");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("a target folder");
    profile.join("examples/tells_a_secret")
}

const WITH_SECRETS: Release = Release {
    service: r#"
service = "chat"
[functions.room]
timeout_seconds = 30
secrets = { API_KEY = "ssm:/chat/key" }
[functions.other]
timeout_seconds = 30
environment = { ANYTHING = "x" }
[routes]
join = "room"
"$default" = "other"
"#,
    code: "fixture",
};

/// The stage with the fixture as the code of all its functions.
fn with_fixture(world: &World) -> (Desired, Artifacts) {
    let binary = std::fs::read(fixture()).expect("the fixture was built");
    let package = deployer_package::package(&binary).expect("a zip");
    let zip: Arc<[u8]> = package.zip;
    let (mut desired, mut artifacts) = world.session.desired(WITH_SECRETS);
    for (key, function) in &mut desired.functions {
        function.code.sha256 = package.sha256.as_str().into();
        artifacts.insert(key.clone(), Arc::clone(&zip));
    }
    (desired, artifacts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_reads_its_secrets_when_it_starts_and_no_others() {
    let world = World::new().await;
    let (desired, artifacts) = with_fixture(&world);
    let interrupt = Interrupt::default();
    let means = world
        .session
        .means(&desired, &artifacts, &world.session.cloud, &interrupt);
    let done = up(&desired, &means).await.expect("up works");
    assert!(done.outcome.complete(), "{:?}", done.outcome.failed);
    assert!(!done.plan.to_string().contains("s3cret"));

    let invoke = format!("{ROOM}/invocations?Qualifier=1");
    let event = json!({ "secret": "API_KEY" });
    // Not there yet: the function says which secret, where, and why.
    let failed = lambda(&world, "POST", &invoke, event.clone()).await;
    let text = failed["errorMessage"]
        .as_str()
        .expect("an error")
        .to_owned();
    let arn = "arn:aws:ssm:us-east-1:000000000000:parameter/chat/key";
    assert!(
        text.starts_with(&format!("secret API_KEY ({arn}): ParameterNotFound")),
        "{text}"
    );
    let ssm = |operation| Operation::Json("ssm", operation);
    let put = json!({ "Name": "/chat/key", "Value": "s3cret", "Type": "SecureString" });
    by_hand::succeed(world.port(), ssm("AmazonSSM.PutParameter"), &put).await;
    let told = lambda(&world, "POST", &invoke, event.clone()).await;
    assert_eq!(
        told,
        json!({ "value": "s3cret", "debug": r#"{"API_KEY": "(hidden)"}"# })
    );
    // Read once for the life of the environment.
    let name = json!({ "Name": "/chat/key" });
    by_hand::succeed(world.port(), ssm("AmazonSSM.DeleteParameter"), &name).await;
    assert_eq!(lambda(&world, "POST", &invoke, event.clone()).await, told);

    // A function that was handed a reference by hand has no permission to it.
    by_hand::succeed(world.port(), ssm("AmazonSSM.PutParameter"), &put).await;
    let other = "/2015-03-31/functions/chat-alpha-other";
    let variables = json!({ "Environment": { "Variables": { "DEPLOYER_SECRET_API_KEY": arn } } });
    lambda(&world, "PUT", &format!("{other}/configuration"), variables).await;
    let refused = lambda(&world, "POST", &format!("{other}/invocations"), event).await;
    let text = refused["errorMessage"].as_str().expect("an error");
    assert!(text.contains("AccessDeniedException"), "{text}");
    world.empty(WITH_SECRETS, "secrets").await;
}
