//! Token buckets: how many requests a route of a stage lets through.
//!
//! Deliberately absent: the account's own limits, which all APIs share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cloud_model::LiveStage;
use tokio::time::Instant;

/// Buckets of all routes that were asked for. Bounded by the routes there are:
/// an API's go with it.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Bucket>>);

/// API, stage and route.
type Key = (String, String, String);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Throttle {
    /// Whether one more request may pass now. Assumed: every route has a bucket
    /// of its own, also where the stage's limits are its limits.
    pub(crate) fn lets_through(&self, stage: &LiveStage, route_key: &str) -> bool {
        let settings = stage.settings(route_key);
        // Limits are numbers of people; beyond 2^53 nothing is counted exactly.
        let burst = settings.burst_limit as f64;
        let key = (
            stage.api_id.clone(),
            stage.stage_name.clone(),
            route_key.to_owned(),
        );
        let now = Instant::now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key).or_insert(Bucket {
            tokens: burst,
            filled: now,
        });
        let passed = now.duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * settings.rate_limit).min(burst);
        bucket.filled = now;
        let through = bucket.tokens >= 1.0;
        if through {
            bucket.tokens -= 1.0;
        }
        through
    }

    /// The API is gone.
    pub(crate) fn forget(&self, api_id: &str) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|(api, _, _), _| api != api_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::samples::stage;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_so_many_a_second_of_each_route() {
        let throttle = Throttle::default();
        let mut stage = stage();
        stage.default_settings.burst_limit = 3;
        stage.default_settings.rate_limit = 2.0;
        let count = |route: &str, tries: usize| {
            (0..tries)
                .filter(|_| throttle.lets_through(&stage, route))
                .count()
        };
        assert_eq!(count("join", 10), 3);
        assert_eq!(count("send", 1), 1, "another route has its own");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(count("join", 10), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(count("join", 10), 3, "no more than a burst is saved up");
        throttle.forget(&stage.api_id);
        assert_eq!(count("join", 10), 3);
    }
}
