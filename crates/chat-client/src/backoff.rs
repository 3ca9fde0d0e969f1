//! How long to wait before the next attempt to connect: so long that a gateway that was
//! down isn't run over by all its clients at once when it comes back.
//!
//! Deliberately absent: the waiting.

use std::time::Duration;

/// Waits drawn evenly from zero up to a bound that doubles with each attempt.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    lots: fastrand::Rng,
}

impl Backoff {
    /// The first wait is at most `first`, none is longer than `longest`. Equal seeds draw
    /// the same waits.
    pub fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self {
            first,
            longest,
            attempts: 0,
            lots: fastrand::Rng::with_seed(seed),
        }
    }

    /// The wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        let doubled = 2_u32.checked_pow(self.attempts);
        let bound = doubled.and_then(|times| self.first.checked_mul(times));
        let bound = bound.unwrap_or(self.longest).min(self.longest);
        self.attempts = self.attempts.saturating_add(1);
        bound.mul_f64(self.lots.f64())
    }

    /// An attempt has succeeded: the next wait is short again.
    pub fn succeeded(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_are_short_again_after_a_success() {
        let (first, longest) = (Duration::from_millis(200), Duration::from_secs(30));
        let mut backoff = Backoff::new(first, longest, 7);
        let waits: Vec<Duration> = (0..200).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= first);
        assert!(waits.iter().all(|wait| *wait <= longest));
        let late = &waits[50..];
        assert!(late.iter().any(|wait| *wait > longest / 2));
        assert!(
            late.iter().any(|wait| *wait < longest / 2),
            "they are drawn evenly"
        );
        backoff.succeeded();
        assert!(backoff.next_wait() <= first);
    }
}
