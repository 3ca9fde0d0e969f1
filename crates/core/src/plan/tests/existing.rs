//! Functions that the stage only invokes, and an API that somebody else made.

use super::account::Ledger;
use super::{Desired, desired_with, down, up, with_existing};
use crate::names::ApiId;
use crate::observed::{
    ApiStageState, ApiState, AuthorizerState, DeploymentState, IntegrationState, RouteState,
};
use crate::plan::{Action, Plan, Refusal};
use crate::stage_settings::{ApiSettings, StageSettings};
use crate::tags::Tags;

const SERVICE: &str = r#"
service = "chat"
description = "Made by hand"
[functions.connect]
existing = "Stack-Connect-1A:live"
[functions.room]
existing = "Stack-Room-2B"
[functions.gate]
existing = "Stack-Gate-3C"
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
[routes]
"$connect" = "connect"
join = "room"
send = "room"
"#;

/// The service, with an API to take over.
fn taking_over(service: &str) -> Desired {
    Desired {
        adopt: true,
        api: Some(ApiId::new("abc123")),
        ..desired_with(service, "one")
    }
}

/// As CDK makes it: an integration for each route, and names of its own.
fn made_by_hand() -> ApiState {
    let desired = taking_over(SERVICE);
    let uri = |key: &str| {
        let account = &desired.account;
        account.invocation_uri(&desired.arn_of(&key.into()))
    };
    let integration = |id: &str, key: &str| IntegrationState {
        integration_id: id.into(),
        integration_type: "AWS_PROXY".into(),
        uri: uri(key),
        credentials_arn: None,
    };
    let route = |id: &str, key: &str, authorizer: Option<&str>| RouteState {
        route_id: id.into(),
        route_key: key.into(),
        target: Some(format!("integrations/{id}")),
        authorization: if authorizer.is_some() {
            "CUSTOM"
        } else {
            "NONE"
        }
        .into(),
        authorizer_id: authorizer.map(Into::into),
    };
    ApiState {
        api_id: "abc123".into(),
        tags: Tags::from([("aws:cloudformation:stack-name".into(), "Stack".into())]),
        endpoint: "wss://abc123".into(),
        description: "Made by hand".into(),
        route_selection_expression: "$request.body.action".into(),
        settings: ApiSettings::default(),
        routes: vec![
            route("one", "$connect", Some("asks")),
            route("two", "join", None),
            route("three", "send", None),
        ],
        integrations: vec![
            integration("one", "connect"),
            integration("two", "room"),
            integration("three", "room"),
        ],
        authorizers: vec![AuthorizerState {
            authorizer_id: "asks".into(),
            name: "StackAuthorizer".into(),
            uri: uri("gate"),
            credentials_arn: None,
            identity_sources: ["route.request.querystring.token".to_owned()].into(),
        }],
        deployments: vec![DeploymentState {
            deployment_id: "hand".into(),
            description: String::new(),
            created: None,
        }],
        stages: vec![ApiStageState {
            name: "alpha".into(),
            deployment_id: Some("hand".into()),
            auto_deploy: true,
            tags: Tags::new(),
            settings: StageSettings::default(),
        }],
    }
}

fn account() -> Ledger {
    let mut ledger = Ledger::new(&taking_over(SERVICE));
    ledger.observed.unowned_apis.push(made_by_hand());
    ledger
}

fn refusal(desired: &Desired, ledger: &Ledger) -> Refusal {
    up(desired, &ledger.observed).unwrap_err()
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|it| it.action.operation()).collect()
}

#[test]
fn an_api_made_by_hand_is_taken_over_and_nothing_that_serves_is_replaced() {
    let desired = taking_over(SERVICE);
    let mut ledger = account();
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    let api = &ledger.observed.apis[0];
    let before = made_by_hand();
    assert_eq!(api.api_id, before.api_id);
    assert_eq!(
        (&api.routes, &api.integrations, &api.authorizers),
        (&before.routes, &before.integrations, &before.authorizers)
    );
    // From now on it is found by its tags.
    for adopt in [true, false] {
        for api in [desired.api.clone(), None] {
            let again = Desired {
                adopt,
                api,
                ..desired.clone()
            };
            let plan = up(&again, &ledger.observed).unwrap();
            assert!(plan.is_empty(), "{plan}");
        }
    }
    let plan = down(&desired.names, &ledger.observed);
    assert!(!operations(&plan).contains(&"DeleteFunction"), "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
}

#[test]
fn an_integration_that_no_wanted_route_leads_to_goes_and_the_others_stay() {
    let desired = taking_over(SERVICE);
    let mut ledger = account();
    let api = &mut ledger.observed.unowned_apis[0];
    let mut spare = api.integrations[1].clone();
    spare.integration_id = "spare".into();
    api.integrations.insert(0, spare);
    let plan = up(&desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    let left = &ledger.observed.apis[0].integrations;
    assert_eq!(*left, made_by_hand().integrations, "{plan}");
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn an_adoption_that_stopped_anywhere_goes_on() {
    let desired = taking_over(SERVICE);
    let whole = up(&desired, &account().observed).unwrap();
    for count in 0..=whole.steps.len() {
        let mut ledger = account();
        ledger.apply(&up(&desired, &ledger.observed).unwrap(), count);
        let plan = up(&desired, &ledger.observed).unwrap();
        ledger.apply(&plan, plan.steps.len());
        let left = up(&desired, &ledger.observed).unwrap();
        assert!(left.is_empty(), "{count}: {left}");
        assert_eq!(ledger.observed.apis.len(), 1);
    }
}

#[test]
fn what_is_not_asked_for_or_not_there_or_not_theirs_is_refused() {
    let desired = taking_over(SERVICE);
    let unasked = Desired {
        adopt: false,
        ..desired.clone()
    };
    let mut said = vec![refusal(&unasked, &account())];

    let gone = Desired {
        api: Some("gone".into()),
        ..desired.clone()
    };
    said.push(refusal(&gone, &account()));

    let mut ledger = account();
    let own = Desired {
        api: None,
        adopt: false,
        ..desired.clone()
    };
    let theirs = std::mem::take(&mut ledger.observed.unowned_apis);
    let plan = up(&own, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    ledger.observed.unowned_apis = theirs;
    said.push(refusal(&desired, &ledger));

    let mut ledger = account();
    let other = crate::names::StageIdentity {
        stage: "beta".into(),
        ..desired.names.identity.clone()
    };
    ledger.observed.unowned_apis[0].tags = crate::tags::ownership(&other);
    said.push(refusal(&desired, &ledger));

    // Functions: one isn't there, one is ours, one is elsewhere.
    let service = SERVICE.replace(
        "\"Stack-Room-2B\"",
        "\"arn:aws:lambda:eu-west-1:123456789012:function:room\"",
    );
    let desired = taking_over(&service);
    let mut observed = with_existing(&desired, &account().observed);
    observed.existing.remove(&"connect".into());
    observed
        .existing
        .insert("gate".into(), desired.tags.clone());
    said.push(super::super::up(&desired, &observed).unwrap_err());
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn a_route_moves_to_a_function_of_ours_and_what_it_led_to_stays() {
    let mut ledger = account();
    let plan = up(&taking_over(SERVICE), &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    let ours = SERVICE.replace(
        "[functions.room]\nexisting = \"Stack-Room-2B\"",
        "[functions.room]",
    );
    let ours = taking_over(&ours);
    let plan = up(&ours, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    let touched = plan.steps.iter().any(|step| {
        matches!(
            &step.action,
            Action::Tag { .. } | Action::Untag { .. } | Action::Adopt { .. }
        )
    });
    assert!(!touched, "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&ours, &ledger.observed).unwrap().is_empty());

    // The release before is kept, and what it needs is permitted.
    let role = &ledger.observed.roles[&ours.names.invoke_role];
    let policy = serde_json::to_string(&role.inline_policies).unwrap();
    assert!(policy.contains(":function:Stack-Room-2B\""), "{policy}");
    let back = super::rollback(&ours.names, &ledger.observed, None).unwrap();
    ledger.apply(&back, back.steps.len());

    // And the other way round.
    let plan = up(&taking_over(SERVICE), &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    assert!(
        up(&taking_over(SERVICE), &ledger.observed)
            .unwrap()
            .is_empty()
    );
    let plan = down(&ours.names, &ledger.observed);
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(ledger.observed, Default::default());
}

#[test]
fn a_stage_without_an_api_of_before_invokes_what_exists_by_its_own_role() {
    let desired = desired_with(SERVICE, "one");
    let mut ledger = Ledger::new(&desired);
    let plan = up(&desired, &ledger.observed).unwrap();
    insta::assert_snapshot!(plan);
    ledger.apply(&plan, plan.steps.len());
    let integrations = &ledger.observed.apis[0].integrations;
    assert!(integrations.iter().all(|it| it.credentials_arn.is_some()));
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}
