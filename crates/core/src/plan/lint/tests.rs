//! Plans that a mistaken planner could make, each one step away from a sound one.

use super::{lint, sound};
use crate::desired::Desired;
use crate::names::FunctionName;
use crate::observed::Observed;
use crate::plan::tests::{SERVICE, deployed, desired_with};
use crate::plan::{Action, Plan, PolicyTemplate, Step, StepId, up};

fn first() -> Desired {
    desired_with(SERVICE, "one")
}

/// A live stage, what it should become, and the sound plan to that: one function
/// goes, the others get new code.
fn change() -> (Observed, Desired, Plan) {
    let service = SERVICE
        .replace("[functions.connect]\n", "")
        .replace("\"$connect\" = \"connect\"\n", "");
    let desired = desired_with(&service, "two");
    let observed = deployed(&first()).observed;
    let plan = up(&desired, &observed).unwrap();
    assert_eq!(lint(&plan, &observed, &desired.names), []);
    (observed, desired, plan)
}

fn position(plan: &Plan, fits: impl Fn(&Action) -> bool) -> StepId {
    plan.steps
        .iter()
        .position(|step| fits(&step.action))
        .unwrap()
}

fn step(action: Action, after: Vec<StepId>) -> Step {
    Step {
        action,
        after,
        changes: Vec::new(),
    }
}

/// What the linter says of a plan, one line a violation.
fn said(plan: &Plan, observed: &Observed, desired: &Desired) -> String {
    let violations = lint(plan, observed, &desired.names);
    let lines = violations
        .iter()
        .map(|v| format!("{}: {}\n", v.what, v.rule));
    lines.collect()
}

fn connect(desired: &Desired) -> FunctionName {
    desired.names.function(&"connect".into())
}

#[test]
fn a_deletion_before_the_cut_over_is_found() {
    let (observed, desired, mut plan) = change();
    let id = position(&plan, |a| matches!(a, Action::DeleteFunction { .. }));
    plan.steps[id].after.clear();
    insta::assert_snapshot!(said(&plan, &observed, &desired));
}

#[test]
fn a_permission_taken_before_the_cut_over_is_found() {
    let (observed, desired, mut plan) = change();
    let narrowed = PolicyTemplate::Invocation {
        functions: desired.function_names(),
        existing: Vec::new(),
    };
    let id = position(
        &plan,
        |action| matches!(action, Action::PutRolePolicy { policy, .. } if *policy == narrowed),
    );
    plan.steps[id].after.clear();
    assert_eq!(
        said(&plan, &observed, &desired),
        "change role policy chat-alpha-us-east-1-gateway: takes a permission that the live release needs, while it serves\n"
    );
}

#[test]
fn a_function_that_was_deleted_by_hand_needs_no_permission_any_more() {
    let (mut observed, desired, _) = change();
    observed.functions.remove(&connect(&desired));
    let plan = up(&desired, &observed).unwrap();
    let policies = |step: &Step| matches!(step.action, Action::PutRolePolicy { .. });
    assert!(plan.steps.iter().any(policies), "{plan}");
    assert_eq!(lint(&plan, &observed, &desired.names), [], "{plan}");
}

#[test]
fn a_permission_by_hand_taken_before_the_cut_over_is_found() {
    let (observed, desired, mut plan) = change();
    let action = Action::DetachRolePolicy {
        role: desired.names.execution_role.clone(),
        policy_arn: "arn:aws:iam::aws:policy/AdministratorAccess".into(),
    };
    plan.steps.push(step(action, Vec::new()));
    let said = said(&plan, &observed, &desired);
    assert!(said.ends_with("deletes before the release\n"), "{said}");
}

#[test]
fn what_the_live_release_uses_is_missed_also_without_a_cut_over() {
    let desired = first();
    let observed = deployed(&desired).observed;
    let mut plan = up(&desired, &observed).unwrap();
    let name = connect(&desired);
    let live = &observed.apis[0].deployments[0].deployment_id;
    plan.bindings.api_id = Some(observed.apis[0].api_id.clone());
    for action in [
        Action::DeleteVersion {
            version: "1".into(),
            name: name.clone(),
        },
        Action::DeleteDeployment {
            deployment_id: live.clone(),
            name: String::new(),
        },
        Action::DeleteLogGroup {
            log_group: desired.names.log_group(&name),
        },
        Action::DeleteRole {
            role: desired.names.invoke_role.clone(),
        },
    ] {
        plan.steps.push(step(action, Vec::new()));
    }
    insta::assert_snapshot!(said(&plan, &observed, &desired));
}

#[test]
fn what_is_not_ours_is_never_touched() {
    let (mut observed, desired, plan) = change();
    for role in observed.roles.values_mut() {
        role.tags.insert("deployer:stage".into(), "beta".into());
    }
    let said = said(&plan, &observed, &desired);
    assert!(!said.is_empty());
    assert!(
        said.lines().all(|line| line.contains("isn't this stage's")),
        "{said}"
    );
}

#[test]
fn a_reference_to_what_is_not_made_before_is_found() {
    let desired = first();
    let observed = Observed::default();
    let mut plan = up(&desired, &observed).unwrap();
    let id = position(&plan, |a| matches!(a, Action::CreateIntegration { .. }));
    plan.steps[id].after.clear();
    insta::assert_snapshot!(said(&plan, &observed, &desired));
}

#[test]
fn a_circle_and_a_dangling_dependency_are_found() {
    let (observed, desired, mut plan) = change();
    let last = plan.steps.len() - 1;
    plan.steps[last].after.push(last);
    plan.steps[0].after.push(1000);
    let said = said(&plan, &observed, &desired);
    assert!(
        said.contains(&format!("comes after step {last}, which isn't earlier")),
        "{said}"
    );
    assert!(
        said.contains("comes after step 1000, which isn't earlier"),
        "{said}"
    );
}

#[test]
fn a_draft_frozen_half_done_is_found() {
    let (observed, desired, mut plan) = change();
    let change = position(&plan, |a| matches!(a, Action::UpdateIntegration { .. }));
    let freeze = position(&plan, |a| matches!(a, Action::CreateDeployment { .. }));
    plan.steps[freeze].after.retain(|id| *id != change);
    let said = said(&plan, &observed, &desired);
    assert!(
        said.contains("changes the draft while it may be frozen"),
        "{said}"
    );
}

#[test]
fn creating_what_exists_and_releasing_twice_are_found() {
    let (observed, desired, mut plan) = change();
    let release = position(&plan, |a| matches!(a, Action::UpdateStage { .. }));
    plan.steps.push(plan.steps[release].clone());
    let action = Action::CreateLogGroup {
        log_group: desired.names.log_group(&connect(&desired)),
        tags: desired.tags.clone(),
    };
    plan.steps.push(step(action, Vec::new()));
    let said = said(&plan, &observed, &desired);
    assert!(said.contains("releases a second time"), "{said}");
    assert!(said.contains("which exists"), "{said}");
}

#[test]
fn an_unsound_plan_is_no_plan_and_says_whose_mistake_it_is() {
    let (observed, desired, mut plan) = change();
    assert_eq!(
        sound(plan.clone(), &observed, &desired.names).unwrap(),
        plan
    );
    let id = position(&plan, |a| matches!(a, Action::DeleteFunction { .. }));
    plan.steps[id].after.clear();
    insta::assert_snapshot!(sound(plan, &observed, &desired.names).unwrap_err());
}

#[test]
fn a_role_of_a_functions_own_is_as_safe_as_the_shared_one() {
    let service = SERVICE.replace(
        "reserved_concurrency = 1",
        "secrets = { KEY = \"ssm:/chat/key\" }",
    );
    let desired = desired_with(&service, "one");
    let observed = deployed(&desired).observed;
    let mut plan = up(&desired, &observed).unwrap();
    plan.bindings.api_id = Some(observed.apis[0].api_id.clone());
    let room = desired.names.function(&"room".into());
    let role = desired.names.own_role(&room);
    let narrowed = Action::PutRolePolicy {
        role: role.clone(),
        policy: PolicyTemplate::Execution {
            log_groups: vec![desired.names.log_group(&room)],
            grants: Default::default(),
        },
    };
    plan.steps.push(step(narrowed, Vec::new()));
    plan.steps
        .push(step(Action::DeleteRole { role }, Vec::new()));
    assert_eq!(
        said(&plan, &observed, &desired),
        "change role policy chat-alpha-us-east-1-function-room: takes a permission that the live release needs, while it serves\n\
         delete role chat-alpha-us-east-1-function-room: deletes a role of the live release, while it serves\n"
    );
}
