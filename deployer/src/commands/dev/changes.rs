//! Changes of files, gathered until it is quiet. Pure: the time is given.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// So long nothing must come after a change: editors write in several steps.
pub const QUIET: Duration = Duration::from_millis(25);
/// No change waits longer, however busy it is.
pub const LONGEST: Duration = Duration::from_millis(250);
/// Paths that are remembered; of more it is only known that there are.
pub const REMEMBERED: usize = 256;

/// What has changed since it was last asked.
#[derive(Debug, Default)]
pub struct Changes {
    times: Option<(Instant, Instant)>,
    paths: BTreeSet<PathBuf>,
    more: bool,
}

/// Changes that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// When the first of them was heard of.
    pub since: Instant,
    pub paths: BTreeSet<PathBuf>,
    /// Whether others changed, too, and nobody knows which.
    pub more: bool,
}

impl Changes {
    /// This has changed.
    pub fn heard(&mut self, path: PathBuf, now: Instant) {
        self.touch(now);
        match self.paths.len() < REMEMBERED {
            true => _ = self.paths.insert(path),
            false => self.more |= !self.paths.contains(&path),
        }
    }

    /// Something has changed, and nobody knows what.
    pub fn lost(&mut self, now: Instant) {
        self.touch(now);
        self.more = true;
    }

    fn touch(&mut self, now: Instant) {
        let first = self.times.map_or(now, |(first, _)| first);
        self.times = Some((first, now));
    }

    /// When to act upon it; `None`: nothing has changed.
    pub fn due(&self) -> Option<Instant> {
        let (first, last) = self.times?;
        Some((last + QUIET).min(first + LONGEST))
    }

    /// Hands out what has changed, and forgets it.
    pub fn take(&mut self) -> Option<Changed> {
        let (since, _) = self.times?;
        let Self { paths, more, .. } = std::mem::take(self);
        Some(Changed { since, paths, more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_in_several_steps_is_one_change() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut changes = Changes::default();
        assert_eq!(changes.due(), None);
        changes.heard("a.rs".into(), at(0));
        changes.heard("b.rs".into(), at(10));
        changes.heard("a.rs".into(), at(20));
        assert_eq!(changes.due(), Some(at(20) + QUIET));
        let changed = changes.take().expect("something");
        assert_eq!(changed.since, at(0));
        assert_eq!(changed.paths, ["a.rs", "b.rs"].map(PathBuf::from).into());
        assert!(!changed.more);
        assert_eq!((changes.due(), changes.take()), (None, None));
    }

    #[test]
    fn where_it_is_never_quiet_changes_are_taken_all_the_same() {
        let start = Instant::now();
        let mut changes = Changes::default();
        for ms in (0..1000).step_by(10) {
            changes.heard("a.rs".into(), start + Duration::from_millis(ms));
        }
        assert_eq!(changes.due(), Some(start + LONGEST));
    }

    #[test]
    fn what_comes_after_a_taking_is_the_next_change() {
        let start = Instant::now();
        let mut changes = Changes::default();
        changes.heard("a.rs".into(), start);
        changes.take().expect("something");
        let later = start + Duration::from_secs(5);
        changes.heard("b.rs".into(), later);
        assert_eq!(changes.due(), Some(later + QUIET));
        assert_eq!(changes.take().expect("something").since, later);
    }

    #[test]
    fn many_paths_are_one_change_that_takes_little_room() {
        let now = Instant::now();
        let mut changes = Changes::default();
        for n in 0..10 * REMEMBERED {
            changes.heard(format!("{n}.rs").into(), now);
        }
        let changed = changes.take().expect("something");
        assert_eq!((changed.paths.len(), changed.more), (REMEMBERED, true));
        changes.lost(now);
        assert!(changes.take().expect("something").more);
    }
}
