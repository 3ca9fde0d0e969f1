//! Stage files as users write them, right and wrong.

use super::*;
use crate::names::{FunctionKey, RouteKey};

pub(super) const SERVICE: &str = r#"
service = "chat"

[functions.connect]
[functions.room]
reserved_concurrency = 1

[routes]
"$connect" = "connect"
join = "room"
"#;

pub(super) fn read_texts(service: &str, stage: &str) -> Result<StageDefinition, String> {
    read(
        "alpha",
        FileText {
            path: "stages/service.toml",
            text: service,
        },
        FileText {
            path: "stages/alpha.toml",
            text: stage,
        },
    )
    .map_err(|files| {
        files
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// As [`read_texts`], of a stage on AWS.
pub(super) fn read_on_aws(service: &str, stage: &str) -> Result<StageDefinition, String> {
    read_texts(service, &format!("target = \"aws\"\n{stage}"))
}

#[test]
fn a_stage_says_only_what_differs() {
    let stage = r#"
target = "aws"
region = "eu-central-1"
[defaults]
memory_mb = 256
[functions.room]
memory_mb = 512
environment = { LEVEL = "info" }
"#;
    let definition = read_texts(SERVICE, stage).unwrap();
    let room = &definition.functions[&"room".into()];
    assert_eq!((room.memory_mb, room.timeout_seconds), (512, 10));
    assert_eq!(room.reserved_concurrency, Some(1));
    assert_eq!(room.package, "room");
    assert_eq!(room.environment["LEVEL"], "info");
    assert_eq!(definition.functions[&"connect".into()].memory_mb, 256);
    assert_eq!(
        definition.route_selection_expression,
        "$request.body.action"
    );
    assert_eq!(
        definition.place,
        Place::Aws {
            region: Some("eu-central-1".into()),
            profile: None
        }
    );
}

#[test]
fn the_stage_wins_over_the_service_and_a_function_over_the_defaults() {
    let service = SERVICE.replace(
        "[functions.connect]",
        "[defaults]\nmemory_mb = 200\ntimeout_seconds = 5\n[functions.connect]\ntimeout_seconds = 7",
    );
    let stage = "target = \"local\"\n[defaults]\nmemory_mb = 300\ntimeout_seconds = 9\n";
    let definition = read_texts(&service, stage).unwrap();
    let connect = &definition.functions[&"connect".into()];
    assert_eq!((connect.memory_mb, connect.timeout_seconds), (300, 7));
    assert_eq!(definition.functions[&"room".into()].timeout_seconds, 9);
    assert_eq!(
        definition.place,
        Place::Local {
            port: DEFAULT_LOCAL_PORT
        }
    );
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once_with_line_and_column() {
    let stage = r#"target = "moon"
memmory = 3

[defaults]
memory_mb = 64
timeout_seconds = "ten"
log_retention_days = 8

[functions.room]
memmory_mb = 128
"#;
    insta::assert_snapshot!(read_texts(SERVICE, stage).unwrap_err());
}

#[test]
fn mistakes_of_both_files_are_reported_together() {
    let service = SERVICE.replace("service = \"chat\"", "service = \"Chat\"");
    let message = read_texts(&service, "target = \"aws\"\nport = true\n").unwrap_err();
    assert!(
        message.contains("stages/service.toml:2:11: `service` must match"),
        "{message}"
    );
    assert!(
        message.contains("stages/alpha.toml:2:8: `port` must be a whole number"),
        "{message}"
    );
}

#[test]
fn what_the_files_must_agree_on_is_checked() {
    let service = SERVICE.replace("join = \"room\"", "join = \"rom\"");
    insta::assert_snapshot!(read_texts(&service, "target = \"aws\"\nport = 9100\n[functions.rooom]\n[defaults.environment]\nAWS_REGION = \"x\"\n\"a-b\" = \"\"\n").unwrap_err());
}

#[test]
fn a_stage_may_route_differently_and_leaves_out_whom_it_routes_nothing_to() {
    let service = format!("{SERVICE}\"$disconnect\" = \"connect\"\n");
    let stage = "[routes]\n\"$connect\" = \"room\"\n\"$disconnect\" = \"room\"\nleave = \"room\"\n[route_settings.leave]\nmetrics = true\n";
    let definition = read_on_aws(&service, stage).unwrap();
    let functions: Vec<_> = definition
        .functions
        .keys()
        .map(FunctionKey::as_str)
        .collect();
    assert_eq!(functions, ["room"]);
    let routes: Vec<_> = definition.routes.iter().collect();
    let room = FunctionKey::from("room");
    let keys = ["$connect", "$disconnect", "join", "leave"].map(RouteKey::from);
    assert_eq!(
        routes,
        keys.iter().map(|key| (key, &room)).collect::<Vec<_>>()
    );
}

#[test]
fn mistakes_in_a_stages_own_routes_are_reported() {
    let stage = "[routes]\n\"$connect\" = \"room\"\nleave = \"rom\"\n[functions.connect]\nmemory_mb = 256\n[route_settings.lave]\nmetrics = true\n";
    insta::assert_snapshot!(read_on_aws(SERVICE, stage).unwrap_err());
}

#[test]
fn every_syntax_error_is_reported() {
    let message = read_texts(SERVICE, "target = \nport = ]\n").unwrap_err();
    assert!(message.contains("alpha.toml:1:"), "{message}");
    assert!(message.contains("alpha.toml:2:"), "{message}");
}

#[test]
fn a_missing_key_is_named() {
    assert_eq!(
        read_texts(SERVICE, "").unwrap_err(),
        "stages/alpha.toml:1:1: `target` is missing"
    );
}

#[test]
fn an_environment_larger_than_lambda_allows_is_refused() {
    let stage = format!(
        "target = \"aws\"\n[functions.room.environment]\nBIG = \"{}\"\n",
        "x".repeat(4096)
    );
    let message = read_texts(SERVICE, &stage).unwrap_err();
    assert!(
        message.contains("alpha.toml:2:12: the environment of `room` measures 4106 bytes"),
        "{message}"
    );
}

#[test]
fn names_that_aws_or_the_shared_file_forbid_are_refused() {
    for legal in ["pr-12", "Prod", "dev_2"] {
        assert!(rules::stage_name_mistake(legal).is_none(), "{legal}");
    }
    let long = "a".repeat(25);
    for illegal in [
        "service", "Service", &long, "", "1a", "_a", "a/b", "$default", "ä",
    ] {
        assert!(rules::stage_name_mistake(illegal).is_some(), "{illegal}");
    }
}

#[test]
fn a_name_that_is_said_to_be_legal_is_one_that_the_files_take() {
    let long = "s".repeat(29);
    let names = [
        "chat", "my-chat", "a1", "a", "-a", "a-", "1a", "Chat", "a_b", "ü1", "", &long,
    ];
    for name in names {
        let service = SERVICE.replace("service = \"chat\"", &format!("service = \"{name}\""));
        let taken = read_texts(&service, "target = \"aws\"\n");
        let said = rules::service_name_mistake(name);
        assert_eq!(taken.is_ok(), said.is_none(), "{name}: {said:?}, {taken:?}");
    }
    let longest = "f".repeat(40);
    let longer = "f".repeat(41);
    for name in [
        "room", "my-room", "r", "-r", "r-", "1r", "Room", "my_room", &longest, &longer,
    ] {
        let service =
            format!("service = \"chat\"\n[functions.{name}]\n[routes]\njoin = \"{name}\"\n");
        let taken = read_texts(&service, "target = \"aws\"\n");
        assert_eq!(
            taken.is_ok(),
            rules::is_function_name(name),
            "{name}: {taken:?}"
        );
    }
}

#[test]
fn what_is_retained_is_the_stages_word_else_the_services() {
    let service = format!("retain = [\"logs\"]{SERVICE}");
    let retain = |stage: &str| read_texts(&service, stage).unwrap().retain;
    assert_eq!(retain("target = \"aws\"\n"), [Retained::Logs].into());
    assert_eq!(retain("target = \"aws\"\nretain = []\n"), [].into());
    let message = read_texts(SERVICE, "target = \"aws\"\nretain = [\"log\"]\n").unwrap_err();
    assert!(
        message.contains("stages/alpha.toml:2:11: `retain.0` must be one of \"logs\""),
        "{message}"
    );
}
