//! The planner against the smallest account that plans can be applied to.

mod account;
mod properties;

use super::{Action, down, up};
use crate::desired::{Desired, FunctionCode};
use crate::names::FunctionKey;
use crate::observed::{IntegrationState, RouteState};
use crate::policy::Account;
use crate::stage_file::{self, FileText, StageDefinition};
use account::Ledger;
use std::collections::BTreeMap;

const SERVICE: &str = r#"
service = "chat"
[functions.connect]
[functions.room]
reserved_concurrency = 1
[routes]
"$connect" = "connect"
join = "room"
send = "room"
"#;

fn definition(service: &str) -> StageDefinition {
    stage_file::read(
        "alpha",
        FileText {
            path: "stages/service.toml",
            text: service,
        },
        FileText {
            path: "stages/alpha.toml",
            text: "target = \"aws\"\n",
        },
    )
    .unwrap()
}

fn desired_with(service: &str, code: &str) -> Desired {
    let definition = definition(service);
    let code = definition
        .functions
        .keys()
        .map(|key| (key.clone(), built(key, code)))
        .collect::<BTreeMap<_, _>>();
    let account = Account {
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
    };
    Desired::new(&definition, account, &code)
}

fn built(key: &FunctionKey, code: &str) -> FunctionCode {
    FunctionCode {
        sha256: format!("{key}-{code}").as_str().into(),
        architecture: "x86_64".into(),
    }
}

fn deployed(desired: &Desired) -> Ledger {
    let mut ledger = Ledger::new(desired);
    let plan = up(desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    ledger
}

#[test]
fn a_first_up_creates_everything_and_ends_with_the_stage() {
    let desired = desired_with(SERVICE, "one");
    let plan = up(&desired, &Ledger::new(&desired).observed).unwrap();
    insta::assert_snapshot!(plan);
    assert!(matches!(
        plan.steps.last().unwrap().action,
        Action::CreateStage { .. }
    ));
}

#[test]
fn what_was_applied_needs_no_further_plan() {
    let desired = desired_with(SERVICE, "one");
    assert_eq!(
        up(&desired, &deployed(&desired).observed)
            .unwrap()
            .to_string(),
        "chat/alpha: nothing to do"
    );
}

#[test]
fn new_code_is_published_beside_the_old_and_then_released() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let desired = desired_with(SERVICE, "two");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn a_function_removed_from_the_file_goes_after_the_cut_over() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let service = SERVICE
        .replace("[functions.connect]\n", "")
        .replace("\"$connect\" = \"connect\"\n", "");
    let desired = desired_with(&service, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn changes_made_by_hand_are_seen_and_undone() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    let room = desired.functions[&"room".into()].name.clone();
    ledger
        .observed
        .functions
        .get_mut(&room)
        .unwrap()
        .configuration
        .memory_mb = 512;
    let role = ledger
        .observed
        .roles
        .get_mut(&desired.names.execution_role)
        .unwrap();
    role.attached_policies
        .push("arn:aws:iam::aws:policy/AdministratorAccess".into());
    let api = &mut ledger.observed.apis[0];
    api.routes.push(RouteState {
        route_id: "hand".into(),
        route_key: "hand".into(),
        target: Some("integrations/hand".into()),
    });
    api.integrations.push(IntegrationState {
        integration_id: "hand".into(),
        integration_type: "MOCK".into(),
        uri: String::new(),
        credentials_arn: None,
    });
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn a_stage_moved_by_hand_is_released_again() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    ledger.observed.apis[0].deployments[0].description = "by hand".into();
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(plan.steps.len(), 2, "{plan}");
    assert!(matches!(plan.steps[1].action, Action::UpdateStage { .. }));
}

#[test]
fn of_two_apis_the_one_that_serves_is_kept() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    let mut orphan = ledger.observed.apis[0].clone();
    orphan.api_id = "orphan".into();
    orphan.stages.clear();
    ledger.observed.apis.insert(0, orphan);
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(plan.steps.len(), 1, "{plan}");
    assert_eq!(
        plan.steps[0].action,
        Action::DeleteApi {
            api_id: "orphan".into()
        }
    );
}

#[test]
fn what_has_our_name_without_our_tags_is_refused_by_name() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    for role in ledger.observed.roles.values_mut() {
        role.tags.clear();
    }
    for function in ledger.observed.functions.values_mut() {
        function.tags.insert("deployer:schema".into(), "9".into());
    }
    insta::assert_snapshot!(up(&desired, &ledger.observed).unwrap_err());
    let plan = down(&desired.names, &ledger.observed);
    assert!(plan.steps.iter().all(|step| !matches!(
        step.action,
        Action::DeleteRole { .. } | Action::DeleteFunction { .. }
    )));
}

#[test]
fn down_removes_everything_and_then_finds_nothing() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    let plan = down(&desired.names, &ledger.observed);
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
    assert!(down(&desired.names, &ledger.observed).is_empty());
}

#[test]
fn values_of_environment_variables_never_show_in_a_plan() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let service = SERVICE.replace(
        "reserved_concurrency = 1",
        "environment = { TOKEN = \"s3cret\" }",
    );
    let plan = up(&desired_with(&service, "one"), &ledger.observed).unwrap();
    let text = plan.to_string();
    assert!(
        text.contains("environment.TOKEN: none → (another, hidden)"),
        "{text}"
    );
    assert!(text.contains("reserved: 1 → none"), "{text}");
    assert!(!text.contains("s3cret"));
    ledger.apply(&plan, plan.steps.len());
}
