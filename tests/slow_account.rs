//! An account that throttles, refuses parallel changes, takes seconds to know a
//! new role, and answers lists with what was a moment ago.

use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::Waiting;
use deployer_engine::up::make_plan;
use std::time::Duration;
use testkit::{Release, World};
use tokio::time::{Instant, sleep};

const SERVICE: &str = r#"
service = "chat"
[functions.connect]
[functions.default]
[functions.room]
reserved_concurrency = 1
[routes]
"$connect" = "connect"
"$default" = "default"
join = "room"
send = "room"
[api_stage]
variables = { colour = "blue" }
access_logs = {}
execution_logs = { level = "error" }
[tags]
team = "chat"
"#;

/// How long lists may lag behind; generous, since it only passes when a test
/// fails.
const SETTLED: Duration = Duration::from_secs(10);

async fn up(world: &World, release: Release) {
    let session = &world.session;
    let (desired, artifacts) = session.desired(release);
    let interrupt = Interrupt::default();
    let means = session.means(&desired, &artifacts, &session.cloud, &interrupt);
    let lease = session.lease(&desired, "me", Waiting::Wait);
    let up = exclusive::up(&desired, &means, &lease)
        .await
        .expect("reading works");
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    let url = up
        .url
        .expect("a live stage has a URL, also where lists lag behind");
    assert!(url.ends_with("/alpha"), "{url}");
}

/// Waits until reads show what was written; then there must be nothing to do.
async fn settled(world: &World, release: Release) {
    let (desired, _) = world.session.desired(release);
    let started = Instant::now();
    loop {
        let (plan, observed) = make_plan(&world.session.cloud, &desired)
            .await
            .expect("it reads");
        if plan.is_empty() && observed.apis.len() == 1 {
            return;
        }
        assert!(started.elapsed() < SETTLED, "{plan}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_up_a_change_and_a_down_pass_on_an_account_as_slow_and_strict_as_aws() {
    let world = World::realistic(1).await;
    let first = Release {
        service: SERVICE,
        code: "first",
    };
    up(&world, first).await;
    settled(&world, first).await;
    let second = Release {
        code: "second",
        ..first
    };
    up(&world, second).await;
    settled(&world, second).await;
    world.empty(second, "a life on a slow account").await;
}
