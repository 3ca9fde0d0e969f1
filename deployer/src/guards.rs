//! What stage files want to hold before anything is done to a stage: the right account, a
//! confirmed `down`, a committed source.

use crate::failure::Failure;
use deployer_core::account::Account;
use deployer_core::stage_file::StageDefinition;
use std::io::{BufRead, IsTerminal, Write};

/// The credentials lead to the account that the stage file names.
///
/// # Errors
/// When they lead to another one.
pub fn account(definition: &StageDefinition, account: &Account) -> Result<(), Failure> {
    let wanted = definition.guards.account_id.as_ref();
    let Some(wanted) = wanted.filter(|wanted| **wanted != account.account_id) else {
        return Ok(());
    };
    let stage = &definition.identity.stage;
    Err(Failure::Input {
        message: format!(
            "`{stage}` lives in the account {wanted}, and these credentials ({}) lead to {}",
            account.caller_arn, account.account_id
        ),
        next_step: format!(
            "use credentials of {wanted} (AWS_PROFILE, or `aws_profile` in the stage file), or mend `account_id`"
        ),
    })
}

/// Whoever takes a protected stage down has said its name, by `--confirm` or when asked.
///
/// # Errors
/// When they haven't.
pub fn down(definition: &StageDefinition, confirmed: &[String]) -> Result<(), Failure> {
    let stage = &definition.identity.stage;
    if !definition.guards.protected || confirmed.contains(stage) {
        return Ok(());
    }
    let refuse = |message: String| Failure::Input {
        message,
        next_step: format!("to remove it all the same: deployer down {stage} --confirm {stage}"),
    };
    if !std::io::stdin().is_terminal() {
        return Err(refuse(format!("`{stage}` is protected")));
    }
    match typed(&format!(
        "`{stage}` is protected; type its name to remove it: "
    )) {
        Some(name) if name == *stage => Ok(()),
        _ => Err(refuse(format!(
            "`{stage}` is protected, and its name wasn't typed"
        ))),
    }
}

fn typed(question: &str) -> Option<String> {
    let mut screen = std::io::stderr().lock();
    write!(screen, "{question}").ok()?;
    screen.flush().ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim().to_owned())
}

/// The source is committed, where the stage file wants that. `revision` is what is
/// released, with `+` where something isn't committed.
///
/// # Errors
/// When it isn't, or nobody knows.
pub fn source(definition: &StageDefinition, revision: Option<&str>) -> Result<(), Failure> {
    if !definition.guards.clean_git {
        return Ok(());
    }
    let stage = &definition.identity.stage;
    let refuse = |why: &str| {
        Err(Failure::Input {
            message: format!("`{stage}` takes committed sources only (`clean_git`), and {why}"),
            next_step: "commit (or stash) the changes that `git status` lists".to_owned(),
        })
    };
    match revision {
        None => refuse("this is no git repository with a commit"),
        Some(revision) if revision.ends_with('+') => refuse("something isn't committed"),
        Some(_) => Ok(()),
    }
}
