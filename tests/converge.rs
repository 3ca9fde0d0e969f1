//! The engine over the wire against the local cloud: whatever happens to an
//! `up` or a `down`, the next one ends where it should.

use deployer_core::desired::Desired;
use deployer_core::names::FunctionKey;
use deployer_core::policy::INLINE_POLICY_NAME;
use deployer_core::provenance::Provenance;
use deployer_core::release::ReleaseHash;
use deployer_core::stage_file::{self, FileText};
use deployer_engine::interrupt::Interrupt;
use deployer_engine::observe::{Known, observe};
use deployer_engine::up::{Serving, Up, make_plan, up};
use testkit::{Fault, FaultyWriter, Release, World};

const SERVICE: Release = Release {
    service: r#"
service = "chat"
[functions.connect]
[functions.room]
reserved_concurrency = 1
[routes]
"$connect" = "connect"
join = "room"
"#,
    code: "first",
};

/// A service after a change of nearly everything that can change.
const CHANGED: Release = Release {
    service: r#"
service = "chat"
description = "Another"
[functions.room]
memory_mb = 256
environment = { LEVEL = "info" }
log_retention_days = 30
[functions.late]
[routes]
join = "room"
"$default" = "late"
"#,
    code: "second",
};

/// What the `up` from SERVICE to CHANGED says is serving serves, whole.
async fn says_what_serves(world: &World, up: &Up, after: &str) {
    let (old, _) = world.session.desired(SERVICE);
    let (new, _) = world.session.desired(CHANGED);
    let known = Known {
        functions: [old.function_names(), new.function_names()].concat(),
        tables: Vec::new(),
    };
    let observed = observe(&world.session.cloud, &old.names, &known).await;
    let observed = observed.expect("it reads");
    let live = observed.apis[0].live_deployment(&old.names.api_stage);
    let live = live.expect("something was live before");
    let release = ReleaseHash::from_description(&live.description).expect("ours");
    let said = match up.serving() {
        Serving::Old => vec![ReleaseHash::of(&old)],
        Serving::New => vec![ReleaseHash::of(&new)],
        Serving::OldOrNew => vec![ReleaseHash::of(&old), ReleaseHash::of(&new)],
        Serving::Nothing => vec![],
    };
    assert!(said.contains(&release), "{after}: {:?}", up.serving());
    let policy = &observed.roles[&old.names.invoke_role].inline_policies[INLINE_POLICY_NAME];
    for function in observed.releases[&live.manifest_key()].functions.values() {
        let state = &observed.functions[&function.name];
        let mut versions = state.versions.iter();
        assert!(
            versions.any(|v| v.version == function.version),
            "{after}: {function:?}"
        );
        let arn = format!("{}:*", old.account.function_arn(&function.name));
        assert!(policy.to_string().contains(&arn), "{after}: {policy}");
    }
}

#[tokio::test]
async fn up_twice_changes_nothing_the_second_time_and_down_leaves_nothing() {
    let world = World::new().await;
    world.converge(SERVICE, "a first up").await;
    let again = world.session.up(SERVICE).await.expect("up works");
    assert!(again.plan.is_empty(), "{}", again.plan);
    world.converge(CHANGED, "a change").await;
    world.converge(SERVICE, "a change back").await;
    world.empty(SERVICE, "a life").await;
}

#[tokio::test]
async fn an_up_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("first up, {fault:?} write {write}");
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let up = world
                .session
                .up_with(SERVICE, &writer)
                .await
                .expect("reading works");
            if !writer.reached() {
                assert!(up.outcome.complete(), "{after}");
                assert_eq!(write, up.plan.steps.len(), "every write was made to fail");
                world.empty(SERVICE, &after).await;
                break;
            }
            // A lost answer is looked after within the same run, where all that came
            // after it was done.
            assert!(!up.outcome.complete() || fault == Fault::After, "{after}");
            world.converge(SERVICE, &after).await;
            world.empty(SERVICE, &after).await;
            write += 1;
        }
    }
}

#[tokio::test]
async fn a_change_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("change, {fault:?} write {write}");
            world.converge(SERVICE, &after).await;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let up = world
                .session
                .up_with(CHANGED, &writer)
                .await
                .expect("reading works");
            let finished = !writer.reached();
            assert!(
                up.outcome.complete() == finished || fault == Fault::After,
                "{after}"
            );
            says_what_serves(&world, &up, &after).await;
            world.converge(CHANGED, &after).await;
            if finished {
                assert_eq!(write, up.plan.steps.len(), "every write was made to fail");
                break;
            }
            write += 1;
        }
        world.empty(SERVICE, "changes").await;
    }
}

#[tokio::test]
async fn a_down_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("down, {fault:?} write {write}");
            world.converge(SERVICE, &after).await;
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            let down = world
                .session
                .down_with(SERVICE, &writer)
                .await
                .expect("reading works");
            let finished = !writer.reached();
            assert_eq!(down.outcome.complete(), finished, "{after}");
            world.empty(SERVICE, &after).await;
            if finished {
                assert_eq!(write, down.plan.steps.len(), "every write was made to fail");
                break;
            }
            write += 1;
        }
    }
}

#[tokio::test]
async fn a_half_built_first_up_is_removed_whole() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let writer = FaultyWriter::new(&world.session.cloud, fault, write);
            world
                .session
                .up_with(SERVICE, &writer)
                .await
                .expect("reading works");
            world
                .empty(SERVICE, &format!("first up, {fault:?} write {write}"))
                .await;
            if !writer.reached() {
                break;
            }
            write += 1;
        }
    }
}

#[tokio::test]
async fn two_stages_of_one_service_leave_each_other_alone() {
    let world = World::new().await;
    world.converge(SERVICE, "alpha").await;
    // `alpha` is the beginning of `alpha-b`: their names begin alike.
    let definition = stage_file::read(
        "alpha-b",
        FileText {
            path: "stages/service.toml",
            text: SERVICE.service,
        },
        FileText {
            path: "stages/alpha-b.toml",
            text: "target = \"aws\"",
        },
    )
    .expect("a legal stage");
    let (of_alpha, artifacts) = world.session.desired(SERVICE);
    let code = of_alpha
        .functions
        .iter()
        .map(|(key, function)| (FunctionKey::new(key.as_str()), function.code.clone()))
        .collect();
    let other = Desired::new(
        &definition,
        world.session.account.clone(),
        &code,
        Provenance::default(),
    );
    let interrupt = Interrupt::default();
    let means = world
        .session
        .means(&other, &artifacts, &world.session.cloud, &interrupt);
    assert!(
        up(&other, &means)
            .await
            .expect("up works")
            .outcome
            .complete()
    );

    world.converge(SERVICE, "the other's up").await;
    let down = world.session.down(SERVICE).await.expect("reading works");
    assert!(down.left.is_empty(), "{}", down.left);
    let (plan, _) = make_plan(&world.session.cloud, &other)
        .await
        .expect("reading works");
    assert!(plan.is_empty(), "{plan}");
}
