//! Starts environments: code, keys, variables, process, log and supervisor; and says
//! what went wrong where there is none to say it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloud_model::FunctionVersion;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::credentials::Caller;
use super::environment::{self, Surroundings};
use super::invocation::{Failure, Invocation, Job, Order, Outcome};
use super::logs::{self, Destination, LogWriter};
use super::place::{Slot, Starting};
use super::pool::{Handle, Pool, key_of};
use super::process::Launch;
use super::report::{Phase, Report};
use super::supervisor::{State as SupervisorState, Supervisor};
use super::system_log::{Format, SystemEvent};
use super::told::Ended;
use super::unpack::UnpackError;
use super::{api, supervisor};
use crate::limits::RUNTIME_CALLS;

impl Pool {
    /// Starts an environment that has a job at once.
    pub(super) async fn start(
        self: &Arc<Self>,
        function: &FunctionVersion,
        first: Job,
        slot: Slot,
    ) -> Result<Handle, Failure> {
        let Slot {
            mut place,
            starting,
            reset,
        } = slot;
        let machine = |error: std::io::Error| Failure::InvalidEntrypoint(error.to_string());
        let zip = Arc::clone(&function.zip);
        let dir =
            self.code
                .dir_of(&function.code_sha256, zip)
                .await
                .map_err(|error| match error {
                    UnpackError::BadCode(text) => Failure::InvalidEntrypoint(text),
                    UnpackError::Io(_) => Failure::InvalidEntrypoint(error.to_string()),
                })?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(machine)?;
        let runtime_api = listener.local_addr().map_err(machine)?.to_string();
        let caller = Caller {
            role_arn: function.role_arn.clone(),
            function_name: function.function_name.clone(),
        };
        let keys = self.credentials.issue(caller, &self.model.ids);
        place.access_key_id = Some(keys.access_key_id.clone());
        let mut to = self.destination(function);
        let is_reset = reset.is_some();
        if let Some(stream) = reset {
            to.stream = stream;
        }
        let log_stream = to.stream.clone();
        let surroundings = Surroundings {
            region: &self.model.region,
            task_root: &dir.to_string_lossy(),
            runtime_api: &runtime_api,
            cloud_port: self.cloud_port,
            trust: &self.trust,
            log_stream: &to.stream,
            keys: &keys,
        };
        let variables = environment::variables(function, &surroundings);
        let launch = Launch { dir, variables };
        let (process, outputs) = launch.start().await.map_err(|error| {
            Failure::InvalidEntrypoint(format!("fork/exec /var/task/bootstrap: {error}"))
        })?;
        let (calls, from_process) = mpsc::channel(RUNTIME_CALLS);
        let events = function.max_concurrency.unwrap_or(1).max(1) as usize;
        let (jobs, from_pool) = mpsc::channel(events);
        let log = LogWriter::start(to, outputs, &self.limits);
        let state = if is_reset {
            SupervisorState::starting_again(first)
        } else {
            log.system(SystemEvent::InitStart(function)).await;
            SupervisorState::starting(first, self.limits.init_timeout)
        };
        let supervisor: Supervisor<Starting> = supervisor::Supervisor {
            model: Arc::clone(&self.model),
            launch,
            process,
            log,
            calls: from_process,
            jobs: from_pool,
            stop: self.stop.subscribe(),
            version: function.version.clone(),
            memory_mb: function.memory_mb,
            init_timeout: self.limits.init_timeout,
            most_processes: self.limits.processes_of_a_function,
            usage_watch: self.limits.usage_watch,
            freeze: self.freeze,
            events,
            start_slot: Some(starting),
            state,
        };
        tokio::spawn(async move {
            let serving = tokio::spawn(api::serve(listener, calls, events));
            supervisor.run().await;
            serving.abort();
            drop(place);
        });
        let handle = Handle {
            key: key_of(function),
            revision: function.revision_id.clone(),
            environment: Arc::new(()),
            log_stream,
            jobs,
        };
        for _ in 1..events {
            self.release(handle.clone());
        }
        Ok(handle)
    }

    fn destination(&self, function: &FunctionVersion) -> Destination {
        let (now, random) = (self.model.now(), self.model.ids.hex32());
        Destination {
            model: Arc::clone(&self.model),
            group: function.log_group.clone(),
            format: Format::of(function),
            stream: logs::stream_name(now, &function.version, &random),
        }
    }

    /// Where no process can be started, the log still says what happened.
    pub(super) async fn failed_start(
        &self,
        function: &FunctionVersion,
        order: &Arc<Order>,
        failure: &Failure,
        began: Instant,
    ) -> Invocation {
        let log = LogWriter::start(self.destination(function), None, &self.limits);
        log.system(SystemEvent::InitStart(function)).await;
        // A second attempt would end as the first.
        for phase in [Phase::Init, Phase::Invoke] {
            let took = began.elapsed();
            let event = SystemEvent::InitReport {
                took,
                phase,
                failure,
            };
            log.system(event).await;
        }
        log.begin().await;
        let version = &function.version;
        log.system(SystemEvent::Start { order, version }).await;
        log.system(SystemEvent::Failed { order, failure }).await;
        let took = began.elapsed();
        let report = Report {
            order,
            took,
            init: None,
            memory_mb: function.memory_mb,
            peak_mb: 0,
            failure: Some(failure),
            reported: None,
        };
        let failed = self.failed(order, failure);
        let (copy, now) = (Arc::clone(order), self.model.now());
        let ended = Ended::new(&report, copy, version, true, &failed.outcome, now);
        self.model.note(ended);
        log.system(SystemEvent::Done(report)).await;
        let log_tail = log.end().await;
        log.finish().await;
        Invocation {
            took,
            log_tail,
            ..failed
        }
    }

    pub(super) fn failed(&self, order: &Order, failure: &Failure) -> Invocation {
        Invocation {
            request_id: order.request_id.clone(),
            outcome: Outcome::FunctionError(failure.document(order)),
            took: Duration::ZERO,
            log_tail: Bytes::new(),
        }
    }
}
