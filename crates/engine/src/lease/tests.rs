//! Leases on a journal in memory, on a paused clock.

use super::{
    EXPIRY, FRESH, Journal, LATEST_ARRIVAL, LOOK, LeaseError, LeaseRequest, LeasedWriter, MARGIN,
    REMEMBERED, RENEWAL, Reads, SETTLED, Seen, Waiting, exclusively,
};
use crate::cloud::{Artifacts, CloudWriter, JournalStreams, Produced, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use crate::interrupt::Interrupt;
use deployer_core::account::Account;
use deployer_core::lease::{Generation, latest};
use deployer_core::names::{LogGroupName, Names, StageIdentity};
use deployer_core::plan::{Action, Bindings};
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
    /// Whether a write of its user was given up.
    unanswered: AtomicBool,
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

    async fn ensure_journal(&self, _: &LogGroupName, _: &Tags) -> Result<bool, CloudError> {
        self.call().await?;
        let mut streams = self.streams.lock().unwrap();
        let made = streams.is_none();
        streams.get_or_insert_default();
        Ok(made)
    }

    async fn create_stream(&self, _: &LogGroupName, stream: &str) -> Result<bool, CloudError> {
        self.call().await?;
        Ok(self.insert(stream.to_owned()))
    }

    fn has_unanswered_writes(&self, within: Duration) -> bool {
        assert_eq!(within, LATEST_ARRIVAL);
        self.unanswered.load(Ordering::Relaxed)
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
        reads: Reads::Later,
    }
}

async fn hold<T>(
    request: &LeaseRequest<'_, Memory>,
    work: impl AsyncFnOnce(&LeasedWriter<'_, Counter, Memory>) -> T,
) -> Result<T, LeaseError> {
    hold_after(None, request, async |writer, _| work(writer).await).await
}

/// With what an observation knows of former leases.
async fn hold_after<T>(
    seen: Option<Seen>,
    request: &LeaseRequest<'_, Memory>,
    work: impl AsyncFnOnce(&LeasedWriter<'_, Counter, Memory>, bool) -> T,
) -> Result<T, LeaseError> {
    let writer = Counter::default();
    let interrupt = Interrupt::default();
    let (outcome, held) = exclusively(request, seen, &writer, &|_| {}, &interrupt, work).await?;
    held.end().await;
    Ok(outcome)
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

/// Done without looking what the lease follows.
fn harmless_write() -> Action {
    Action::DeleteApi {
        api_id: "abc123".into(),
    }
}

fn cut_over() -> Action {
    Action::UpdateStage {
        settings: Default::default(),
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
    // The last one's, and what the one before left while the last one worked.
    assert!(memory.names().len() <= 7, "{:?}", memory.names());
    hold(&request(&memory, "me"), async |_| {
        sleep(Duration::from_secs(1)).await
    })
    .await
    .unwrap();
    let mut generation = Generation::NONE;
    let mut left: Vec<String> = std::iter::repeat_with(|| {
        generation = generation.next();
        generation.stream()
    })
    .take(4)
    .collect();
    left.extend([generation.holder_stream("me"), generation.end_stream()]);
    assert_eq!(memory.names(), left);
}

#[tokio::test(start_paused = true)]
async fn a_generation_that_was_there_cannot_be_acquired_again() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    let seen = quiet(&memory);
    for _ in 0..3 {
        let pause = async |_: &LeasedWriter<'_, _, _>| sleep(Duration::from_secs(1)).await;
        hold(&me, pause).await.unwrap();
    }
    let undisturbed = hold_after(seen, &me, async |_, undisturbed| undisturbed).await;
    assert!(!undisturbed.unwrap());
}

#[tokio::test(start_paused = true)]
async fn only_so_many_generations_are_remembered() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    for _ in 0..REMEMBERED * 2 {
        let pause = async |_: &LeasedWriter<'_, _, _>| sleep(Duration::from_secs(1)).await;
        hold(&me, pause).await.unwrap();
    }
    let most = usize::try_from(REMEMBERED).unwrap() + 3;
    assert!(memory.names().len() <= most, "{:?}", memory.names());
}

/// What is known of former leases when they ended long ago.
fn quiet(memory: &Memory) -> Option<Seen> {
    let names = memory.streams.lock().unwrap().clone();
    let journal = names.map(|names| JournalStreams {
        listed_at_ms: Some(1_000_000),
        streams: names.into_iter().map(|name| (name, Some(0))).collect(),
    });
    Some(Seen::of(journal.as_ref(), Duration::ZERO))
}

#[tokio::test(start_paused = true)]
async fn what_was_observed_counts_where_nobody_was_at_work_since() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    let undisturbed = async |seen| {
        hold_after(seen, &me, async |_, undisturbed| undisturbed)
            .await
            .unwrap()
    };
    let before_any = quiet(&memory);
    assert!(
        undisturbed(before_any.clone()).await,
        "there was no journal"
    );
    assert!(!undisturbed(before_any).await, "there is one now");
    let seen = quiet(&memory);
    assert!(undisturbed(seen.clone()).await, "the last lease had ended");
    assert!(!undisturbed(seen).await, "there was another since");
    assert!(!undisturbed(None).await, "nothing is known");
}

#[tokio::test(start_paused = true)]
async fn a_lease_after_a_quiet_observation_costs_one_call_before_the_work() {
    let memory = Memory::default();
    hold(&request(&memory, "me"), async |_| ()).await.unwrap();
    let seen = quiet(&memory);
    let started = Instant::now();
    hold_after(seen, &request(&memory, "me"), async |writer, _| {
        write(writer, harmless_write()).await.unwrap();
        assert_eq!(started.elapsed(), CALL);
        // What could harm another's work waits until it is known that there is none.
        write(writer, cut_over()).await.unwrap();
        assert_eq!(started.elapsed(), CALL * 2);
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_a_journal_made_anew_the_generation_after_the_one_seen_is_given_back() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    hold(&me, async |_| ()).await.unwrap();
    let seen = quiet(&memory);
    let first = Generation::NONE.next();
    let others = [first.stream(), first.holder_stream("another")];
    *memory.streams.lock().unwrap() = Some(others.iter().cloned().collect());
    hold_after(seen, &me, async |writer, _| {
        let error = write(writer, some_write()).await.unwrap_err();
        assert_eq!(error.message, "another deploy has taken over the lease");
        sleep(RENEWAL * 2).await;
        assert!(write(writer, cut_over()).await.is_err());
    })
    .await
    .unwrap();
    assert_eq!(memory.names(), others, "as it was");
}

#[tokio::test(start_paused = true)]
async fn what_was_planned_under_a_lease_that_is_not_ours_is_not_written_at_all() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    hold(&me, async |_| ()).await.unwrap();
    let names = memory.names();
    let first = Generation::NONE.next();
    let others = [first.stream(), first.holder_stream("another")];
    // The list that is waited with is of the journal before.
    *memory.lagging.lock().unwrap() = Some((Instant::now() + CALL + CALL / 2, names));
    *memory.streams.lock().unwrap() = Some(others.iter().cloned().collect());
    hold(&me, async |writer| {
        assert!(write(writer, harmless_write()).await.is_err());
    })
    .await
    .unwrap();
    assert_eq!(memory.names(), others, "as it was");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_look_what_its_lease_follows_does_no_harm() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    hold(&me, async |_| ()).await.unwrap();
    hold_after(quiet(&memory), &me, async |writer, _| {
        memory.failing.store(true, Ordering::Relaxed);
        assert!(write(writer, some_write()).await.is_err());
        memory.failing.store(false, Ordering::Relaxed);
        write(writer, some_write()).await.unwrap();
    })
    .await
    .unwrap();
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
        sleep(Duration::from_secs(1)).await;
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
        // A proof of ownership counts for a while, in which nobody can take over.
        sleep(FRESH).await;
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
        None,
        &Counter::default(),
        &|_| {},
        &interrupt,
        async |_, _| (),
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
    let me = request(&memory, "me");
    let outcome = exclusively(
        &me,
        None,
        &Slow,
        &|_| {},
        &Interrupt::default(),
        async |writer, _| {
            memory.failing.store(true, Ordering::Relaxed);
            let started = Instant::now();
            let error = write(writer, some_write()).await.unwrap_err();
            (error.kind, started.elapsed())
        },
    )
    .await;
    let ((kind, elapsed), _held) = outcome.unwrap();
    assert_eq!(kind, CloudErrorKind::NoAnswer);
    assert!(elapsed <= EXPIRY - MARGIN, "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_may_take_longer_than_a_lease_that_is_renewed() {
    let memory = Memory::default();
    let request = request(&memory, "me");
    let written = exclusively(
        &request,
        None,
        &Slow,
        &|_| {},
        &Interrupt::default(),
        async |writer, _| write(writer, some_write()).await,
    )
    .await;
    assert_eq!(written.unwrap().0, Ok(Produced::Nothing));
}

#[tokio::test(start_paused = true)]
async fn in_a_journal_made_anew_the_same_generation_is_somebody_elses() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    let others = [first.stream(), first.holder_stream("another")];
    hold(&request(&memory, "me"), async |writer| {
        sleep(FRESH).await;
        *memory.streams.lock().unwrap() = Some(others.iter().cloned().collect());
        assert!(write(writer, cut_over()).await.is_err());
        // As it is by the time that another may have taken over.
        memory.failing.store(true, Ordering::Relaxed);
        sleep(EXPIRY).await;
        memory.failing.store(false, Ordering::Relaxed);
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

#[tokio::test(start_paused = true)]
async fn who_comes_after_one_that_left_writes_unanswered_waits_until_they_have_arrived() {
    let memory = Memory::default();
    let first = request(&memory, "first");
    memory.unanswered.store(true, Ordering::Relaxed);
    hold(&first, async |_| ()).await.unwrap();
    let ended = Instant::now();
    memory.unanswered.store(false, Ordering::Relaxed);
    let names = memory.names();
    assert!(
        names.contains(&Generation::NONE.next().unanswered_stream()),
        "{names:?}"
    );

    let listed = || JournalStreams {
        listed_at_ms: Some(i64::try_from(ended.elapsed().as_millis()).unwrap()),
        streams: names.iter().map(|name| (name.clone(), Some(0))).collect(),
    };
    let seen = Seen::of(Some(&listed()), Duration::ZERO);
    let undisturbed = hold_after(Some(seen), &first, async |_, undisturbed| undisturbed).await;
    assert!(!undisturbed.unwrap());
    assert!(ended.elapsed() >= LATEST_ARRIVAL, "{:?}", ended.elapsed());

    // Whoever comes later needn't wait.
    sleep(LATEST_ARRIVAL).await;
    let seen = Seen::of(Some(&listed()), Duration::ZERO);
    assert!(matches!(seen, Seen::Quiet(..)));
}

#[tokio::test(start_paused = true)]
async fn who_missed_a_whole_lease_since_it_observed_lets_reads_settle() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    hold(&me, async |_| ()).await.unwrap();
    let first = Generation::NONE.next();
    let journal = JournalStreams {
        listed_at_ms: Some(i64::try_from(SETTLED.as_millis()).unwrap()),
        streams: memory.names().into_iter().map(|n| (n, Some(0))).collect(),
    };
    let seen = || Some(Seen::of(Some(&journal), Duration::ZERO));
    assert!(matches!(seen(), Some(Seen::AtWork(Some(_)))));
    let started = Instant::now();
    hold_after(seen(), &me, async |_, _| ()).await.unwrap();
    assert!(
        started.elapsed() < SETTLED,
        "it was settled when it was seen"
    );
    let others = [first.next().stream(), first.next().end_stream()];
    assert!(others.iter().all(|stream| memory.names().contains(stream)));
    let started = Instant::now();
    hold_after(seen(), &me, async |_, _| ()).await.unwrap();
    assert!(started.elapsed() >= SETTLED, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn where_reads_are_current_nobody_waits_for_them() {
    let memory = Memory::default();
    let me = LeaseRequest {
        reads: Reads::Current,
        ..request(&memory, "me")
    };
    hold(&me, async |_| ()).await.unwrap();
    let listed = |age: i64| JournalStreams {
        listed_at_ms: Some(age),
        streams: memory.names().into_iter().map(|n| (n, Some(0))).collect(),
    };
    let seen =
        |age: i64, elapsed: u64| Some(Seen::of(Some(&listed(age)), Duration::from_millis(elapsed)));
    let started = Instant::now();
    let undisturbed = async |seen| hold_after(seen, &me, async |_, it| it).await.unwrap();
    // It ended before the first read: nothing is observed again.
    assert!(undisturbed(seen(20, 10)).await);
    // It may have ended after that: once more, but at once.
    assert!(!undisturbed(seen(10, 10)).await);
    assert!(started.elapsed() < SETTLED, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn also_where_reads_are_current_a_lease_that_did_not_end_is_let_settle() {
    let memory = Memory::default();
    let first = Generation::NONE.next();
    memory.insert(first.stream());
    memory.insert(first.holder_stream("dead"));
    let me = LeaseRequest {
        reads: Reads::Current,
        ..request(&memory, "me")
    };
    let started = Instant::now();
    hold(&me, async |_| ()).await.unwrap();
    assert!(started.elapsed() >= SETTLED, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn also_where_reads_are_current_unanswered_writes_are_waited_for() {
    let memory = Memory::default();
    let me = LeaseRequest {
        reads: Reads::Current,
        ..request(&memory, "me")
    };
    memory.unanswered.store(true, Ordering::Relaxed);
    hold(&me, async |_| ()).await.unwrap();
    memory.unanswered.store(false, Ordering::Relaxed);
    let ended = Instant::now();
    let names = memory.names();
    let journal = JournalStreams {
        listed_at_ms: Some(20),
        streams: names.into_iter().map(|name| (name, Some(0))).collect(),
    };
    let seen = Seen::of(Some(&journal), Duration::from_millis(10));
    hold_after(Some(seen), &me, async |_, _| ()).await.unwrap();
    let waited = ended.elapsed();
    assert!(
        waited + Duration::from_millis(20) >= LATEST_ARRIVAL,
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_journal_is_deleted_only_when_no_unanswered_write_can_arrive_any_more() {
    let memory = Memory::default();
    let me = request(&memory, "me");
    let journal = Action::DeleteLogGroup {
        log_group: me.journal.clone(),
    };
    memory.unanswered.store(true, Ordering::Relaxed);
    let arrived = async {
        sleep(LATEST_ARRIVAL).await;
        memory.unanswered.store(false, Ordering::Relaxed);
    };
    let started = Instant::now();
    let down = hold(&me, async |writer| {
        write(writer, some_write()).await.unwrap();
        assert!(started.elapsed() < LATEST_ARRIVAL);
        write(writer, journal).await.unwrap();
        started.elapsed()
    });
    let (waited, ()) = futures_util::future::join(down, arrived).await;
    assert!(waited.unwrap() >= LATEST_ARRIVAL);
}
