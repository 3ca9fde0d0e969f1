//! What `/proc` says of processes.

use std::path::{Path, PathBuf};

/// Whether a process is there. A zombie that nobody has reaped yet is as good as gone.
pub fn lives(pid: &str) -> bool {
    state(&Path::new("/proc").join(pid)).is_some_and(|state| state != 'Z')
}

/// Whether every thread of a process is stopped.
pub fn is_frozen(pid: &str) -> bool {
    let tasks = std::fs::read_dir(Path::new("/proc").join(pid).join("task"));
    let tasks: Vec<PathBuf> = tasks
        .into_iter()
        .flatten()
        .flatten()
        .map(|task| task.path())
        .collect();
    !tasks.is_empty() && tasks.iter().all(|task| state(task) == Some('T'))
}

fn state(process: &Path) -> Option<char> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    let mut lines = status.lines();
    lines.find_map(|line| line.strip_prefix("State:")?.trim().chars().next())
}
