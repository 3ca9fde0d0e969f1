//! Production settings of functions: roles of their own, boundaries, secrets,
//! facilities, tags.

use super::account::Ledger;
use super::{Desired, SERVICE, desired_with, down, released, rollback, up};
use crate::plan::{Action, Plan, Verb};
use crate::policy::INLINE_POLICY_NAME;

const OWN: &str = "chat-alpha-us-east-1-function-room";
const SHARED: &str = "chat-alpha-us-east-1-functions";
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/b";

/// The service with these settings of `room`.
fn with(settings: &str, code: &str) -> Desired {
    desired_with(&SERVICE.replace("reserved_concurrency = 1", settings), code)
}

fn secret(code: &str) -> Desired {
    let mut desired = with(
        "secrets = { API_KEY = \"ssm:/chat/key\" }\nsecrets_kms_key = \"arn:aws:kms:us-east-1:123456789012:key/k\"",
        code,
    );
    desired.keep_releases = 2;
    desired
}

fn plain(code: &str) -> Desired {
    let mut desired = with("", code);
    desired.keep_releases = 2;
    desired
}

fn deployed(desired: &Desired) -> Ledger {
    let mut ledger = Ledger::new(desired);
    released(desired, &mut ledger);
    ledger
}

fn policy(ledger: &Ledger, role: &str) -> String {
    ledger.observed.roles[&role.into()].inline_policies[INLINE_POLICY_NAME].to_string()
}

fn position(plan: &Plan, found: impl Fn(&Action) -> bool) -> usize {
    let position = plan.steps.iter().position(|step| found(&step.action));
    position.unwrap_or_else(|| panic!("no such step: {plan}"))
}

#[test]
fn a_function_with_a_secret_gets_a_role_of_its_own_before_the_cut_over() {
    let mut ledger = deployed(&plain("one"));
    let desired = secret("one");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let release = position(&plan, |action| action.verb() == Verb::Release);
    assert!(position(&plan, |a| matches!(a, Action::CreateRole { .. })) < release);
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
    let own = policy(&ledger, OWN);
    for part in [
        "arn:aws:ssm:us-east-1:123456789012:parameter/chat/key",
        "kms:Decrypt",
        "/aws/lambda/chat-alpha-room:*",
    ] {
        assert!(own.contains(part), "{part}: {own}");
    }
    // The release before runs as the shared role, and is kept.
    assert!(policy(&ledger, SHARED).contains("chat-alpha-room"));
    assert!(!policy(&ledger, SHARED).contains("/chat/key"));
}

#[test]
fn the_own_role_goes_once_no_kept_release_runs_as_it() {
    let mut ledger = deployed(&secret("0"));
    released(&plain("1"), &mut ledger);
    assert!(ledger.observed.roles.contains_key(&OWN.into()));
    let plan = rollback(&plain("1").names, &ledger.observed, None).unwrap();
    assert_eq!(plan.steps.len(), 1);
    let plan = up(&plain("2"), &ledger.observed).unwrap();
    let release = position(&plan, |action| action.verb() == Verb::Release);
    let gone = position(&plan, |a| matches!(a, Action::DeleteRole { .. }));
    assert!(
        plan.steps[gone].after.iter().any(|step| *step > release),
        "{plan}"
    );
    released(&plain("2"), &mut ledger);
    assert!(!ledger.observed.roles.contains_key(&OWN.into()));
}

#[test]
fn what_a_kept_release_may_do_stays_until_it_goes() {
    let statement =
        |action: &str| format!("iam = [{{ actions = [\"{action}\"], resources = [\"*\"] }}]");
    let desired = |action: &str| {
        let mut desired = with(&statement(action), "one");
        desired.keep_releases = 2;
        desired
    };
    let mut ledger = deployed(&desired("s3:First"));
    // The same code: only permissions change, and that is a release of its own.
    released(&desired("s3:Second"), &mut ledger);
    let own = policy(&ledger, OWN);
    assert!(
        own.contains("s3:First") && own.contains("s3:Second"),
        "{own}"
    );
    released(&desired("s3:Third"), &mut ledger);
    let own = policy(&ledger, OWN);
    assert!(
        !own.contains("s3:First") && own.contains("s3:Third"),
        "{own}"
    );
}

#[test]
fn nothing_of_a_role_is_taken_while_a_release_cannot_be_read() {
    let mut ledger = deployed(&with(
        "iam = [{ actions = [\"s3:First\"], resources = [\"*\"] }]",
        "one",
    ));
    ledger.observed.releases.clear();
    let desired = with("", "two");
    released(&desired, &mut ledger);
    assert!(policy(&ledger, OWN).contains("s3:First"));
}

#[test]
fn a_function_that_leaves_the_file_takes_its_role_along_and_its_log_group_last() {
    let mut ledger = deployed(&secret("one"));
    let service = SERVICE
        .replace("[functions.room]\nreserved_concurrency = 1\n", "")
        .replace("\"room\"", "\"connect\"");
    let desired = desired_with(&service, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    let role = position(&plan, |a| matches!(a, Action::DeleteRole { .. }));
    let function = position(&plan, |a| matches!(a, Action::DeleteFunction { .. }));
    let group = position(&plan, |a| matches!(a, Action::DeleteLogGroup { .. }));
    assert!(plan.steps[group].after.contains(&role), "{plan}");
    assert!(function < role, "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
    assert!(!ledger.observed.roles.contains_key(&OWN.into()));
}

#[test]
fn somebody_elses_role_is_used_and_nothing_is_made_for_it() {
    let service = SERVICE
        .replace(
            "reserved_concurrency = 1",
            "role_arn = \"arn:aws:iam::123456789012:role/theirs\"",
        )
        .replace(
            "[functions.connect]",
            "[functions.connect]\nrole_arn = \"arn:aws:iam::123456789012:role/theirs\"",
        );
    let desired = desired_with(&service, "one");
    let ledger = deployed(&desired);
    let roles: Vec<_> = ledger.observed.roles.keys().collect();
    assert_eq!(roles, [&desired.names.invoke_role]);
    for function in ledger.observed.functions.values() {
        assert!(function.configuration.role_arn.ends_with("role/theirs"));
    }
}

#[test]
fn a_boundary_is_put_seen_when_changed_by_hand_and_cleared() {
    let bounded = desired_with(
        &SERVICE.replace(
            "[functions.connect]",
            &format!("[defaults]\npermissions_boundary = \"{BOUNDARY}\"\n[functions.connect]"),
        ),
        "one",
    );
    let mut ledger = deployed(&bounded);
    assert_eq!(
        ledger.observed.roles.len(),
        2,
        "one boundary for all makes no own roles"
    );
    for role in ledger.observed.roles.values_mut() {
        assert_eq!(role.permissions_boundary.as_deref(), Some(BOUNDARY));
        role.permissions_boundary = Some("arn:aws:iam::aws:policy/AdministratorAccess".into());
    }
    insta::assert_snapshot!(up(&bounded, &ledger.observed).unwrap());
    released(&bounded, &mut ledger);
    let plan = up(&desired_with(SERVICE, "one"), &ledger.observed).unwrap();
    assert_eq!(plan.steps.len(), 2, "{plan}");
    released(&desired_with(SERVICE, "one"), &mut ledger);

    let own = with(&format!("permissions_boundary = \"{BOUNDARY}\""), "one");
    released(&own, &mut ledger);
    let role = &ledger.observed.roles[&OWN.into()];
    assert_eq!(role.permissions_boundary.as_deref(), Some(BOUNDARY));
}

const ALL: &str = r#"ephemeral_storage_mb = 1024
tracing = "active"
log_format = "json"
application_log_level = "debug"
system_log_level = "warn"
tags = { team = "chat", cost = "1" }"#;

#[test]
fn settings_show_field_by_field_and_are_cleared_when_they_leave_the_file() {
    let mut ledger = deployed(&with("", "one"));
    let desired = with(ALL, "one");
    insta::assert_snapshot!("settings_are_set", up(&desired, &ledger.observed).unwrap());
    released(&desired, &mut ledger);
    assert!(policy(&ledger, SHARED).contains("xray:PutTraceSegments"));
    let cleared = with("", "one");
    insta::assert_snapshot!(
        "settings_are_cleared",
        up(&cleared, &ledger.observed).unwrap()
    );
    released(&cleared, &mut ledger);
}

#[test]
fn tags_put_there_by_hand_go_except_awss_own() {
    let desired = with(ALL, "one");
    let mut ledger = deployed(&desired);
    let room = desired.functions[&"room".into()].name.clone();
    let tags = &mut ledger.observed.functions.get_mut(&room).unwrap().tags;
    tags.insert("by-hand".into(), "x".into());
    tags.insert("aws:cloudformation:stack-name".into(), "x".into());
    tags.insert("cost".into(), "9".into());
    tags.remove("team");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    released(&desired, &mut ledger);
}

#[test]
fn a_value_that_somebody_put_in_the_place_of_a_reference_is_not_shown() {
    let desired = secret("one");
    let mut ledger = deployed(&desired);
    let room = desired.functions[&"room".into()].name.clone();
    let state = ledger.observed.functions.get_mut(&room).unwrap();
    let variables = &mut state.configuration.environment;
    variables.insert("DEPLOYER_SECRET_API_KEY".into(), "hunter2".into());
    let plan = up(&desired, &ledger.observed).unwrap().to_string();
    assert!(!plan.contains("hunter2"));
    let expected =
        "secrets.API_KEY: (hidden) → arn:aws:ssm:us-east-1:123456789012:parameter/chat/key";
    assert!(plan.contains(expected), "{plan}");
}

#[test]
fn going_back_to_a_release_whose_role_is_gone_is_refused_by_name() {
    let mut ledger = deployed(&secret("0"));
    released(&plain("1"), &mut ledger);
    ledger.observed.roles.remove(&OWN.into());
    let refusal = rollback(&plain("1").names, &ledger.observed, None).unwrap_err();
    assert!(
        refusal.to_string().contains(&format!("the role {OWN}")),
        "{refusal}"
    );
}

#[test]
fn an_own_role_of_somebody_else_is_refused_and_down_leaves_nothing_of_ours() {
    let desired = secret("one");
    let mut ledger = deployed(&desired);
    let plan = down(&desired.names, &ledger.observed);
    let mut emptied = deployed(&desired);
    emptied.apply(&plan, plan.steps.len());
    assert_eq!(emptied.observed, Default::default());
    ledger
        .observed
        .roles
        .get_mut(&OWN.into())
        .unwrap()
        .tags
        .clear();
    let refusal = up(&desired, &ledger.observed).unwrap_err().to_string();
    assert!(refusal.contains(&format!("role {OWN}")), "{refusal}");
}

#[test]
fn a_function_that_sends_traces_comes_after_the_permission_to() {
    for code in ["one", "two"] {
        let desired = with("tracing = \"active\"", code);
        let ledger = match code {
            "one" => Ledger::new(&desired),
            _ => deployed(&with("", "one")),
        };
        let plan = up(&desired, &ledger.observed).unwrap();
        let permitted = position(
            &plan,
            |a| matches!(a, Action::PutRolePolicy { role, .. } if role.as_str() == SHARED),
        );
        let room = position(&plan, |a| match a {
            Action::CreateFunction { key, .. }
            | Action::UpdateFunctionConfiguration { key, .. } => key.as_str() == "room",
            _ => false,
        });
        assert!(plan.steps[room].after.contains(&permitted), "{plan}");
    }
}

#[test]
fn tags_of_a_function_win_over_those_of_everything_on_it_its_role_and_its_log_group() {
    let service = SERVICE
        .replace(
            "reserved_concurrency = 1",
            "tags = { team = \"room\" }\nsecrets = { API_KEY = \"ssm:/chat/key\" }",
        )
        .replace(
            "[routes]",
            "[tags]\nteam = \"chat\"\ncost = \"1\"\n[routes]",
        );
    let desired = desired_with(&service, "one");
    // What is made and what is there already are tagged alike.
    let mut before = deployed(&secret("one"));
    released(&desired, &mut before);
    for ledger in [deployed(&desired), before] {
        let observed = &ledger.observed;
        let room = &desired.functions[&"room".into()];
        for tags in [
            &observed.functions[&room.name].tags,
            &observed.log_groups[&room.log_group].tags,
            &observed.roles[&OWN.into()].tags,
        ] {
            assert_eq!((&*tags["team"], &*tags["cost"]), ("room", "1"));
        }
        let connect = &desired.functions[&"connect".into()].name;
        assert_eq!(observed.functions[connect].tags["team"], "chat");
        assert_eq!(observed.roles[&SHARED.into()].tags["team"], "chat");
    }
}
