//! The model of AWS, shared by all tasks, with the clock and the ids it is asked
//! with. Calls are short and never wait for anything else while holding it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cloud_model::{
    Caller, Cloud, FunctionVersion, Handled, Inventory, InvokeRefusal, LiveStage, LiveTail,
    LogEvent, Measure, NoCode, Session, ShownApi, ShownDeployment, ShownFunction, ShownVersion,
    Unverified,
};
use jiff::Timestamp;
use serde_json::json;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::limits::LOG_DELAY;
use crate::past::Past;
use crate::runtime::Ended;
use crate::store::Store;
use crate::traffic::{self, Traffic};

/// One cloud's state.
pub(crate) struct Model {
    pub(crate) account_id: String,
    pub(crate) region: String,
    /// Whether signatures are verified everywhere.
    pub(crate) enforce_iam: bool,
    /// Whether it behaves as AWS does under load: reads may be stale.
    pub(crate) realism: bool,
    pub(crate) ids: Ids,
    /// What happens, for whoever watches.
    pub(crate) traffic: Traffic,
    /// What happened lately, for who comes to watch.
    pub(crate) past: Past,
    /// What is to go wrong.
    pub(crate) faults: Faults,
    clock: Arc<dyn Clock>,
    cloud: Mutex<Cloud>,
    /// `None`: the account isn't kept.
    store: Option<Store>,
}

impl Model {
    /// A cloud, and the files that it is kept in.
    pub(crate) fn new(cloud: Cloud, store: Option<Store>, clock: Arc<dyn Clock>, ids: Ids) -> Self {
        let settings = cloud.settings();
        Self {
            account_id: settings.account_id.clone(),
            region: settings.region.clone(),
            enforce_iam: settings.enforce_iam,
            realism: settings.realism.is_some(),
            ids,
            traffic: Traffic::default(),
            past: Past::default(),
            faults: Faults::default(),
            clock,
            cloud: Mutex::new(cloud),
            store,
        }
    }

    /// The ARN of something that API Gateway executes; `path` begins with the API's id.
    pub(crate) fn execute_api_arn(&self, path: &str) -> String {
        let (region, account_id) = (&self.region, &self.account_id);
        format!("arn:aws:execute-api:{region}:{account_id}:{path}")
    }

    /// Of a table with this name.
    pub(crate) fn dynamodb_table_arn(&self, name: &str) -> String {
        format!(
            "arn:aws:dynamodb:{}:{}:table/{name}",
            self.region, self.account_id
        )
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        // A panic in the model failed one request; the others go on.
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a control-plane request. When it returns, what the request has changed is
    /// kept; if that failed, the second value says so. Blocks for it.
    pub(crate) fn handle(
        &self,
        request: &http::Request<Bytes>,
        caller: Option<&Caller>,
    ) -> (Handled, io::Result<()>) {
        let now = self.now();
        let mut cloud = self.cloud();
        let before = cloud.changes();
        let handled = self
            .ids
            .with(|ids| cloud.handle_as(request, caller, now, ids));
        let change = cloud.changes();
        drop(cloud);
        let kept = match &self.store {
            Some(store) if change != before => store.keep(change, &self.cloud),
            _ => Ok(()),
        };
        (handled, kept)
    }

    /// Writes what lines functions have printed, again and again, each time a while
    /// after the first of them.
    pub(crate) async fn keep_lines(self: Arc<Self>) {
        let Some(store) = &self.store else {
            return;
        };
        loop {
            store.lines().await;
            tokio::time::sleep(LOG_DELAY).await;
            Arc::clone(&self).keep_all().await;
        }
    }

    /// Writes everything that isn't kept yet. What can't be written now, the next write
    /// brings.
    pub(crate) async fn keep_all(self: Arc<Self>) {
        let write = move || {
            if let Some(store) = &self.store {
                let _later = store.keep_all(&self.cloud);
            }
        };
        let _panicked = tokio::task::spawn_blocking(write).await;
    }

    /// Lets another process have the files; what changes now is lost.
    pub(crate) fn close(&self) {
        if let Some(store) = &self.store {
            store.close();
        }
    }

    pub(crate) fn live_stage(&self, api_id: &str, stage: &str) -> Option<LiveStage> {
        self.cloud().live_stage(api_id, stage)
    }

    /// What an invocation runs; drawn anew for each where an alias has weights.
    pub(crate) fn function_version(&self, name: &str) -> Result<FunctionVersion, InvokeRefusal> {
        let now = self.now();
        let cloud = self.cloud();
        self.ids.with(|ids| cloud.drawn_version(name, now, ids))
    }

    /// As [`Self::function_version`], without drawing: what a version runs.
    pub(crate) fn version(&self, reference: &str) -> Result<FunctionVersion, InvokeRefusal> {
        let now = self.now();
        self.cloud().function_version(reference, now)
    }

    /// The session of a role that an access key id belongs to.
    pub(crate) fn session(&self, access_key_id: &str) -> Option<Session> {
        let now = self.now();
        self.cloud().session(access_key_id, now).cloned()
    }

    /// AWS's answer to a request whose signature isn't what it should be.
    pub(crate) fn refuse_unverified(
        &self,
        request: &http::Request<Bytes>,
        why: Unverified,
    ) -> http::Response<Bytes> {
        let cloud = self.cloud();
        self.ids
            .with(|ids| cloud.refuse_unverified(request, why, ids))
    }

    /// The zip that a `Code.Location` leads to.
    pub(crate) fn code(&self, digest: &str, query: &str) -> Result<Arc<Bytes>, NoCode> {
        let now = self.now();
        self.cloud().code(digest, query, now)
    }

    pub(crate) fn may_invoke(
        &self,
        credentials_arn: Option<&str>,
        function_arn: &str,
    ) -> Result<(), InvokeRefusal> {
        let now = self.now();
        self.cloud().may_invoke(credentials_arn, function_arn, now)
    }

    pub(crate) fn may_invoke_for(
        &self,
        source_arn: &str,
        function_arn: &str,
    ) -> Result<(), InvokeRefusal> {
        self.cloud().may_invoke_for(source_arn, function_arn)
    }

    pub(crate) fn role_allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        let now = self.now();
        self.cloud().role_allows(role_arn, action, resource, now)
    }

    /// Lines for which there is no group, or which the function's role may not
    /// write, are lost, as on AWS.
    pub(crate) fn put_log_events(&self, group: &str, stream: &str, events: Vec<LogEvent>) {
        for event in &events {
            self.traffic.tell(|| {
                let mut told = json!({
                    "kind": "log",
                    "at": event.timestamp.as_millisecond(),
                    "logGroup": group,
                    "logStream": stream,
                });
                traffic::add_text(&mut told, "message", event.message.as_bytes());
                told
            });
        }
        let _kept = self.cloud().put_log_events(group, stream, events);
        if let Some(store) = &self.store {
            store.note_lines();
        }
    }

    /// Tells of an invocation, and keeps it for a while.
    pub(crate) fn note(&self, ended: Ended) {
        self.traffic.tell(|| ended.json());
        self.past.keep(Arc::new(ended));
    }

    /// Notes what was measured just now.
    pub(crate) fn record(&self, measures: &[Measure<'_>]) {
        let now = self.now();
        self.cloud().record(measures, now);
    }

    /// All APIs and functions at one moment.
    pub(crate) fn shown(&self) -> (Vec<ShownApi>, Vec<ShownFunction>) {
        let cloud = self.cloud();
        (cloud.shown_apis(), cloud.shown_functions())
    }

    pub(crate) fn shown_deployments(&self, api_id: &str) -> Option<Vec<ShownDeployment>> {
        self.cloud().shown_deployments(api_id)
    }

    pub(crate) fn shown_version(&self, reference: &str) -> Option<ShownVersion> {
        self.cloud().shown_version(reference)
    }

    /// What a session of StartLiveTail shows next.
    pub(crate) fn live_tail(&self, tail: &mut LiveTail) -> serde_json::Value {
        self.cloud().live_tail(tail)
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.cloud().inventory()
    }
}
