//! Production settings of functions, right and wrong.

use super::tests::{SERVICE, read_texts};
use crate::facilities::{
    ApplicationLogLevel, Facilities, LogFormat, Logging, SystemLogLevel, Tracing,
};

/// A stage with these lines, which begin at line 2.
fn stage(lines: &str) -> Result<super::StageDefinition, String> {
    read_texts(SERVICE, &format!("target = \"aws\"\n{lines}"))
}

fn mistakes(lines: &str) -> String {
    stage(lines).expect_err("a mistake")
}

#[test]
fn settings_are_merged_and_what_is_not_said_is_as_lambda_has_it() {
    let definition = stage(
        r#"
[defaults]
tracing = "active"
secrets = { SHARED = "ssm:/shared", OWN = "ssm:/not-this" }
tags = { team = "chat", cost = "1" }
[functions.room]
ephemeral_storage_mb = 1024
log_format = "json"
system_log_level = "warn"
secrets = { OWN = "ssm:/own" }
tags = { cost = "2" }
iam = [{ actions = ["s3:GetObject"], resources = ["arn:aws:s3:::b/*"], conditions = { StringEquals = { "aws:SourceAccount" = ["1"] } } }]
"#,
    )
    .unwrap();
    let room = &definition.functions[&"room".into()];
    assert_eq!(
        room.facilities,
        Facilities {
            ephemeral_storage_mb: 1024,
            tracing: Tracing::Active,
            logging: Logging::Json {
                application: ApplicationLogLevel::Info,
                system: SystemLogLevel::Warn,
            },
        }
    );
    assert_eq!(room.secrets.len(), 2);
    assert_eq!(
        room.secrets["OWN"],
        crate::secrets::SecretReference::ParameterPath("/own".into())
    );
    assert_eq!((&*room.tags["team"], &*room.tags["cost"]), ("chat", "2"));
    assert_eq!(
        room.statements,
        [serde_json::json!({
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::b/*"],
            "Condition": { "StringEquals": { "aws:SourceAccount": ["1"] } },
        })]
    );
    let connect = &definition.functions[&"connect".into()];
    assert_eq!(connect.facilities.logging.format(), LogFormat::Text);
    assert_eq!(connect.facilities.ephemeral_storage_mb, 512);
}

#[test]
fn statements_of_the_stage_are_added_to_those_of_the_service() {
    let service = SERVICE.replace(
        "[functions.connect]",
        "[functions.connect]\niam = [{ actions = [\"s3:GetObject\"], resources = [\"*\"] }]",
    );
    let stage = "target = \"aws\"\n[[functions.connect.iam]]\nactions = [\"s3:PutObject\"]\nresources = [\"*\"]\neffect = \"deny\"\n";
    let definition = read_texts(&service, stage).unwrap();
    let statements = &definition.functions[&"connect".into()].statements;
    assert_eq!(statements.len(), 2);
    assert_eq!(statements[1]["Effect"], "Deny");
}

#[test]
fn every_mistake_in_a_value_is_reported_with_its_place() {
    insta::assert_snapshot!(mistakes(
        r#"
[defaults]
ephemeral_storage_mb = 511
tracing = "on"
log_format = "xml"
permissions_boundary = "PowerUserAccess"
secrets_kms_key = "alias/key"
[functions.room]
role_arn = "room"
secrets = { "1KEY" = "ssm:/x" }
trace = "active"
[[functions.room.iam]]
actions = []
resource = ["*"]
"#
    ));
}

#[test]
fn references_statements_and_tags_are_checked_beyond_the_schema() {
    let message = mistakes(
        r#"
[defaults]
tags = { "aws:x" = "1" }
environment = { DEPLOYER_SECRET_KEY = "x" }
[functions.room]
secrets = { KEY = "hunter2", OTHER = "ssm:other" }
tags = { "Deployer:stage" = "1" }
[[functions.room.iam]]
actions = ["GetObject", "s3:Get*"]
resources = ["bucket"]
"#,
    );
    assert!(!message.contains("hunter2"), "{message}");
    insta::assert_snapshot!(message);
}

#[test]
fn what_excludes_each_other_is_reported_where_it_was_said() {
    let service = SERVICE.replace(
        "reserved_concurrency = 1",
        "environment = { KEY = \"x\" }\nrole_arn = \"arn:aws:iam::123456789012:role/room\"",
    );
    let stage = r#"target = "aws"
[defaults]
application_log_level = "debug"
[functions.room]
secrets = { KEY = "ssm:/key" }
permissions_boundary = "arn:aws:iam::123456789012:policy/b"
iam = [{ actions = ["s3:GetObject"], resources = ["*"] }]
[functions.connect]
secrets_kms_key = "arn:aws:kms:eu-central-1:123456789012:key/k"
log_format = "json"
"#;
    insta::assert_snapshot!(read_texts(&service, stage).unwrap_err());
}

#[test]
fn state_in_memory_is_told_to_the_function_and_takes_one_environment() {
    let room = |lines: &str| {
        let lines = format!("[functions.room]\nstate = \"memory\"\n{lines}");
        let definition = stage(&lines)?;
        Ok::<_, String>(definition.functions[&"room".into()].clone())
    };
    let function = room("reserved_concurrency = 1").unwrap();
    assert_eq!(function.environment["DEPLOYER_STATE"], "memory");
    assert_eq!(function.state, Some(super::StateKept::Memory));
    insta::assert_snapshot!(room("reserved_concurrency = 2").unwrap_err());
    let by_hand = mistakes("[defaults]\nenvironment = { DEPLOYER_STATE = \"memory\" }\n");
    assert!(by_hand.contains("by the function's `state`"), "{by_hand}");
}

#[test]
fn a_boundary_of_all_is_no_mistake_for_a_function_with_a_role_of_somebody_else() {
    let lines = r#"
[defaults]
permissions_boundary = "arn:aws:iam::123456789012:policy/b"
[functions.room]
role_arn = "arn:aws:iam::123456789012:role/a/room"
"#;
    let definition = stage(lines).unwrap();
    assert!(definition.permissions_boundary.is_some());
}
