//! Settings of the API in stage files, right and wrong.

use super::tests::read_on_aws;
use super::*;
use crate::stage_settings::{LoggingLevel, Rate, RouteSettings};

const SERVICE: &str = r#"
service = "chat"
[functions.room]
[routes]
"$connect" = "room"
join = "room"
"#;

fn mistake(stage: &str) -> String {
    read_on_aws(SERVICE, stage).expect_err(stage)
}

#[test]
fn without_settings_an_api_is_as_aws_makes_it() {
    let definition = read_on_aws(SERVICE, "").unwrap();
    assert_eq!(definition.api, ApiDefinition::default());
    assert!(definition.tags.is_empty());
}

#[test]
fn the_stages_settings_win_over_the_services_key_by_key() {
    let service = format!(
        r#"{SERVICE}
[api]
ip_address_type = "dualstack"
[api_stage]
variables = {{ one = "1", two = "2" }}
throttling = {{ burst_limit = 10, rate_limit = 5 }}
execution_logs = {{ level = "error", retention_days = 30 }}
[route_settings.join]
throttling = {{ burst_limit = 2 }}
[tags]
team = "a"
cost = "c"
"#
    );
    let stage = r#"
[api]
disable_execute_api_endpoint = true
[api_stage]
variables = { two = "22" }
throttling = { rate_limit = 2.5 }
metrics = true
access_logs = {}
execution_logs = { data_trace = true }
[route_settings."$connect"]
authorization = "iam"
[route_settings.join]
metrics = false
[tags]
team = "b"
"#;
    let definition = read_on_aws(&service, stage).unwrap();
    let api = &definition.api;
    assert!(api.settings.disable_execute_api_endpoint);
    assert_eq!(api.settings.ip_address_type, "dualstack");
    assert_eq!(api.variables["one"], "1");
    assert_eq!(api.variables["two"], "22");
    let default_route = RouteSettings {
        burst_limit: 10,
        rate_limit: Rate(2.5),
        metrics: true,
        level: LoggingLevel::Error,
        data_trace: true,
    };
    assert_eq!(api.default_route, default_route);
    // Whatever a route doesn't say is the stage's, and one that says nothing of
    // the stage has no settings there.
    assert_eq!(api.route_settings.len(), 1);
    let join = &api.route_settings[&"join".into()];
    let expected = RouteSettings {
        burst_limit: 2,
        metrics: false,
        ..default_route
    };
    assert_eq!(*join, expected);
    assert_eq!(
        api.iam_routes
            .iter()
            .map(|key| key.as_str())
            .collect::<Vec<_>>(),
        ["$connect"]
    );
    let logs = api.access_logs.as_ref().unwrap();
    assert_eq!(logs.format, DEFAULT_ACCESS_LOG_FORMAT);
    assert_eq!(logs.retention_days, 14);
    assert_eq!(api.execution_log_retention_days, Some(30));
    assert_eq!(definition.tags["team"], "b");
    assert_eq!(definition.tags["cost"], "c");
}

#[test]
fn a_stage_turns_off_the_execution_logs_of_the_service() {
    let service =
        format!("{SERVICE}[api_stage.execution_logs]\nlevel = \"info\"\ndata_trace = true\n");
    let definition = read_on_aws(
        &service,
        "[api_stage]\nexecution_logs = { level = \"off\" }",
    )
    .unwrap();
    assert_eq!(definition.api.default_route, RouteSettings::default());
    assert_eq!(definition.api.execution_log_retention_days, None);
}

#[test]
fn the_default_format_of_an_access_log_is_legal() {
    let stage = format!("[api_stage.access_logs]\nformat = '{DEFAULT_ACCESS_LOG_FORMAT}'");
    read_on_aws(SERVICE, &stage).unwrap();
}

#[test]
fn every_mistake_in_settings_of_the_api_is_said_with_its_place() {
    let stage = r#"
[api]
disable_execute_api_endpoint = "yes"
ip_address_type = "ipv6"
disable_endpoint = true
[api_stage]
throttling = { burst_limit = -1, rate_limit = "many", burst = 1 }
metrics = 1
access_logs = { format = "", retention_days = 2 }
execution_logs = { level = "debug", trace = true }
[route_settings.join]
authorization = "lambda"
"#;
    insta::assert_snapshot!(mistake(stage));
}

#[test]
fn what_a_schema_cannot_say_of_the_api_is_checked_too() {
    let stage = r#"
[api_stage.variables]
"a-b" = "x"
empty = ""
space = "a b"
[api_stage.access_logs]
format = '{"id":"$context.reqestId", "ip": $context.identity.sourceIp'
[route_settings.jion]
metrics = true
[route_settings.join]
authorization = "iam"
[tags]
"aws:team" = "x"
"Deployer:stage" = "x"
"a*b" = "x"
Team = "a"
team = ""
"#;
    insta::assert_snapshot!(mistake(stage));
}

#[test]
fn an_access_log_is_one_line_within_the_limit() {
    let lines = mistake("[api_stage.access_logs]\nformat = \"$context.requestId\\na\"");
    assert!(
        lines.contains("alpha.toml:3:10: an access log's format must be one line"),
        "{lines}"
    );
    let long = format!("$context.requestId {}", "ä".repeat(1600));
    let long = mistake(&format!("[api_stage.access_logs]\nformat = \"{long}\""));
    assert!(long.contains("at most 3072 bytes"), "{long}");
}

#[test]
fn more_tags_than_aws_allows_are_refused_whichever_file_they_stand_in() {
    use std::fmt::Write;
    let tags = |letter: char| {
        let mut text = "[tags]\n".to_owned();
        for number in 0..24 {
            writeln!(text, "{letter}{number} = \"x\"").unwrap();
        }
        text
    };
    let service = format!("{SERVICE}{}", tags('a'));
    read_on_aws(&service, "").unwrap();
    let message = read_on_aws(&service, &tags('b')).unwrap_err();
    assert!(
        message.contains("alpha.toml:2:2: 48 tags are too many"),
        "{message}"
    );
}
