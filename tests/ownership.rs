//! Whose a resource is, over the wire: what has our names without our tags is
//! refused, or adopted when asked; what another stage tagged is left alone.

use deployer_core::desired::Desired;
use deployer_core::manifest::journal;
use deployer_core::plan::Action;
use deployer_engine::cloud::CloudReader;
use deployer_engine::down::{DownError, Removal};
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{Journal, Waiting};
use deployer_engine::observe::Known;
use deployer_engine::rollback::RollbackError;
use deployer_engine::up::{Up, UpError};
use http::Method;
use testkit::{Fault, FaultyWriter, Release, WireCall, World};

const SERVICE: Release = Release {
    service: r#"
service = "chat"
[functions.room]
reserved_concurrency = 1
[routes]
join = "room"
"#,
    code: "first",
};

const CHANGED: Release = Release {
    code: "second",
    ..SERVICE
};

/// `up --adopt` under the lease.
async fn adopt(world: &World, release: Release) -> Result<Up, UpError> {
    let (mut desired, artifacts) = world.session.desired(release);
    desired.adopt = true;
    let interrupt = Interrupt::default();
    let cloud = &world.session.cloud;
    let means = world.session.means(&desired, &artifacts, cloud, &interrupt);
    let lease = world.session.lease(&desired, "me", Waiting::DontWait);
    exclusive::up(&desired, &means, &lease).await
}

fn escaped(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

const TAGS: [&str; 3] = ["deployer:schema", "deployer:service", "deployer:stage"];

async fn untag_log_group(world: &World, arn: &str) {
    let keys = serde_json::json!({ "resourceArn": arn, "tagKeys": TAGS });
    let call = WireCall::logs("UntagResource", &keys.to_string());
    call.succeed(world.port()).await;
}

fn api_arn(desired: &Desired, api_id: &str) -> String {
    desired.account.api_arn(&api_id.into())
}

/// Takes the ownership tags off everything, as if somebody had built it by hand.
async fn untag(world: &World, desired: &Desired) {
    let port = world.port();
    let query = TAGS
        .map(|tag| format!("tagKeys={}", escaped(tag)))
        .join("&");
    for role in [&desired.names.execution_role, &desired.names.invoke_role] {
        let keys: String = (1..)
            .zip(TAGS)
            .map(|(n, tag)| format!("&TagKeys.member.{n}={}", escaped(tag)))
            .collect();
        let form = format!("Action=UntagRole&Version=2010-05-08&RoleName={role}{keys}");
        WireCall::new("iam", Method::POST, "/", &form)
            .succeed(port)
            .await;
    }
    for function in desired.functions.values() {
        let arn = desired.account.function_arn(&function.name);
        let path = format!("/2017-03-31/tags/{}?{query}", escaped(&arn));
        WireCall::new("lambda", Method::DELETE, &path, "")
            .succeed(port)
            .await;
        let arn = desired.account.log_group_arn(&function.log_group);
        untag_log_group(world, &arn).await;
    }
    let arn = desired.account.log_group_arn(&journal(&desired.names));
    untag_log_group(world, &arn).await;
    for api in world
        .session
        .cloud
        .list_apis(&desired.names)
        .await
        .expect("it reads")
    {
        let arn = api_arn(desired, api.api_id.as_str());
        let path = format!("/v2/tags/{}?{query}", escaped(&arn));
        WireCall::new("apigateway", Method::DELETE, &path, "")
            .succeed(port)
            .await;
    }
}

fn adoptions(up: &Up) -> usize {
    let steps = up.plan.steps.iter();
    steps
        .filter(|step| matches!(step.action, Action::Adopt { .. }))
        .count()
}

#[tokio::test]
async fn a_stage_built_by_hand_is_refused_and_then_adopted_with_all_it_has() {
    let world = World::new().await;
    world.converge(SERVICE, "a first up").await;
    let (desired, _) = world.session.desired(SERVICE);
    untag(&world, &desired).await;

    let Err(UpError::Refused(refusal)) = world.session.up(CHANGED).await else {
        panic!("it isn't ours");
    };
    let kinds: Vec<&str> = refusal.resources.iter().map(|r| r.kind).collect();
    assert_eq!(
        kinds,
        ["role", "role", "log group", "log group", "function", "api"]
    );
    assert!(
        world
            .session
            .down(SERVICE)
            .await
            .expect("nothing of ours")
            .plan
            .is_empty()
    );

    let up = adopt(&world, CHANGED).await.expect("all of it is nobody's");
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    assert_eq!(adoptions(&up), 6, "{}", up.plan);
    world.converge(CHANGED, "an adoption").await;
    world.empty(CHANGED, "an adoption").await;
}

#[tokio::test]
async fn an_adoption_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("adoption, {fault:?} write {write}");
            world.converge(SERVICE, &after).await;
            let (mut desired, artifacts) = world.session.desired(CHANGED);
            untag(&world, &desired).await;
            desired.adopt = true;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let interrupt = Interrupt::default();
            let means = world
                .session
                .means(&desired, &artifacts, &writer, &interrupt);
            let up = deployer_engine::up::up(&desired, &means)
                .await
                .expect("it reads");
            let finished = !writer.reached();
            // A lost answer is looked after within the same run.
            assert!(
                up.outcome.complete() == finished || fault == Fault::After,
                "{after}"
            );
            let again = adopt(&world, CHANGED).await.expect("nobody's or ours");
            assert!(
                again.outcome.complete(),
                "{after}: {:?}",
                again.outcome.failed
            );
            world.converge(CHANGED, &after).await;
            world.empty(CHANGED, &after).await;
            if finished {
                break;
            }
            write += 1;
        }
    }
}

#[tokio::test]
async fn an_untagged_api_of_our_name_is_adopted_if_it_is_the_only_one() {
    let world = World::new().await;
    let body = r#"{"name":"chat-alpha","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}"#;
    let create = WireCall::new("apigateway", Method::POST, "/v2/apis", body);
    create.succeed(world.port()).await;
    let second = create.succeed(world.port()).await;
    let Err(UpError::Refused(refusal)) = adopt(&world, SERVICE).await else {
        panic!("there are two");
    };
    assert!(
        refusal
            .to_string()
            .contains("is one of several with this name"),
        "{refusal}"
    );
    let second: serde_json::Value = serde_json::from_str(&second).expect("JSON");
    let path = format!("/v2/apis/{}", second["apiId"].as_str().expect("an id"));
    let delete = WireCall::new("apigateway", Method::DELETE, &path, "");
    delete.succeed(world.port()).await;
    assert!(matches!(
        world.session.up(SERVICE).await,
        Err(UpError::Refused(_))
    ));
    let up = adopt(&world, SERVICE).await.expect("only one is left");
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    assert_eq!(adoptions(&up), 1, "{}", up.plan);
    world.converge(SERVICE, "an adopted API").await;
    world.empty(SERVICE, "an adopted API").await;
}

#[tokio::test]
async fn what_another_stage_tagged_is_refused_also_with_adopt() {
    let world = World::new().await;
    let body = r#"{"logGroupName":"/aws/lambda/chat-alpha-room","tags":{"deployer:schema":"1","deployer:service":"chat-alpha","deployer:stage":"room"}}"#;
    WireCall::logs("CreateLogGroup", body)
        .succeed(world.port())
        .await;
    let Err(UpError::Refused(refusal)) = adopt(&world, SERVICE).await else {
        panic!("it belongs to another");
    };
    assert!(
        refusal
            .to_string()
            .contains("log group /aws/lambda/chat-alpha-room belongs to the stage chat-alpha/room"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_journal_of_somebody_else_is_written_to_by_nobody() {
    let world = World::new().await;
    world.converge(SERVICE, "a first up").await;
    world.converge(CHANGED, "a change").await;
    let (desired, artifacts) = world.session.desired(CHANGED);
    let name = journal(&desired.names);
    untag_log_group(&world, &desired.account.log_group_arn(&name)).await;
    let interrupt = Interrupt::default();
    let cloud = &world.session.cloud;
    let means = world.session.means(&desired, &artifacts, cloud, &interrupt);
    let lease = world.session.lease(&desired, "me", Waiting::DontWait);
    let known = Known::of(&desired);
    let streams = || cloud.list_lease_streams(&name);
    let before = streams().await.expect("it reads");

    let removal = Removal::retaining(desired.retain.clone());
    let down = exclusive::down(&known, &removal, &means, &lease).await;
    let Err(DownError::Refused(refusal)) = down else {
        panic!("the journal isn't ours: {down:?}");
    };
    assert!(
        refusal
            .to_string()
            .contains("log group /deployer/chat-alpha exists without"),
        "{refusal}"
    );
    let rollback = exclusive::rollback(&known, None, &means, &lease).await;
    assert!(
        matches!(rollback, Err(RollbackError::NotOurs(_))),
        "{rollback:?}"
    );
    let up = exclusive::up(&world.session.desired(SERVICE).0, &means, &lease).await;
    assert!(matches!(up, Err(UpError::Refused(_))), "{up:?}");
    assert_eq!(streams().await.expect("it reads"), before);

    let up = adopt(&world, SERVICE)
        .await
        .expect("the journal is nobody's");
    assert_eq!(adoptions(&up), 1, "{}", up.plan);
    world.empty(SERVICE, "an adopted journal").await;
}

#[tokio::test]
async fn retained_logs_are_left_listed_and_taken_again() {
    const RETAINING: Release = Release {
        service: r#"
service = "chat"
retain = ["logs"]
[functions.room]
[routes]
join = "room"
"#,
        code: "first",
    };
    let world = World::new().await;
    world.converge(RETAINING, "a first up").await;
    for _ in 0..2 {
        let down = world.session.down(RETAINING).await.expect("it reads");
        assert!(
            down.outcome.complete() && down.left.is_empty(),
            "{}",
            down.left
        );
        let retained: Vec<_> = down
            .retained
            .log_groups
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(retained, ["/aws/lambda/chat-alpha-room"]);
    }
    let inventory = WireCall::logs("DescribeLogGroups", "{}")
        .succeed(world.port())
        .await;
    assert_eq!(
        inventory.matches("\"logGroupName\"").count(),
        1,
        "{inventory}"
    );
    let up = world
        .session
        .up(RETAINING)
        .await
        .expect("they are still ours");
    let mut actions = up.plan.steps.iter().map(|step| &step.action);
    assert!(
        !actions.any(|a| matches!(a, Action::CreateLogGroup { log_group, .. } if log_group.as_str().contains("lambda"))),
        "{}",
        up.plan
    );
    world.converge(RETAINING, "logs taken again").await;
    world.empty(SERVICE, "retained no longer").await;
}
