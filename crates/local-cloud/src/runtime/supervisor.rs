//! Looks after one environment: hands its process one event at a time, freezes it
//! between them, watches the clock and what it uses.
//!
//! A supervisor ends when its process does, when nobody can send it jobs any more
//! (the pool dropped its handle), or when the cloud stops. What it says and does at
//! an end stands in `ending.rs`.

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
use super::report::{self, Phase};
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
    /// The process waits for an event.
    pub(super) asking: Option<oneshot::Sender<Event>>,
    /// The event the process has.
    pub(super) running: Option<Running>,
    /// The event for when the process asks.
    pub(super) queued: Option<Job>,
    /// When patience with the process ends.
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
            asking: None,
            running: None,
            queued: Some(first),
            deadline: Some(started + init_timeout),
            next_look: started,
        }
    }

    fn is_idle(&self) -> bool {
        self.asking.is_some() && self.running.is_none() && self.queued.is_none()
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
            let (deadline, look) = (self.state.deadline, self.state.next_look);
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
        if state.asking.is_none() || state.queued.is_none() {
            return;
        }
        let (Some(asking), Some(job)) = (state.asking.take(), state.queued.take()) else {
            return;
        };
        let now = Instant::now();
        let since = state.invoked.take().unwrap_or(now);
        let ends = since + job.timeout();
        let left = ends.saturating_duration_since(now);
        let event = Event {
            order: Arc::clone(&job.order),
            deadline_ms: self.model.now().as_millisecond() + left.as_millis() as i64,
        };
        state.deadline = Some(ends);
        state.next_look = now + self.usage_watch;
        self.process.thaw();
        if asking.is_closed() {
            // The process hung up; it may ask again.
            state.queued = Some(job);
            return;
        }
        self.log.begin().await;
        let start = report::start(&job.order, &self.version);
        self.log.line(start).await;
        match asking.send(event) {
            Ok(()) => self.state.running = Some(Running { job, since }),
            Err(_hung_up) => self.state.queued = Some(job),
        }
    }

    async fn on_call(&mut self, call: Call) {
        match call {
            Call::Next(asking) => self.on_next(asking),
            Call::Result {
                request_id,
                result,
                reply,
            } => {
                let verdict = match &self.state.running {
                    None => Verdict::WrongState,
                    Some(running) if running.job.order.request_id != request_id => {
                        Verdict::WrongRequest
                    }
                    Some(_) => Verdict::Accepted,
                };
                // The process need not wait for its log to be written.
                let _hung_up = reply.send(verdict);
                if verdict == Verdict::Accepted {
                    self.on_result(result).await;
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
        if self.state.running.is_some() || matches!(self.state.init, Init::Failed(_)) {
            // Dropping `asking` answers that this is not allowed now.
            return;
        }
        if matches!(self.state.init, Init::Starting) {
            let took = self.state.started.elapsed();
            // Within an invocation it is part of the duration.
            let unreported = (self.state.phase == Phase::Init).then_some(took);
            self.state.init = Init::Done { unreported };
            self.start_slot = None;
        }
        // For the report of an event whose process is gone at its end.
        self.process.peak_memory_mb();
        self.state.asking = Some(asking);
        self.state.deadline = None;
    }

    async fn on_result(&mut self, result: FunctionResult) {
        let Some(Running { job, since }) = self.state.running.take() else {
            return;
        };
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
