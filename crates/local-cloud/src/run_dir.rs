//! The directory of one run: `{data_dir}/functions/{run}`. Runs in the same data
//! directory do not disturb each other, and each clears away what runs that were
//! killed have left, processes too.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::stragglers;

/// One run's directory, locked while the run lasts.
pub(crate) struct RunDir {
    path: PathBuf,
    lock_path: PathBuf,
    /// The operating system unlocks it even when the process is killed.
    lock: File,
}

const LOCK: &str = "lock";

impl RunDir {
    /// Makes this run's directory.
    pub(crate) fn create(data_dir: &Path) -> io::Result<Self> {
        let all = data_dir.join("functions");
        fs::create_dir_all(&all)?;
        clear_left_behind(&all);
        let path = all.join(format!("run-{}", uuid::Uuid::new_v4().simple()));
        let lock_path = path.with_extension(LOCK);
        let lock = File::create(&lock_path)?;
        lock.lock()?;
        fs::create_dir(&path)?;
        // Functions run with this as their directory: it must not be relative.
        let path = path.canonicalize()?;
        Ok(Self {
            path,
            lock_path,
            lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory and all in it.
    pub(crate) async fn remove(self) {
        // What cannot be removed now, the next run removes.
        let _left = tokio::fs::remove_dir_all(&self.path).await;
        let _left = tokio::fs::remove_file(&self.lock_path).await;
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // Closing alone leaves it locked for a moment where another thread starts a
        // process: that has all open files until it becomes its program.
        let _closed = self.lock.unlock();
    }
}

/// Removes directories whose run has ended, recognised by their free locks.
fn clear_left_behind(all: &Path) {
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    for lock_path in entries.map(|entry| entry.path()) {
        if lock_path
            .extension()
            .is_none_or(|extension| extension != LOCK)
        {
            continue;
        }
        let lock = OpenOptions::new().write(true).open(&lock_path);
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let path = lock_path.with_extension("");
            end_processes_of(&path);
            let _left = fs::remove_dir_all(path);
            let _left = fs::remove_file(&lock_path);
        }
    }
}

/// Ends functions that were started out of a run's directory.
fn end_processes_of(run: &Path) {
    let Ok(run) = run.canonicalize() else {
        return;
    };
    let start = format!("LAMBDA_TASK_ROOT={}/", run.display());
    stragglers::end(|variable| variable.starts_with(start.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stragglers::tests::{process_with, was_killed};

    #[test]
    fn a_run_ends_the_functions_that_killed_runs_left_and_spares_those_of_live_ones() {
        let data = tempfile::tempdir().unwrap();
        let live = RunDir::create(data.path()).unwrap();
        let killed = RunDir::create(data.path()).unwrap();
        let of = |run: &RunDir| {
            let root = run.path().join("code");
            process_with("LAMBDA_TASK_ROOT", root.to_str().unwrap())
        };
        let (spared, left) = (of(&live), of(&killed));
        drop(killed);
        let _next = RunDir::create(data.path()).unwrap();
        assert!(was_killed(left));
        assert!(!was_killed(spared));
    }

    #[test]
    fn a_run_clears_what_killed_runs_left_and_spares_live_ones() {
        let data = tempfile::tempdir().unwrap();
        let live = RunDir::create(data.path()).unwrap();
        let killed = RunDir::create(data.path()).unwrap();
        fs::write(killed.path().join("code"), "").unwrap();
        let left = killed.path().to_owned();
        drop(killed);
        let next = RunDir::create(data.path()).unwrap();
        assert!(live.path().is_dir() && next.path().is_dir());
        assert!(!left.exists());
    }
}
