//! Stages that live beside each other, with names that begin alike or are alike:
//! whatever happens to one, the other stays exactly as it is.

use deployer_core::desired::Desired;
use deployer_core::names::Names;
use deployer_core::observed::Observed;
use deployer_core::tags::{Ownership, Tags, ownership_of};
use deployer_engine::cloud::Artifacts;
use deployer_engine::down::{Down, Removal};
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::Waiting;
use deployer_engine::observe::{Known, observe};
use deployer_engine::up::{Up, UpError, make_plan};
use testkit::proxy::Proxy;
use testkit::{Release, Session, World};

const CHAT: Release = Release {
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

/// The same service without one of its functions.
const LESS: Release = Release {
    service: r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#,
    code: "second",
};

const TALK: Release = Release {
    service: r#"
service = "talk"
[functions.room]
[routes]
join = "room"
"#,
    code: "first",
};

/// Its service's name is the beginning of what `chat`'s stage `alpha` is called.
const CHAT_ALPHA: Release = Release {
    service: r#"
service = "chat-alpha"
[functions.room]
[routes]
join = "room"
"#,
    code: "first",
};

/// Of `chat`'s stage `alpha`, a function called as one of `chat-alpha`'s stage `x`.
const COLLIDING: Release = Release {
    service: r#"
service = "chat"
[functions.x-room]
[routes]
join = "x-room"
"#,
    code: "first",
};

/// A stage in a session.
struct Stage<'a> {
    session: &'a Session,
    desired: Desired,
    artifacts: Artifacts,
}

impl<'a> Stage<'a> {
    fn new(session: &'a Session, stage: &'static str, release: Release) -> Self {
        let (desired, artifacts) = session.desired_at(stage, release);
        Self {
            session,
            desired,
            artifacts,
        }
    }

    async fn try_up(&self) -> Result<Up, UpError> {
        let interrupt = Interrupt::default();
        let cloud = &self.session.cloud;
        let means = self
            .session
            .means(&self.desired, &self.artifacts, cloud, &interrupt);
        let lease = self.session.lease(&self.desired, "me", Waiting::DontWait);
        Box::pin(exclusive::up(&self.desired, &means, &lease)).await
    }

    async fn up(&self) {
        let up = self.try_up().await.expect("nothing is in the way");
        assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
        // On the heap: futures of the SDK are large.
        let plan = make_plan(&self.session.cloud, &self.desired);
        let (plan, _) = Box::pin(plan).await.expect("it reads");
        assert!(plan.is_empty(), "{plan}");
    }

    async fn down(&self) -> Down {
        let interrupt = Interrupt::default();
        let cloud = &self.session.cloud;
        let means = self
            .session
            .means(&self.desired, &self.artifacts, cloud, &interrupt);
        let lease = self.session.lease(&self.desired, "me", Waiting::DontWait);
        let known = Known::of(&self.desired);
        let removal = Removal::retaining(self.desired.retain.clone());
        let down = exclusive::down(&known, &removal, &means, &lease);
        let down = Box::pin(down).await;
        let down = down.expect("it reads");
        assert!(
            down.outcome.complete() && down.left.is_empty(),
            "{}",
            down.left
        );
        down
    }

    /// What it owns, as it is now.
    async fn own(&self) -> Observed {
        let names = &self.desired.names;
        let known = Known::of(&self.desired);
        let observed = Box::pin(observe(&self.session.cloud, names, &known)).await;
        own(observed.expect("it reads"), names)
    }
}

fn own(mut observed: Observed, names: &Names) -> Observed {
    let ours = |tags: &Tags| ownership_of(tags, &names.identity) == Ownership::Ours;
    observed.roles.retain(|_, state| ours(&state.tags));
    observed.log_groups.retain(|_, state| ours(&state.tags));
    observed.functions.retain(|_, state| ours(&state.tags));
    observed.journal = observed.journal.filter(|state| ours(&state.tags));
    if observed.journal.is_none() {
        observed.releases.clear();
    }
    observed
}

/// One of two lives a whole life beside the other, in either order.
async fn leave_each_other_alone(one: &Stage<'_>, changed: &Stage<'_>, other: &Stage<'_>) {
    for (first, second) in [(one, other), (other, one)] {
        first.up().await;
        let before = first.own().await;
        assert!(!before.functions.is_empty() && before.apis.len() == 1);
        second.up().await;
        assert_eq!(first.own().await, before, "after the other's first up");
        second.down().await;
        assert_eq!(first.own().await, before, "after the other's down");
        second.up().await;
        first.down().await;
        assert_eq!(first.own().await, Observed::default());
        second.up().await;
        second.down().await;
    }
    one.up().await;
    other.up().await;
    let before = other.own().await;
    changed.up().await;
    assert_eq!(
        other.own().await,
        before,
        "after a function of one was removed"
    );
    one.down().await;
    assert_eq!(other.own().await, before, "after one's down");
    other.down().await;
}

#[tokio::test]
async fn one_stage_in_two_regions_of_an_account_is_two() {
    let (near, far) = (
        World::in_region("eu-central-1").await,
        World::in_region("us-west-2").await,
    );
    // IAM is one for both.
    let near_front = Proxy::of_region(near.port(), far.port()).await;
    let far_front = Proxy::of_region(far.port(), near.port()).await;
    let near_session = Session::connect_in("eu-central-1", near_front.endpoint()).await;
    let far_session = Session::connect_in("us-west-2", far_front.endpoint()).await;
    let (near_session, far_session) = (
        near_session.expect("it answers"),
        far_session.expect("it answers"),
    );
    leave_each_other_alone(
        &Stage::new(&near_session, "alpha", CHAT),
        &Stage::new(&near_session, "alpha", LESS),
        &Stage::new(&far_session, "alpha", CHAT),
    )
    .await;
    assert!(near.is_empty().await && far.is_empty().await);
}

#[tokio::test]
async fn two_services_with_the_same_stage_leave_each_other_alone() {
    let world = World::new().await;
    leave_each_other_alone(
        &Stage::new(&world.session, "alpha", CHAT),
        &Stage::new(&world.session, "alpha", LESS),
        &Stage::new(&world.session, "alpha", TALK),
    )
    .await;
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn a_service_whose_name_begins_as_anothers_stage_leaves_it_alone() {
    let world = World::new().await;
    leave_each_other_alone(
        &Stage::new(&world.session, "alpha", CHAT),
        &Stage::new(&world.session, "alpha", LESS),
        &Stage::new(&world.session, "x", CHAT_ALPHA),
    )
    .await;
    assert!(world.is_empty().await);
}

#[tokio::test]
async fn two_stages_that_would_have_the_same_names_are_told_apart_by_their_tags() {
    let world = World::new().await;
    // Both are called `chat-alpha-x`, or have a function that is.
    let second = Stage::new(&world.session, "x", CHAT_ALPHA);
    for (first, owner, refused) in [
        (
            Stage::new(&world.session, "alpha-x", CHAT),
            "chat/alpha-x",
            5,
        ),
        (
            Stage::new(&world.session, "alpha", COLLIDING),
            "chat/alpha",
            2,
        ),
    ] {
        first.up().await;
        let before = first.own().await;
        let Err(UpError::Refused(refusal)) = second.try_up().await else {
            panic!("the names are taken");
        };
        assert_eq!(refusal.resources.len(), refused, "{refusal}");
        let whose = format!("belongs to the stage {owner}");
        assert_eq!(
            refusal.to_string().matches(&whose).count(),
            refused,
            "{refusal}"
        );
        assert!(second.down().await.plan.is_empty());
        assert_eq!(second.own().await, Observed::default());
        assert_eq!(first.own().await, before);
        first.down().await;
        assert!(world.is_empty().await);
    }
}
