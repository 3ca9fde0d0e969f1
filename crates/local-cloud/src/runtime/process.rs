//! A function's process: started in a clean environment, frozen while it has nothing
//! to do, ended with everything it started itself.
//!
//! Frozen is stopped by SIGSTOP, with its whole process group. Should the local cloud
//! die meanwhile, the kernel wakes the group by SIGHUP, which ends it: POSIX has it
//! so for stopped groups that lose the last process that could continue them. (Where
//! the cloud's session lives on as their parent's, as in a container whose first
//! process is a shell, they stay until the next run ends them: see `run_dir.rs`.)
//!
//! Deliberately absent: freezing what left the group for a session of its own (it is
//! ended with the others, though), and a sandbox's virtual clock.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::memory::{self, Usage};
use super::unpack::BOOTSTRAP;
use crate::limits::{BUSY_EXECUTABLE_PAUSE, BUSY_EXECUTABLE_RETRIES, OPEN_FILES, REAP_WAIT};
use crate::stragglers;

/// How processes of one environment are started, as often as needed.
pub(crate) struct Launch {
    /// Where the `bootstrap` lies, which is also its working directory.
    pub(crate) dir: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
}

/// A running process and its group.
pub(crate) struct Process {
    child: Child,
    group: Group,
    frozen: bool,
    /// The variable by which its descendants are known wherever they went.
    mark: String,
    peak_memory_mb: u64,
}

/// Both outputs, for the log.
pub(crate) type Outputs = (ChildStdout, ChildStderr);

impl Launch {
    /// Starts a process.
    pub(crate) async fn start(&self) -> io::Result<(Process, Option<Outputs>)> {
        let mut command = Command::new(self.dir.join(BOOTSTRAP));
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(&self.dir)
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
        limit_files(group.0);
        let outputs = child.stdout.take().zip(child.stderr.take());
        // Nobody else has this address while this environment listens there.
        let api = self.variables.get(RUNTIME_API).map_or("", String::as_str);
        let process = Process {
            child,
            group,
            frozen: false,
            mark: format!("{RUNTIME_API}={api}"),
            peak_memory_mb: 0,
        };
        Ok((process, outputs))
    }
}

impl Process {
    /// Waits until the process ends by itself.
    pub(crate) async fn exited(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Stands still from now on, with all in its group.
    pub(crate) fn freeze(&mut self) {
        if !self.frozen {
            self.group.signal(Signal::SIGSTOP);
            self.frozen = true;
        }
    }

    /// Goes on where it stood.
    pub(crate) fn thaw(&mut self) {
        if self.frozen {
            self.group.signal(Signal::SIGCONT);
            self.frozen = false;
        }
    }

    /// Ends the process and its group.
    pub(crate) fn kill(&mut self) {
        self.group.kill();
    }

    /// Ends the process and all it started, and waits until the process is reaped.
    pub(crate) async fn end(&mut self) {
        self.kill();
        let _slow = tokio::time::timeout(REAP_WAIT, self.child.wait()).await;
        let mark = std::mem::take(&mut self.mark);
        if !mark.is_empty() {
            let is_meant = move |variable: &[u8]| variable == mark.as_bytes();
            let search = tokio::task::spawn_blocking(move || stragglers::end(is_meant));
            let _slow = tokio::time::timeout(REAP_WAIT, search).await;
        }
    }

    /// What the process and its descendants use now; of more than `most` of these, no
    /// more than that is looked at.
    pub(crate) fn usage(&mut self, most: usize) -> Usage {
        let usage = self.group.0.map(|root| memory::of_tree(root, most));
        let usage = usage.unwrap_or_default();
        self.peak_memory_mb = self.peak_memory_mb.max(usage.megabytes);
        usage
    }

    /// The most memory the process was seen to use, in MB; where `/proc` tells.
    pub(crate) fn peak_memory_mb(&mut self) -> u64 {
        let peak = self.group.0.map_or(0, memory::peak_mb);
        self.peak_memory_mb = self.peak_memory_mb.max(peak);
        self.peak_memory_mb
    }
}

const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// A process group that does not survive its owner.
struct Group(Option<Pid>);

impl Group {
    /// Nobody left in the group is as good as signalled.
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            let _nobody_left = killpg(pid, signal);
        }
    }

    fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Lets a process open as many files as on Lambda, rather than as many as the cloud.
#[cfg(target_os = "linux")]
fn limit_files(pid: Option<Pid>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit {
        current: Some(OPEN_FILES),
        maximum: Some(OPEN_FILES),
    };
    if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.as_raw())) {
        let _gone_already = prlimit(Some(pid), Resource::Nofile, limit);
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_files(_pid: Option<Pid>) {}

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
