//! Looks after one environment: hands its process one event at a time, watches
//! the clock and the process, and writes what Lambda writes into its log.
//!
//! A supervisor ends when its process does, when nobody can send it jobs any
//! more (the pool dropped its handle), or when the cloud stops.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::api::{Call, Event, FunctionResult, Verdict};
use super::invocation::{Delivery, Failure, Invocation, Job, Order, Outcome};
use super::logs::LogWriter;
use super::process::Process;
use crate::model::Model;

/// One environment.
pub(crate) struct Supervisor<S> {
    pub(crate) model: Arc<Model>,
    pub(crate) process: Process,
    pub(crate) log: LogWriter,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) version: String,
    pub(crate) memory_mb: u32,
    pub(crate) init_timeout: Duration,
    /// Dropped as soon as the process has started.
    pub(crate) start_slot: Option<S>,
    pub(crate) state: State,
}

/// Where the environment stands.
pub(crate) struct State {
    /// When the process was started.
    started: Instant,
    /// How long it took to ask for its first event; told in the first report.
    init: Init,
    /// The process waits for an event.
    asking: Option<oneshot::Sender<Event>>,
    /// The event the process has.
    running: Option<Running>,
    /// The event for when the process asks.
    queued: Option<Job>,
    /// When patience with the process ends.
    deadline: Option<Instant>,
}

enum Init {
    Starting,
    Failed(Bytes),
    Done { unreported: Option<Duration> },
}

struct Running {
    job: Job,
    since: Instant,
}

enum End {
    Exited(Option<ExitStatus>),
    TimedOut,
    Retired,
    Stopped,
}

impl State {
    /// A process that was started just now, for this job.
    pub(crate) fn starting(first: Job, init_timeout: Duration) -> Self {
        let started = Instant::now();
        Self {
            started,
            init: Init::Starting,
            asking: None,
            running: None,
            queued: Some(first),
            deadline: Some(started + init_timeout),
        }
    }
}

impl<S> Supervisor<S> {
    /// Runs until the environment has ended and its log is complete.
    pub(crate) async fn run(mut self) {
        self.log
            .line("INIT_START Runtime Version: provided:al2023".to_owned())
            .await;
        let end = loop {
            self.deliver().await;
            let deadline = self.state.deadline;
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
                status = self.process.exited() => break End::Exited(status),
                job = self.jobs.recv(), if self.state.queued.is_none() => match job {
                    Some(job) => self.state.queued = Some(job),
                    None => break End::Retired,
                },
                () = patience => break End::TimedOut,
                () = stopped(&mut self.stop) => break End::Stopped,
            }
        };
        self.wind_up(end).await;
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
        let limit = Duration::from_secs(u64::from(job.order.timeout_seconds));
        let event = Event {
            order: Arc::clone(&job.order),
            deadline_ms: self.model.now().as_millisecond() + limit.as_millis() as i64,
        };
        let since = Instant::now();
        state.deadline = Some(since + limit);
        if asking.is_closed() {
            // The process hung up; it may ask again.
            state.queued = Some(job);
            return;
        }
        self.log.begin().await;
        self.log.line(start_line(&job.order, &self.version)).await;
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
            self.state.init = Init::Done {
                unreported: Some(took),
            };
            self.start_slot = None;
        }
        self.state.asking = Some(asking);
        self.state.deadline = None;
    }

    async fn on_result(&mut self, result: FunctionResult) {
        let Some(Running { job, since }) = self.state.running.take() else {
            return;
        };
        // As long again it may take to ask for the next event.
        let limit = Duration::from_secs(u64::from(job.order.timeout_seconds));
        self.state.deadline = Some(Instant::now() + limit);
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

    /// Ends everything of the environment and answers whoever waits for it.
    async fn wind_up(mut self, end: End) {
        // From here on the pool sees that this environment is of no use.
        self.jobs.close();
        let started = !matches!(self.state.init, Init::Starting | Init::Failed(_));
        let failure = match (end, &self.state.running) {
            (End::Stopped, _) => Failure::Stopped,
            (End::TimedOut, Some(running)) => Failure::TimedOut {
                seconds: running.job.order.timeout_seconds,
            },
            (End::TimedOut, None) => Failure::TimedOut {
                seconds: self.init_timeout.as_secs() as u32,
            },
            (End::Exited(status), _) => {
                match std::mem::replace(&mut self.state.init, Init::Starting) {
                    Init::Failed(document) => Failure::InitError(document),
                    _ => Failure::Exited(status),
                }
            }
            (End::Retired, _) => Failure::Exited(None),
        };
        self.process.kill();
        if let Some(Running { job, since }) = self.state.running.take() {
            self.fail(job, since, &failure).await;
        }
        if let Some(job) = self.state.queued.take() {
            if started {
                let _gone = job.reply.send(Delivery::NotDelivered);
            } else {
                // This job is what the environment was started for.
                let since = self.state.started;
                self.log.begin().await;
                self.log.line(start_line(&job.order, &self.version)).await;
                self.fail(job, since, &failure).await;
            }
        }
        while let Ok(job) = self.jobs.try_recv() {
            let _gone = job.reply.send(Delivery::NotDelivered);
        }
        self.process.end().await;
        self.log.finish().await;
    }

    async fn fail(&mut self, job: Job, since: Instant, failure: &Failure) {
        let now = self.model.now();
        self.log.line(failure.log_line(&job.order, now)).await;
        let outcome = Outcome::FunctionError(failure.document(&job.order, now));
        self.close(job, since, outcome, Some(failure)).await;
    }

    /// Writes the last lines of an invocation, then hands over its result: who
    /// has the result finds the log complete.
    async fn close(
        &mut self,
        job: Job,
        since: Instant,
        outcome: Outcome,
        failure: Option<&Failure>,
    ) {
        let id = &job.order.request_id;
        self.log.line(format!("END RequestId: {id}")).await;
        let init = match &mut self.state.init {
            Init::Done { unreported } => unreported.take(),
            _ => None,
        };
        let peak = self.process.peak_memory_mb();
        let report = Report {
            id,
            took: since.elapsed(),
            init,
            memory_mb: self.memory_mb,
            peak,
            failure,
        };
        self.log.line(report.line()).await;
        let log_tail = self.log.end().await;
        let request_id = job.order.request_id.clone();
        let _caller_left = job.reply.send(Delivery::Done(Invocation {
            request_id,
            outcome,
            log_tail,
        }));
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _pool_gone = stop.wait_for(|stop| *stop).await;
}

fn start_line(order: &Order, version: &str) -> String {
    format!("START RequestId: {} Version: {version}", order.request_id)
}

struct Report<'a> {
    id: &'a str,
    took: Duration,
    init: Option<Duration>,
    memory_mb: u32,
    peak: u64,
    failure: Option<&'a Failure>,
}

impl Report<'_> {
    fn line(&self) -> String {
        let ms = self.took.as_secs_f64() * 1000.0;
        let billed = (ms + self.init.unwrap_or_default().as_secs_f64() * 1000.0).ceil();
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {ms:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            self.id, self.memory_mb, self.peak
        );
        if let Some(init) = self.init {
            line += &format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1000.0);
        }
        match self.failure {
            None | Some(Failure::AnswerTooLarge) => {}
            Some(Failure::TimedOut { .. }) => line += "Status: timeout",
            Some(failure) => {
                line += &format!("Status: error\tError Type: {}", failure.error_type())
            }
        }
        line
    }
}
