//! Releases by the wire: one deployer at a time, kept releases, the way back.

use deployer_core::desired::Desired;
use deployer_core::manifest::journal;
use deployer_core::observed::Observed;
use deployer_core::plan::releases;
use deployer_core::release::ReleaseHash;
use deployer_engine::cloud::{Artifacts, CloudReader};
use deployer_engine::down::Removal;
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::Waiting;
use deployer_engine::observe::{Known, observe};
use deployer_engine::up::UpError;
use futures_util::future::join_all;
use testkit::{Release, WireCall, World};

const SERVICE: &str = r#"
service = "chat"
keep_releases = 3
[functions.connect]
[functions.room]
[routes]
"$connect" = "connect"
join = "room"
"#;

const CODES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];

fn release(code: &'static str) -> Release {
    Release {
        service: SERVICE,
        code,
    }
}

/// Deploys under the lease, at the given second.
async fn deploy(world: &World, code: &'static str, holder: &str) -> Result<(), UpError> {
    let (mut desired, artifacts) = world.session.desired(release(code));
    desired.provenance.at = format!("2026-11-22T00:00:0{code}Z");
    let interrupt = Interrupt::default();
    let means = world
        .session
        .means(&desired, &artifacts, &world.session.cloud, &interrupt);
    let lease = world.session.lease(&desired, holder, Waiting::Wait);
    let up = exclusive::up(&desired, &means, &lease).await?;
    assert!(up.outcome.complete(), "{holder}: {:?}", up.outcome.failed);
    Ok(())
}

async fn look(world: &World) -> (Desired, Observed) {
    let (desired, _) = world.session.desired(release("0"));
    let known = Known::of(&desired);
    let observed = observe(&world.session.cloud, &desired.names, &known)
        .await
        .expect("it reads");
    (desired, observed)
}

fn live(observed: &Observed, desired: &Desired) -> ReleaseHash {
    let deployment = observed.apis[0]
        .live_deployment(&desired.names.api_stage)
        .expect("live");
    ReleaseHash::from_description(&deployment.description).expect("ours")
}

fn hash(world: &World, code: &'static str) -> ReleaseHash {
    ReleaseHash::of(&world.session.desired(release(code)).0)
}

#[tokio::test]
async fn eight_ups_at_once_end_in_one_api_and_one_coherent_release() {
    let world = World::new().await;
    let holders: Vec<String> = (0..8).map(|index| format!("deployer {index}")).collect();
    let ups = holders
        .iter()
        .enumerate()
        .map(|(index, holder)| deploy(&world, CODES[index % 4], holder));
    for up in join_all(ups).await {
        up.expect("each gets its turn");
    }
    let (desired, observed) = look(&world).await;
    assert_eq!(observed.apis.len(), 1);
    let last = live(&observed, &desired);
    let code = CODES
        .into_iter()
        .find(|code| hash(&world, code) == last)
        .expect("one of the four");
    world.converge(release(code), "eight at once").await;
    world.empty(release(code), "eight at once").await;
}

#[tokio::test]
async fn who_does_not_wait_is_refused_and_an_empty_plan_takes_no_lease() {
    let world = World::new().await;
    deploy(&world, "0", "the first").await.expect("up works");
    // Somebody holds the lease and doesn't end it.
    let (desired, artifacts) = world.session.desired(release("0"));
    let streams = world.session.cloud.clone();
    use deployer_engine::lease::Journal;
    let held = deployer_core::lease::Generation::NONE.next().next();
    let name = journal(&desired.names);
    assert!(
        streams
            .create_stream(&name, &held.stream())
            .await
            .expect("it writes")
    );
    assert!(
        streams
            .create_stream(&name, &held.holder_stream("me@elsewhere"))
            .await
            .expect("it writes")
    );

    deploy(&world, "0", "the idle")
        .await
        .expect("nothing to do needs no lease");
    let (changed, _) = world.session.desired(release("1"));
    let interrupt = Interrupt::default();
    let means = world
        .session
        .means(&changed, &artifacts, &world.session.cloud, &interrupt);
    let request = world
        .session
        .lease(&changed, "the impatient", Waiting::DontWait);
    let error = exclusive::up(&changed, &means, &request)
        .await
        .expect_err("it is held");
    assert_eq!(error.to_string(), "me@elsewhere is deploying this stage");
}

#[tokio::test]
async fn only_so_many_releases_are_kept_and_each_of_them_can_return() {
    let world = World::new().await;
    for code in CODES {
        deploy(&world, code, "me").await.expect("up works");
    }
    let (desired, observed) = look(&world).await;
    let kept: Vec<ReleaseHash> = releases(&observed.apis[0], &observed)
        .into_iter()
        .map(|(_, release)| release)
        .collect();
    assert_eq!(kept, ["5", "4", "3"].map(|code| hash(&world, code)));
    assert_eq!(observed.apis[0].deployments.len(), 3);
    assert_eq!(observed.releases.len(), 3);
    for (name, function) in &observed.functions {
        assert_eq!(function.versions.len(), 3, "{name}");
    }

    let artifacts = Artifacts::new();
    let interrupt = Interrupt::default();
    let means = world
        .session
        .means(&desired, &artifacts, &world.session.cloud, &interrupt);
    let known = Known::of(&desired);
    let request = world.session.lease(&desired, "me", Waiting::Wait);
    for (asked, code) in [(None, "4"), (Some(hash(&world, "3").to_string()), "3")] {
        let done = exclusive::rollback(&known, asked.as_deref(), &means, &request).await;
        assert!(done.expect("it rolls back").outcome.complete());
        let (desired, observed) = look(&world).await;
        assert_eq!(live(&observed, &desired), hash(&world, code));
        // What the file says is no longer live: a plan must say so.
        let (newest, _) = world.session.desired(release("5"));
        let plan = deployer_core::plan::up(&newest, &observed).expect("nothing in the way");
        assert!(!plan.is_empty(), "after a rollback to {code}");
    }
    let gone = hash(&world, "0").to_string();
    let refused = exclusive::rollback(&known, Some(&gone), &means, &request).await;
    assert!(
        refused
            .expect_err("it is gone")
            .to_string()
            .contains("no kept release is called")
    );
    assert!(
        world
            .session
            .cloud
            .find_log_group(&journal(&desired.names))
            .await
            .expect("it reads")
            .is_some()
    );
    world.empty(release("5"), "rollbacks").await;
}

#[tokio::test]
async fn a_down_without_a_journal_leaves_not_even_the_one_its_lease_made() {
    let world = World::new().await;
    deploy(&world, "0", "me").await.expect("it deploys");
    let (desired, artifacts) = world.session.desired(release("0"));
    let body = format!(r#"{{"logGroupName":"{}"}}"#, journal(&desired.names));
    WireCall::logs("DeleteLogGroup", &body)
        .succeed(world.port())
        .await;
    let interrupt = Interrupt::default();
    let cloud = &world.session.cloud;
    let means = world.session.means(&desired, &artifacts, cloud, &interrupt);
    let lease = world.session.lease(&desired, "me", Waiting::DontWait);
    let known = Known::of(&desired);
    let removal = Removal::retaining(desired.retain.clone());
    let down = exclusive::down(&known, &removal, &means, &lease).await;
    assert!(down.expect("it reads").outcome.complete());
    world.empty(release("0"), "a down without a journal").await;
}
