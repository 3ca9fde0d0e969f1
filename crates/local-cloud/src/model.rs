//! The model of AWS, shared by all tasks, with the clock and the ids it is asked
//! with. Calls are short and never wait for anything else while holding it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cloud_model::{
    Caller, Cloud, FunctionVersion, Handled, Inventory, InvokeRefusal, LiveStage, LogEvent,
    Session, Settings, Unverified,
};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::ids::Ids;

/// One cloud's state.
pub(crate) struct Model {
    pub(crate) account_id: String,
    pub(crate) region: String,
    /// Whether signatures are verified everywhere.
    pub(crate) enforce_iam: bool,
    pub(crate) ids: Ids,
    clock: Arc<dyn Clock>,
    cloud: Mutex<Cloud>,
}

impl Model {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, ids: Ids) -> Self {
        Self {
            account_id: settings.account_id.clone(),
            region: settings.region.clone(),
            enforce_iam: settings.enforce_iam,
            ids,
            clock,
            cloud: Mutex::new(Cloud::new(settings)),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        // A panic in the model failed one request; the others go on.
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a control-plane request.
    pub(crate) fn handle(
        &self,
        request: &http::Request<Bytes>,
        caller: Option<&Caller>,
    ) -> Handled {
        let now = self.now();
        let mut cloud = self.cloud();
        self.ids
            .with(|ids| cloud.handle_as(request, caller, now, ids))
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

    /// The zip with this digest, as `Code.Location` has it.
    pub(crate) fn code(&self, digest: &str) -> Option<Arc<Bytes>> {
        self.cloud().code(digest)
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
        let _kept = self.cloud().put_log_events(group, stream, events);
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.cloud().inventory()
    }
}
