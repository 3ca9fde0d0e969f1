//! The planner against the smallest account that plans can be applied to.

mod account;
mod authorizer;
mod existing;
mod function_settings;
mod properties;
mod record;
mod settings;
mod tables;

use super::{Action, Plan, Refusal, RollbackRefusal, Verb, lint, rollback};
use crate::account::Account;
use crate::desired::{Desired, FunctionCode};
use crate::names::{FunctionKey, Names};
use crate::observed::{IntegrationState, Observed, RouteState};
use crate::permissions::{Purpose, makes};
use crate::provenance::Provenance;
use crate::release::ReleaseHash;
use crate::stage_file::{self, FileText, Retained, StageDefinition};
use account::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// As [`super::up`]; the plan keeps the linter's rules, and has nothing that nobody is
/// allowed.
fn up(desired: &Desired, observed: &Observed) -> Result<Plan, Refusal> {
    let plan = super::up(desired, &with_existing(desired, observed))?;
    Ok(linted(
        permitted(plan, Purpose::Up),
        observed,
        &desired.names,
    ))
}

/// What is observed where every function is there that a stage only invokes.
fn with_existing(desired: &Desired, observed: &Observed) -> Observed {
    let keys = desired.existing.keys();
    Observed {
        existing: keys.map(|key| (key.clone(), Default::default())).collect(),
        ..observed.clone()
    }
}

/// As [`super::down`]; the same.
fn down(names: &Names, observed: &Observed) -> Plan {
    let plan = super::down(names, observed, &BTreeSet::new());
    linted(permitted(plan, Purpose::Down), observed, names)
}

/// The plan, if the policy for that command knows all its calls.
fn permitted(plan: Plan, purpose: Purpose) -> Plan {
    for step in &plan.steps {
        let call = step.action.call();
        assert!(makes(purpose, call), "{purpose:?}: {call:?}");
    }
    plan
}

fn linted(plan: Plan, observed: &Observed, names: &Names) -> Plan {
    assert_eq!(lint(&plan, observed, names), [], "{plan}");
    plan
}

pub(super) const SERVICE: &str = r#"
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

pub(crate) fn desired_with(service: &str, code: &str) -> Desired {
    // One release after the other.
    let second = match code {
        "one" => "0",
        "two" => "1",
        digit => digit,
    };
    let definition = definition(service);
    let code = definition
        .functions
        .keys()
        .map(|key| (key.clone(), built(key, code)))
        .collect::<BTreeMap<_, _>>();
    let account = Account {
        caller_arn: "arn:aws:iam::123456789012:user/me".into(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let provenance = Provenance {
        by: "arn:aws:iam::123456789012:user/me".into(),
        at: format!("2026-11-22T00:00:0{second}Z"),
        git_revision: None,
        promoted_from: None,
    };
    Desired::new(&definition, account, &code, provenance)
}

fn built(key: &FunctionKey, code: &str) -> FunctionCode {
    FunctionCode {
        sha256: format!("{key}-{code}").as_str().into(),
        architecture: "x86_64".into(),
    }
}

pub(crate) fn deployed(desired: &Desired) -> Ledger {
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
    let mut desired = desired_with(&service, "one");
    desired.provenance.at = "2026-01-02T03:04:05.678Z".into();
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn a_policy_is_widened_before_it_is_narrowed_also_when_the_release_is_live_already() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let service = SERVICE
        .replace("[functions.connect]\n", "")
        .replace("\"$connect\" = \"connect\"\n", "");
    let desired = desired_with(&service, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    // Everything but the deletions, as when the process died at them.
    let mut bindings = plan.bindings.clone();
    for step in &plan.steps {
        if step.action.verb() != Verb::Delete {
            ledger.apply_action(&step.action, &mut bindings);
        }
    }
    let plan = up(&desired, &ledger.observed).unwrap();
    let mut before: BTreeMap<String, usize> = BTreeMap::new();
    for (id, step) in plan.steps.iter().enumerate() {
        if let Action::PutRolePolicy { role, .. } = &step.action
            && let Some(widened) = before.insert(role.to_string(), id)
        {
            assert!(step.after.contains(&widened), "{plan}");
        }
    }
    assert!(!before.is_empty(), "{plan}");
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
        authorization: "NONE".into(),
        authorizer_id: None,
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
    insta::assert_snapshot!(plan);
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

fn released(desired: &Desired, ledger: &mut Ledger) {
    let plan = up(desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    assert!(up(desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn releases_beyond_those_kept_go_with_the_versions_that_only_they_invoke() {
    let mut desired = desired_with(SERVICE, "0");
    let mut ledger = Ledger::new(&desired);
    for code in ["0", "1", "2", "3"] {
        desired = desired_with(SERVICE, code);
        desired.keep_releases = 2;
        released(&desired, &mut ledger);
    }
    assert_eq!(ledger.observed.apis[0].deployments.len(), 2);
    assert_eq!(ledger.observed.releases.len(), 2);
    for function in ledger.observed.functions.values() {
        assert_eq!(function.versions.len(), 2);
    }
}

#[test]
fn a_release_that_needs_a_removed_function_goes_with_it() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let service = SERVICE
        .replace("[functions.connect]\n", "")
        .replace("\"$connect\" = \"connect\"\n", "");
    released(&desired_with(&service, "one"), &mut ledger);
    assert_eq!(ledger.observed.apis[0].deployments.len(), 1);
}

#[test]
fn a_release_that_is_not_recorded_is_recorded_by_the_next_up() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = deployed(&desired);
    ledger.observed.releases.clear();
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(plan.steps.len(), 1, "{plan}");
    ledger.apply(&plan, 1);
    assert_eq!(ledger.observed.releases.len(), 1);
}

#[test]
fn versions_of_a_release_that_cannot_be_read_yet_are_spared() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    ledger.observed.releases.clear();
    let desired = desired_with(SERVICE, "two");
    released(&desired, &mut ledger);
    assert!(
        ledger
            .observed
            .functions
            .values()
            .all(|function| function.versions.len() == 2)
    );
}

#[test]
fn versions_that_nobody_invokes_go_also_where_there_was_no_api() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    // A first `up` that stopped, or an API deleted by hand.
    ledger.observed.apis.clear();
    ledger.observed.releases.clear();
    released(&desired_with(SERVICE, "two"), &mut ledger);
    let functions = ledger.observed.functions.values();
    assert!(functions.map(|f| f.versions.len()).all(|count| count == 1));
}

#[test]
fn rolling_back_is_one_write_and_the_next_plan_knows_it() {
    let first = desired_with(SERVICE, "one");
    let mut ledger = deployed(&first);
    let second = desired_with(SERVICE, "two");
    released(&second, &mut ledger);
    let plan = rollback(&second.names, &ledger.observed, None).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, 1);
    let again = up(&second, &ledger.observed).unwrap();
    assert!(
        again
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::UpdateStage { .. }))
    );
    let draft = up(&first, &ledger.observed).unwrap();
    assert!(!draft.is_empty(), "the draft is still the second release's");
}

#[test]
fn rolling_back_to_nothing_known_says_what_is_kept() {
    let desired = desired_with(SERVICE, "one");
    let empty = Ledger::new(&desired);
    let names = &desired.names;
    assert_eq!(
        rollback(names, &empty.observed, None),
        Err(RollbackRefusal::NotLive)
    );
    let mut ledger = deployed(&desired);
    let refusal = rollback(names, &ledger.observed, None).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "no release before the live one is kept"
    );
    let refusal = rollback(names, &ledger.observed, Some("beef")).unwrap_err();
    assert!(
        refusal
            .to_string()
            .starts_with("no kept release is called `beef`; kept are ")
    );
    let live = ReleaseHash::of(&desired);
    let refusal = rollback(names, &ledger.observed, Some(&live.to_string()[..6])).unwrap_err();
    assert_eq!(refusal, RollbackRefusal::AlreadyLive(live));

    released(&desired_with(SERVICE, "two"), &mut ledger);
    let room = desired.functions[&"room".into()].name.clone();
    ledger
        .observed
        .functions
        .get_mut(&room)
        .unwrap()
        .versions
        .remove(0);
    let refusal = rollback(names, &ledger.observed, None).unwrap_err();
    assert!(
        refusal
            .to_string()
            .contains("needs chat-alpha-room:1, which is gone"),
        "{refusal}"
    );
}

/// A stage where version 3 of the room was published by hand, equal to the live one.
fn with_an_equal_version(desired: &Desired) -> Ledger {
    let mut ledger = deployed(desired);
    let room = desired.functions[&"room".into()].name.clone();
    let state = ledger.observed.functions.get_mut(&room).unwrap();
    let mut newer = state.versions[0].clone();
    newer.version = "3".into();
    state.versions.push(newer);
    ledger
}

fn deleted_versions(plan: &Plan) -> usize {
    let actions = plan.steps.iter().map(|step| &step.action);
    let deletions = actions.filter(|action| matches!(action, Action::DeleteVersion { .. }));
    deletions.count()
}

#[test]
fn a_version_that_stays_live_is_kept_also_when_the_draft_invokes_a_newer_equal_one() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = with_an_equal_version(&desired);
    let live = ledger.observed.clone();
    for integration in &mut ledger.observed.apis[0].integrations {
        integration.uri = integration.uri.replace("room:1/", "room:3/");
    }
    assert_ne!(ledger.observed, live);
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(deleted_versions(&plan), 0, "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn a_newer_equal_version_takes_the_place_of_the_live_one_by_a_deployment() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = with_an_equal_version(&desired);
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(deleted_versions(&plan), 1, "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn the_apis_own_settings_change_before_the_draft_is_frozen() {
    let ledger = deployed(&desired_with(SERVICE, "one"));
    let service = SERVICE.replace(
        "service = \"chat\"",
        "service = \"chat\"\nroute_selection_expression = \"$request.body.verb\"",
    );
    let plan = up(&desired_with(&service, "one"), &ledger.observed).unwrap();
    let position = |wanted: &str| {
        let mut steps = plan.steps.iter();
        steps
            .position(|step| step.action.operation() == wanted)
            .unwrap()
    };
    let (update, freeze) = (position("UpdateApi"), position("CreateDeployment"));
    assert!(plan.steps[freeze].after.contains(&update), "{plan}");
}

/// A stage whose every tag somebody has taken away.
fn untagged(desired: &Desired) -> Ledger {
    let mut ledger = deployed(desired);
    let observed = &mut ledger.observed;
    observed.roles.values_mut().for_each(|s| s.tags.clear());
    observed.functions.values_mut().for_each(|s| s.tags.clear());
    observed
        .log_groups
        .values_mut()
        .for_each(|s| s.tags.clear());
    observed.journal.as_mut().unwrap().tags.clear();
    observed.apis[0].tags.clear();
    observed.unowned_apis = std::mem::take(&mut observed.apis);
    ledger
}

#[test]
fn what_nobody_tagged_is_refused_whole_and_adopted_when_asked() {
    let mut desired = desired_with(SERVICE, "one");
    let mut ledger = untagged(&desired);
    let refusal = up(&desired, &ledger.observed).unwrap_err();
    assert_eq!(refusal.resources.len(), 8, "{refusal}");
    assert!(
        refusal
            .to_string()
            .contains("or take it over with `up --adopt`")
    );
    desired.adopt = true;
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    desired.adopt = false;
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
    let plan = down(&desired.names, &ledger.observed);
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
}

#[test]
fn an_adoption_that_stopped_anywhere_goes_on_and_its_changes_follow() {
    let mut desired = desired_with(SERVICE, "two");
    let whole = {
        let mut adopting = desired.clone();
        adopting.adopt = true;
        up(&adopting, &untagged(&desired_with(SERVICE, "one")).observed).unwrap()
    };
    for count in 0..=whole.steps.len() {
        let mut ledger = untagged(&desired_with(SERVICE, "one"));
        desired.adopt = true;
        let plan = up(&desired, &ledger.observed).unwrap();
        ledger.apply(&plan, count);
        let plan = up(&desired, &ledger.observed).unwrap();
        ledger.apply(&plan, plan.steps.len());
        desired.adopt = false;
        assert!(
            up(&desired, &ledger.observed).unwrap().is_empty(),
            "{count}"
        );
    }
}

#[test]
fn what_another_stage_tagged_is_never_adopted() {
    let mut desired = desired_with(SERVICE, "one");
    desired.adopt = true;
    let mut ledger = untagged(&desired);
    let other = crate::tags::ownership(&crate::names::StageIdentity {
        service: "chat".into(),
        stage: "beta".into(),
    });
    for role in ledger.observed.roles.values_mut() {
        role.tags = other.clone();
    }
    let journal = ledger.observed.journal.as_mut().unwrap();
    journal.tags = desired.tags.clone();
    journal.tags.insert("deployer:schema".into(), "9".into());
    insta::assert_snapshot!(up(&desired, &ledger.observed).unwrap_err());
}

#[test]
fn of_several_apis_with_our_name_none_is_adopted_and_ours_makes_them_no_obstacle() {
    let mut desired = desired_with(SERVICE, "one");
    desired.adopt = true;
    let mut ledger = untagged(&desired);
    let mut twin = ledger.observed.unowned_apis[0].clone();
    twin.api_id = "twin".into();
    ledger.observed.unowned_apis.push(twin.clone());
    let refusal = up(&desired, &ledger.observed).unwrap_err();
    insta::assert_snapshot!(refusal);
    let mut ledger = deployed(&desired);
    ledger.observed.unowned_apis.push(twin);
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn a_role_at_a_path_is_not_adopted() {
    let mut desired = desired_with(SERVICE, "one");
    desired.adopt = true;
    let mut ledger = untagged(&desired);
    let role = &desired.names.invoke_role;
    ledger.observed.roles.get_mut(role).unwrap().arn =
        format!("arn:aws:iam::123456789012:role/team/{role}");
    let refusal = up(&desired, &ledger.observed).unwrap_err();
    assert_eq!(refusal.resources.len(), 1, "{refusal}");
    assert!(refusal.to_string().contains("lies at a path"), "{refusal}");
}

#[test]
fn another_stage_of_an_adopted_api_keeps_what_it_serves() {
    let mut desired = desired_with(SERVICE, "two");
    desired.adopt = true;
    let mut ledger = untagged(&desired_with(SERVICE, "one"));
    let api = &mut ledger.observed.unowned_apis[0];
    let mut by_hand = api.deployments[0].clone();
    by_hand.deployment_id = "hand".into();
    by_hand.description = "by hand".into();
    api.deployments.push(by_hand);
    let mut other = api.stages[0].clone();
    other.name = "production".into();
    other.deployment_id = Some("hand".into());
    api.stages.push(other);
    let plan = up(&desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    let mut deployments = ledger.observed.apis[0].deployments.iter();
    assert!(deployments.any(|d| d.deployment_id.as_str() == "hand"));
}

#[test]
fn retained_logs_outlive_the_stage_and_removed_functions_and_are_taken_again() {
    let desired = desired_with(&format!("retain = [\"logs\"]{SERVICE}"), "one");
    let mut ledger = deployed(&desired);
    let service = SERVICE
        .replace("[functions.connect]\n", "")
        .replace("\"$connect\" = \"connect\"\n", "");
    let smaller = desired_with(&format!("retain = [\"logs\"]{service}"), "one");
    released(&smaller, &mut ledger);
    assert_eq!(ledger.observed.log_groups.len(), 2);

    let plan = super::down(&desired.names, &ledger.observed, &desired.retain);
    ledger.apply(&linted(plan, &ledger.observed, &desired.names), usize::MAX);
    let left = super::retained(&desired.names, &ledger.observed, &desired.retain);
    assert_eq!(left, desired.log_groups().into_iter().collect());
    let logs = ledger.observed.log_groups.clone();
    assert_eq!(
        ledger.observed,
        Observed {
            log_groups: logs,
            ..Observed::default()
        }
    );
    let again = super::down(&desired.names, &ledger.observed, &desired.retain);
    assert!(again.is_empty(), "{again}");
    released(&desired, &mut ledger);

    // Retained no longer: they go with the next `down`.
    let plan = down(&desired.names, &ledger.observed);
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
    assert_eq!(desired.retain, BTreeSet::from([Retained::Logs]));
}

#[test]
fn what_was_changed_by_hand_is_told_from_what_the_files_changed() {
    let first = desired_with(SERVICE, "one");
    let mut ledger = deployed(&first);
    let room = &first.functions[&FunctionKey::new("room")].name;
    let by_hand = |ledger: &mut Ledger| {
        let state = ledger.observed.functions.get_mut(room).unwrap();
        state.configuration.memory_mb = 512;
    };
    by_hand(&mut ledger);
    let marked = |desired: &Desired, ledger: &Ledger| -> Vec<&'static str> {
        let plan = up(desired, &ledger.observed).unwrap();
        let drift = super::drift(&plan, desired, &ledger.observed);
        let steps = drift.into_iter().map(|id| &plan.steps[id].action);
        steps.map(Action::operation).collect()
    };
    assert_eq!(marked(&first, &ledger), ["UpdateFunctionConfiguration"]);
    let role = ledger.observed.roles.get_mut(&first.names.execution_role);
    role.unwrap()
        .attached_policies
        .push("arn:aws:iam::aws:policy/x".into());
    let both = ["UpdateFunctionConfiguration", "DetachRolePolicy"];
    assert_eq!(marked(&first, &ledger), both);
    // With other files, who changed the function can't be told.
    let second = desired_with(&SERVICE.replace("send = ", "sent = "), "two");
    assert_eq!(marked(&second, &ledger), ["DetachRolePolicy"]);
    let fresh = Ledger::new(&first);
    assert!(marked(&first, &fresh).is_empty());
}
