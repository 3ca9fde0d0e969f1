//! The WebSocket side of API Gateway: handshakes, messages, their routes and
//! functions, and the `@connections` API that answers.
//!
//! Deliberately absent: API keys, request models, the
//! account's own limits, integrations other than Lambda proxies, custom domains.

pub(crate) mod address;
mod authorizer;
pub(crate) mod connection;
mod error_frame;
pub(crate) mod events;
mod handshake;
mod iam;
mod integration;
pub(crate) mod json_path;
mod management;
mod messages;
mod metrics;
pub(crate) mod proxy_response;
mod registry;
mod request_log;
pub(crate) mod route_selection;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod samples;
mod throttle;
mod told;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use handshake::{connect, upgrade_required};
pub(crate) use integration::with_stage_variables;
pub(crate) use management::manage;
pub(crate) use registry::{Closing, Registry};

use throttle::Throttle;

use crate::dynamodb::DynamoDbAddress;
use crate::limits::Limits;
use crate::live_tail::LiveTails;
use crate::model::Model;
use crate::runtime::Pool;

/// What every part of the gateway works with.
pub(crate) struct Gateway {
    pub(crate) model: Arc<Model>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) registry: Registry,
    pub(crate) limits: Limits,
    pub(crate) port: u16,
    pub(crate) throttle: Throttle,
    pub(crate) live_tails: LiveTails,
    /// Where requests for DynamoDB are passed on to.
    pub(crate) dynamodb: Option<DynamoDbAddress>,
    /// Of everything that this gateway logs.
    log_stream: String,
    failures: Mutex<VecDeque<RecentFailure>>,
}

/// Why a client was told no more than `Internal server error`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecentFailure {
    at: String,
    api_id: String,
    stage: String,
    request_id: String,
    reason: String,
}

/// Failures kept for the developer to look at.
const RECENT_FAILURES: usize = 20;

impl Gateway {
    pub(crate) fn new(
        model: Arc<Model>,
        pool: Arc<Pool>,
        limits: Limits,
        port: u16,
        dynamodb: Option<DynamoDbAddress>,
    ) -> Self {
        Self {
            dynamodb,
            log_stream: model.ids.hex32(),
            throttle: Throttle::default(),
            live_tails: LiveTails::default(),
            model,
            pool,
            registry: Registry::default(),
            limits,
            port,
            failures: Mutex::default(),
        }
    }

    /// Closes all sockets and lets their `$disconnect` functions run, boundedly.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        self.live_tails.end();
        self.registry.refuse_more();
        self.registry.close_where(Closing::GOING_AWAY, |_| true);
        let _slow = tokio::time::timeout(patience, self.registry.all_ended()).await;
        // Who watches sees all others go.
        self.model.traffic.end();
    }

    /// The latest failures, oldest first.
    pub(crate) fn recent_failures(&self) -> Vec<RecentFailure> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.iter().cloned().collect()
    }

    fn remember_failure(&self, api_id: &str, stage: &str, request_id: &str, reason: String) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() == RECENT_FAILURES {
            failures.pop_front();
        }
        failures.push_back(RecentFailure {
            at: iso_millis(self.model.now()),
            api_id: api_id.to_owned(),
            stage: stage.to_owned(),
            request_id: request_id.to_owned(),
            reason,
        });
    }
}

/// `2026-01-02T03:04:05.678Z`: the form the SDKs parse.
fn iso_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
