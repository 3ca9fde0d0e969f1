//! Writes to one API exclude each other: one that arrives while another is
//! being carried out is refused.

use std::collections::BTreeMap;

use http::Method;
use jiff::{SignedDuration, Timestamp};

use super::draws::{Delay, Purpose};
use crate::assumptions::GATEWAY_MUTATION_MS;
use crate::error::Failure;
use crate::wire::rest_json::RestRequest;

/// Which APIs are being written to.
#[derive(Debug)]
pub(super) struct Conflicts {
    delay: Delay,
    /// Until when, by API. What is over is removed with the next write.
    busy: BTreeMap<String, Timestamp>,
}

impl Conflicts {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            delay: Delay::new(seed, Purpose::Mutation, GATEWAY_MUTATION_MS),
            busy: BTreeMap::new(),
        }
    }

    /// Refuses while another write to the API is being carried out.
    pub(super) fn check(&self, api_id: &str, now: Timestamp) -> Result<(), Failure> {
        match self.busy.get(api_id) {
            Some(until) if now < *until => Err(Failure::new(
                409,
                "ConflictException",
                "Unable to complete operation due to concurrent modification. Please try again \
                 later.",
            )),
            _ => Ok(()),
        }
    }

    /// A write has begun; gives how long it takes.
    pub(super) fn begin(&mut self, api_id: &str, now: Timestamp) -> SignedDuration {
        let takes = self.delay.draw();
        self.busy.retain(|_, until| now < *until);
        let until = now.saturating_add(takes).unwrap_or(Timestamp::MAX);
        self.busy.insert(api_id.to_owned(), until);
        takes
    }
}

/// The API that a request writes to. Tags don't count: they are not a part of
/// what API Gateway locks.
pub(super) fn written_api(request: &RestRequest) -> Option<&str> {
    if request.method == Method::GET {
        return None;
    }
    match request.path().as_slice() {
        ["v2", "apis", api_id, ..] => Some(api_id),
        _ => None,
    }
}
