//! Settings of the API, its stage and its routes: planned, drifted, cleared.

use super::account::Ledger;
use super::{SERVICE, deployed, desired_with, released};
use crate::account_logging::role_name;
use crate::observed::AccountLogging;
use crate::plan::{Action, Verb, down, rollback, up};
use crate::release::ReleaseHash;
use crate::stage_settings::{LoggingLevel, RouteSettings, StageSettings};

const SETTINGS: &str = r#"
[api]
disable_execute_api_endpoint = true
ip_address_type = "dualstack"
[api_stage]
variables = { colour = "blue" }
throttling = { burst_limit = 10, rate_limit = 5 }
metrics = true
access_logs = { format = "$context.requestId", retention_days = 7 }
execution_logs = { level = "info", data_trace = true, retention_days = 3 }
[route_settings."$connect"]
authorization = "iam"
[route_settings.join]
throttling = { burst_limit = 2 }
[tags]
team = "chat"
"#;

fn with(settings: &str) -> String {
    format!("{SERVICE}{settings}")
}

#[test]
fn all_settings_of_a_first_up_are_there_before_the_stage_or_with_it() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = Ledger::new(&desired);
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let last = plan.steps.last().unwrap();
    assert!(matches!(last.action, Action::CreateStage { .. }), "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn settings_of_the_stage_ride_on_the_cut_over() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let desired = desired_with(&with(SETTINGS), "two");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let updates = plan
        .steps
        .iter()
        .filter(|step| step.action.operation() == "UpdateStage");
    assert_eq!(updates.count(), 1, "{plan}");
    released(&desired, &mut ledger);
}

#[test]
fn settings_of_the_stage_alone_are_no_release() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let desired = desired_with(
        &with(
            "[api_stage]\nvariables = { colour = \"blue\" }\n[route_settings.join]\nmetrics = true\n",
        ),
        "one",
    );
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    assert!(
        plan.steps
            .iter()
            .all(|step| step.action.verb() != Verb::Release)
    );
    released(&desired, &mut ledger);
}

#[test]
fn what_a_deployment_freezes_makes_another_release_and_what_it_does_not_makes_none() {
    let hash = |settings: &str| ReleaseHash::of(&desired_with(&with(settings), "one"));
    let plain = ReleaseHash::of(&desired_with(SERVICE, "one"));
    assert_ne!(
        hash("[route_settings.\"$connect\"]\nauthorization = \"iam\"\n"),
        plain
    );
    assert_ne!(hash("[api]\ndisable_execute_api_endpoint = true\n"), plain);
    assert_eq!(
        hash("[route_settings.\"$connect\"]\nauthorization = \"none\"\n"),
        plain
    );
    assert_eq!(
        hash("[api_stage]\nmetrics = true\nvariables = { a = \"b\" }\n[tags]\na = \"b\"\n"),
        plain
    );
    // As it was before there were settings: what is live stays so.
    assert_eq!(plain.to_string(), "2f4cfb2af3613240");
}

#[test]
fn settings_that_leave_the_file_are_cleared_after_the_cut_over() {
    let mut ledger = deployed(&desired_with(&with(SETTINGS), "one"));
    let desired = desired_with(SERVICE, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    released(&desired, &mut ledger);
    let observed = &ledger.observed;
    assert_eq!(
        observed.apis[0].stages[0].settings,
        StageSettings::default()
    );
    assert!(observed.access_log_group.is_none() && observed.execution_log_groups.is_empty());
    assert!(
        observed
            .account_logging
            .as_ref()
            .unwrap()
            .role_arn
            .is_some()
    );
}

#[test]
fn settings_changed_by_hand_are_seen_field_by_field_and_restored() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = deployed(&desired);
    let api = &mut ledger.observed.apis[0];
    api.settings.disable_execute_api_endpoint = false;
    api.tags.insert("team".into(), "other".into());
    let connect = api
        .routes
        .iter_mut()
        .find(|route| route.route_key == "$connect");
    connect.unwrap().authorization = "NONE".into();
    let stage = &mut api.stages[0];
    stage.tags.insert("hand".into(), "made".into());
    stage
        .tags
        .insert("aws:cloudformation:stack-name".into(), "x".into());
    let settings = &mut stage.settings;
    settings.variables.insert("colour".into(), "red".into());
    settings.variables.insert("shape".into(), "round".into());
    settings.default_route.burst_limit = 11;
    settings.default_route.level = LoggingLevel::Off;
    settings
        .routes
        .insert("send".into(), RouteSettings::default());
    settings.routes.remove(&"join".into());
    settings.access_log.as_mut().unwrap().format = "$context.requestId by hand".into();
    ledger
        .observed
        .access_log_group
        .as_mut()
        .unwrap()
        .retention_days = None;
    for group in ledger.observed.execution_log_groups.values_mut() {
        group.tags.clear();
        group.retention_days = None;
    }
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    released(&desired, &mut ledger);
}

#[test]
fn a_stage_that_somebody_lets_deploy_by_itself_stops_that_before_anything_else() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    ledger.deploy_by_itself();
    let back = rollback(&desired.names, &ledger.observed, None);
    assert!(back.is_err(), "what is live is no release of ours");
    let changed = desired_with(SERVICE, "two");
    let plan = up(&changed, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let first = &plan.steps[0];
    assert!(matches!(first.action, Action::DisableAutoDeploy { .. }));
    let alone = |step: &crate::plan::Step| step.after.is_empty();
    assert_eq!(plan.steps.iter().filter(|step| alone(step)).count(), 1);
    released(&changed, &mut ledger);
}

#[test]
fn logs_turned_on_by_hand_are_turned_off_and_their_group_goes() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    let api = &mut ledger.observed.apis[0];
    api.stages[0].settings.default_route.level = LoggingLevel::Info;
    let name = desired.names.execution_log_group(&api.api_id);
    ledger
        .observed
        .execution_log_groups
        .insert(name, Default::default());
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    released(&desired, &mut ledger);
}

#[test]
fn a_role_for_logs_that_somebody_else_has_set_is_left_alone() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = Ledger::new(&desired);
    let foreign = AccountLogging {
        role_arn: Some("arn:aws:iam::123456789012:role/theirs".into()),
        shared_role: None,
    };
    ledger.observed.account_logging = Some(foreign.clone());
    released(&desired, &mut ledger);
    assert_eq!(ledger.observed.account_logging, Some(foreign));
}

#[test]
fn a_role_of_the_shared_name_that_nobody_tagged_is_refused_where_it_is_needed() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = deployed(&desired);
    let logging = ledger.observed.account_logging.as_mut().unwrap();
    logging.shared_role.as_mut().unwrap().tags.clear();
    let refusal = up(&desired, &ledger.observed).unwrap_err();
    let name = role_name("us-east-1");
    assert!(refusal.to_string().contains(name.as_str()), "{refusal}");
    let without_logs = desired_with(SERVICE, "one");
    assert!(up(&without_logs, &ledger.observed).is_ok());
}

#[test]
fn the_shared_role_is_made_again_where_it_was_deleted() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = deployed(&desired);
    ledger
        .observed
        .account_logging
        .as_mut()
        .unwrap()
        .shared_role = None;
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    released(&desired, &mut ledger);
}

#[test]
fn down_removes_the_log_groups_also_when_their_api_is_gone_and_leaves_the_accounts_role() {
    let desired = desired_with(&with(SETTINGS), "one");
    let mut ledger = deployed(&desired);
    ledger.observed.apis.clear();
    let plan = down(&desired.names, &ledger.observed, &Default::default());
    ledger.apply(&plan, plan.steps.len());
    let logging = ledger.observed.account_logging.take();
    assert!(logging.unwrap().shared_role.is_some());
    assert_eq!(ledger.observed, Default::default());
}

#[test]
fn going_back_to_a_release_keeps_the_stages_settings() {
    let first = desired_with(SERVICE, "one");
    let mut ledger = deployed(&first);
    let second = desired_with(&with(SETTINGS), "two");
    released(&second, &mut ledger);
    let before = ledger.observed.apis[0].stages[0].settings.clone();
    let plan = rollback(&second.names, &ledger.observed, None).unwrap();
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed.apis[0].stages[0].settings, before);
}
