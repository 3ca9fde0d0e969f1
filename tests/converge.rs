//! The engine over the wire against the local cloud: whatever happens to an
//! `up` or a `down`, the next one ends where it should.

use deployer_aws::{Cloud, Destination};
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::names::FunctionKey;
use deployer_core::policy::Account;
use deployer_core::stage_file::{self, FileText};
use deployer_core::tags::{Ownership, Tags, ownership_of};
use deployer_engine::apply::Means;
use deployer_engine::cloud::{Artifacts, CloudReader, CloudWriter};
use deployer_engine::down::{Down, down};
use deployer_engine::interrupt::Interrupt;
use deployer_engine::up::{Up, UpError, make_plan, up};
use local_cloud::{Config, Running};
use testkit::{Fault, FaultyWriter};

const SERVICE: &str = r#"
service = "chat"
[functions.connect]
[functions.room]
reserved_concurrency = 1
[routes]
"$connect" = "connect"
join = "room"
"#;

/// A service after a change of nearly everything that can change.
const CHANGED: &str = r#"
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
"#;

struct World {
    running: Running,
    cloud: Cloud,
    account: Account,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let running = local_cloud::start(Config::new(0, dir.path()))
            .await
            .expect("it starts");
        let destination = Destination::Local {
            endpoint: running.base_url(),
            region: local_cloud::REGION.to_owned(),
        };
        let cloud = Cloud::connect(&destination).await.expect("it connects");
        let account = cloud.get_account().await.expect("an account");
        Self {
            running,
            cloud,
            account,
            _dir: dir,
        }
    }

    /// Two releases differ in their code too.
    fn desired(&self, service: &str) -> (Desired, Artifacts) {
        let definition = stage_file::read(
            "alpha",
            FileText {
                path: "stages/service.toml",
                text: service,
            },
            FileText {
                path: "stages/alpha.toml",
                text: "target = \"aws\"",
            },
        )
        .expect("a legal stage");
        let mut artifacts = Artifacts::new();
        let code = definition
            .functions
            .keys()
            .map(|key| {
                let binary = format!("{key} of {}", service.len());
                let package = deployer_package::package(binary.as_bytes()).expect("a zip");
                artifacts.insert(key.clone(), package.zip);
                let code = FunctionCode {
                    sha256: package.sha256.as_str().into(),
                    architecture: "x86_64".into(),
                };
                (key.clone(), code)
            })
            .collect();
        (
            Desired::new(&definition, self.account.clone(), &code),
            artifacts,
        )
    }

    async fn up_with<W: CloudWriter>(&self, service: &str, writer: &W) -> Result<Up, UpError> {
        let (desired, artifacts) = self.desired(service);
        up(
            &desired,
            &self.means(&desired, &artifacts, writer, &Interrupt::default()),
        )
        .await
    }

    async fn down_with<W: CloudWriter>(&self, service: &str, writer: &W) -> Down {
        let (desired, artifacts) = self.desired(service);
        let interrupt = Interrupt::default();
        let means = self.means(&desired, &artifacts, writer, &interrupt);
        down(&desired.function_names(), &means)
            .await
            .expect("reading works")
    }

    fn means<'a, W>(
        &'a self,
        desired: &'a Desired,
        artifacts: &'a Artifacts,
        writer: &'a W,
        interrupt: &'a Interrupt,
    ) -> Means<'a, Cloud, W> {
        Means {
            reader: &self.cloud,
            writer,
            account: &self.account,
            names: &desired.names,
            artifacts,
            events: &|_| {},
            interrupt,
        }
    }

    /// Makes the account so, and checks that it is.
    async fn converge(&self, service: &str, after: &str) {
        let up = self.up_with(service, &self.cloud).await.expect("up works");
        assert!(up.outcome.complete(), "{after}: {:?}", up.outcome.failed);
        let (desired, _) = self.desired(service);
        let (plan, observed) = make_plan(&self.cloud, &desired)
            .await
            .expect("reading works");
        assert!(plan.is_empty(), "{after}: {plan}");
        assert_eq!(observed.apis.len(), 1, "{after}");
        let ours = |tags: &Tags| ownership_of(tags, &desired.names.identity) == Ownership::Ours;
        let functions = observed
            .functions
            .values()
            .filter(|state| ours(&state.tags))
            .count();
        let log_groups = observed
            .log_groups
            .values()
            .filter(|state| ours(&state.tags))
            .count();
        assert_eq!(functions, desired.functions.len(), "{after}");
        assert_eq!(log_groups, desired.functions.len(), "{after}");
    }

    /// Removes everything, and asks the cloud itself whether anything is left.
    async fn empty(&self, after: &str) {
        let down = self.down_with(SERVICE, &self.cloud).await;
        assert!(
            down.outcome.complete() && down.left.is_empty(),
            "{after}: {}",
            down.left
        );
        let health = local_cloud::client::health(self.running.port())
            .await
            .expect("it runs");
        assert!(health.empty, "{after}: something is left");
    }
}

#[tokio::test]
async fn up_twice_changes_nothing_the_second_time_and_down_leaves_nothing() {
    let world = World::new().await;
    world.converge(SERVICE, "a first up").await;
    let again = world
        .up_with(SERVICE, &world.cloud)
        .await
        .expect("up works");
    assert!(again.plan.is_empty(), "{}", again.plan);
    world.converge(CHANGED, "a change").await;
    world.converge(SERVICE, "a change back").await;
    world.empty("a life").await;
}

#[tokio::test]
async fn an_up_that_dies_at_any_write_is_finished_by_the_next() {
    let world = World::new().await;
    for fault in [Fault::Before, Fault::After] {
        let mut write = 0;
        loop {
            let after = format!("first up, {fault:?} write {write}");
            let writer = FaultyWriter::new(&world.cloud, fault, write);
            let up = world
                .up_with(SERVICE, &writer)
                .await
                .expect("reading works");
            if !writer.reached() {
                assert!(up.outcome.complete(), "{after}");
                assert_eq!(write, up.plan.steps.len(), "every write was made to fail");
                world.empty(&after).await;
                break;
            }
            assert!(!up.outcome.complete(), "{after}");
            world.converge(SERVICE, &after).await;
            world.empty(&after).await;
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
            let writer = FaultyWriter::new(&world.cloud, fault, write);
            let up = world
                .up_with(CHANGED, &writer)
                .await
                .expect("reading works");
            let finished = !writer.reached();
            assert_eq!(up.outcome.complete(), finished, "{after}");
            world.converge(CHANGED, &after).await;
            if finished {
                assert_eq!(write, up.plan.steps.len(), "every write was made to fail");
                break;
            }
            write += 1;
        }
        world.empty("changes").await;
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
            let writer = FaultyWriter::new(&world.cloud, fault, write);
            let down = world.down_with(SERVICE, &writer).await;
            let finished = !writer.reached();
            assert_eq!(down.outcome.complete(), finished, "{after}");
            world.empty(&after).await;
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
            let writer = FaultyWriter::new(&world.cloud, fault, write);
            world
                .up_with(SERVICE, &writer)
                .await
                .expect("reading works");
            world
                .empty(&format!("first up, {fault:?} write {write}"))
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
            text: SERVICE,
        },
        FileText {
            path: "stages/alpha-b.toml",
            text: "target = \"aws\"",
        },
    )
    .expect("a legal stage");
    let (of_alpha, artifacts) = world.desired(SERVICE);
    let code = of_alpha
        .functions
        .iter()
        .map(|(key, function)| (FunctionKey::new(key.as_str()), function.code.clone()))
        .collect();
    let other = Desired::new(&definition, world.account.clone(), &code);
    let interrupt = Interrupt::default();
    let means = world.means(&other, &artifacts, &world.cloud, &interrupt);
    assert!(
        up(&other, &means)
            .await
            .expect("up works")
            .outcome
            .complete()
    );

    world.converge(SERVICE, "the other's up").await;
    let down = world.down_with(SERVICE, &world.cloud).await;
    assert!(down.left.is_empty(), "{}", down.left);
    let (plan, _) = make_plan(&world.cloud, &other)
        .await
        .expect("reading works");
    assert!(plan.is_empty(), "{plan}");
}
