//! Plans carried out on a scripted cloud, on a paused clock.

mod cloud;

use super::{Means, Outcome, apply};
use crate::cloud::{Artifacts, Readiness};
use crate::error::{CloudError, CloudErrorKind};
use crate::events::Event;
use crate::interrupt::Interrupt;
use cloud::{ScriptedCloud, refused};
use deployer_core::account::Account;
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::names::{FunctionKey, Names, StageIdentity};
use deployer_core::plan::{Action, Bindings, Plan, Step, StepId};
use deployer_core::provenance::Provenance;
use deployer_core::stage_file::{self, FileText};
use std::time::Duration;
use tokio::time::Instant;

fn identity() -> StageIdentity {
    StageIdentity {
        service: "chat".into(),
        stage: "alpha".into(),
    }
}

fn plan(steps: Vec<(Action, Vec<StepId>)>) -> Plan {
    let steps = steps
        .into_iter()
        .map(|(action, after)| Step {
            action,
            after,
            changes: Vec::new(),
        })
        .collect();
    Plan {
        identity: identity(),
        bindings: Bindings::default(),
        steps,
        unnamed_tables: Vec::new(),
    }
}

fn log_group(name: &str) -> Action {
    Action::CreateLogGroup {
        log_group: name.into(),
        tags: Default::default(),
    }
}

fn publish(name: &str) -> Action {
    let code = FunctionCode {
        sha256: "sha".into(),
        architecture: "arm64".into(),
    };
    Action::PublishVersion {
        key: name.into(),
        name: name.into(),
        code,
    }
}

fn create(name: &str) -> Action {
    let key = FunctionKey::new(name);
    let service = format!("service = \"chat\"\n[functions.{name}]\n[routes]\nr = \"{name}\"\n");
    let file = |path, text| FileText { path, text };
    let stage = file("alpha", "target = \"aws\"");
    let definition = stage_file::read("alpha", file("service", &service), stage);
    let code = FunctionCode {
        sha256: "sha".into(),
        architecture: "x86_64".into(),
    };
    let account = Account {
        caller_arn: String::new(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "eu-central-1".into(),
    };
    let codes = [(key.clone(), code)].into();
    let definition = definition.expect("a legal stage");
    let mut desired = Desired::new(&definition, account, &codes, Provenance::default());
    let function = desired.functions.remove(&key).expect("the function");
    Action::CreateFunction {
        key,
        tags: function.tags.clone(),
        function: Box::new(function),
    }
}

fn delete_route(id: &str) -> Action {
    Action::DeleteRoute {
        route_key: id.into(),
        route_id: id.into(),
    }
}

async fn run(
    plan: &Plan,
    cloud: &ScriptedCloud,
    interrupt: &Interrupt,
    listen: impl Fn(Event) + Send + Sync,
) -> Outcome {
    let account = Account {
        caller_arn: "arn:aws:iam::123456789012:user/me".into(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let names = Names::new(identity(), &account.region);
    let artifacts = Artifacts::new();
    let means = Means {
        reader: cloud,
        writer: cloud,
        account: &account,
        names: &names,
        artifacts: &artifacts,
        events: &listen,
        interrupt,
        verify: crate::verify::Verify::default(),
    };
    apply(plan, &means).await
}

async fn run_quietly(plan: &Plan, cloud: &ScriptedCloud) -> Outcome {
    run(plan, cloud, &Interrupt::default(), |_| {}).await
}

#[tokio::test(start_paused = true)]
async fn a_failing_branch_stops_only_what_comes_after_it() {
    let cloud = ScriptedCloud::default();
    cloud.fail(
        "PublishVersion",
        refused("lambda", "ServiceException", "no"),
        1,
    );
    let plan = plan(vec![
        (publish("a"), vec![]),
        (delete_route("after-a"), vec![0]),
        (log_group("b"), vec![]),
        (log_group("after-b"), vec![2]),
    ]);
    let outcome = run_quietly(&plan, &cloud).await;
    assert_eq!(outcome.done, [2, 3].into());
    assert_eq!(outcome.not_begun, [1].into());
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(cloud.count("after-a"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_lambda_does_not_know_yet_is_waited_for() {
    let cloud = ScriptedCloud::default();
    let role = refused(
        "lambda",
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    );
    cloud.fail("PublishVersion", role, 6);
    let started = Instant::now();
    let outcome = run_quietly(&plan(vec![(publish("a"), vec![])]), &cloud).await;
    assert!(outcome.complete());
    assert_eq!(cloud.count("version a"), 7);
    // Pauses grow to a second and no more.
    let took = started.elapsed();
    assert!((4..7).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_at_the_deadline_with_the_last_reason() {
    let cloud = ScriptedCloud::default();
    let role = refused(
        "lambda",
        "InvalidParameterValueException",
        "cannot be assumed by Lambda",
    );
    cloud.fail("PublishVersion", role.clone(), usize::from(u8::MAX));
    let started = Instant::now();
    let outcome = run_quietly(&plan(vec![(publish("a"), vec![])]), &cloud).await;
    assert_eq!(outcome.failed, vec![(0, role)]);
    assert!(
        started.elapsed() <= Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_tried_again() {
    let cloud = ScriptedCloud::default();
    let lost = CloudError {
        kind: CloudErrorKind::NoAnswer,
        ..refused("lambda", "TooManyRequestsException", "")
    };
    cloud.fail("PublishVersion", lost, 1);
    let outcome = run_quietly(&plan(vec![(publish("a"), vec![])]), &cloud).await;
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(cloud.count("version a"), 1);
}

/// Four changes of the API, with other writes beside them.
fn changes_of_the_api() -> Plan {
    let mut steps: Vec<(Action, Vec<StepId>)> = Vec::new();
    for name in ["a", "b", "c", "d"] {
        steps.push((delete_route(name), vec![]));
        steps.push((log_group(name), vec![]));
    }
    plan(steps)
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_api_go_in_parallel_while_none_is_refused() {
    let cloud = ScriptedCloud::default();
    let started = Instant::now();
    let outcome = run_quietly(&changes_of_the_api(), &cloud).await;
    assert!(outcome.complete());
    assert_eq!(started.elapsed(), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_changes_of_the_api_go_one_by_one_and_no_slower_than_that() {
    let cloud = ScriptedCloud {
        one_change_at_a_time: true,
        ..ScriptedCloud::default()
    };
    let started = Instant::now();
    let outcome = run_quietly(&changes_of_the_api(), &cloud).await;
    assert!(outcome.complete());
    // One of the four came through at once, the others then in turn.
    assert_eq!(started.elapsed(), Duration::from_millis(400));
    assert!(cloud.count("delete route") <= 4 + 3);
}

#[tokio::test(start_paused = true)]
async fn one_function_asks_for_a_new_role_and_the_others_follow_together() {
    let cloud = ScriptedCloud {
        role_known_after: Some(Instant::now() + Duration::from_secs(10)),
        ..ScriptedCloud::default()
    };
    // Two come later, when it is known that the role isn't.
    let mut steps = vec![(log_group("c"), vec![]), (log_group("d"), vec![0])];
    steps.extend(
        [("a", vec![]), ("b", vec![]), ("c", vec![0]), ("d", vec![1])]
            .map(|(name, after)| (create(name), after)),
    );
    let started = Instant::now();
    let outcome = run_quietly(&plan(steps), &cloud).await;
    assert!(outcome.complete());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(12), "{took:?}");
    for (function, most) in [("b", 2), ("c", 2), ("d", 1)] {
        let asked = cloud.count(&format!("create function chat-alpha-{function}"));
        assert!(asked <= most, "{function} asked {asked} times");
    }
}

#[tokio::test(start_paused = true)]
async fn an_integration_does_not_wait_until_its_function_is_active_but_a_deployment_does() {
    let cloud = ScriptedCloud::default();
    let pending = Readiness::Pending("Pending".into());
    cloud
        .readiness
        .lock()
        .unwrap()
        .extend([pending.clone(), pending]);
    let integration = Action::CreateIntegration {
        key: "a".into(),
        function_arn: String::new(),
        credentials_arn: String::new(),
    };
    let plan = plan(vec![
        (publish("a"), vec![]),
        (integration, vec![0]),
        (log_group("deployment"), vec![0]),
    ]);
    let order = std::sync::Mutex::new(Vec::new());
    let outcome = run(&plan, &cloud, &Interrupt::default(), |event| {
        if let Event::StepDone { step, .. } = event {
            order.lock().unwrap().push(step);
        }
    })
    .await;
    assert!(outcome.complete());
    assert_eq!(order.into_inner().unwrap(), [1, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_function_is_waited_for_until_it_is_ready() {
    let cloud = ScriptedCloud::default();
    cloud.readiness.lock().unwrap().extend([
        Readiness::Pending("Pending".into()),
        Readiness::Pending("InProgress".into()),
    ]);
    let waits = std::sync::Mutex::new(Vec::new());
    let outcome = run(
        &plan(vec![(publish("a"), vec![]), (log_group("after"), vec![0])]),
        &cloud,
        &Interrupt::default(),
        |event| {
            if let Event::StepWaiting { reason, .. } = event {
                waits.lock().unwrap().push(reason);
            }
        },
    )
    .await;
    assert!(outcome.complete());
    assert_eq!(
        waits.into_inner().unwrap(),
        [
            "the function, which is Pending",
            "the function, which is InProgress"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_that_failed_is_not_waited_for() {
    let cloud = ScriptedCloud::default();
    cloud
        .readiness
        .lock()
        .unwrap()
        .push_back(Readiness::Failed("no such image".into()));
    let outcome = run_quietly(&plan(vec![(publish("a"), vec![])]), &cloud).await;
    assert_eq!(outcome.failed[0].1.message, "no such image");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_finishes_what_is_in_flight_and_begins_nothing() {
    let cloud = ScriptedCloud::default();
    let interrupt = Interrupt::default();
    let plan = plan(vec![(log_group("a"), vec![]), (log_group("b"), vec![0])]);
    let outcome = run(&plan, &cloud, &interrupt, |event| {
        if matches!(event, Event::StepStarted { .. }) {
            interrupt.request();
        }
    })
    .await;
    assert!(outcome.interrupted);
    assert_eq!(outcome.done, [0].into());
    assert_eq!(outcome.not_begun, [1].into());
}

#[tokio::test(start_paused = true)]
async fn what_a_write_makes_is_there_for_later_steps() {
    let cloud = ScriptedCloud::default();
    let create = Action::CreateApi {
        name: "chat-alpha".into(),
        description: String::new(),
        route_selection_expression: "$request.body.action".into(),
        settings: Default::default(),
        tags: Default::default(),
    };
    let outcome = run_quietly(&plan(vec![(create, vec![])]), &cloud).await;
    assert_eq!(outcome.bindings.api_id, Some("api1".into()));
}
