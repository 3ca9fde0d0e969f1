//! Resources as readers know them who learn of each write late: never out of
//! order, and never later than the longest delay.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::draws::Delay;
use crate::limits::DELAYED_WRITES;

/// What a resource was, each with the moment from which readers know it; the
/// oldest first. `None`: it was not there.
type History<T> = VecDeque<(Timestamp, Option<Arc<T>>)>;

/// The histories of all resources of a kind, by name or id.
#[derive(Debug)]
pub(super) struct Delayed<T> {
    delay: Delay,
    histories: BTreeMap<String, History<T>>,
}

impl<T> Delayed<T> {
    pub(super) fn new(delay: Delay) -> Self {
        Self {
            delay,
            histories: BTreeMap::new(),
        }
    }

    /// Everybody has long known these.
    pub(super) fn everybody_knows<'a>(
        &mut self,
        current: impl Iterator<Item = (&'a String, &'a Arc<T>)>,
    ) where
        T: 'a,
    {
        let known = |(key, it): (&String, &Arc<T>)| {
            let known = (Timestamp::MIN, Some(Arc::clone(it)));
            (key.clone(), History::from([known]))
        };
        self.histories = current.map(known).collect();
    }

    /// Notes what a call has changed, made or deleted; `current` are all
    /// resources as they are now. Who changes one that is noted here changes a
    /// copy, so that what has the same pointer has not changed.
    pub(super) fn note<'a>(
        &mut self,
        current: impl Iterator<Item = (&'a String, &'a Arc<T>)>,
        now: Timestamp,
    ) where
        T: 'a,
    {
        let mut gone: Vec<String> = Vec::new();
        let current: BTreeMap<&String, &Arc<T>> = current.collect();
        for (key, history) in &mut self.histories {
            let last = history.back().and_then(|(_, last)| last.as_ref());
            match (current.get(key), last) {
                (None, Some(_)) => push(history, None, &mut self.delay, now),
                (Some(new), last) if !last.is_some_and(|last| Arc::ptr_eq(last, new)) => {
                    push(history, Some(Arc::clone(new)), &mut self.delay, now);
                }
                _ => settle(history, now),
            }
            if history.len() == 1 && matches!(history.back(), Some((at, None)) if *at <= now) {
                gone.push(key.clone());
            }
        }
        for key in gone {
            self.histories.remove(&key);
        }
        for (key, new) in current {
            if !self.histories.contains_key(key) {
                let history = self.histories.entry(key.clone()).or_default();
                push(history, Some(Arc::clone(new)), &mut self.delay, now);
            }
        }
    }

    /// All resources as readers know them at `now`.
    pub(super) fn view(&self, now: Timestamp) -> BTreeMap<String, Arc<T>> {
        let known = |(key, history): (&String, &History<T>)| {
            let (_, known) = history.iter().rev().find(|(from, _)| *from <= now)?;
            Some((key.clone(), Arc::clone(known.as_ref()?)))
        };
        self.histories.iter().filter_map(known).collect()
    }
}

fn push<T>(history: &mut History<T>, new: Option<Arc<T>>, delay: &mut Delay, now: Timestamp) {
    settle(history, now);
    let from = now.saturating_add(delay.draw()).unwrap_or(Timestamp::MAX);
    // Nobody learns of a later write before an earlier one.
    let from = history.back().map_or(from, |(last, _)| from.max(*last));
    history.push_back((from, new));
    if history.len() > DELAYED_WRITES {
        // Neither what is known now nor what will be in the end.
        history.remove(1);
    }
}

/// Forgets what no reader knows any more.
fn settle<T>(history: &mut History<T>, now: Timestamp) {
    while history.get(1).is_some_and(|(from, _)| *from <= now) {
        history.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::Delayed;
    use crate::limits::DELAYED_WRITES;
    use crate::realism::draws::{Delay, Purpose};

    fn at(ms: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
    }

    fn delayed(shortest: u64, longest: u64) -> Delayed<u32> {
        Delayed::new(Delay::new(7, Purpose::ApiReads, (shortest, longest)))
    }

    fn account(value: u32) -> BTreeMap<String, Arc<u32>> {
        BTreeMap::from([("it".to_owned(), Arc::new(value))])
    }

    fn known(delayed: &Delayed<u32>, ms: i64) -> Option<u32> {
        delayed.view(at(ms)).get("it").map(|value| **value)
    }

    #[test]
    fn a_write_is_known_after_its_delay_and_a_deletion_too() {
        let mut delayed = delayed(100, 100);
        delayed.note(account(1).iter(), at(0));
        assert_eq!((known(&delayed, 99), known(&delayed, 100)), (None, Some(1)));
        delayed.note(account(2).iter(), at(200));
        assert_eq!(
            (known(&delayed, 299), known(&delayed, 300)),
            (Some(1), Some(2))
        );
        delayed.note(BTreeMap::new().iter(), at(400));
        assert_eq!(
            (known(&delayed, 499), known(&delayed, 500)),
            (Some(2), None)
        );
        delayed.note(BTreeMap::new().iter(), at(500));
        assert!(delayed.histories.is_empty(), "nothing is kept for ever");
    }

    #[test]
    fn writes_become_known_in_their_order() {
        let mut delayed = delayed(0, 1_000);
        for value in 0..20 {
            delayed.note(account(value).iter(), at(i64::from(value)));
        }
        let seen: Vec<Option<u32>> = (0..1_100).map(|ms| known(&delayed, ms)).collect();
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(seen.last(), Some(&Some(19)));
    }

    #[test]
    fn what_did_not_change_is_not_delayed_again() {
        let mut delayed = delayed(100, 100);
        let same = account(1);
        delayed.note(same.iter(), at(0));
        delayed.note(same.iter(), at(90));
        assert_eq!(known(&delayed, 100), Some(1));
    }

    #[test]
    fn a_history_is_bounded_and_ends_with_the_last_write() {
        let mut delayed = delayed(100, 100);
        let writes = u32::try_from(DELAYED_WRITES * 2).unwrap();
        for value in 0..writes {
            delayed.note(account(value).iter(), at(0));
        }
        assert_eq!(delayed.histories["it"].len(), DELAYED_WRITES);
        assert_eq!(known(&delayed, 100), Some(writes - 1));
    }
}
