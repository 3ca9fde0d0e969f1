//! Every key of the stage files is shown, with the place that it comes from.

use super::effective::{Origin, Setting, effective};
use super::{FileText, service_schema, stage_schema};
use serde_json::Value;
use std::collections::BTreeMap;

fn shown(stage_name: &str, service: &str, stage: &str) -> Vec<Setting> {
    let service = FileText {
        path: "stages/service.toml",
        text: service,
    };
    let stage = FileText {
        path: "stages/alpha.toml",
        text: stage,
    };
    effective(stage_name, service, stage).expect("legal files")
}

/// Settings as one tree, tables within tables.
fn tree(settings: &[Setting]) -> Value {
    let mut root = Value::Null;
    for Setting { key, value, .. } in settings {
        let slot = key
            .iter()
            .fold(&mut root, |at, segment| &mut at[segment.as_str()]);
        *slot = value.clone();
    }
    root
}

/// A table of keys and origins.
fn origins(settings: &[Setting]) -> BTreeMap<String, String> {
    let named = settings.iter();
    named
        .map(|it| (it.key.join("."), it.origin.to_string()))
        .collect()
}

/// Everything that can be said.
const FULL: &str = r#"
service = "chat"
description = "Chat"
route_selection_expression = "$request.body.do"
[functions.room]
package = "room"
description = "Serves the rooms"
memory_mb = 256
timeout_seconds = 20
architecture = "arm64"
log_retention_days = 30
environment = { COLOUR = "blue" }
reserved_concurrency = 1
state = "memory"
secrets = { KEY = "ssm:/chat/key" }
secrets_kms_key = "arn:aws:kms:eu-central-1:123456789012:key/1"
permissions_boundary = "arn:aws:iam::123456789012:policy/one"
ephemeral_storage_mb = 1024
tracing = "active"
log_format = "json"
application_log_level = "warn"
system_log_level = "debug"
tables = { ROOMS = { table = "rooms", actions = ["GetItem"] } }
invokes_itself = true
tags = { team = "rooms" }
[[functions.room.iam]]
actions = ["s3:GetObject"]
resources = ["*"]
effect = "deny"
conditions = { StringEquals = { "aws:ResourceAccount" = ["123456789012"] } }
[functions.gate]
role_arn = "arn:aws:iam::123456789012:role/gate"
[functions.old]
existing = "Stack-Old-1A:live"
[routes]
old = "old"
"$connect" = "room"
join = "room"
[tables.rooms]
partition_key = "pk"
partition_key_type = "number"
sort_key = "sk"
sort_key_type = "binary"
ttl = "expires"
point_in_time_recovery = true
on_down = "retain"
enabled = true
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
enabled = true
"#;

const FULL_STAGE: &str = r#"
target = "aws"
notice = "Be kind"
region = "eu-central-1"
aws_profile = "me"
account_id = "123456789012"
protected = true
clean_git = true
template = true
keep_releases = 3
retain = ["logs"]
[defaults]
permissions_boundary = "arn:aws:iam::123456789012:policy/all"
[api]
disable_execute_api_endpoint = true
ip_address_type = "dualstack"
[api_stage]
variables = { colour = "blue" }
throttling = { burst_limit = 10, rate_limit = 5.5 }
metrics = true
access_logs = { format = "$context.requestId", retention_days = 30 }
execution_logs = { level = "error", data_trace = true, retention_days = 30 }
[route_settings."$connect"]
authorization = "custom"
throttling = { burst_limit = 1, rate_limit = 1.5 }
metrics = false
[tags]
team = "chat"
"#;

const LOCAL: &str = "target = \"local\"\nport = 9200\nttl = \"3d\"\n[api]\nadopt = \"abc123\"\n";

/// Looks for every key of the schema in any of the values.
fn assert_covered(schema: &Value, values: &[&Value], at: &str) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, schema) in properties {
            // They are shown with each function.
            let (inner, found): (String, Vec<&Value>) = match at {
                ".defaults" => {
                    let functions = values.iter().filter_map(|it| it.get("functions"));
                    let all = functions.filter_map(Value::as_object);
                    let all = all.flat_map(|all| all.values());
                    let found = all.filter_map(|function| function.get(name)).collect();
                    (format!(".functions.*.{name}"), found)
                }
                _ if at.is_empty() && name == "defaults" => (".defaults".into(), values.to_vec()),
                _ => {
                    let found = values.iter().filter_map(|it| it.get(name)).collect();
                    (format!("{at}.{name}"), found)
                }
            };
            assert!(!found.is_empty(), "{inner} isn't shown");
            assert_covered(schema, &found, &inner);
        }
    }
    if schema["additionalProperties"].is_object() {
        let tables = values.iter().filter_map(|it| it.as_object());
        let entries: Vec<&Value> = tables.flat_map(|table| table.values()).collect();
        let at = format!("{at}.*");
        assert!(!entries.is_empty(), "{at} isn't shown");
        assert_covered(&schema["additionalProperties"], &entries, &at);
    }
    if schema["items"]["properties"].is_object() {
        let lists = values.iter().filter_map(|it| it.as_object());
        let items: Vec<&Value> = lists.flat_map(|list| list.values()).collect();
        let at = format!("{at}[]");
        assert!(!items.is_empty(), "{at} isn't shown");
        assert_covered(&schema["items"], &items, &at);
    }
}

#[test]
fn every_key_of_the_schemas_is_shown() {
    let aws = tree(&shown("alpha", FULL, FULL_STAGE));
    let local = tree(&shown("alpha", FULL, LOCAL));
    for schema in [service_schema(), stage_schema()] {
        assert_covered(&schema, &[&aws, &local], "");
    }
}

#[test]
#[should_panic(expected = ".notice isn't shown")]
fn a_key_that_is_forgotten_is_found() {
    let mut settings = shown("alpha", FULL, FULL_STAGE);
    settings.retain(|setting| setting.key != ["notice"]);
    let local = tree(&shown("alpha", FULL, LOCAL));
    assert_covered(&stage_schema(), &[&tree(&settings), &local], "");
}

#[test]
fn what_a_file_says_is_shown_as_it_says_it() {
    let files = [
        ("stages/alpha.toml", FULL_STAGE),
        ("stages/service.toml", FULL),
    ];
    let mut from_files = 0;
    for setting in shown("alpha", FULL, FULL_STAGE) {
        let Origin::File { path, line } = &setting.origin else {
            // The other function has what everybody has.
            let own = setting.key[..2] == ["functions", "gate"];
            assert!(own, "{setting:?}");
            continue;
        };
        let (_, text) = files.iter().find(|(name, _)| name == path).expect("a file");
        let said = text.lines().nth(line - 1).expect("a line");
        let last = setting.key.last().expect("a key");
        assert!(
            said.contains(last.as_str()) || said == "[[functions.room.iam]]",
            "{setting:?}: {said}"
        );
        if let Value::String(value) = &setting.value {
            assert!(said.contains(value.as_str()), "{setting:?}: {said}");
        }
        from_files += 1;
    }
    assert!(from_files > 60, "{from_files}");
}

#[test]
fn the_most_specific_place_is_named() {
    let service = "service = \"chat\"\n[defaults]\nmemory_mb = 128\ntimeout_seconds = 5\n[functions.room]\ntimeout_seconds = 6\nenvironment = { AA = \"1\", BB = \"1\" }\n[routes]\njoin = \"room\"\n[api_stage]\nmetrics = true\n[route_settings.join]\nthrottling = { rate_limit = 1.0 }\n";
    let stage = "target = \"aws\"\n[defaults]\nmemory_mb = 256\n[functions.room]\nenvironment = { BB = \"2\" }\n";
    let settings = shown("alpha", service, stage);
    let origins = origins(&settings);
    for (key, origin) in [
        ("service", "stages/service.toml:1"),
        ("target", "stages/alpha.toml:1"),
        ("keep_releases", "default"),
        ("functions.room.memory_mb", "stages/alpha.toml:3"),
        ("functions.room.timeout_seconds", "stages/service.toml:6"),
        ("functions.room.architecture", "default"),
        ("functions.room.environment.AA", "stages/service.toml:7"),
        ("functions.room.environment.BB", "stages/alpha.toml:5"),
        ("routes.join", "stages/service.toml:9"),
        ("route_settings.join.metrics", "stages/service.toml:11"),
        (
            "route_settings.join.throttling.rate_limit",
            "stages/service.toml:13",
        ),
        ("route_settings.join.throttling.burst_limit", "default"),
        ("route_settings.join.authorization", "default"),
    ] {
        assert_eq!(origins[key], origin, "{key}");
    }
    assert_eq!(
        tree(&settings)["functions"]["room"]["environment"]["BB"],
        "2"
    );
}

#[test]
fn what_a_stage_turns_off_is_shown_as_off() {
    let stage =
        "target = \"aws\"\n[tables.rooms]\nenabled = false\n[authorizer]\nenabled = false\n";
    let settings = shown("alpha", FULL, stage);
    let origins = origins(&settings);
    assert_eq!(origins["tables.rooms.enabled"], "stages/alpha.toml:3");
    assert_eq!(origins["authorizer.enabled"], "stages/alpha.toml:5");
    assert!(!origins.contains_key("tables.rooms.ttl"));
    assert!(!origins.contains_key("functions.room.tables.ROOMS"));
}

#[test]
fn mistakes_are_the_files_mistakes() {
    let service = FileText {
        path: "stages/service.toml",
        text: "service = \"chat\"\n",
    };
    let stage = FileText {
        path: "stages/alpha.toml",
        text: "target = \"moon\"\n",
    };
    let problems = effective("alpha", service, stage).unwrap_err();
    assert_eq!(problems.len(), 2);
}
