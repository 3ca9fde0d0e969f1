//! On tokio's paused clock, with progress in a map.

use super::{Chunk, Progress, RECORDED_EVERY, serve_chunk};
use crate::envelope::Format;
use crate::memory::MemoryStore;
use crate::post::{Delivery, Post, PostError};
use crate::run::Invocation;
use crate::store::{Joining, Member, Store, StoreError};
use crate::testing::{Recorder, invocation};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Remembers one part.
#[derive(Default)]
struct One {
    busy: Cell<Option<i64>>,
    served: RefCell<String>,
}

impl Progress for One {
    async fn begin(&self, _: &str, now: i64, until: i64) -> Result<Option<String>, StoreError> {
        if self.busy.get().is_some_and(|busy| busy >= now) {
            return Ok(None);
        }
        self.busy.set(Some(until));
        Ok(Some(self.served.borrow().clone()))
    }

    async fn record(&self, _: &str, served: &str) -> Result<(), StoreError> {
        served.clone_into(&mut self.served.borrow_mut());
        Ok(())
    }
}

fn member(n: usize) -> Member {
    Member {
        id: n.to_string(),
        name: None,
        format: if n.is_multiple_of(2) {
            Format::Plain
        } else {
            Format::Json
        },
        joined: "1".to_owned(),
    }
}

fn chunk(members: usize) -> Chunk {
    Chunk {
        chunk: "c".into(),
        domain_name: "d".into(),
        stage: "s".into(),
        room: "r".into(),
        plain: "plain".into(),
        json: "json".into(),
        members: (0..members).map(|n| (&member(n)).into()).collect(),
    }
}

async fn serve(
    chunk: &Chunk,
    progress: &One,
    post: &impl Post,
    invocation: &Invocation,
    now: i64,
) -> Delivery {
    let rooms = MemoryStore::default();
    let served = serve_chunk(chunk, &rooms, progress, post, invocation, now);
    served.await.unwrap()
}

#[tokio::test]
async fn each_member_of_a_part_is_told_in_its_format() {
    let post = Recorder::default();
    let delivery = serve(&chunk(3), &One::default(), &post, &invocation(), 0).await;
    assert_eq!(delivery.delivered, 3);
    let told = [("0", "plain"), ("1", "json"), ("2", "plain")];
    assert_eq!(
        post.take_all(),
        told.map(|(to, text)| (to.into(), text.into()))
    );
}

#[tokio::test]
async fn a_part_that_was_served_is_not_told_again() {
    let (post, progress) = (Recorder::default(), One::default());
    serve(&chunk(3), &progress, &post, &invocation(), 0).await;
    let again = serve(&chunk(3), &progress, &post, &invocation(), 1_000_000).await;
    assert_eq!(again, Delivery::default());
}

#[tokio::test]
async fn a_part_that_comes_twice_at_once_is_left_to_the_first() {
    let (post, progress) = (Recorder::default(), One::default());
    progress.busy.set(Some(10));
    let second = serve(&chunk(3), &progress, &post, &invocation(), 10).await;
    assert_eq!(second, Delivery::default());
    let later = serve(&chunk(3), &progress, &post, &invocation(), 11).await;
    assert_eq!(later.delivered, 3);
}

/// The higher the number, the later it answers.
struct Slow(Recorder);

impl Post for Slow {
    async fn post(&self, id: &str, text: &str) -> Result<(), PostError> {
        let number: u64 = id.parse().expect("a number");
        sleep(Duration::from_millis(100 * number)).await;
        self.0.post(id, text).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_killed_invocation_tells_those_that_are_not_on_record() {
    let (post, progress) = (Slow(Recorder::default()), One::default());
    // Killed after the second record: posts of 0 to 9 have answered by then.
    let killed = 2 * RECORDED_EVERY + Duration::from_millis(1);
    let (ten, first) = (chunk(20), invocation());
    let serving = serve(&ten, &progress, &post, &first, 0);
    timeout(killed, serving).await.unwrap_err();
    assert_eq!(&progress.served.borrow()[..9], "111111111");
    let before = post.0.take_all().len();
    let on_record = progress.served.borrow().matches('1').count();
    assert!((9..=11).contains(&before), "{before}");

    let retry = serve(&ten, &progress, &post, &invocation(), 1_000_000).await;
    assert_eq!(retry.delivered, 20 - on_record);
    let told: Vec<_> = post.0.take_all().into_iter().map(|(id, _)| id).collect();
    assert!(!told.contains(&"0".to_owned()) && told.contains(&"19".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_told_by_the_deadline_is_reported() {
    let (post, progress) = (Slow(Recorder::default()), One::default());
    let short = Invocation {
        deadline: Instant::now() + Duration::from_millis(250),
        ..invocation()
    };
    let delivery = serve(&chunk(10), &progress, &post, &short, 0).await;
    assert_eq!((delivery.delivered, delivery.undelivered), (3, 7));
    assert_eq!(*progress.served.borrow(), "1110000000");
}

#[tokio::test]
async fn members_that_are_gone_leave_the_room() {
    let rooms = MemoryStore::default();
    let joining = Joining {
        id: "0",
        name: None,
        format: Format::Plain,
        connected_at: 0,
        request: "1",
    };
    rooms.join("r", &joining, 0).await.unwrap();
    let member = rooms.member("r", "0", 0).await.unwrap().unwrap();
    let chunk = Chunk {
        members: vec![(&member).into()],
        ..chunk(0)
    };
    let (post, progress) = (Recorder::default(), One::default());
    post.lose("0");
    let invocation = invocation();
    let served = serve_chunk(&chunk, &rooms, &progress, &post, &invocation, 0);
    assert_eq!(served.await.unwrap().gone, ["0"]);
    assert_eq!(rooms.members("r", 0).await, Ok(vec![]));
}
