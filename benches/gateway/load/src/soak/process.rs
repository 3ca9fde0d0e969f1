//! What the kernel says of the gateway's process.

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;

/// A process, by its id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) i32);

impl Process {
    fn file(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    /// Resident.
    pub(super) fn memory_mb(self) -> Result<f64, Failure> {
        let status = fs::read_to_string(self.file("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: Option<f64> = kib.and_then(|kib| kib.trim().parse().ok());
        let missing = || Failure::Miscounted(format!("process {} has no VmRSS", self.0));
        Ok(kib.ok_or_else(missing)? / 1024.0)
    }

    pub(super) fn descriptors(self) -> Result<usize, Failure> {
        Ok(fs::read_dir(self.file("fd"))?.count())
    }

    /// Those that it started itself: functions.
    pub(super) fn children(self) -> Result<Vec<i32>, Failure> {
        let mut children = Vec::new();
        for task in fs::read_dir(self.file("task"))? {
            // A thread may end while this looks.
            let Ok(text) = fs::read_to_string(task?.path().join("children")) else {
                continue;
            };
            children.extend(
                text.split_whitespace()
                    .filter_map(|id| id.parse::<i32>().ok()),
            );
        }
        Ok(children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_descriptors_and_the_children_it_starts() {
        let this = Process(i32::try_from(std::process::id()).unwrap());
        assert!(this.memory_mb().unwrap() > 0.1);
        assert!(this.descriptors().unwrap() > 2);
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let id = i32::try_from(child.id()).unwrap();
        assert!(this.children().unwrap().contains(&id));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!this.children().unwrap().contains(&id));
    }
}
