//! What processes use, as `/proc` tells it. Reads are of the
//! kernel's own memory: microseconds, and never a wait for a disk.
//!
//! Deliberately absent: a hard limit. Control groups need rights that a developer's
//! local cloud doesn't have, and RLIMIT_AS counts what runtimes only reserve.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use nix::unistd::Pid;

/// More than the files have in bytes: about 1.5 KB, as much again where a machine has
/// hundreds of processors.
const FILE: usize = 8 * 1024;

/// What a process and its descendants use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident memory; what several share counts once.
    pub(crate) megabytes: u64,
    /// Processes, not threads.
    pub(crate) processes: usize,
}

/// The usage of a process and of those that it started, as far as they are still its
/// descendants. When they are more than `most`, no more than that is told.
pub(crate) fn of_tree(root: Pid, most: usize) -> Usage {
    let tree = tree(root, most);
    let kilobytes = match tree.as_slice() {
        [only] => field(only, "status", "VmRSS:"),
        several => several
            .iter()
            .map(|pid| field(pid, "smaps_rollup", "Pss:"))
            .sum(),
    };
    Usage {
        megabytes: kilobytes.div_ceil(1024),
        processes: tree.len(),
    }
}

/// The most that a process has ever used, in MB.
pub(crate) fn peak_mb(pid: Pid) -> u64 {
    field(&pid.to_string(), "status", "VmHWM:").div_ceil(1024)
}

fn tree(root: Pid, most: usize) -> Vec<String> {
    let mut found = vec![root.to_string()];
    let mut next = 0;
    while next < found.len() && found.len() <= most {
        let tasks = Path::new("/proc").join(&found[next]).join("task");
        for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children"));
            found.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned),
            );
        }
        next += 1;
    }
    found
}

/// A number of kilobytes; 0 where nothing tells it.
///
/// One read: the kernel composes the whole text for each, and this is asked after every
/// event.
fn field(pid: &str, file: &str, name: &str) -> u64 {
    let mut text = [0; FILE];
    let path = Path::new("/proc").join(pid).join(file);
    let read = File::open(path).and_then(|mut file| file.read(&mut text));
    let mut lines = text[..read.unwrap_or(0)].split(|byte| *byte == b'\n');
    lines
        .find_map(|line| {
            str::from_utf8(line.strip_prefix(name.as_bytes())?)
                .ok()?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_with_children_counts_them_and_what_they_use() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "echo; read _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Only then does it run.
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let own = Pid::this();
        let usage = of_tree(own, 1000);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(usage.processes >= 2 && usage.megabytes > 0, "{usage:?}");
        assert!(peak_mb(own) > 0);
    }

    #[test]
    fn a_process_that_is_gone_uses_nothing() {
        let mut child = Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        let gone = Pid::from_raw(child.id() as i32);
        assert_eq!((of_tree(gone, 1000).megabytes, peak_mb(gone)), (0, 0));
    }
}
