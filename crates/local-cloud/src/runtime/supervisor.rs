//! Looks after one environment: hands its process one event at a time (several on
//! Lambda Managed Instances), freezes it between them, watches the clock and what it
//! uses.
//!
//! A supervisor ends when its process does, when nobody can send it jobs any more
//! (the pool dropped its handle), or when the cloud stops. What it says and does at
//! an end stands in `ending.rs`.

use std::collections::VecDeque;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::api::{Call, Event, FunctionResult, Verdict};
use super::invocation::{Failure, Job, Outcome};
use super::logs::LogWriter;
use super::process::{Launch, Process};
use super::report::Phase;
use super::system_log::SystemEvent;
use crate::limits::LOOKING;
use crate::model::Model;

/// One environment.
pub(crate) struct Supervisor<S> {
    pub(crate) model: Arc<Model>,
    pub(crate) launch: Launch,
    pub(crate) process: Process,
    pub(crate) log: LogWriter,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) version: String,
    pub(crate) memory_mb: u32,
    pub(crate) init_timeout: Duration,
    pub(crate) usage_watch: Duration,
    pub(crate) most_processes: usize,
    /// Whether the process stands still between events.
    pub(crate) freeze: bool,
    /// How many events the process may have at once.
    pub(crate) events: usize,
    /// Dropped as soon as the process has started.
    pub(crate) start_slot: Option<S>,
    pub(crate) state: State,
}

/// Where the environment stands.
pub(crate) struct State {
    /// When the process was started.
    pub(super) started: Instant,
    pub(super) phase: Phase,
    pub(super) init: Init,
    /// When the first event's time began, if that was before the process had it.
    pub(super) invoked: Option<Instant>,
    /// The process waits for an event, in as many places.
    pub(super) asking: VecDeque<oneshot::Sender<Event>>,
    /// The events the process has, those included that a fault holds back.
    pub(super) running: Vec<Running>,
    /// Those.
    pub(super) held: Vec<Held>,
    /// The event for when the process asks.
    pub(super) queued: Option<Job>,
    /// When patience ends with a process that has no event and doesn't ask for one.
    pub(super) deadline: Option<Instant>,
    /// When to look next at what the process uses.
    pub(super) next_look: Instant,
}

pub(super) enum Init {
    Starting,
    Failed(Bytes),
    /// How long it took to ask for the first event; told in the first report.
    Done {
        unreported: Option<Duration>,
    },
}

pub(super) struct Running {
    pub(super) job: Job,
    pub(super) since: Instant,
}

impl Running {
    /// When the function's time for it ends.
    pub(super) fn ends(&self) -> Instant {
        self.since + self.job.timeout()
    }
}

/// An event that a fault holds back, though its time runs.
pub(super) struct Held {
    asking: oneshot::Sender<Event>,
    event: Event,
    until: Instant,
}

/// Why an environment's process is of no use any more.
pub(super) enum End {
    Exited(Option<ExitStatus>),
    TimedOut,
    OutOfMemory,
    TooManyProcesses,
    Retired,
    Stopped,
}

impl State {
    /// A process that was started just now, for this job.
    pub(crate) fn starting(first: Job, init_timeout: Duration) -> Self {
        let started = Instant::now();
        Self {
            started,
            phase: Phase::Init,
            init: Init::Starting,
            invoked: None,
            asking: VecDeque::new(),
            running: Vec::new(),
            held: Vec::new(),
            queued: Some(first),
            deadline: Some(started + init_timeout),
            next_look: started,
        }
    }

    /// As [`Self::starting`], where a process failed before: the start is a part of the
    /// invocation.
    pub(crate) fn starting_again(first: Job) -> Self {
        let timeout = first.timeout();
        let state = Self::starting(first, timeout);
        Self {
            phase: Phase::Invoke,
            invoked: Some(state.started),
            ..state
        }
    }

    fn is_idle(&self) -> bool {
        !self.asking.is_empty() && self.running.is_empty() && self.queued.is_none()
    }

    /// When something must have happened.
    fn patience_ends(&self) -> Option<Instant> {
        let running = self.running.iter().map(Running::ends).min();
        running.or(self.deadline.filter(|_| self.asking.is_empty()))
    }
}

impl<S> Supervisor<S> {
    /// Runs until the environment has ended and its log is complete.
    pub(crate) async fn run(mut self) {
        let mut end = self.attend().await;
        while self.starts_again_after(&end).await {
            end = self.attend().await;
        }
        self.wind_up(end).await;
    }

    /// Serves events until something ends that.
    async fn attend(&mut self) -> End {
        loop {
            self.deliver().await;
            if self.freeze && self.state.is_idle() {
                self.process.freeze();
            }
            let (deadline, look) = (self.state.patience_ends(), self.state.next_look);
            let held = self.state.held.iter().map(|held| held.until).min();
            let patience = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What the process said counts before that it ended.
                biased;
                Some(call) = self.calls.recv() => self.on_call(call).await,
                status = self.process.exited() => return End::Exited(status),
                job = self.jobs.recv(), if self.state.queued.is_none() => match job {
                    Some(job) => self.state.queued = Some(job),
                    None => return End::Retired,
                },
                () = patience => return End::TimedOut,
                () = sleep_until(held.unwrap_or(look)), if held.is_some() => self.hold_no_longer().await,
                () = sleep_until(look), if !self.state.is_idle() => {
                    if let Some(end) = self.look() {
                        return end;
                    }
                }
                () = stopped(&mut self.stop) => return End::Stopped,
            }
        }
    }

    /// Whether the process uses more than it may.
    fn look(&mut self) -> Option<End> {
        let began = Instant::now();
        let usage = self.process.usage(self.most_processes);
        // Many processes take long to look at.
        let pause = self.usage_watch.max(began.elapsed() * LOOKING);
        self.state.next_look = Instant::now() + pause;
        if usage.megabytes > u64::from(self.memory_mb) {
            Some(End::OutOfMemory)
        } else if usage.processes > self.most_processes {
            Some(End::TooManyProcesses)
        } else {
            None
        }
    }

    /// Brings a waiting event and a waiting process together.
    async fn deliver(&mut self) {
        let state = &mut self.state;
        // Those who hung up may ask again.
        state.asking.retain(|asking| !asking.is_closed());
        if state.asking.is_empty() || state.queued.is_none() {
            return;
        }
        let (Some(asking), Some(job)) = (state.asking.pop_front(), state.queued.take()) else {
            return;
        };
        let now = Instant::now();
        let since = state.invoked.take().unwrap_or(now);
        let running = Running { job, since };
        let left = running.ends().saturating_duration_since(now);
        let order = &running.job.order;
        let event = Event {
            order: Arc::clone(order),
            deadline_ms: self.model.now().as_millisecond() + left.as_millis() as i64,
        };
        state.next_look = now + self.usage_watch;
        self.process.thaw();
        if state.running.is_empty() {
            self.log.begin().await;
        }
        let version = &self.version;
        self.log.system(SystemEvent::Start { order, version }).await;
        if !order.fault.is_nothing() {
            let until = now + order.fault.delay;
            state.held.push(Held {
                asking,
                event,
                until,
            });
            state.deadline = None;
            state.running.push(running);
            return;
        }
        match asking.send(event) {
            Ok(()) => {
                state.deadline = None;
                state.running.push(running);
            }
            Err(_hung_up) => {
                state.deadline = Some(running.ends());
                state.queued = Some(running.job);
            }
        }
    }

    /// Does with events that were held back long enough what their faults say.
    async fn hold_no_longer(&mut self) {
        let now = Instant::now();
        let mut all = std::mem::take(&mut self.state.held);
        let due = all.extract_if(.., |held| held.until <= now);
        let due: Vec<Held> = due.collect();
        self.state.held = all;
        for Held { asking, event, .. } in due {
            let order = Arc::clone(&event.order);
            if order.fault.crash {
                // Its end is seen as that of any process that dies.
                self.process.kill();
            } else if asking.send(event).is_err() {
                self.take_back(&order.request_id).await;
            }
        }
    }

    /// The process hung up while its event was held back: it may ask again.
    async fn take_back(&mut self, request_id: &str) {
        let state = &mut self.state;
        let is_this = |running: &Running| running.job.order.request_id == request_id;
        let Some(at) = state.running.iter().position(is_this) else {
            return;
        };
        let running = state.running.swap_remove(at);
        if state.queued.is_some() {
            let failure = Failure::Exited(None);
            self.fail(running.job, running.since, &failure).await;
            return;
        }
        state.deadline = Some(running.ends());
        state.invoked = Some(running.since);
        state.queued = Some(running.job);
    }

    async fn on_call(&mut self, call: Call) {
        match call {
            Call::Next(asking) => self.on_next(asking),
            Call::Result {
                request_id,
                result,
                reply,
            } => {
                let running = &mut self.state.running;
                let is_this = |running: &Running| running.job.order.request_id == request_id;
                let (verdict, ended) = match running.iter().position(is_this) {
                    Some(at) => (Verdict::Accepted, Some(running.swap_remove(at))),
                    None if running.is_empty() => (Verdict::WrongState, None),
                    None => (Verdict::WrongRequest, None),
                };
                // The process need not wait for its log to be written.
                let _hung_up = reply.send(verdict);
                if let Some(ended) = ended {
                    self.on_result(ended, result).await;
                }
            }
            Call::InitError { document, reply } => {
                let starting = matches!(self.state.init, Init::Starting);
                if starting {
                    self.state.init = Init::Failed(document);
                }
                let verdict = if starting {
                    Verdict::Accepted
                } else {
                    Verdict::WrongState
                };
                let _hung_up = reply.send(verdict);
            }
        }
    }

    fn on_next(&mut self, asking: oneshot::Sender<Event>) {
        let state = &mut self.state;
        if state.running.len() >= self.events || matches!(state.init, Init::Failed(_)) {
            // Dropping `asking` answers that this is not allowed now.
            return;
        }
        if state.running.len() + state.asking.len() >= self.events {
            // Who asks again has given up asking before.
            state.asking.pop_front();
        }
        if matches!(self.state.init, Init::Starting) {
            let took = self.state.started.elapsed();
            // Within an invocation it is part of the duration.
            let unreported = (self.state.phase == Phase::Init).then_some(took);
            self.state.init = Init::Done { unreported };
            self.start_slot = None;
            // For the report of an event whose process is gone at its end. Later ones have
            // that of the report before.
            self.process.peak_memory_mb();
        }
        self.state.asking.push_back(asking);
        self.state.deadline = None;
    }

    async fn on_result(&mut self, ended: Running, result: FunctionResult) {
        let Running { job, since } = ended;
        // As long again it may take to ask for the next event.
        self.state.deadline = Some(Instant::now() + job.timeout());
        match result {
            FunctionResult::Answer(answer) => {
                self.close(job, since, Outcome::Answer(answer), None).await;
            }
            FunctionResult::Error(document) => {
                self.close(job, since, Outcome::FunctionError(document), None)
                    .await;
            }
            FunctionResult::AnswerTooLarge => {
                self.fail(job, since, &Failure::AnswerTooLarge).await;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _pool_gone = stop.wait_for(|stop| *stop).await;
}
