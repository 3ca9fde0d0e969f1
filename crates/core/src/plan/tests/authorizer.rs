//! The authorizer: planned, drifted, removed, part of the release.

use super::account::Ledger;
use super::{Desired, SERVICE, deployed, desired_with, down, released, up};
use crate::observed::AuthorizerState;
use crate::plan::{Action, Plan, rollback};
use crate::release::ReleaseHash;

const AUTHORIZER: &str = r#"
[functions.gate]
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
"#;

fn guarded() -> String {
    format!("{SERVICE}{AUTHORIZER}")
}

fn off() -> String {
    format!("{}enabled = false\n", guarded())
}

/// The step of an operation, which the plan has once.
fn step(plan: &Plan, operation: &str) -> usize {
    let steps = plan.steps.iter();
    let mut found = steps
        .enumerate()
        .filter(|(_, step)| step.action.operation() == operation);
    let (id, _) = found
        .next()
        .unwrap_or_else(|| panic!("{operation}: {plan}"));
    assert!(found.next().is_none(), "{operation} twice: {plan}");
    id
}

/// Operations on the draft, in the plan's order.
fn of_draft(plan: &Plan) -> Vec<&'static str> {
    let operations = plan.steps.iter().map(|step| step.action.operation());
    operations
        .filter(|it| it.ends_with("Authorizer") || it.ends_with("Route"))
        .collect()
}

fn roll_back(ledger: &mut Ledger, to: &Desired) {
    let name = ReleaseHash::of(to).to_string();
    let plan = rollback(ledger.names(), &ledger.observed, Some(&name)).unwrap();
    assert_eq!(plan.steps.len(), 1, "{plan}");
    ledger.apply(&plan, 1);
}

fn authorizer(ledger: &mut Ledger) -> &mut AuthorizerState {
    match ledger.observed.apis[0].authorizers.as_mut_slice() {
        [only] => only,
        others => panic!("{others:?}"),
    }
}

#[test]
fn a_first_up_makes_the_authorizer_before_the_route_that_asks_it() {
    let desired = desired_with(&guarded(), "one");
    let mut ledger = Ledger::new(&desired);
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let made = step(&plan, "CreateAuthorizer");
    let connect = plan.steps.iter().find(|step| {
        matches!(&step.action, Action::CreateRoute { route_key, .. } if route_key.as_str() == "$connect")
    });
    assert!(connect.unwrap().after.contains(&made), "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
    assert_eq!(ledger.observed.apis[0].integrations.len(), 2);
}

#[test]
fn new_code_of_its_function_moves_the_authorizer_to_the_new_version() {
    let mut ledger = deployed(&desired_with(&guarded(), "one"));
    let before = authorizer(&mut ledger).uri.clone();
    let desired = desired_with(&guarded(), "two");
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(of_draft(&plan), ["UpdateAuthorizer"], "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert_ne!(authorizer(&mut ledger).uri, before);
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn an_authorizer_that_the_file_gets_and_loses_is_made_before_and_deleted_after_its_route() {
    let mut ledger = deployed(&desired_with(SERVICE, "one"));
    let desired = desired_with(&guarded(), "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(of_draft(&plan), ["CreateAuthorizer", "UpdateRoute"]);
    released(&desired, &mut ledger);

    let open = desired_with(SERVICE, "one");
    let plan = up(&open, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let (route, gone) = (step(&plan, "UpdateRoute"), step(&plan, "DeleteAuthorizer"));
    assert!(plan.steps[gone].after.contains(&route), "{plan}");
    released(&open, &mut ledger);
    assert!(ledger.observed.apis[0].authorizers.is_empty());
    assert_eq!(ledger.observed.apis[0].routes[0].authorizer_id, None);
}

#[test]
fn another_function_is_another_authorizer_and_the_route_asks_it_first() {
    let mut ledger = deployed(&desired_with(&guarded(), "one"));
    let other = guarded().replace("gate", "door");
    let desired = desired_with(&other, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    let order = ["CreateAuthorizer", "UpdateRoute", "DeleteAuthorizer"];
    assert_eq!(of_draft(&plan), order, "{plan}");
    released(&desired, &mut ledger);
    assert_eq!(authorizer(&mut ledger).name, "door");
}

#[test]
fn what_somebody_did_to_the_authorizer_or_its_route_by_hand_is_undone() {
    let desired = desired_with(&guarded(), "one");
    let mut ledger = deployed(&desired);
    let state = authorizer(&mut ledger);
    state.identity_sources.clear();
    state.credentials_arn = None;
    let mut another = state.clone();
    another.authorizer_id = "hand".into();
    another.name = "by-hand".into();
    let api = &mut ledger.observed.apis[0];
    api.authorizers.push(another);
    let connect = api.routes.iter_mut().find(|it| it.route_key == "$connect");
    connect.unwrap().authorizer_id = Some("hand".into());
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let order = ["UpdateAuthorizer", "UpdateRoute", "DeleteAuthorizer"];
    assert_eq!(of_draft(&plan), order);
    released(&desired, &mut ledger);
}

#[test]
fn a_route_that_somebody_opened_by_hand_asks_again() {
    let desired = desired_with(&guarded(), "one");
    let mut ledger = deployed(&desired);
    let routes = &mut ledger.observed.apis[0].routes;
    let connect = routes.iter_mut().find(|it| it.route_key == "$connect");
    let connect = connect.unwrap();
    connect.authorization = "NONE".into();
    connect.authorizer_id = None;
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(of_draft(&plan), ["UpdateRoute"], "{plan}");
    let text = plan.to_string();
    assert!(text.contains("authorization: NONE → CUSTOM"), "{text}");
    released(&desired, &mut ledger);
}

#[test]
fn an_authorizer_is_part_of_the_release_and_what_lacks_one_keeps_its_hash() {
    let hash = |service: &str| ReleaseHash::of(&desired_with(service, "one"));
    let guarded = guarded();
    assert_ne!(hash(&guarded), hash(&off()));
    let other = guarded.replace("querystring", "header");
    assert_ne!(hash(&guarded), hash(&other));
    let twice = guarded.replace(
        "[\"route.request.querystring.token\"]",
        "[\"route.request.querystring.token\", \"context.identity.sourceIp\"]",
    );
    let turned = guarded.replace(
        "[\"route.request.querystring.token\"]",
        "[\"context.identity.sourceIp\", \"route.request.querystring.token\"]",
    );
    assert_eq!(hash(&twice), hash(&turned));
    assert_eq!(hash(SERVICE).to_string(), "2f4cfb2af3613240");
}

#[test]
fn turning_it_off_keeps_the_release_that_asks_it_and_the_way_back_is_one_write() {
    let on = desired_with(&guarded(), "one");
    let mut ledger = deployed(&on);
    let off = desired_with(&off(), "two");
    released(&off, &mut ledger);
    roll_back(&mut ledger, &on);
    roll_back(&mut ledger, &off);
    assert!(up(&off, &ledger.observed).unwrap().is_empty());
}

#[test]
fn down_takes_it_with_its_api() {
    let desired = desired_with(&guarded(), "one");
    let mut ledger = deployed(&desired);
    let plan = down(&desired.names, &ledger.observed);
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
}

#[test]
fn in_an_api_that_is_taken_over_another_authorizer_goes_like_all_else() {
    let mut ledger = deployed(&desired_with(&guarded(), "one"));
    let mut api = ledger.observed.apis.remove(0);
    api.tags.clear();
    ledger.observed.unowned_apis.push(api);
    let mut desired = desired_with(SERVICE, "one");
    assert!(up(&desired, &ledger.observed).is_err());
    desired.adopt = true;
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(
        of_draft(&plan),
        ["UpdateRoute", "DeleteAuthorizer"],
        "{plan}"
    );
    released(&desired, &mut ledger);
}
