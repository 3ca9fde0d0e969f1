//! How long builds took, kept in cargo's target folder: of what is built again, the last
//! time is the only honest estimate there is.
//!
//! Deliberately absent: a forecast. A build of one changed line is quicker than the last
//! one of everything, and says so only by ending.

use crate::cargo::BuildTarget;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A quicker one had nothing to compile, and tells nothing.
const COMPILED: Duration = Duration::from_secs(1);
/// Builds of so many kinds are remembered.
const KINDS: usize = 64;

/// The times of one kind of build.
pub(crate) struct BuildTimes {
    file: PathBuf,
    kind: String,
}

impl BuildTimes {
    /// Of these packages for this target, kept below cargo's target folder.
    pub fn new(target_dir: &Path, packages: &[String], target: BuildTarget) -> Self {
        let target = match target {
            BuildTarget::Host => "host".to_owned(),
            BuildTarget::Lambda(machine) => machine.to_string(),
        };
        Self {
            file: target_dir.join("deployer-build-times.json"),
            kind: format!("{target}: {}", packages.join(" ")),
        }
    }

    /// How long the last one took that compiled anything.
    pub fn last(&self) -> Option<Duration> {
        let seconds = *self.read().get(&self.kind)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Remembers one. A folder that can't be written costs only the estimate.
    pub fn keep(&self, took: Duration) {
        if took < COMPILED {
            return;
        }
        let mut all = self.read();
        if all.len() >= KINDS && !all.contains_key(&self.kind) {
            all.clear();
        }
        let tenths = (took.as_secs_f64() * 10.0).round() / 10.0;
        all.insert(self.kind.clone(), tenths);
        let Ok(text) = serde_json::to_vec(&all) else {
            return;
        };
        // It appears whole or not at all: two deployers may work beside each other.
        let unfinished = self.file.with_extension(std::process::id().to_string());
        if fs::write(&unfinished, text).is_ok() {
            let _only_an_estimate = fs::rename(unfinished, &self.file);
        }
    }

    /// Seconds by kind; a file that is harmed is as good as none.
    fn read(&self) -> BTreeMap<String, f64> {
        let text = fs::read(&self.file).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    fn times(dir: &Path, target: BuildTarget) -> BuildTimes {
        BuildTimes::new(dir, &["room".to_owned()], target)
    }

    #[test]
    fn the_last_time_of_the_same_kind_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let host = times(dir.path(), BuildTarget::Host);
        assert_eq!(host.last(), None);
        host.keep(Duration::from_millis(48_230));
        host.keep(Duration::from_millis(12_340));
        assert_eq!(host.last(), Some(Duration::from_millis(12_300)));
        let lambda = times(dir.path(), BuildTarget::Lambda(Machine::Arm64));
        assert_eq!(lambda.last(), None);
    }

    #[test]
    fn a_build_that_compiled_nothing_tells_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let host = times(dir.path(), BuildTarget::Host);
        host.keep(Duration::from_millis(300));
        assert_eq!(host.last(), None);
        assert!(!host.file.exists());
    }

    #[test]
    fn a_harmed_file_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let host = times(dir.path(), BuildTarget::Host);
        fs::write(&host.file, "{\"host: room\":").unwrap();
        assert_eq!(host.last(), None);
        host.keep(Duration::from_secs(2));
        assert_eq!(host.last(), Some(Duration::from_secs(2)));
    }
}
