//! Limits of this machine that a local cloud, or watching files, comes up against.

use crate::render::Finding;
use nix::sys::resource::{Resource, getrlimit};

/// Connections that one may want to try, and a descriptor for each.
const DESCRIPTORS: u64 = 4_096;
/// Folders of a workspace with its dependencies in it, and of an editor beside.
const WATCHES: u64 = 8_192;
const WATCHES_FILE: &str = "/proc/sys/fs/inotify/max_user_watches";

struct Facts {
    /// The hard limit: the local cloud raises its own.
    descriptors: Option<u64>,
    /// `None`: not Linux, or it doesn't say.
    watches: Option<u64>,
}

/// Looks at the limits.
pub async fn check() -> Vec<Finding> {
    let limit = getrlimit(Resource::RLIMIT_NOFILE);
    let watches = tokio::fs::read_to_string(WATCHES_FILE).await.ok();
    judge(&Facts {
        descriptors: limit.ok().map(|(_, hard)| hard),
        watches: watches.and_then(|text| text.trim().parse().ok()),
    })
}

fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let limits = [
        (
            "descriptors",
            facts.descriptors,
            DESCRIPTORS,
            "files and connections at once that a process may have",
            "raise the hard limit: ulimit -Hn 65536 as root, or `* hard nofile 65536` in /etc/security/limits.conf",
        ),
        (
            "inotify",
            facts.watches,
            WATCHES,
            "folders that one user's programs may watch",
            "sudo sysctl fs.inotify.max_user_watches=524288",
        ),
    ];
    for (check, limit, enough, what, remedy) in limits {
        findings.extend(limit.map(|limit| {
            let found = match limit {
                u64::MAX => format!("any number of {what}"),
                _ => format!("{limit} {what}"),
            };
            match limit < enough {
                true => Finding::warning(check, found, remedy),
                false => Finding::ok(check, found),
            }
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;

    #[test]
    fn low_limits_are_warned_of_and_unknown_ones_are_not_talked_about() {
        let of = |descriptors, watches| {
            let facts = Facts {
                descriptors,
                watches,
            };
            let found = judge(&facts).into_iter();
            found.map(|it| (it.check, it.status)).collect::<Vec<_>>()
        };
        assert_eq!(
            of(Some(1_024), Some(524_288)),
            [("descriptors", Status::Warning), ("inotify", Status::Ok)]
        );
        assert_eq!(of(Some(u64::MAX), None), [("descriptors", Status::Ok)]);
    }
}
