//! What stage files want to hold before anything is done to a stage: the right account, a
//! confirmed `down`, a committed source.

use crate::cli::Lives;
use crate::failure::Failure;
use deployer_core::account::Account;
use deployer_core::stage_file::{PROTECTED_EXPIRES, StageDefinition};
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
    if !std::io::stdin().is_terminal() {
        return Err(protected(definition));
    }
    match typed(&format!(
        "`{stage}` is protected; type its name to remove it: "
    )) {
        Some(name) if name == *stage => Ok(()),
        _ => Err(unconfirmed(
            stage,
            format!("`{stage}` is protected, and its name wasn't typed"),
        )),
    }
}

/// A protected stage whose name nobody has said.
pub fn protected(definition: &StageDefinition) -> Failure {
    let stage = &definition.identity.stage;
    unconfirmed(stage, format!("`{stage}` is protected"))
}

fn unconfirmed(stage: &str, message: String) -> Failure {
    Failure::Input {
        message,
        next_step: format!("to remove it all the same: deployer down {stage} --confirm {stage}"),
    }
}

/// A template isn't deployed under its own name.
///
/// # Errors
/// When it would be.
pub fn template(definition: &StageDefinition) -> Result<(), Failure> {
    if !definition.template {
        return Ok(());
    }
    let file = &definition.identity.stage;
    Err(Failure::Input {
        message: format!("stages/{file}.toml is a template: it describes stages of other names"),
        next_step: format!("say which stage: {file} --as NAME"),
    })
}

/// What is protected has no end.
///
/// # Errors
/// When the command gives it one.
pub fn lifetime(definition: &StageDefinition, lives: Option<Lives>) -> Result<(), Failure> {
    match lives {
        Some(Lives::For(_)) if definition.guards.protected => Err(Failure::Input {
            message: PROTECTED_EXPIRES.to_owned(),
            next_step: "leave out --ttl, or `protected` in the stage file".to_owned(),
        }),
        _ => Ok(()),
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

/// A release of another stage was built from a committed source, where the stage file wants
/// that of what is released. `revision` is the release's.
///
/// # Errors
/// When it wasn't, or nobody knows.
pub fn promoted_source(
    definition: &StageDefinition,
    from: &str,
    revision: Option<&str>,
) -> Result<(), Failure> {
    let why = match revision {
        _ if !definition.guards.clean_git => return Ok(()),
        None => "of no known revision".to_owned(),
        Some(revision) if revision.ends_with('+') => {
            format!("built with something that isn't committed ({revision})")
        }
        Some(_) => return Ok(()),
    };
    let stage = &definition.identity.stage;
    Err(Failure::Input {
        message: format!(
            "`{stage}` takes committed sources only (`clean_git`), and `{from}`'s release is {why}"
        ),
        next_step: format!(
            "commit, and run `deployer up {from}` before this again; nothing was touched"
        ),
    })
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
