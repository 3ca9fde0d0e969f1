//! All environments: finds one for an event, starts more when all are busy, and
//! lets go of those nobody needs.
//!
//! An environment belongs to one function version at one revision. The pool
//! holds a [`Handle`] to each idle one; dropping a handle ends its environment.
//! A busy environment's handle is with the invocation and comes back after it.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cloud_model::FunctionVersion;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::credentials::{Caller, Credentials};
use super::environment::{self, Surroundings};
use super::invocation::{Delivery, Failure, Invocation, Job, Order, Outcome, Throttled};
use super::logs::{self, Destination, LogWriter};
use super::process::Process;
use super::supervisor::{State as SupervisorState, Supervisor};
use super::unpack::{CodeStore, UnpackError};
use super::{api, supervisor};
use crate::limits::{
    ASYNCHRONOUS_EVENTS, DELIVERY_ATTEMPTS, Limits, RUNTIME_CALLS, START_PATIENCE, STARTING_AT_ONCE,
};
use crate::model::Model;
use crate::tls::Trust;

/// All environments of a cloud.
pub(crate) struct Pool {
    pub(crate) credentials: Credentials,
    pub(super) model: Arc<Model>,
    code: CodeStore,
    pub(super) limits: Limits,
    /// Places for asynchronous events.
    pub(super) asynchronous: Arc<Semaphore>,
    cloud_port: u16,
    trust: Trust,
    state: Mutex<State>,
    stop: watch::Sender<bool>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    groups: HashMap<Key, Group>,
    /// Running events by function name.
    in_flight: HashMap<String, usize>,
    environments: usize,
}

/// A function version: name and version.
type Key = (String, String);

/// The environments of one function version.
#[derive(Default)]
struct Group {
    /// Environments of other revisions end with the event they have.
    revision: String,
    idle: Vec<(Handle, Instant)>,
    waiting: VecDeque<oneshot::Sender<Handle>>,
    /// Of both revisions.
    live: usize,
    starting: usize,
}

/// The way to one environment.
struct Handle {
    key: Key,
    revision: String,
    jobs: mpsc::Sender<Job>,
}

enum Found {
    Idle(Handle),
    MayStart(Slot),
    Wait(oneshot::Receiver<Handle>),
    Stopping,
}

impl Pool {
    pub(crate) fn new(
        model: Arc<Model>,
        code_dir: PathBuf,
        limits: Limits,
        cloud_port: u16,
        trust: Trust,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            credentials: Credentials::default(),
            model,
            code: CodeStore::new(code_dir),
            limits,
            asynchronous: Arc::new(Semaphore::new(ASYNCHRONOUS_EVENTS)),
            cloud_port,
            trust,
            state: Mutex::default(),
            stop: watch::Sender::new(false),
            ended: Notify::new(),
        });
        tokio::spawn(Arc::clone(&pool).reap());
        pool
    }

    /// How many processes there are.
    pub(crate) fn processes(&self) -> usize {
        self.lock().environments
    }

    /// How many events functions are at work on.
    pub(crate) fn invocations(&self) -> usize {
        self.lock().in_flight.values().sum()
    }

    /// Runs a function once. The function runs to its end also when the caller
    /// stops waiting.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        function: FunctionVersion,
        event: Bytes,
    ) -> Result<Invocation, Throttled> {
        let request_id = self.new_request_id();
        self.invoke_as(function, event, request_id).await
    }

    /// As [`Self::invoke`], under a request id that was given out already.
    pub(super) async fn invoke_as(
        self: &Arc<Self>,
        function: FunctionVersion,
        event: Bytes,
        request_id: String,
    ) -> Result<Invocation, Throttled> {
        let permit = self.admit(&function)?;
        let order = Arc::new(self.order(&function, event, request_id));
        let (pool, copy) = (Arc::clone(self), Arc::clone(&order));
        let run = tokio::spawn(async move {
            let invocation = pool.run(&function, copy).await;
            drop(permit);
            invocation
        });
        Ok(run
            .await
            .unwrap_or_else(|_| self.failed(&order, &Failure::Stopped)))
    }

    pub(super) fn new_request_id(&self) -> String {
        self.model.ids.uuid()
    }

    /// Ends when the cloud stops.
    pub(super) async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is in `self`: it outlives this wait.
        let _open = stop.wait_for(|stop| *stop).await;
    }

    fn order(&self, function: &FunctionVersion, event: Bytes, request_id: String) -> Order {
        let ids = &self.model.ids;
        let root = ids.trace_root(self.model.now().as_second());
        Order {
            request_id,
            invoked_arn: function.invoked_arn.clone(),
            trace_id: format!("{root};Parent={};Sampled=0", ids.trace_segment()),
            event,
            timeout_seconds: function.timeout_seconds,
        }
    }

    fn admit(self: &Arc<Self>, function: &FunctionVersion) -> Result<Permit, Throttled> {
        let mut state = self.lock();
        let all: usize = state.in_flight.values().sum();
        let name = function.function_name.clone();
        let mine = state.in_flight.entry(name.clone()).or_default();
        if function
            .reserved_concurrency
            .is_some_and(|most| *mine >= most as usize)
        {
            return Err(Throttled::Reserved);
        }
        if all >= self.limits.processes {
            return Err(Throttled::Account);
        }
        *mine += 1;
        Ok(Permit {
            pool: Arc::clone(self),
            name,
        })
    }

    async fn run(self: &Arc<Self>, function: &FunctionVersion, order: Arc<Order>) -> Invocation {
        self.prefer(function);
        for _ in 0..DELIVERY_ATTEMPTS {
            let (reply, delivery) = oneshot::channel();
            let job = Job {
                order: Arc::clone(&order),
                reply,
            };
            let handle = match self.find(function).await {
                Found::Idle(handle) => match handle.jobs.try_send(job) {
                    Ok(()) => handle,
                    Err(_ended) => continue,
                },
                Found::MayStart(slot) => match self.start(function, job, slot).await {
                    Ok(handle) => handle,
                    Err(failure) => return self.failed_start(function, &order, &failure).await,
                },
                Found::Wait(_) | Found::Stopping => break,
            };
            if let Ok(Delivery::Done(invocation)) = delivery.await {
                self.release(handle);
                return invocation;
            }
        }
        self.failed(&order, &Failure::Stopped)
    }

    /// From now on idle environments of the function's other revisions end.
    fn prefer(&self, function: &FunctionVersion) {
        let mut state = self.lock();
        let group = state.groups.entry(key_of(function)).or_default();
        if group.revision != function.revision_id {
            group.revision.clone_from(&function.revision_id);
            group.idle.clear();
        }
    }

    /// An idle environment, or leave to start one; waits for either.
    async fn find(self: &Arc<Self>, function: &FunctionVersion) -> Found {
        let began = Instant::now();
        loop {
            let mut freed = match self.look(function, began.elapsed()) {
                Found::Wait(freed) => freed,
                found => return found,
            };
            let handle = match timeout(START_PATIENCE, &mut freed).await {
                Ok(handle) => handle.ok(),
                Err(_) => {
                    // One may have been handed over just now.
                    freed.close();
                    freed.try_recv().ok()
                }
            };
            match handle {
                Some(handle) => return Found::Idle(handle),
                // Nobody hands over environments of an old revision.
                None => tokio::time::sleep(START_PATIENCE / 10).await,
            }
        }
    }

    fn look(self: &Arc<Self>, function: &FunctionVersion, waited: Duration) -> Found {
        if *self.stop.borrow() {
            return Found::Stopping;
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        let group = state.groups.entry(key_of(function)).or_default();
        let current = group.revision == function.revision_id;
        while current && let Some((handle, _)) = group.idle.pop() {
            if !handle.jobs.is_closed() {
                return Found::Idle(handle);
            }
        }
        let none_busy = group.live == group.starting;
        // The more there are, the sooner one gets free, and the less a further
        // one helps a machine with few cores.
        let impatient = waited >= START_PATIENCE * (1 + group.live as u32 / 2);
        let may_start = group.starting < STARTING_AT_ONCE && (none_busy || impatient || !current);
        if may_start && state.environments < self.limits.processes {
            group.live += 1;
            group.starting += 1;
            state.environments += 1;
            let place = Place {
                pool: Arc::clone(self),
                key: key_of(function),
                access_key_id: None,
            };
            let starting = Starting {
                pool: Arc::clone(self),
                key: key_of(function),
            };
            return Found::MayStart(Slot { place, starting });
        }
        let (freed, wait) = oneshot::channel();
        if current {
            group.waiting.retain(|waiting| !waiting.is_closed());
            group.waiting.push_back(freed);
        }
        if state.environments >= self.limits.processes {
            evict_one(&mut state.groups);
        }
        Found::Wait(wait)
    }

    /// Takes back the environment of an invocation that is over.
    fn release(&self, handle: Handle) {
        let mut state = self.lock();
        let Some(group) = state.groups.get_mut(&handle.key) else {
            return;
        };
        if *self.stop.borrow() || handle.jobs.is_closed() || group.revision != handle.revision {
            return;
        }
        let mut handle = handle;
        while let Some(waiting) = group.waiting.pop_front() {
            match waiting.send(handle) {
                Ok(()) => return,
                Err(back) => handle = back,
            }
        }
        group.idle.push((handle, Instant::now()));
    }

    /// Starts an environment that has a job at once.
    async fn start(
        self: &Arc<Self>,
        function: &FunctionVersion,
        first: Job,
        slot: Slot,
    ) -> Result<Handle, Failure> {
        let Slot {
            mut place,
            starting,
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
        let to = self.destination(function);
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
        let (process, outputs) = Process::start(&dir, &variables).await.map_err(|error| {
            Failure::InvalidEntrypoint(format!("fork/exec /var/task/bootstrap: {error}"))
        })?;
        let (calls, from_process) = mpsc::channel(RUNTIME_CALLS);
        let (jobs, from_pool) = mpsc::channel(1);
        let supervisor: Supervisor<Starting> = supervisor::Supervisor {
            model: Arc::clone(&self.model),
            process,
            log: LogWriter::start(to, outputs, &self.limits),
            calls: from_process,
            jobs: from_pool,
            stop: self.stop.subscribe(),
            version: function.version.clone(),
            memory_mb: function.memory_mb,
            init_timeout: self.limits.init_timeout,
            start_slot: Some(starting),
            state: SupervisorState::starting(first, self.limits.init_timeout),
        };
        tokio::spawn(async move {
            let serving = tokio::spawn(api::serve(listener, calls));
            supervisor.run().await;
            serving.abort();
            drop(place);
        });
        let revision = function.revision_id.clone();
        Ok(Handle {
            key: key_of(function),
            revision,
            jobs,
        })
    }

    fn destination(&self, function: &FunctionVersion) -> Destination {
        let (now, random) = (self.model.now(), self.model.ids.hex32());
        Destination {
            model: Arc::clone(&self.model),
            group: function.log_group.clone(),
            stream: logs::stream_name(now, &function.version, &random),
        }
    }

    /// Where there is no process, the log still says what happened.
    async fn failed_start(
        &self,
        function: &FunctionVersion,
        order: &Order,
        failure: &Failure,
    ) -> Invocation {
        let log = LogWriter::start(self.destination(function), None, &self.limits);
        let id = &order.request_id;
        log.line(format!(
            "START RequestId: {id} Version: {}",
            function.version
        ))
        .await;
        log.line(failure.log_line(order, self.model.now())).await;
        log.line(format!("END RequestId: {id}")).await;
        let log_tail = log.end().await;
        log.finish().await;
        Invocation {
            log_tail,
            ..self.failed(order, failure)
        }
    }

    fn failed(&self, order: &Order, failure: &Failure) -> Invocation {
        Invocation {
            request_id: order.request_id.clone(),
            outcome: Outcome::FunctionError(failure.document(order, self.model.now())),
            log_tail: Bytes::new(),
        }
    }

    /// Ends a deleted function's environments; those with an event finish it.
    pub(crate) fn retire(&self, function_name: &str) {
        let mut state = self.lock();
        let of_function = |(key, _): &(&Key, &mut Group)| key.0 == function_name;
        for (_, group) in state.groups.iter_mut().filter(of_function) {
            group.revision.clear();
            group.idle.clear();
        }
    }

    /// Ends every process at once, and waits until they are gone.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        self.stop.send_replace(true);
        self.lock()
            .groups
            .values_mut()
            .for_each(|group| group.idle.clear());
        let all_ended = async {
            loop {
                let ended = self.ended.notified();
                if self.processes() == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _slow = timeout(patience, all_ended).await;
    }

    /// Ends environments that had no event for long.
    async fn reap(self: Arc<Self>) {
        let longest = self.limits.process_idle;
        let mut stop = self.stop.subscribe();
        loop {
            let stopped = timeout(longest / 4, stop.wait_for(|stop| *stop));
            if stopped.await.is_ok() {
                return;
            }
            for group in self.lock().groups.values_mut() {
                group.idle.retain(|(_, since)| since.elapsed() < longest);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(function: &FunctionVersion) -> Key {
    (function.function_name.clone(), function.version.clone())
}

/// Makes room: lets go of the environment that has been idle longest.
fn evict_one(groups: &mut HashMap<Key, Group>) {
    let oldest = groups
        .values_mut()
        .filter(|group| !group.idle.is_empty())
        .min_by_key(|group| group.idle[0].1);
    if let Some(group) = oldest {
        group.idle.remove(0);
    }
}

/// One running event of a function.
struct Permit {
    pool: Arc<Pool>,
    name: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(count) = state.in_flight.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                state.in_flight.remove(&self.name);
            }
        }
    }
}

/// Leave to start one environment.
struct Slot {
    place: Place,
    starting: Starting,
}

/// One environment's place among all, with what must not outlive it.
struct Place {
    pool: Arc<Pool>,
    key: Key,
    access_key_id: Option<String>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = &self.access_key_id {
            self.pool.credentials.revoke(key);
        }
        let mut state = self.pool.lock();
        state.environments -= 1;
        if let Some(group) = state.groups.get_mut(&self.key) {
            group.live -= 1;
            if group.live == 0 && group.waiting.is_empty() {
                state.groups.remove(&self.key);
            }
        }
        drop(state);
        self.pool.ended.notify_waiters();
    }
}

/// One environment's place among those that are starting.
struct Starting {
    pool: Arc<Pool>,
    key: Key,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(group) = self.pool.lock().groups.get_mut(&self.key) {
            group.starting = group.starting.saturating_sub(1);
        }
    }
}
