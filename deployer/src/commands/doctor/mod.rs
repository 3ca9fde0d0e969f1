//! `deployer doctor`: what may be in the way of building, deploying and running, each
//! finding with its remedy. Reads only.
//!
//! A check gathers facts, and a function without any I/O makes findings of them. Checks
//! run side by side, each with a deadline; what can't be looked at is said to be so, and
//! holds up nothing else. Deliberately absent: mending anything.

mod account;
mod files;
mod local;
mod machine;
mod toolchain;

use super::run::Stage;
use crate::cli::doctor::Doctor;
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{DoctorScreen, Finding, report};
use deployer_core::stage_file::Place;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// For one check. The longest asks a chain of sources for credentials, then an account.
const DEADLINE: Duration = Duration::from_secs(30);
/// Checks at once.
const AT_ONCE: usize = 16;

/// A check at work.
type Check<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

/// Shows what all checks find; gives the exit code.
pub async fn run(project: Option<&Project>, options: &Doctor) -> u8 {
    let names = match names(project, options) {
        Ok(names) => names,
        Err(failure) => {
            report::failure(&failure);
            return failure.exit_code();
        }
    };
    let (stages, of_files) = match project {
        Some(project) => files::read(project, names),
        None => (Vec::new(), Vec::new()),
    };
    let screen = DoctorScreen::new(options.json);
    screen.findings(of_files);
    let places = places(project.is_some(), &stages);
    let mut checks: Vec<Check<'_>> = vec![within("toolchain", toolchain::check(project, &stages))];
    for (place, stages) in &places.aws {
        checks.push(within("account", account::check(place, stages)));
    }
    for (port, stages) in &places.local {
        checks.push(within("local cloud", local::check(project, *port, stages)));
    }
    checks.push(within("machine", machine::check()));
    let mut found = stream::iter(checks).buffered(AT_ONCE);
    while let Some(findings) = found.next().await {
        screen.findings(findings);
    }
    match screen.end() {
        true => exit::SUCCESS,
        false => exit::FAILURE,
    }
}

/// The stages that are meant.
fn names(project: Option<&Project>, options: &Doctor) -> Result<Vec<String>, Failure> {
    let Some(project) = project else {
        return match options.stages.is_empty() {
            true => Ok(Vec::new()),
            // Says where it looked.
            false => Project::find(None).map(|_| Vec::new()),
        };
    };
    for name in &options.stages {
        if !project.has_stage(name)? {
            // Says which there are.
            project.read_stage(name)?;
        }
    }
    match options.stages.is_empty() {
        true => project.stage_names(),
        false => Ok(options.stages.clone()),
    }
}

/// Where stages live, and which live there.
#[derive(Default)]
struct Places<'a> {
    aws: BTreeMap<account::Site, Vec<&'a Stage>>,
    local: BTreeMap<u16, Vec<&'a Stage>>,
}

fn places(in_project: bool, stages: &[Stage]) -> Places<'_> {
    let mut places = Places::default();
    for stage in stages {
        match &stage.definition.place {
            Place::Aws { region, profile } => {
                let site = account::Site {
                    region: region.clone(),
                    profile: profile.clone(),
                };
                places.aws.entry(site).or_default().push(stage);
            }
            Place::Local { port } => places.local.entry(*port).or_default().push(stage),
        }
    }
    if !in_project {
        // Where the environment leads to.
        places.aws.insert(account::Site::default(), Vec::new());
    }
    places
}

/// A check that says so when it takes too long.
fn within<'a>(
    check: &'static str,
    work: impl Future<Output = Vec<Finding>> + Send + 'a,
) -> Check<'a> {
    Box::pin(async move {
        let late = || {
            let why = format!("there was no answer in {} s", DEADLINE.as_secs());
            vec![Finding::not_checked(check, why)]
        };
        timeout(DEADLINE, work).await.unwrap_or_else(|_| late())
    })
}

/// What stages are called.
fn called(stages: &[&Stage]) -> Vec<String> {
    stages.iter().map(|stage| stage.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_given_up_and_says_so() {
        let found = within("clock", std::future::pending()).await;
        assert_eq!(found[0].status, Status::NotChecked);
        assert_eq!(found[0].found, "there was no answer in 30 s");
    }

    #[test]
    fn outside_of_a_project_the_environments_account_is_looked_at() {
        assert_eq!(places(false, &[]).aws.len(), 1);
        assert!(places(true, &[]).aws.is_empty());
    }
}
