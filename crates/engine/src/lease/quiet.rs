//! Whether anybody can have held the lease while the account was observed.
//!
//! Reads are made before the lease is asked for, because an empty plan takes
//! none. They needn't be repeated under it when the last lease had ended before
//! the first read was sent, and ours is the very next one. Only one clock counts:
//! that of CloudWatch Logs, which says when it created the stream that ended the
//! lease and, in the same answer, what time it is.

use super::{LATEST_ARRIVAL, Reads, SETTLED};
use crate::cloud::JournalStreams;
use deployer_core::lease::{Generation, Lease, latest};
use std::time::Duration;
use tokio::time::Instant;

/// How much longer ago than the first read a lease must have ended. It covers
/// what the service's machines may disagree on, and reads that lag behind.
const MARGIN: Duration = Duration::from_secs(5);

/// What an observation knows of who was at work meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nobody; with the journal's streams.
    Quiet(Quiet, Vec<String>),
    /// Somebody, perhaps; `None`: it isn't known when its work ends.
    AtWork(Option<Ended>),
}

/// A lease that had ended when the journal was listed, but not long before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub(super) generation: Generation,
    /// When reads show its holder's last writes.
    pub(super) settled_at: Instant,
    /// What this comes to where reads are current: it ended before the first of them.
    pub(super) before_current_reads: Option<(Quiet, Vec<String>)>,
}

impl Ended {
    /// As [`Ended::settled_at`]; `None`: they do already.
    pub(super) fn settles(&self, reads: Reads) -> Option<Instant> {
        match reads {
            Reads::Later => Some(self.settled_at),
            Reads::Current => self
                .settled_at
                .checked_sub(SETTLED)
                .filter(|at| *at > Instant::now()),
        }
    }
}

/// When reads show the last writes of a lease that ends now, some of which may still be
/// on their way for so long.
pub(super) fn settles_after(on_their_way: Duration, reads: Reads) -> Option<Instant> {
    match reads {
        Reads::Later => Some(Instant::now() + on_their_way + SETTLED),
        Reads::Current => (!on_their_way.is_zero()).then(|| Instant::now() + on_their_way),
    }
}

impl Seen {
    /// What `journal` says, which was listed just now; the first read was sent
    /// `elapsed` ago.
    pub fn of(journal: Option<&JournalStreams>, elapsed: Duration) -> Self {
        let streams = || {
            let streams = journal.map(|journal| journal.streams.keys().cloned().collect());
            streams.unwrap_or_default()
        };
        match Quiet::of(journal, elapsed) {
            Some(quiet) => Self::Quiet(quiet, streams()),
            None => {
                let end = journal.and_then(LastEnd::of);
                Self::AtWork(end.map(|end| {
                    let left = (on_their_way(&end.lease) + SETTLED).saturating_sub(end.since);
                    Ended {
                        generation: end.lease.generation,
                        settled_at: Instant::now() + left,
                        before_current_reads: Quiet::within(journal, elapsed, Duration::ZERO)
                            .map(|quiet| (quiet, streams())),
                    }
                }))
            }
        }
    }
}

/// The end of the last lease.
struct LastEnd {
    /// How long ago, by the service's clock.
    since: Duration,
    lease: Lease,
}

impl LastEnd {
    /// `None`: it didn't end, or when isn't known.
    fn of(journal: &JournalStreams) -> Option<Self> {
        let lease = latest(journal.streams.keys().map(String::as_str))?;
        let ended_at = (*journal.streams.get(&lease.generation.end_stream())?)?;
        let since = u64::try_from(journal.listed_at_ms? - ended_at).ok()?;
        Some(Self {
            since: Duration::from_millis(since),
            lease,
        })
    }
}

/// How long calls of a lease's holder may go on after its end.
pub(super) fn on_their_way(lease: &Lease) -> Duration {
    match lease.unanswered {
        true => LATEST_ARRIVAL,
        false => Duration::ZERO,
    }
}

/// Nobody held the lease after this one, and it had ended before we looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    pub(super) last: Generation,
    /// Whether there was a journal at all.
    pub(super) journal_exists: bool,
}

impl Quiet {
    /// What `journal`, listed no later than `elapsed` after the first read was
    /// sent, says. `None`: somebody may have been at work.
    pub fn of(journal: Option<&JournalStreams>, elapsed: Duration) -> Option<Self> {
        Self::within(journal, elapsed, MARGIN)
    }

    /// The same where a lease must have ended so long before the first read.
    fn within(
        journal: Option<&JournalStreams>,
        elapsed: Duration,
        margin: Duration,
    ) -> Option<Self> {
        let Some(journal) = journal else {
            return Some(Self {
                last: Generation::NONE,
                journal_exists: false,
            });
        };
        let (last, ended_before) = match latest(journal.streams.keys().map(String::as_str)) {
            None => (Generation::NONE, true),
            Some(lease) => {
                let end = LastEnd::of(journal)?;
                let busy = on_their_way(&end.lease) + elapsed + margin;
                (lease.generation, end.since > busy)
            }
        };
        ended_before.then_some(Self {
            last,
            journal_exists: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(streams: &[(String, i64)]) -> JournalStreams {
        JournalStreams {
            listed_at_ms: Some(1_000_000),
            streams: streams
                .iter()
                .map(|(name, at)| (name.clone(), Some(*at)))
                .collect(),
        }
    }

    fn first() -> Generation {
        Generation::NONE.next()
    }

    const ELAPSED: Duration = Duration::from_secs(1);

    #[test]
    fn without_a_journal_or_a_lease_nobody_was_at_work() {
        assert_eq!(
            Quiet::of(None, ELAPSED).map(|quiet| quiet.journal_exists),
            Some(false)
        );
        let empty = Quiet::of(Some(&journal(&[])), ELAPSED).unwrap();
        assert_eq!((empty.last, empty.journal_exists), (Generation::NONE, true));
    }

    #[test]
    fn a_lease_that_had_ended_before_the_first_read_disturbs_nothing() {
        let ended = |at| journal(&[(first().stream(), 0), (first().end_stream(), at)]);
        let long_ago = Quiet::of(Some(&ended(993_000)), ELAPSED).unwrap();
        assert_eq!(long_ago.last, first());
        assert_eq!(Quiet::of(Some(&ended(995_000)), ELAPSED), None);
        let slow = Duration::from_secs(3);
        assert_eq!(Quiet::of(Some(&ended(993_000)), slow), None);
    }

    #[test]
    fn a_lease_that_left_calls_on_their_way_disturbs_for_longer() {
        let ended = |at| {
            let first = first();
            let unanswered = (first.unanswered_stream(), at);
            journal(&[(first.stream(), 0), unanswered, (first.end_stream(), at)])
        };
        assert_eq!(Quiet::of(Some(&ended(993_000)), ELAPSED), None);
        assert!(Quiet::of(Some(&ended(978_000)), ELAPSED).is_some());
    }

    #[test]
    fn a_lease_that_is_held_disturbs() {
        assert_eq!(
            Quiet::of(Some(&journal(&[(first().stream(), 0)])), ELAPSED),
            None
        );
    }

    #[test]
    fn without_the_services_clock_nothing_is_known() {
        let mut journal = journal(&[(first().stream(), 0), (first().end_stream(), 0)]);
        journal.listed_at_ms = None;
        assert_eq!(Quiet::of(Some(&journal), ELAPSED), None);
    }
}
