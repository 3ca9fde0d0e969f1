//! `deployer package`: builds what the stages need and writes it as a bundle, for `up
//! --from` in another place. Needs no credentials.

use super::build::Workshop;
use super::run::{self, Stage};
use crate::cli;
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Console, PackageResult, report};
use deployer_package::{About, Toolchain, write_bundle};
use std::path::PathBuf;

/// Packages what the stages need; gives the exit code.
pub async fn run(project: &Project, options: cli::Package) -> u8 {
    let stages = match stages(project, &options) {
        Ok(stages) => stages,
        Err(failures) => {
            failures.iter().for_each(report::failure);
            return exit::BAD_INPUT;
        }
    };
    let screen = Console::new(options.json, 1).screen("package");
    let made = Workshop::default().all(project, &stages, &screen);
    let (made, toolchain) = match tokio::join!(made, Toolchain::of(&project.root)) {
        (Ok(made), Ok(toolchain)) => (made, toolchain),
        (Err(failure), _) => {
            screen.failed(&failure);
            return failure.exit_code();
        }
        (_, Err(error)) => {
            let failure = Failure::from(error);
            screen.failed(&failure);
            return failure.exit_code();
        }
    };
    let out = options.out.unwrap_or_else(|| default_place(project));
    let about = About {
        git_revision: crate::provenance::git_revision(project),
        toolchain,
    };
    match write_bundle(&out, &made, about) {
        Ok(written) => {
            let (templates, stages): (Vec<Stage>, Vec<Stage>) =
                stages.into_iter().partition(|it| it.definition.template);
            let names = |stages: Vec<Stage>| stages.into_iter().map(|it| it.name).collect();
            screen.package(&PackageResult {
                bundle: out.display().to_string(),
                digest: written.digest,
                stages: names(stages),
                templates: names(templates),
                manifest: written.manifest,
            });
            exit::SUCCESS
        }
        Err(error) => {
            let failure = Failure::from(error);
            screen.failed(&failure);
            failure.exit_code()
        }
    }
}

fn default_place(project: &Project) -> PathBuf {
    project.working_dir().join("bundle.zip")
}

/// Those that were asked for; otherwise all that are on AWS, and what their templates need.
fn stages(project: &Project, options: &cli::Package) -> Result<Vec<Stage>, Vec<Failure>> {
    match options.stages.is_empty() {
        true => run::read_all_on_aws(project, true, "name stages: deployer package STAGE…"),
        false => run::read_stages(project, options.stages.clone()),
    }
}
