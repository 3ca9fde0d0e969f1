//! On tokio's paused clock: what takes time here takes none.

use super::{FIRST_PAUSE, POST_TIMEOUT, POSTS_AT_LEAST, POSTS_AT_ONCE, SLOW, fan_out};
use crate::post::{Delivery, FAILURES_NAMED, Failure, Post, PostError, Telling};
use crate::testing::Recorder;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn everyone(ids: &[String]) -> Vec<Telling<'_>> {
    let text = "hi";
    ids.iter().map(|to| Telling { to, text }).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

async fn tell(post: &impl Post, ids: &[String], within: Duration) -> Delivery {
    fan_out(post, &everyone(ids), Instant::now() + within, |_| {}).await
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_gone_and_a_failing_connection_do_not_keep_the_text_from_the_rest() {
    let post = Recorder::default();
    post.lose("1");
    post.break_off("2", "HTTP 403");
    let delivery = tell(&post, &ids(4), LONG).await;
    assert_eq!((delivery.delivered, delivery.undelivered), (2, 1));
    assert_eq!(delivery.gone, ["1"]);
    let failure = Failure {
        connection_id: "2".to_owned(),
        error: "HTTP 403".to_owned(),
    };
    assert_eq!(delivery.failed, [failure]);
    assert_eq!(post.take("0"), ["hi"]);
    assert_eq!(post.take("3"), ["hi"]);
}

#[tokio::test]
async fn many_failures_are_counted_and_some_are_named() {
    let post = Recorder::default();
    let ids = ids(2 * FAILURES_NAMED);
    for id in &ids {
        post.break_off(id, "HTTP 403");
    }
    let delivery = tell(&post, &ids, LONG).await;
    assert_eq!(delivery.undelivered, 2 * FAILURES_NAMED);
    assert_eq!(delivery.failed.len(), FAILURES_NAMED);
}

/// Answers each post after a time, by what is said of its connection.
#[derive(Default)]
struct Gateway {
    takes: Duration,
    /// Connections that take longer.
    slow: BTreeMap<String, Duration>,
    /// Connections that answer so, so many times.
    failing: RefCell<BTreeMap<String, (usize, Option<PostError>)>>,
    now: Cell<usize>,
    most: Cell<usize>,
    /// When each was told.
    told: RefCell<BTreeMap<String, Instant>>,
}

impl Post for Gateway {
    async fn post(&self, id: &str, _: &str) -> Result<(), PostError> {
        self.now.set(self.now.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
        sleep(self.slow.get(id).copied().unwrap_or(self.takes)).await;
        self.now.set(self.now.get() - 1);
        if let Some((times, error)) = self.failing.borrow_mut().get_mut(id)
            && *times > 0
        {
            *times -= 1;
            return Err(error.clone().expect("an error"));
        }
        let mut told = self.told.borrow_mut();
        let before = told.insert(id.to_owned(), Instant::now());
        assert_eq!(before, None, "{id} is told twice");
        Ok(())
    }
}

fn failing(id: &str, times: usize, error: PostError) -> Gateway {
    let gateway = Gateway {
        takes: Duration::from_millis(5),
        ..Gateway::default()
    };
    let mut failing = gateway.failing.borrow_mut();
    failing.insert(id.to_owned(), (times, Some(error)));
    drop(failing);
    gateway
}

fn throttled() -> PostError {
    PostError::Throttled("HTTP 429".to_owned())
}

#[tokio::test(start_paused = true)]
async fn posts_run_together_up_to_the_bound_and_no_further() {
    let gateway = Gateway {
        takes: Duration::from_millis(5),
        ..Gateway::default()
    };
    let delivery = tell(&gateway, &ids(10 * POSTS_AT_ONCE), LONG).await;
    assert_eq!(delivery.delivered, 10 * POSTS_AT_ONCE);
    assert_eq!(gateway.most.get(), POSTS_AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn slow_connections_do_not_hold_up_the_rest() {
    let ids = ids(600);
    let gateway = Gateway {
        takes: Duration::from_millis(5),
        slow: ids[..300]
            .iter()
            .map(|id| (id.clone(), Duration::from_millis(2900)))
            .collect(),
        ..Gateway::default()
    };
    let began = Instant::now();
    let delivery = tell(&gateway, &ids, LONG).await;
    assert_eq!(delivery.delivered, 600);
    // The slow ones hold the places ten rounds at most, then run beside the others.
    let told = gateway.told.borrow();
    let last = ids[300..].iter().map(|id| told[id]).max().expect("some");
    assert!(last - began < 12 * SLOW, "{:?}", last - began);
}

#[tokio::test(start_paused = true)]
async fn a_post_without_an_answer_times_out_once_and_is_not_repeated() {
    let ids = ids(2);
    let gateway = Gateway {
        slow: [(ids[0].clone(), 100 * POST_TIMEOUT)].into(),
        ..Gateway::default()
    };
    let began = Instant::now();
    let delivery = tell(&gateway, &ids, LONG).await;
    assert_eq!((delivery.delivered, delivery.undelivered), (1, 1));
    assert!(delivery.failed[0].error.contains("timeout"));
    assert_eq!(began.elapsed(), POST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn who_is_throttled_is_told_later_and_the_rest_at_once() {
    let gateway = failing("0", 3, throttled());
    let began = Instant::now();
    let delivery = tell(&gateway, &ids(50), LONG).await;
    assert_eq!((delivery.delivered, delivery.throttled), (50, 3));
    let told = gateway.told.borrow();
    assert!(told["0"] - began >= 7 * FIRST_PAUSE);
    let others = told.iter().filter(|(id, _)| *id != "0");
    let last = others.map(|(_, at)| *at).max().expect("some");
    assert!(last - began < FIRST_PAUSE, "{:?}", last - began);
}

#[tokio::test(start_paused = true)]
async fn throttling_narrows_the_flow_and_success_widens_it_again() {
    let flow = super::Flow::default();
    for _ in 0..10 {
        flow.narrow();
    }
    assert_eq!(flow.width.get(), POSTS_AT_LEAST);
    assert_eq!(flow.places.available_permits(), POSTS_AT_LEAST);
    for _ in 0..2 * POSTS_AT_ONCE {
        flow.widen();
    }
    assert_eq!(flow.places.available_permits(), POSTS_AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_the_last_error_is_told() {
    let passing = PostError::Passing("HTTP 500".to_owned());
    let gateway = failing("0", 100, passing);
    let delivery = tell(&gateway, &ids(1), LONG).await;
    assert_eq!(delivery.failed[0].error, "HTTP 500");
    assert_eq!(
        gateway.failing.borrow()["0"].0,
        100 - super::ATTEMPTS as usize
    );
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_who_was_not_told_is_counted_and_not_waited_for() {
    let gateway = Gateway {
        takes: Duration::from_secs(1),
        ..Gateway::default()
    };
    let began = Instant::now();
    let within = Duration::from_millis(1500);
    let delivery = tell(&gateway, &ids(1000), within).await;
    assert_eq!(began.elapsed(), within);
    assert!(delivery.delivered > 0, "{delivery:?}");
    assert_eq!(delivery.delivered + delivery.undelivered, 1000);
    assert_eq!(delivery.delivered, gateway.told.borrow().len());
}

#[tokio::test(start_paused = true)]
async fn each_telling_that_is_done_is_told_by_its_index() {
    let gateway = failing("1", 100, throttled());
    let done = RefCell::new(Vec::new());
    let ids = ids(3);
    let within = Instant::now() + Duration::from_millis(100);
    let delivery = fan_out(&gateway, &everyone(&ids), within, |index| {
        done.borrow_mut().push(index);
    })
    .await;
    done.borrow_mut().sort_unstable();
    assert_eq!(done.into_inner(), [0, 2]);
    assert_eq!(delivery.undelivered, 1);
}
