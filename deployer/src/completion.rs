//! What a shell completes that only the project knows: stages by their files, and the
//! functions of the stage that is already on the line.
//!
//! Deliberately absent: asking an account. A Tab must not wait for one.

use crate::project::Project;
use clap_complete::engine::CompletionCandidate;
use std::ffi::{OsStr, OsString};

/// The variable by which a shell's script asks this program for completions.
pub const VARIABLE: &str = "COMPLETE";

/// The stages that have files.
pub fn stages() -> Vec<CompletionCandidate> {
    let names = project(&words()).and_then(|it| it.stage_names().ok());
    candidates(names.unwrap_or_default())
}

/// The functions of the line's stage; of several, of the first.
pub fn functions() -> Vec<CompletionCandidate> {
    candidates(functions_on(&words()).unwrap_or_default())
}

/// As [`functions`], and what stands for the API's own logs.
pub fn sources() -> Vec<CompletionCandidate> {
    let mut names = functions_on(&words()).unwrap_or_default();
    names.push("gateway".to_owned());
    candidates(names)
}

fn candidates(names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The line, as shells hand it on: behind `--`.
fn words() -> Vec<OsString> {
    let all = std::env::args_os();
    all.skip_while(|word| word != OsStr::new("--"))
        .skip(1)
        .collect()
}

fn project(words: &[OsString]) -> Option<Project> {
    let mut words = words.iter();
    let given = words
        .find(|word| *word == OsStr::new("--project"))
        .and_then(|_| words.next());
    Project::find(given.map(AsRef::as_ref)).ok()
}

fn functions_on(words: &[OsString]) -> Option<Vec<String>> {
    let project = project(words)?;
    let stages = project.stage_names().ok()?;
    let stage = words
        .iter()
        .filter_map(|word| word.to_str())
        .find(|word| stages.iter().any(|stage| stage == word))?;
    let definition = project.read_stage(stage).ok()?;
    Some(
        definition
            .functions
            .keys()
            .map(ToString::to_string)
            .collect(),
    )
}
