//! A function's process: started in a clean environment, ended with everything
//! it started itself.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::unpack::BOOTSTRAP;
use crate::limits::{BUSY_EXECUTABLE_PAUSE, BUSY_EXECUTABLE_RETRIES, REAP_WAIT};

/// A running process and its group.
pub(crate) struct Process {
    child: Child,
    group: Group,
    peak_memory_mb: u64,
}

/// Both outputs, for the log.
pub(crate) type Outputs = (ChildStdout, ChildStderr);

impl Process {
    /// Starts the `bootstrap` in `dir`, which is also its working directory.
    pub(crate) async fn start(
        dir: &Path,
        variables: &BTreeMap<String, String>,
    ) -> io::Result<(Self, Option<Outputs>)> {
        let mut command = Command::new(dir.join(BOOTSTRAP));
        command
            .env_clear()
            .envs(variables)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = spawn(&mut command).await?;
        let group = Group(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .map(Pid::from_raw),
        );
        let outputs = child.stdout.take().zip(child.stderr.take());
        Ok((
            Self {
                child,
                group,
                peak_memory_mb: 0,
            },
            outputs,
        ))
    }

    /// Waits until the process ends by itself.
    pub(crate) async fn exited(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Ends the process and all it started.
    pub(crate) fn kill(&mut self) {
        self.group.kill();
    }

    /// As [`Process::kill`], and waits until the process is reaped.
    pub(crate) async fn end(mut self) {
        self.kill();
        let _slow = tokio::time::timeout(REAP_WAIT, self.child.wait()).await;
    }

    /// The most memory the process was seen to use, in MB; where `/proc` tells.
    pub(crate) fn peak_memory_mb(&mut self) -> u64 {
        let status = self
            .group
            .0
            .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
        let kilobytes = status.as_deref().and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        let megabytes = kilobytes.map_or(0, |kilobytes| kilobytes.div_ceil(1024));
        self.peak_memory_mb = self.peak_memory_mb.max(megabytes);
        self.peak_memory_mb
    }
}

/// A process group that does not survive its owner.
struct Group(Option<Pid>);

impl Group {
    fn kill(&mut self) {
        // Nobody left in the group is as good as killed.
        if let Some(pid) = self.0.take() {
            let _nobody_left = killpg(pid, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY_EXECUTABLE_RETRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_EXECUTABLE_PAUSE).await;
            }
            result => return result,
        }
    }
    command.spawn()
}
