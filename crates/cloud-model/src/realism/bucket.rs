//! A token bucket in the time of the calls.

use jiff::Timestamp;

/// Full at first; a refused attempt takes nothing.
#[derive(Debug)]
pub(super) struct Bucket {
    /// In which one token comes back.
    interval_us: i64,
    burst: i64,
    /// When the bucket will be full again.
    full_at_us: i64,
}

impl Bucket {
    /// A bucket of `burst` tokens, of which `count` come back each `seconds`.
    pub(super) fn new(count: u32, seconds: u32, burst: u32) -> Self {
        Self {
            interval_us: i64::from(seconds) * 1_000_000 / i64::from(count),
            burst: i64::from(burst),
            full_at_us: i64::MIN,
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let now_us = now.as_microsecond();
        let full_at_us = self.full_at_us.max(now_us);
        if full_at_us - now_us > self.interval_us * (self.burst - 1) {
            return false;
        }
        self.full_at_us = full_at_us + self.interval_us;
        true
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Bucket;

    #[test]
    fn a_burst_empties_it_and_tokens_come_back_one_by_one() {
        let mut bucket = Bucket::new(10, 1, 40);
        let start = Timestamp::UNIX_EPOCH;
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 40);
        let later = |ms| start + SignedDuration::from_millis(ms);
        assert_eq!(taken(&mut bucket, later(99)), 0);
        assert_eq!(taken(&mut bucket, later(100)), 1);
        assert_eq!(taken(&mut bucket, later(1_100)), 10);
        assert_eq!(taken(&mut bucket, later(60_000)), 40, "it doesn't overflow");
    }

    #[test]
    fn one_each_five_seconds_is_one_each_five_seconds() {
        let mut bucket = Bucket::new(1, 5, 1);
        let at = |ms| Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms);
        assert!(bucket.take(at(0)));
        assert!(!bucket.take(at(4_999)));
        assert!(bucket.take(at(5_000)));
    }
}
