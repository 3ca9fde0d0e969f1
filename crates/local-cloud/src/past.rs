//! The latest invocations, for who looks later, and to give a function an event again.
//!
//! Kept are the bytes as they were; what is shown is made when somebody asks. Bounded in number
//! and in bytes ([`crate::limits`]): the oldest go first. A restart begins anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::{PAST_BYTES, PAST_INVOCATIONS};
use crate::runtime::Ended;

/// The latest invocations, oldest first.
#[derive(Default)]
pub(crate) struct Past(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    all: VecDeque<Arc<Ended>>,
    bytes: usize,
}

impl Past {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keep(&self, ended: Arc<Ended>) {
        let mut kept = self.lock();
        kept.bytes += ended.size();
        kept.all.push_back(ended);
        while kept.all.len() > PAST_INVOCATIONS || kept.bytes > PAST_BYTES {
            let Some(oldest) = kept.all.pop_front() else {
                return;
            };
            kept.bytes -= oldest.size();
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Ended>> {
        self.lock().all.iter().cloned().collect()
    }

    /// The latest of this id: an asynchronous event that failed was tried again under it.
    pub(crate) fn find(&self, request_id: &str) -> Option<Arc<Ended>> {
        let kept = self.lock();
        let mut latest_first = kept.all.iter().rev();
        let found = latest_first.find(|ended| ended.order.request_id == request_id);
        found.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ended_for_tests;

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let past = Past::default();
        for n in 0..=PAST_INVOCATIONS {
            past.keep(Arc::new(ended_for_tests(&n.to_string(), 10)));
        }
        assert_eq!(past.all().len(), PAST_INVOCATIONS);
        assert!(past.find("0").is_none() && past.find("1").is_some());
        for n in 0..3 {
            let id = format!("large-{n}");
            past.keep(Arc::new(ended_for_tests(&id, PAST_BYTES / 2 - 2000)));
        }
        let left: Vec<_> = past.all();
        let left: Vec<&str> = left.iter().map(|it| it.order.request_id.as_str()).collect();
        assert_eq!(left, ["large-1", "large-2"]);
    }
}
