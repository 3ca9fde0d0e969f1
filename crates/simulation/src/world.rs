//! The one account of a run: the model of AWS on virtual time, what is watched
//! in it, and the trace of all that happens.

use crate::call::{Call, Service, status_only};
use crate::contents;
use crate::counts::Counts;
use crate::leases::Leases;
use crate::random::Random;
use crate::scenario::{Command, Scenario};
use crate::somebody;
use crate::trace::{Trace, fnv};
use crate::watch::Watch;
use bytes::Bytes;
use cloud_model::{Cloud, IdSource, Inventory, Settings};
use deployer_aws::Clock;
use deployer_core::assumptions::STATUS_OF_PLAIN_GET_ON_LIVE_STAGE;
use dynamodb_double::{Tables, is_for_dynamodb};
use http::header::DATE;
use http::{HeaderValue, Request, Response};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Arguments;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// When every run begins: 2026-01-01, in seconds.
const BEGINNING: i64 = 1_767_225_600;
/// Where WebSocket clients would connect.
const WEBSOCKETS: &str = "ws://gateway";

/// Shared by all deployers and their wires.
#[derive(Debug)]
pub struct World {
    started: Instant,
    stale_reads: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    cloud: Cloud,
    tables: Tables,
    ids: Ids,
    watch: Watch,
    leases: Leases,
    trace: Trace,
    counts: Counts,
}

#[derive(Debug)]
struct Ids(Random);

impl IdSource for Ids {
    fn next_u64(&mut self) -> u64 {
        self.0.next()
    }
}

impl State {
    /// From now on what is live may be broken, until the next `up`.
    fn excuse(&mut self, who: &str, at: Duration, why: &'static str) {
        self.watch.excused = true;
        self.counts.add(why);
        self.trace.add(at, who, format_args!("{why}"));
    }
}

impl World {
    /// An empty account. `keep`: the trace is for reading.
    pub fn new(seed: u64, scenario: &Scenario, keep: bool) -> Arc<Self> {
        let mut cloud = Cloud::new(Settings {
            account_id: contents::ACCOUNT.to_owned(),
            region: contents::REGION.to_owned(),
            websocket_base: WEBSOCKETS.to_owned(),
            code_base: String::new(),
            code_key: String::new(),
            function_activation: SignedDuration::from_millis(scenario.activation_ms),
            realism: scenario.realism,
            enforce_iam: false,
        });
        let beginning = Timestamp::from_second(BEGINNING).unwrap_or_default();
        somebody::make(&mut cloud, &mut Ids(Random::new(seed, 3)), beginning);
        Arc::new(Self {
            started: Instant::now(),
            stale_reads: scenario.realism.is_some_and(|realism| realism.stale_reads),
            state: Mutex::new(State {
                cloud,
                tables: Tables::new(&format!("{}:{}", contents::REGION, contents::ACCOUNT)),
                ids: Ids(Random::new(seed, 2)),
                watch: Watch::default(),
                leases: Leases::default(),
                trace: Trace::new(keep),
                counts: Counts::default(),
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timestamp(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        Timestamp::from_second(BEGINNING).unwrap_or_default() + since
    }

    /// Adds a line to the trace.
    pub fn say(&self, who: &str, what: Arguments<'_>) {
        self.state().trace.add(self.started.elapsed(), who, what);
    }

    /// Counts something that was reached.
    pub fn count(&self, what: &'static str) {
        self.state().counts.add(what);
    }

    /// Serves a request that arrives; gives the answer and how long AWS takes to
    /// give it. Whatever was written, what is live is looked at.
    pub fn serve(
        &self,
        who: &str,
        command: Command,
        call: &Call,
        request: &Request<Bytes>,
    ) -> (Response<Bytes>, Duration) {
        let now = self.timestamp();
        let state = &mut *self.state();
        let (mut answer, held_back) = if call.service == Service::Probe {
            (status_only(probed(&state.cloud, request)), Duration::ZERO)
        } else if is_for_dynamodb(request) {
            (state.tables.handle(request), Duration::ZERO)
        } else {
            let handled = state.cloud.handle(request, now, &mut state.ids);
            let held_back = Duration::try_from(handled.held_back).unwrap_or_default();
            (handled.response, held_back)
        };
        if let Some(date) = http_date(now) {
            answer.headers_mut().insert(DATE, date);
        }
        let body = fnv(0, answer.body());
        let (name, about, status) = (&call.name, &call.about, answer.status().as_u16());
        let at = self.started.elapsed();
        let line = format_args!("arrives  {name} {about} -> {status} {body:016x}");
        state.trace.add(at, who, line);
        if call.writes {
            let done = answer.status().is_success();
            state.watch.written(command, call, request, &answer, done);
            if done {
                state.leases.written(who, call, at, &mut state.counts);
                if !state.watch.excused && state.leases.comes_too_late(who, call) {
                    state.excuse(who, at, "lease: written by one stopped or killed, too late");
                }
            }
            let before = state.watch.violations.len();
            state.watch.look(&state.cloud, now, command, call);
            for violation in &state.watch.violations[before..] {
                state
                    .trace
                    .add(at, "watch", format_args!("VIOLATION {violation}"));
            }
        }
        if self.stale_reads
            && !call.writes
            && !state.watch.excused
            && state.leases.reads_too_soon(who, call, at)
        {
            state.excuse(who, at, "lease: read too soon after another's end");
        }
        (answer, held_back)
    }

    /// From now on `content` may be live: somebody deploys it.
    pub fn may_be_live(&self, content: usize) {
        self.state().watch.may_be_live(content);
    }

    /// What is live now.
    pub fn live(&self) -> Vec<usize> {
        let now = self.timestamp();
        let state = &mut *self.state();
        state.watch.live(&state.cloud, now)
    }

    /// Adds a violation found elsewhere.
    pub fn violated(&self, what: String) {
        let state = &mut *self.state();
        let at = self.started.elapsed();
        state
            .trace
            .add(at, "watch", format_args!("VIOLATION {what}"));
        state.watch.violations.push(what);
    }

    /// Everything in the account but what somebody else made.
    pub fn inventory(&self) -> Inventory {
        somebody::without(self.state().cloud.inventory())
    }

    /// The names of the tables that stay.
    pub fn tables(&self) -> Vec<String> {
        self.state().tables.names()
    }

    /// Violations, counts and trace; what is left behind is empty.
    pub fn end(&self) -> (Vec<String>, Counts, Trace) {
        let state = &mut *self.state();
        (
            std::mem::take(&mut state.watch.violations),
            std::mem::take(&mut state.counts),
            std::mem::replace(&mut state.trace, Trace::new(false)),
        )
    }
}

impl Clock for World {
    fn now(&self) -> SystemTime {
        self.timestamp().into()
    }
}

/// What every service says of the time in its answers.
fn http_date(now: Timestamp) -> Option<HeaderValue> {
    let date = DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .ok()?;
    HeaderValue::try_from(date).ok()
}

/// How the endpoint answers a plain GET on `/{api}/{stage}`.
fn probed(cloud: &Cloud, request: &Request<Bytes>) -> u16 {
    let mut parts = request.uri().path().trim_start_matches('/').split('/');
    let (api, stage) = (parts.next().unwrap_or_default(), parts.next());
    match cloud.live_stage(api, stage.unwrap_or_default()) {
        Some(_) => STATUS_OF_PLAIN_GET_ON_LIVE_STAGE,
        None => 403,
    }
}
