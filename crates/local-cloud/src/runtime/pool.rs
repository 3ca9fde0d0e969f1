//! All environments: finds one for an event, starts more when all are busy, and
//! lets go of those nobody needs.
//!
//! An environment belongs to one function version at one revision. The pool
//! holds a [`Handle`] to each idle one; dropping the last of its handles ends an
//! environment. A busy environment's handle is with the invocation and comes back
//! after it. On Lambda Managed Instances an environment has several.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cloud_model::FunctionVersion;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::choice::{self, Found};
use super::credentials::Credentials;
use super::invocation::{Delivery, Failure, Invocation, Job, Order, Throttled};
use super::metrics;
use super::place::Permit;
use super::unpack::CodeStore;
use crate::limits::{ASYNCHRONOUS_EVENTS, DELIVERY_ATTEMPTS, Limits};
use crate::model::Model;
use crate::tls::Trust;

/// All environments of a cloud.
pub(crate) struct Pool {
    pub(crate) credentials: Credentials,
    pub(super) model: Arc<Model>,
    pub(super) code: CodeStore,
    pub(super) limits: Limits,
    /// Places for asynchronous events.
    pub(super) asynchronous: Arc<Semaphore>,
    pub(super) cloud_port: u16,
    pub(super) trust: Trust,
    /// Whether processes stand still between events.
    pub(super) freeze: bool,
    state: Mutex<State>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) ended: Notify,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) groups: HashMap<Key, Group>,
    /// Running events by function name.
    pub(super) in_flight: HashMap<String, usize>,
    pub(super) environments: usize,
}

/// A function version: name and version.
pub(super) type Key = (String, String);

/// The environments of one function version.
#[derive(Default)]
pub(super) struct Group {
    /// Environments of other revisions end with the event they have.
    pub(super) revision: String,
    pub(super) idle: Vec<(Handle, Instant)>,
    /// Log streams of environments whose process failed: the next ones go on there.
    pub(super) reset: Vec<(String, Instant)>,
    pub(super) waiting: VecDeque<oneshot::Sender<Handle>>,
    /// When an environment was last done with an event.
    pub(super) freed: Option<Instant>,
    /// Of both revisions.
    pub(super) live: usize,
    pub(super) starting: usize,
}

impl Group {
    pub(super) fn is_needed(&self) -> bool {
        self.live > 0 || !self.waiting.is_empty() || !self.reset.is_empty()
    }
}

/// The way to one environment; for each event that it may have at once there is one.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) key: Key,
    pub(super) revision: String,
    /// The same in all handles of an environment, and held by nobody else.
    pub(super) environment: Arc<()>,
    pub(super) log_stream: String,
    pub(super) jobs: mpsc::Sender<Job>,
}

impl Pool {
    pub(crate) fn new(
        model: Arc<Model>,
        code_dir: PathBuf,
        limits: Limits,
        cloud_port: u16,
        freeze: bool,
        trust: Trust,
    ) -> Arc<Self> {
        let pool = Arc::new(Self {
            credentials: Credentials::default(),
            model,
            code: CodeStore::new(code_dir),
            limits,
            asynchronous: Arc::new(Semaphore::new(ASYNCHRONOUS_EVENTS)),
            cloud_port,
            freeze,
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
    pub(crate) async fn invoke_as(
        self: &Arc<Self>,
        function: FunctionVersion,
        event: Bytes,
        request_id: String,
    ) -> Result<Invocation, Throttled> {
        let (order, run) = self.begin(function, event, request_id, None)?;
        Ok(run
            .await
            .unwrap_or_else(|_| self.failed(&order, &Failure::Stopped)))
    }

    /// Gives a function the event of an invocation again, and doesn't wait for what comes of
    /// it; gives the new request id.
    pub(crate) fn resend(
        self: &Arc<Self>,
        function: FunctionVersion,
        of: &Order,
    ) -> Result<String, Throttled> {
        let request_id = self.new_request_id();
        let from = Some(of.request_id.clone());
        let (order, _goes_on) = self.begin(function, of.event.clone(), request_id, from)?;
        Ok(order.request_id.clone())
    }

    fn begin(
        self: &Arc<Self>,
        function: FunctionVersion,
        event: Bytes,
        request_id: String,
        resent_from: Option<String>,
    ) -> Result<(Arc<Order>, JoinHandle<Invocation>), Throttled> {
        let admitted = self.admit(&function, &request_id);
        let permit = admitted.inspect_err(|_| metrics::throttled(&self.model, &function))?;
        let order = self.order(&function, event, request_id);
        let order = Arc::new(Order {
            resent_from,
            ..order
        });
        let (pool, copy) = (Arc::clone(self), Arc::clone(&order));
        let run = tokio::spawn(async move {
            let invocation = pool.run(&function, copy).await;
            metrics::invoked(&pool.model, &function, &invocation);
            drop(permit);
            invocation
        });
        Ok((order, run))
    }

    /// Unpacks a function's new code before its first event asks for it.
    pub(crate) fn unpack_early(self: &Arc<Self>, function_name: &str) {
        let Ok(function) = self.model.function_version(function_name) else {
            return;
        };
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let zip = Arc::clone(&function.zip);
            // What is wrong with it, its first event is told.
            let _told_later = pool.code.dir_of(&function.code_sha256, zip).await;
        });
    }

    pub(crate) fn new_request_id(&self) -> String {
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
        let fault = self.model.inflicted(&function.function_name, &request_id);
        Order {
            request_id,
            invoked_arn: function.invoked_arn.clone(),
            trace_id: format!("{root};Parent={};Sampled=0", ids.trace_segment()),
            event,
            timeout_seconds: function.timeout_seconds,
            resent_from: None,
            fault,
        }
    }

    fn admit(
        self: &Arc<Self>,
        function: &FunctionVersion,
        request_id: &str,
    ) -> Result<Permit, Throttled> {
        if self.model.is_throttled(&function.function_name, request_id) {
            return Err(Throttled::Reserved);
        }
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
        if all >= self.limits.invocations {
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
                Found::MayStart(slot) => {
                    let began = Instant::now();
                    match self.start(function, job, slot).await {
                        Ok(handle) => handle,
                        Err(failure) => {
                            return self.failed_start(function, &order, &failure, began).await;
                        }
                    }
                }
                Found::Stopping => break,
            };
            if let Ok(Delivery::Done(invocation)) = delivery.await {
                self.release(handle);
                return invocation;
            }
        }
        self.failed(&order, &Failure::Stopped)
    }

    /// Ends a deleted function's environments; those with an event finish it.
    pub(crate) fn retire(&self, function_name: &str) {
        let mut state = self.lock();
        let of_function = |(key, _): &(&Key, &mut Group)| key.0 == function_name;
        for (_, group) in state.groups.iter_mut().filter(of_function) {
            group.revision.clear();
            group.idle.clear();
            group.reset.clear();
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
            let too_old = |since: Instant| since.elapsed() >= longest;
            let groups = &mut self.lock().groups;
            for group in groups.values_mut() {
                choice::let_go(group, too_old);
                group.reset.retain(|(_, since)| !too_old(*since));
            }
            groups.retain(|_, group| group.is_needed());
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn key_of(function: &FunctionVersion) -> Key {
    (function.function_name.clone(), function.version.clone())
}
