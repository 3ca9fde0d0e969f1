//! What was shown before, so that looking again from a little earlier shows each event once:
//! CloudWatch may show an event later than a younger one.
//!
//! Times are the events' own: the clock of this machine says nothing about theirs.

use super::LogEvent;
use deployer_core::names::LogGroupName;
use std::collections::{BTreeMap, BTreeSet};

/// How much later than a younger event of its group one may be shown, in milliseconds.
const LATENESS_MS: i64 = 30_000;

/// The events that were shown.
#[derive(Debug, Clone)]
pub struct Followed {
    since_ms: i64,
    /// By group: the youngest time, and the events that the next look may show again.
    groups: BTreeMap<LogGroupName, (i64, BTreeSet<(i64, String)>)>,
}

impl Followed {
    /// Nothing was shown, and nothing before this time (milliseconds since 1970) is to be.
    pub fn since(since_ms: i64) -> Self {
        Self {
            since_ms,
            groups: BTreeMap::new(),
        }
    }

    /// From when on to look for more of a group.
    pub fn from_ms(&self, log_group: &LogGroupName) -> i64 {
        match self.groups.get(log_group) {
            Some((youngest, _)) => (youngest - LATENESS_MS).max(self.since_ms),
            None => self.since_ms,
        }
    }

    /// Whether the event wasn't shown before; it is, now.
    pub fn is_new(&mut self, event: &LogEvent) -> bool {
        let group = self.groups.entry(event.log_group.clone());
        let (youngest, shown) = group.or_insert_with(|| (i64::MIN, BTreeSet::new()));
        let is_new = shown.insert((event.timestamp_ms, event.event_id.clone()));
        *youngest = (*youngest).max(event.timestamp_ms);
        is_new
    }

    /// Forgets what no look shows again. To be called between two looks.
    pub fn forget(&mut self) {
        for (youngest, shown) in self.groups.values_mut() {
            let first = youngest.saturating_sub(LATENESS_MS);
            *shown = shown.split_off(&(first, String::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(timestamp_ms: i64, id: usize) -> LogEvent {
        LogEvent {
            event_id: id.to_string(),
            log_group: "/aws/lambda/x".into(),
            log_stream: String::new(),
            timestamp_ms,
            ingested_ms: 0,
            message: String::new(),
        }
    }

    proptest! {
        /// Events become visible some time after they are logged, in any order.
        #[test]
        fn each_event_is_shown_once_however_late_within_the_bound(
            events in prop::collection::vec((0_i64..300_000, 0_i64..LATENESS_MS), 1..60),
            pause in 100_i64..20_000,
        ) {
            let mut followed = Followed::since(0);
            let mut shown = Vec::new();
            let mut now = 0;
            while now < 360_000 {
                now += pause;
                let from_ms = followed.from_ms(&"/aws/lambda/x".into());
                for (id, (at, late)) in events.iter().enumerate() {
                    if at + late <= now && *at >= from_ms && followed.is_new(&event(*at, id)) {
                        shown.push(id);
                    }
                }
                followed.forget();
                let kept: usize = followed.groups.values().map(|(_, shown)| shown.len()).sum();
                prop_assert!(kept <= events.len());
            }
            shown.sort_unstable();
            prop_assert_eq!(shown, (0..events.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_group_that_says_nothing_is_looked_at_from_the_beginning() {
        let mut followed = Followed::since(50_000);
        assert_eq!(followed.from_ms(&"/aws/lambda/y".into()), 50_000);
        assert!(followed.is_new(&event(60_000, 1)));
        assert_eq!(followed.from_ms(&"/aws/lambda/x".into()), 50_000);
        assert!(followed.is_new(&event(160_000, 2)));
        assert_eq!(followed.from_ms(&"/aws/lambda/x".into()), 130_000);
        followed.forget();
        assert!(!followed.is_new(&event(160_000, 2)));
    }
}
