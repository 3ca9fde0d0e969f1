//! Processes that outlived whom they belong to: found by a variable that they were
//! started with and that nobody else's processes have, and ended.
//!
//! Deliberately absent: what cleared its environment, and machines without `/proc`.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Ends all processes with a variable (`NAME=value`) that is one of those meant. Reads
/// all of `/proc`: some milliseconds.
pub(crate) fn end(is_meant: impl Fn(&[u8]) -> bool) {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_variable = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(&is_meant)
    };
    for pid in pids.filter(has_variable).map(Pid::from_raw) {
        let _gone_already = kill(pid, Signal::SIGKILL);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Child, Command, Stdio};

    /// A process that waits, and that runs by now: before, it has no environment.
    pub(crate) fn process_with(name: &str, value: &str) -> Child {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "echo; read _"])
            .env(name, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        child
    }

    pub(crate) fn was_killed(mut child: Child) -> bool {
        // Without its input, it ends by itself.
        drop(child.stdin.take());
        child.wait().unwrap().signal() == Some(9)
    }

    #[test]
    fn only_processes_with_the_variable_are_ended() {
        let meant = process_with("MARK_OF_THIS_TEST", "5e1f");
        let other = process_with("MARK_OF_THIS_TEST", "5e1f0");
        end(|variable| variable == b"MARK_OF_THIS_TEST=5e1f");
        assert!(was_killed(meant));
        assert!(!was_killed(other));
    }
}
