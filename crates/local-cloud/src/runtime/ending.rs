//! How invocations and environments end: what is logged, who is answered, and when a
//! process that failed to start is started again.
//!
//! A process that doesn't come up is started once more within the invocation that
//! waits for it, with the function's own timeout, as Lambda does. One that fails later
//! is started again by the next event, in the same log stream and as a part of that
//! invocation; here that is a new environment, which looks like the old one.
//! Where a process has several events, one that takes too long ends them all.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;

use tokio::time::Instant;

use super::api::Call;
use super::invocation::{Delivery, Failure, Invocation, Job, Outcome};
use super::report::{Phase, Report};
use super::supervisor::{End, Init, Supervisor};
use super::system_log::SystemEvent;
use super::told::Ended;

/// How a wait reports that a process was killed by it.
const SIGKILL: i32 = 9;

impl<S> Supervisor<S> {
    /// Starts the process again if this end was its first attempt to start.
    pub(super) async fn starts_again_after(&mut self, end: &End) -> bool {
        let state = &self.state;
        let failed = match end {
            End::Retired | End::Stopped => false,
            End::Exited(_) | End::TimedOut | End::OutOfMemory | End::TooManyProcesses => true,
        };
        let Some(job) = &state.queued else {
            return false;
        };
        let starting = !matches!(state.init, Init::Done { .. });
        if !(failed && starting && state.phase == Phase::Init) {
            return false;
        }
        let timeout = job.timeout();
        let failure = self.failure_of(end);
        let took = self.state.started.elapsed();
        self.process.end().await;
        let event = SystemEvent::InitReport {
            took,
            phase: Phase::Init,
            failure: &failure,
        };
        self.log.system(event).await;
        // What the former process still asked is nobody's any more.
        while let Ok(call) = self.calls.try_recv() {
            drop::<Call>(call);
        }
        let Ok((process, outputs)) = self.launch.start().await else {
            return false;
        };
        self.process = process;
        if let Some(outputs) = outputs {
            self.log.attach(outputs).await;
        }
        let now = Instant::now();
        let state = &mut self.state;
        state.started = now;
        state.phase = Phase::Invoke;
        state.init = Init::Starting;
        state.invoked = Some(now);
        state.asking.clear();
        state.deadline = Some(now + timeout);
        true
    }

    fn failure_of(&mut self, end: &End) -> Failure {
        let state = &mut self.state;
        match end {
            End::Stopped => Failure::Stopped,
            End::Retired => Failure::Exited(None),
            End::OutOfMemory => Failure::OutOfMemory,
            End::TooManyProcesses => Failure::TooManyProcesses,
            End::TimedOut => Failure::TimedOut {
                seconds: match (state.running.first(), &state.queued) {
                    (Some(running), _) => running.job.order.timeout_seconds,
                    (None, Some(job)) if state.phase == Phase::Invoke => job.order.timeout_seconds,
                    (None, _) => self.init_timeout.as_secs() as u32,
                },
            },
            End::Exited(status) => match std::mem::replace(&mut state.init, Init::Starting) {
                Init::Failed(document) => Failure::InitError(document),
                as_it_was => {
                    state.init = as_it_was;
                    Failure::Exited(*status)
                }
            },
        }
    }

    /// Ends everything of the environment and answers whoever waits for it.
    pub(super) async fn wind_up(mut self, end: End) {
        // From here on the pool sees that this environment is of no use.
        self.jobs.close();
        let started = matches!(self.state.init, Init::Done { .. });
        let failure = self.failure_of(&end);
        self.process.peak_memory_mb();
        self.process.kill();
        let (now, timed_out) = (Instant::now(), matches!(end, End::TimedOut));
        for running in std::mem::take(&mut self.state.running) {
            let in_time = timed_out && running.ends() > now;
            let killed = Failure::Exited(Some(ExitStatus::from_raw(SIGKILL)));
            let failure = if in_time { &killed } else { &failure };
            self.fail(running.job, running.since, failure).await;
        }
        if let Some(job) = self.state.queued.take() {
            if started {
                let _gone = job.reply.send(Delivery::NotDelivered);
            } else {
                // This job is what the environment was started for.
                let took = self.state.started.elapsed();
                let since = self.state.invoked.unwrap_or(self.state.started);
                let event = SystemEvent::InitReport {
                    took,
                    phase: self.state.phase,
                    failure: &failure,
                };
                self.log.system(event).await;
                self.log.begin().await;
                let (order, version) = (&*job.order, self.version.as_str());
                self.log.system(SystemEvent::Start { order, version }).await;
                self.fail(job, since, &failure).await;
            }
        }
        while let Ok(job) = self.jobs.try_recv() {
            let _gone = job.reply.send(Delivery::NotDelivered);
        }
        self.process.end().await;
        self.log.finish().await;
    }

    pub(super) async fn fail(&mut self, job: Job, since: Instant, failure: &Failure) {
        let order = &*job.order;
        self.log
            .system(SystemEvent::Failed { order, failure })
            .await;
        let outcome = Outcome::FunctionError(failure.document(&job.order));
        self.close(job, since, outcome, Some(failure)).await;
    }

    /// Writes the last lines of an invocation, then hands over its result: who
    /// has the result finds the log complete.
    pub(super) async fn close(
        &mut self,
        job: Job,
        since: Instant,
        outcome: Outcome,
        failure: Option<&Failure>,
    ) {
        let init = match &mut self.state.init {
            Init::Done { unreported } => unreported.take(),
            _ => None,
        };
        let peak_mb = self.process.peak_memory_mb();
        let took = since.elapsed();
        let report = Report {
            order: &job.order,
            took,
            init,
            memory_mb: self.memory_mb,
            peak_mb,
            failure,
            reported: match (&outcome, failure) {
                (Outcome::FunctionError(document), None) => Some(document),
                _ => None,
            },
        };
        let cold = init.is_some() || !matches!(self.state.init, Init::Done { .. });
        let (order, now) = (Arc::clone(&job.order), self.model.now());
        let ended = Ended::new(&report, order, &self.version, cold, &outcome, now);
        self.model.note(ended);
        self.log.system(SystemEvent::Done(report)).await;
        let log_tail = self.log.end().await;
        let request_id = job.order.request_id.clone();
        let _caller_left = job.reply.send(Delivery::Done(Invocation {
            request_id,
            outcome,
            took,
            log_tail,
        }));
    }
}
