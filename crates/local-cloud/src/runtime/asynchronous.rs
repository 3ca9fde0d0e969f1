//! Asynchronous invocations (`InvocationType: Event`): taken at once, run afterwards,
//! and tried again as Lambda does, under one request id.
//!
//! An event that a function fails on is tried twice more, a minute and two minutes
//! later; one that is throttled waits 1 s, then twice as long each time up to 5
//! minutes, for 6 hours at most (AWS's developer guide). Deliberately absent: what
//! functions can set otherwise (destinations, dead-letter queues, other ages), and
//! keeping events when the cloud stops.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};

use super::{Outcome, Pool};
use crate::limits::{MAX_EVENT_AGE, MAX_THROTTLE_PAUSE};

/// As many events wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueFull;

impl Pool {
    /// Takes an event for the function that `reference` names (name or ARN, with or
    /// without qualifier); gives its request id. What the name stands for is looked up
    /// again for each attempt; when nothing, the event is dropped.
    pub(super) fn invoke_later(
        self: &Arc<Self>,
        reference: String,
        event: Bytes,
    ) -> Result<String, QueueFull> {
        let places = Arc::clone(&self.asynchronous);
        let place = places.try_acquire_owned().map_err(|_| QueueFull)?;
        let request_id = self.new_request_id();
        let later = Later {
            reference,
            event,
            request_id: request_id.clone(),
            _place: place,
        };
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                () = later.run(&pool) => {}
                () = pool.stopping() => {}
            }
        });
        Ok(request_id)
    }
}

/// An event on its way.
struct Later {
    reference: String,
    event: Bytes,
    request_id: String,
    _place: OwnedSemaphorePermit,
}

impl Later {
    async fn run(self, pool: &Arc<Pool>) {
        let taken = Instant::now();
        let mut after_errors = pool.limits.asynchronous_retries.into_iter();
        let mut throttled = pool.limits.throttle_pause;
        loop {
            let Ok(function) = pool.model.function_version(&self.reference) else {
                return;
            };
            let (event, id) = (self.event.clone(), self.request_id.clone());
            let pause: Duration = match pool.invoke_as(function, event, id).await {
                Ok(invocation) => match (invocation.outcome, after_errors.next()) {
                    (Outcome::FunctionError(_), Some(pause)) => pause,
                    (Outcome::Answer(_), _) | (_, None) => return,
                },
                Err(_throttled) => {
                    let pause = throttled;
                    throttled = (throttled * 2).min(MAX_THROTTLE_PAUSE);
                    pause
                }
            };
            if taken.elapsed() + pause > MAX_EVENT_AGE {
                return;
            }
            sleep(pause).await;
        }
    }
}
