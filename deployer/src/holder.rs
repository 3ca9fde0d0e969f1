//! Who holds a stage's lease: this user, machine and process; and whether another
//! process of this machine still runs.

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, gethostname};

/// This process, for others to read.
pub fn this_process() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    format!(
        "{}@{} pid {}",
        user.as_deref().unwrap_or("somebody"),
        host(),
        std::process::id()
    )
}

/// Whether `holder` is a process of this machine that has ended. A number that
/// another process has got since counts as running: its lease is waited for.
pub fn is_gone(holder: &str) -> bool {
    let Some((who, pid)) = holder.rsplit_once(" pid ") else {
        return false;
    };
    let here = who.rsplit_once('@').is_some_and(|(_, its)| its == host());
    let ended = |pid: i32| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH);
    here && pid.parse().is_ok_and(ended)
}

fn host() -> String {
    let name = gethostname().ok().and_then(|name| name.into_string().ok());
    // As streams keep it.
    name.unwrap_or_else(|| "unknown host".to_owned())
        .replace([':', '*'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_one_that_ended_is_gone() {
        assert!(!is_gone(&this_process()));
        let mut child = std::process::Command::new("true").spawn().expect("it runs");
        let pid = child.id();
        child.wait().expect("it ends");
        let holder = format!("me@{} pid {pid}", host());
        assert!(is_gone(&holder), "{holder}");
    }

    #[test]
    fn nothing_is_known_of_processes_elsewhere() {
        assert!(!is_gone("me@elsewhere pid 1"));
        assert!(!is_gone("somebody"));
    }
}
