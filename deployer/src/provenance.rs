//! Who deploys, when, and from which revision of the source.

use crate::project::Project;
use deployer_core::account::Account;
use deployer_core::provenance::Provenance;
use std::process::{Command, Stdio};

/// For a release made now by the caller.
pub fn now(account: &Account, git_revision: Option<String>) -> Provenance {
    Provenance {
        by: account.caller_arn.clone(),
        at: format!("{:.3}", jiff::Timestamp::now()),
        git_revision,
        promoted_from: None,
    }
}

/// The revision of the project's source, with `+` where something isn't committed; `None`
/// where there is no git, or no commit.
pub fn git_revision(project: &Project) -> Option<String> {
    let revision = git(project, &["rev-parse", "--short=12", "HEAD"])?;
    let changed =
        git(project, &["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    Some(if changed {
        format!("{revision}+")
    } else {
        revision
    })
}

fn git(project: &Project, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(&project.root)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8_lossy(&text).trim().to_owned())
}
