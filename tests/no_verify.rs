//! `up --no-verify`: everything is deployed, and nobody asks the endpoint. That the
//! binary then ends at once where an endpoint can't answer is shown on ministack
//! (`tests/emulators`).

use deployer_engine::apply::Means;
use deployer_engine::events::Event;
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::Waiting;
use deployer_engine::verify::Verify;
use std::sync::Mutex;
use testkit::{Release, World};

const RELEASE: Release = Release {
    service: r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#,
    code: "first",
};

/// Deploys; gives the URL, and whether the endpoint was asked and answered.
async fn up(world: &World, verify: Verify) -> (String, [bool; 2]) {
    let (desired, artifacts) = world.session.desired(RELEASE);
    let interrupt = Interrupt::default();
    let events = Mutex::new(Vec::new());
    let listen = |event| events.lock().expect("no holder panics").push(event);
    let means = Means {
        events: &listen,
        verify,
        ..world
            .session
            .means(&desired, &artifacts, &world.session.cloud, &interrupt)
    };
    let lease = world.session.lease(&desired, "me", Waiting::Wait);
    let up = exclusive::up(&desired, &means, &lease)
        .await
        .expect("it deploys");
    assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
    let events = events.lock().expect("no holder panics");
    let happened = |of: fn(&Event) -> bool| events.iter().any(of);
    (
        up.url.expect("it is live"),
        [
            happened(|event| matches!(event, Event::Verifying { .. })),
            happened(|event| matches!(event, Event::Verified { .. })),
        ],
    )
}

#[tokio::test]
async fn without_verification_everything_is_deployed_and_the_endpoint_is_not_asked() {
    let world = World::new().await;
    let (url, asked) = up(&world, Verify::Nothing).await;
    assert_eq!(asked, [false, false], "a first up");
    let (again, asked) = up(&world, Verify::Nothing).await;
    assert_eq!(asked, [false, false], "an up without changes");
    let (verified, asked) = up(&world, Verify::Endpoint).await;
    assert_eq!(asked, [true, true], "verification is the default");
    assert_eq!([&again, &verified], [&url, &url]);
    world.converge(RELEASE, "an up without verification").await;
    world.empty(RELEASE, "an up without verification").await;
}
