//! Leases on a journal in memory, on a paused clock.

use super::{
    EXPIRY, Journal, LOOK, LeaseError, LeaseRequest, LeasedWriter, MARGIN, RENEWAL, SETTLED,
    Waiting, exclusively,
};
use crate::cloud::{Artifacts, CloudWriter, Produced, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use crate::interrupt::Interrupt;
use deployer_core::lease::{Generation, latest};
use deployer_core::names::{LogGroupName, Names, StageIdentity};
use deployer_core::plan::{Action, Bindings};
use deployer_core::policy::Account;
use deployer_core::tags::Tags;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For each call to the journal.
const CALL: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Memory {
    streams: Mutex<Option<BTreeSet<String>>>,
    failing: AtomicBool,
    /// Until when a list shows what it showed long ago.
    lagging: Mutex<Option<(Instant, Vec<String>)>>,
    calls: AtomicUsize,
}

impl Memory {
    async fn call(&self) -> Result<(), CloudError> {
        sleep(CALL).await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.failing.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(CloudError {
                service: "logs",
                operation: "X".into(),
                resource: String::new(),
                kind: CloudErrorKind::NoAnswer,
                code: None,
                message: "no network".into(),
                request_id: None,
            }),
        }
    }

    fn insert(&self, stream: String) -> bool {
        self.streams
            .lock()
            .unwrap()
            .get_or_insert_default()
            .insert(stream)
    }

    fn names(&self) -> Vec<String> {
        self.streams
            .lock()
            .unwrap()
            .iter()
            .flatten()
            .cloned()
            .collect()
    }
}

impl Journal for Memory {
    async fn list_lease_streams(
        &self,
        _: &LogGroupName,
    ) -> Result<Option<Vec<String>>, CloudError> {
        self.call().await?;
        if let Some((until, old)) = self.lagging.lock().unwrap().as_ref()
            && Instant::now() < *until
        {
            return Ok(Some(old.clone()));
        }
        Ok(self
            .streams
            .lock()
            .unwrap()
            .as_ref()
            .map(|s| s.iter().cloned().collect()))
    }

    async fn ensure_journal(&self, _: &LogGroupName, _: &Tags) -> Result<(), CloudError> {
        self.call().await?;
        self.streams.lock().unwrap().get_or_insert_default();
        Ok(())
    }

    async fn create_stream(&self, _: &LogGroupName, stream: &str) -> Result<bool, CloudError> {
        self.call().await?;
        Ok(self.insert(stream.to_owned()))
    }

    async fn delete_stream(&self, _: &LogGroupName, stream: &str) -> Result<(), CloudError> {
        self.call().await?;
        self.streams
            .lock()
            .unwrap()
            .get_or_insert_default()
            .remove(stream);
        Ok(())
    }
}

/// Counts what is written.
#[derive(Default)]
struct Counter(AtomicUsize);

impl CloudWriter for Counter {
    async fn perform(&self, _: &Action, _: &WriteContext<'_>) -> Result<Produced, CloudError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Produced::Nothing)
    }
}

/// Its answers take an hour.
struct Slow;

impl CloudWriter for Slow {
    async fn perform(&self, _: &Action, _: &WriteContext<'_>) -> Result<Produced, CloudError> {
        sleep(Duration::from_secs(3_600)).await;
        Ok(Produced::Nothing)
    }
}

fn request<'a>(store: &'a Memory, holder: &str) -> LeaseRequest<'a, Memory> {
    LeaseRequest {
        store,
        journal: "/deployer/chat-alpha".into(),
        tags: Tags::new(),
        holder: holder.to_owned(),
        is_gone: &|holder| holder == "dead",
        waiting: Waiting::Wait,
    }
}

async fn hold<T>(
    request: &LeaseRequest<'_, Memory>,
    work: impl AsyncFnOnce(&LeasedWriter<'_, Counter, Memory>) -> T,
) -> Result<T, LeaseError> {
    exclusively(
        request,
        &Counter::default(),
        &|_| {},
        &Interrupt::default(),
        work,
    )
    .await
}

async fn write(writer: &impl CloudWriter, action: Action) -> Result<Produced, CloudError> {
    let account = Account {
        caller_arn: String::new(),
        partition: "aws".into(),
        account_id: "123456789012".into(),
        region: "us-east-1".into(),
    };
    let identity = StageIdentity {
        service: "chat".into(),
        stage: "alpha".into(),
    };
    let names = Names::new(identity, &account.region);
    let context = WriteContext {
        account: &account,
        names: &names,
        bindings: &Bindings::default(),
        artifacts: &Artifacts::new(),
    };
    writer.perform(&action, &context).await
}

fn some_write() -> Action {
    Action::DeleteFunctionConcurrency {
        name: "room".into(),
    }
}

fn cut_over() -> Action {
    Action::UpdateStage {
        stage_name: "alpha".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn generations_follow_one_another_and_leave_little_behind() {
    let memory = Memory::default();
    for _ in 0..3 {
        hold(&request(&memory, "me"), async |writer| {
            write(writer, cut_over()).await.unwrap()
        })
        .await
        .unwrap();
    }
    let third = Generation::NONE.next().next().next();
    assert_eq!(memory.names(), [third.stream(), third.end_stream()]);
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_one_works_at_a_time_and_all_get_their_turn() {
    let memory = Memory::default();
    let working = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let one = async |index: usize| {
        let request = request(&memory, &format!("deployer {index}"));
        hold(&request, async |_| {
            assert_eq!(working.fetch_add(1, Ordering::Relaxed), 0, "two at once");
            sleep(Duration::from_secs(90)).await;
            working.fetch_sub(1, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
        })
        .await
        .unwrap();
    };
    join_all((0..8).map(one)).await;
    assert_eq!(done.load(Ordering::Relaxed), 8);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_want_to_wait_is_told_who_holds_the_lease() {
    let memory = Memory::default();
    let first = request(&memory, "somebody else");
    hold(&first, async |_| {
        let second = LeaseRequest {
            waiting: Waiting::DontWait,
            ..request(&memory, "me")
        };
        let error = hold(&second, async |_| ()).await.unwrap_err();
        assert_eq!(error.to_string(), "somebody else is deploying this stage");
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_renewed_is_taken_over_after_its_time_and_not_before() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    memory.insert(first.stream());
    memory.insert(first.holder_stream("crashed elsewhere"));
    let started = Instant::now();
    hold(&request(&memory, "me"), async |_| ()).await.unwrap();
    assert!(started.elapsed() >= EXPIRY, "{:?}", started.elapsed());
    assert!(started.elapsed() < EXPIRY * 2, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_a_process_that_is_known_to_be_gone_is_taken_over_at_once() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    memory.insert(first.stream());
    memory.insert(first.holder_stream("dead"));
    let started = Instant::now();
    hold(&request(&memory, "me"), async |_| ()).await.unwrap();
    assert!(
        started.elapsed() < SETTLED + Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_writing_before_another_may_take_over() {
    let memory = Memory::default();
    hold(&request(&memory, "me"), async |writer| {
        memory.failing.store(true, Ordering::Relaxed);
        write(writer, some_write()).await.unwrap();
        sleep(EXPIRY - MARGIN).await;
        let error = write(writer, some_write()).await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("LeaseLost"));
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_goes_on_for_long() {
    let memory = Memory::default();
    hold(&request(&memory, "me"), async |writer| {
        sleep(EXPIRY * 10).await;
        write(writer, some_write()).await.unwrap();
        write(writer, cut_over()).await.unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_released_once_another_has_taken_over() {
    let memory = Memory::default();
    hold(&request(&memory, "me"), async |writer| {
        let now = latest(memory.names().iter().map(String::as_str)).unwrap();
        memory.insert(now.generation.next().stream());
        let error = write(writer, cut_over()).await.unwrap_err();
        assert_eq!(error.message, "another deploy has taken over the lease");
        // Renewals don't make it ours again.
        sleep(RENEWAL * 3).await;
        assert!(write(writer, some_write()).await.is_err());
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_can_be_interrupted() {
    let memory = Memory::default();
    memory.insert(Generation::NONE.next().stream());
    let interrupt = Interrupt::default();
    interrupt.request();
    let request = request(&memory, "me");
    let outcome = exclusively(
        &request,
        &Counter::default(),
        &|_| {},
        &interrupt,
        async |_| (),
    )
    .await;
    assert!(matches!(outcome, Err(LeaseError::Interrupted { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_race_looks_again_calmly_until_the_winner_is_listed() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    let old = vec![
        first.stream(),
        first.holder_stream("before"),
        first.end_stream(),
    ];
    for stream in &old {
        memory.insert(stream.clone());
    }
    memory.insert(first.next().stream());
    memory.insert(first.next().holder_stream("the winner"));
    let until = Instant::now() + Duration::from_secs(5);
    *memory.lagging.lock().unwrap() = Some((until, old));
    let request = LeaseRequest {
        waiting: Waiting::DontWait,
        ..request(&memory, "me")
    };
    let error = hold(&request, async |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "the winner is deploying this stage");
    let calls = memory.calls.load(Ordering::Relaxed);
    assert!(calls < 50, "{calls} calls in five seconds");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_lapsed_is_not_renewed_back_to_life() {
    let memory = Memory::default();
    hold(&request(&memory, "me"), async |writer| {
        memory.failing.store(true, Ordering::Relaxed);
        sleep(EXPIRY - MARGIN).await;
        memory.failing.store(false, Ordering::Relaxed);
        sleep(RENEWAL * 3).await;
        assert!(write(writer, some_write()).await.is_err());
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_on_its_way_is_given_up_when_its_lease_lapses() {
    let memory = Memory::default();
    let outcome = exclusively(
        &request(&memory, "me"),
        &Slow,
        &|_| {},
        &Interrupt::default(),
        async |writer| {
            memory.failing.store(true, Ordering::Relaxed);
            let started = Instant::now();
            let error = write(writer, some_write()).await.unwrap_err();
            (error.kind, started.elapsed())
        },
    )
    .await;
    let (kind, elapsed) = outcome.unwrap();
    assert_eq!(kind, CloudErrorKind::NoAnswer);
    assert!(elapsed <= EXPIRY - MARGIN, "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_may_take_longer_than_a_lease_that_is_renewed() {
    let memory = Memory::default();
    let request = request(&memory, "me");
    let written = exclusively(
        &request,
        &Slow,
        &|_| {},
        &Interrupt::default(),
        async |writer| write(writer, some_write()).await,
    )
    .await;
    assert_eq!(written.unwrap(), Ok(Produced::Nothing));
}

#[tokio::test(start_paused = true)]
async fn in_a_journal_made_anew_the_same_generation_is_somebody_elses() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    let others = [first.stream(), first.holder_stream("another")];
    hold(&request(&memory, "me"), async |writer| {
        *memory.streams.lock().unwrap() = Some(others.iter().cloned().collect());
        assert!(write(writer, cut_over()).await.is_err());
    })
    .await
    .unwrap();
    assert_eq!(memory.names(), others, "it isn't ended, nor cleared away");
}

#[tokio::test(start_paused = true)]
async fn who_comes_right_after_another_lets_reads_settle_and_who_comes_alone_does_not() {
    let memory = Memory::default();
    let (first, second) = (request(&memory, "first"), request(&memory, "second"));
    let ended = Mutex::new(Instant::now());
    let one = hold(&first, async |_| {
        sleep(LOOK * 3).await;
        *ended.lock().unwrap() = Instant::now();
    });
    let other = async {
        sleep(LOOK).await;
        hold(&second, async |_| ended.lock().unwrap().elapsed()).await
    };
    let (one, since) = futures_util::future::join(one, other).await;
    one.unwrap();
    assert!(since.unwrap() >= SETTLED);
    let started = Instant::now();
    hold(&first, async |_| assert!(started.elapsed() < SETTLED))
        .await
        .unwrap();
}
