//! Accounts that are taken out and put back: what was written is what is read, on
//! another port too; and what is no account is refused.

use cloud_model::{Changes, Cloud, LogBytes, LogEvent, Realism, RestoreError, Settings, Snapshot};
use serde_json::{Value, json};

use crate::common::{
    ACCOUNT, FUNCTIONS, GATEWAY_TRUST, LAMBDA_TRUST, World, function_arn, zip_file,
};

const NOTHING: Value = Value::Null;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// What files have once everything that has changed is taken.
pub fn keep(kept: &mut Snapshot, cloud: &mut Cloud) {
    loop {
        let changes = cloud.take_changes();
        let go_on = changes.go_on();
        apply(kept, changes);
        if !go_on {
            break;
        }
    }
}

fn apply(kept: &mut Snapshot, changes: Changes) {
    for (group, bytes) in changes.logs {
        let log = kept.logs.entry(group).or_default();
        match bytes {
            LogBytes::Append(bytes) => log.extend(bytes),
            LogBytes::Image { bytes, first, .. } => {
                if first {
                    log.clear();
                }
                log.extend(bytes);
            }
        }
    }
    if let Some(state) = changes.state {
        kept.state = state.text;
        kept.code = state.code;
        kept.logs
            .retain(|group, _| state.log_groups.contains(group));
    }
}

/// Fails unless what was kept of an account is that account.
pub fn assert_kept(cloud: &Cloud, kept: &Snapshot) {
    let restored = Cloud::restore(cloud.settings().clone(), kept);
    let restored = restored.unwrap_or_else(|error| panic!("what is kept can be read: {error}"));
    let (restored, now) = (restored.snapshot(), cloud.snapshot());
    if cloud.changes() > 0 {
        assert_eq!(
            String::from_utf8_lossy(&restored.state),
            String::from_utf8_lossy(&now.state)
        );
    }
    assert!(restored.code == now.code, "other code is kept");
    assert!(restored.logs == now.logs, "other log events are kept");
}

/// An account with something of everything.
fn full() -> World {
    let mut world = World::new();
    gateways_role(&mut world);
    roles(&mut world);
    functions(&mut world);
    apis(&mut world);
    logs(&mut world);
    secrets(&mut world);
    world
}

fn gateways_role(world: &mut World) {
    let arn = world.new_role("logs", GATEWAY_TRUST);
    let push = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
    let parameters = [("RoleName", "logs"), ("PolicyArn", push)];
    world.iam("AttachRolePolicy", &parameters);
    let set = json!({ "patchOperations":
        [{ "op": "replace", "path": "/cloudwatchRoleArn", "value": arn }] });
    world.gateway("PATCH", "/account", &set).ok();
}

fn roles(world: &mut World) {
    let policy = [("PolicyName", "bounds"), ("PolicyDocument", POLICY)];
    assert_eq!(world.iam("CreatePolicy", &policy).status, 200);
    let bounds = format!("arn:aws:iam::{ACCOUNT}:policy/bounds");
    let role = [
        ("RoleName", "Bounded"),
        ("AssumeRolePolicyDocument", LAMBDA_TRUST),
        ("Description", "with \"quotes\" and ümlauts"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", &bounds),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
    ];
    assert_eq!(world.iam("CreateRole", &role).status, 200);
    let inline = [
        ("RoleName", "Bounded"),
        ("PolicyName", "p"),
        ("PolicyDocument", POLICY),
    ];
    assert_eq!(world.iam("PutRolePolicy", &inline).status, 200);
}

fn functions(world: &mut World) {
    world.new_function("chat");
    let configuration = json!({
        "Description": "changed", "Environment": { "Variables": { "ROOM": "1" } },
        "LoggingConfig": { "LogFormat": "JSON" }, "MemorySize": 512,
    });
    let of_chat = |rest: &str| format!("{FUNCTIONS}/chat/{rest}");
    let publish = json!({ "Description": "the first" });
    world.lambda("POST", &of_chat("versions"), &publish).ok();
    world
        .lambda("PUT", &of_chat("configuration"), &configuration)
        .ok();
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    world.lambda("PUT", &of_chat("code"), &code).ok();
    let alias = json!({ "Name": "live", "FunctionVersion": "1", "Description": "d" });
    world.lambda("POST", &of_chat("aliases"), &alias).ok();
    let concurrency = json!({ "ReservedConcurrentExecutions": 3 });
    let path = "/2017-10-31/functions/chat/concurrency";
    world.lambda("PUT", path, &concurrency).ok();
    let tags = json!({ "Tags": { "deployer:stage": "local" } });
    let path = format!("/2017-03-31/tags/{}", function_arn("chat"));
    world.lambda("POST", &path, &tags).ok();
}

fn apis(world: &mut World) {
    let api = world.new_api("chat");
    let integration = world.new_integration(&api, "chat:2");
    world.new_route(&api, "$default", Some(&integration));
    world.new_route(&api, "bare", None);
    let deployment = world.new_deployment(&api, &json!({ "description": "one" }));
    let group = format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/chat");
    let stage = json!({
        "stageName": "local", "deploymentId": deployment, "stageVariables": { "v": "1" },
        "defaultRouteSettings": { "loggingLevel": "INFO", "throttlingRateLimit": 12.5 },
        "routeSettings": { "$default": { "throttlingBurstLimit": 7 } },
        "accessLogSettings": { "destinationArn": group, "format": "$context.requestId" },
        "tags": { "t": "of the stage" },
    });
    world
        .gateway("POST", &format!("/v2/apis/{api}/stages"), &stage)
        .ok();
    world.new_deployment(&api, &json!({ "description": "two" }));
    world.new_api("other");
}

fn logs(world: &mut World) {
    let group = json!({ "logGroupName": "/chat", "tags": { "x": "y" } });
    world.logs("CreateLogGroup", &group).ok();
    let retention = json!({ "logGroupName": "/chat", "retentionInDays": 7 });
    world.logs("PutRetentionPolicy", &retention).ok();
    let stream = json!({ "logGroupName": "/chat", "logStreamName": "lease" });
    world.logs("CreateLogStream", &stream).ok();
    let at = world.now.as_millisecond();
    let mut put = stream;
    put["logEvents"] = json!([{ "timestamp": at, "message": "{\"held\": true}" }]);
    world.logs("PutLogEvents", &put).ok();
    let lines = ["START", "line\twith a tab", "END"].map(|message| LogEvent {
        timestamp: world.now,
        message: message.to_owned(),
    });
    let stream = "2026/01/02/[1]abc";
    assert!(world.cloud.put_log_events("/chat", stream, lines.into()));
}

fn secrets(world: &mut World) {
    let parameter = json!({ "Name": "/chat/key", "Value": "v", "Type": "SecureString" });
    world
        .json11("ssm", "AmazonSSM.PutParameter", &parameter, None)
        .ok();
    let secret = json!({ "Name": "chat", "SecretString": "one" });
    let send = |world: &mut World, operation: &str, body: &Value| {
        let target = format!("secretsmanager.{operation}");
        world.json11("secretsmanager", &target, body, None).ok()
    };
    send(world, "CreateSecret", &secret);
    let next = json!({ "SecretId": "chat", "SecretBinary": "dHdv" });
    send(world, "PutSecretValue", &next);
    send(
        world,
        "CreateSecret",
        &json!({ "Name": "dying", "SecretString": "x" }),
    );
    send(world, "DeleteSecret", &json!({ "SecretId": "dying" }));
}

/// The answers to every kind of read, each without its request's id.
fn everything_read(world: &mut World) -> Vec<String> {
    let mut answers = Vec::new();
    let mut note = |what: &str, answer: crate::common::Answer| {
        assert!(answer.status < 300, "{what}: {answer:?}");
        let text = answer.text.replace(&answer.request_id, "");
        answers.push(format!("{what}: {text}"));
    };
    let mut paths = vec!["/account".to_owned(), "/v2/apis".to_owned()];
    let apis = world.gateway("GET", "/v2/apis", &NOTHING).ok();
    for api in apis["items"].as_array().unwrap() {
        let id = api["apiId"].as_str().unwrap();
        paths.push(format!("/v2/apis/{id}"));
        paths.push(format!(
            "/v2/tags/arn:aws:apigateway:eu-central-1::/apis/{id}"
        ));
        for list in ["routes", "integrations", "deployments", "stages"] {
            paths.push(format!("/v2/apis/{id}/{list}"));
        }
    }
    for path in &paths {
        note(path, world.gateway("GET", path, &NOTHING));
    }
    for path in [
        FUNCTIONS,
        "/2015-03-31/functions/chat",
        "/2015-03-31/functions/chat?Qualifier=live",
        "/2015-03-31/functions/chat/versions",
        "/2015-03-31/functions/chat/aliases",
        "/2019-09-30/functions/chat/concurrency",
        "/2016-08-19/account-settings",
        &format!("/2017-03-31/tags/{}", function_arn("chat")),
    ] {
        note(path, world.lambda("GET", path, &NOTHING));
    }
    note("roles", world.iam("ListRoles", &[]));
    let bounds = format!("arn:aws:iam::{ACCOUNT}:policy/bounds");
    note("policy", world.iam("GetPolicy", &[("PolicyArn", &bounds)]));
    for action in [
        "GetRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
        "ListRoleTags",
    ] {
        for role in ["Bounded", "logs", "function"] {
            note(action, world.iam(action, &[("RoleName", role)]));
        }
    }
    let inline = [("RoleName", "Bounded"), ("PolicyName", "p")];
    note("inline", world.iam("GetRolePolicy", &inline));
    let group = json!({ "logGroupName": "/chat" });
    note("groups", world.logs("DescribeLogGroups", &json!({})));
    note("streams", world.logs("DescribeLogStreams", &group));
    note("events", world.logs("FilterLogEvents", &group));
    let arn = format!("arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/chat");
    let tags = json!({ "resourceArn": arn });
    note("tags", world.logs("ListTagsForResource", &tags));
    let parameter = json!({ "Name": "/chat/key", "WithDecryption": true });
    let got = world.json11("ssm", "AmazonSSM.GetParameter", &parameter, None);
    note("parameter", got);
    for stage in ["AWSCURRENT", "AWSPREVIOUS"] {
        let body = json!({ "SecretId": "chat", "VersionStage": stage });
        let target = "secretsmanager.GetSecretValue";
        note(stage, world.json11("secretsmanager", target, &body, None));
    }
    answers
}

fn on_port(port: u16, of: &Settings) -> Settings {
    Settings {
        websocket_base: format!("ws://127.0.0.1:{port}"),
        code_base: format!("http://127.0.0.1:{port}/code"),
        ..of.clone()
    }
}

#[test]
fn every_read_of_a_restored_account_answers_as_before() {
    let mut world = full();
    let before = everything_read(&mut world);
    assert!(before.len() > 30, "{}", before.len());
    let restored = Cloud::restore(world.cloud.settings().clone(), &world.cloud.snapshot());
    world.cloud = restored.unwrap();
    assert_eq!(everything_read(&mut world), before);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/Bounded");
    assert!(
        world
            .cloud
            .role_allows(&role, "ssm:GetParameter", "arn:x", world.now)
    );
}

#[test]
fn what_runs_is_what_ran_before() {
    let world = full();
    let restored = Cloud::restore(world.cloud.settings().clone(), &world.cloud.snapshot()).unwrap();
    let apis = world.cloud.inventory().apis.names;
    let chat = apis.iter().find_map(|name| name.strip_suffix(" chat"));
    let live = world.cloud.live_stage(chat.unwrap(), "local");
    assert!(live.is_some());
    assert_eq!(restored.live_stage(chat.unwrap(), "local"), live);
    for qualifier in ["chat", "chat:1", "chat:2", "chat:live"] {
        let before = world.cloud.function_version(qualifier, world.now).unwrap();
        assert!(!before.zip.is_empty());
        assert_eq!(restored.function_version(qualifier, world.now), Ok(before));
    }
}

#[test]
fn urls_are_those_of_the_port_an_account_is_restored_on() {
    let mut world = full();
    let elsewhere = on_port(9200, world.cloud.settings());
    let here = everything_read(&mut world).join("\n");
    world.cloud = Cloud::restore(elsewhere, &world.cloud.snapshot()).unwrap();
    let there = everything_read(&mut world).join("\n");
    assert!(here.contains("127.0.0.1:9100/") && !there.contains(":9100"));
    assert_eq!(there, here.replace("127.0.0.1:9100", "127.0.0.1:9200"));
}

#[test]
fn numbers_go_on_where_they_were() {
    let mut world = full();
    let restored = Cloud::restore(world.cloud.settings().clone(), &world.cloud.snapshot());
    world.cloud = restored.unwrap();
    let path = "/2015-03-31/functions/chat/versions";
    let code = json!({ "ZipFile": zip_file("three") });
    let put = "/2015-03-31/functions/chat/code";
    world.lambda("PUT", put, &code).ok();
    let published = world.lambda("POST", path, &json!({})).ok();
    assert_eq!(published["Version"], "3");
    world
        .logs("DeleteLogGroup", &json!({ "logGroupName": "/chat" }))
        .ok();
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": "/chat" }))
        .ok();
    let kept = world.cloud.snapshot();
    assert_eq!(kept.logs.len(), 1);
    assert!(!kept.logs.contains_key(&0), "the new group is another one");
}

#[test]
fn reads_change_nothing_and_calls_about_events_leave_the_state_as_it_is() {
    let mut world = full();
    world.keeping = false;
    world.cloud.take_changes();
    let before = world.cloud.changes();
    everything_read(&mut world);
    assert_eq!(world.cloud.changes(), before);
    let taken = world.cloud.take_changes();
    assert!(taken.state.is_none() && taken.logs.is_empty(), "{taken:?}");
    let stream = json!({ "logGroupName": "/chat", "logStreamName": "another" });
    world.logs("CreateLogStream", &stream).ok();
    let taken = world.cloud.take_changes();
    assert_eq!(taken.number, before + 1);
    assert!(taken.state.is_none() && taken.logs.len() == 1, "{taken:?}");
}

#[test]
fn a_new_group_takes_the_place_of_what_is_kept_under_its_number() {
    let mut world = World::new();
    world.keeping = false;
    let mut kept = Snapshot::default();
    kept.logs
        .insert(0, b"of a process that was killed".to_vec());
    world
        .logs("CreateLogGroup", &json!({ "logGroupName": "/chat" }))
        .ok();
    keep(&mut kept, &mut world.cloud);
    assert_kept(&world.cloud, &kept);
}

#[test]
fn changes_that_got_lost_are_given_again() {
    let mut world = full();
    world.keeping = false;
    let _lost = world.cloud.take_changes();
    world.cloud.lose_changes();
    let mut kept = Snapshot::default();
    keep(&mut kept, &mut world.cloud);
    assert_kept(&world.cloud, &kept);
}

#[test]
fn a_restored_accounts_roles_and_lists_are_known_to_everybody_at_once() {
    let mut world = full();
    let settings = Settings {
        realism: Some(Realism::all(7)),
        ..world.cloud.settings().clone()
    };
    world.cloud = Cloud::restore(settings, &world.cloud.snapshot()).unwrap();
    let apis = world.gateway("GET", "/v2/apis", &NOTHING).ok();
    assert_eq!(apis["items"].as_array().unwrap().len(), 2);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/Bounded");
    assert!(
        world
            .cloud
            .role_allows(&role, "ssm:GetParameter", "arn:x", world.now)
    );
    assert_eq!(world.iam("GetRole", &[("RoleName", "Bounded")]).status, 200);
}

#[test]
fn what_is_no_account_of_this_version_and_place_is_refused() {
    let world = full();
    let whole = world.cloud.snapshot();
    let restore = |settings: &Settings, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = whole.clone();
        change(&mut snapshot);
        Cloud::restore(settings.clone(), &snapshot).map(|_| ())
    };
    let here = world.cloud.settings();
    let torn = restore(here, &|it| it.state.truncate(it.state.len() / 2));
    assert!(matches!(torn, Err(RestoreError::State(_))), "{torn:?}");
    let newer = restore(here, &|it| {
        let text = String::from_utf8(it.state.clone()).unwrap();
        it.state = text.replacen("\"format\":1", "\"format\":2", 1).into();
    });
    assert_eq!(newer, Err(RestoreError::Format { found: 2 }));
    let of_another = Settings {
        region: "us-east-1".to_owned(),
        ..here.clone()
    };
    let elsewhere = restore(&of_another, &|_| ());
    assert!(matches!(elsewhere, Err(RestoreError::Elsewhere { .. })));
    let without_code = restore(here, &|it| it.code.clear());
    assert!(matches!(without_code, Err(RestoreError::Code(_))));
    let bad_log = restore(here, &|it| {
        for log in it.logs.values_mut() {
            log.splice(..0, *b"rubbish\n");
        }
    });
    assert!(matches!(bad_log, Err(RestoreError::Log { line: 1, .. })));
}
