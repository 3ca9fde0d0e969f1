//! `deployer stages show`: what a stage's files come to. Asks nobody.

use crate::cli::Show;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Console, EffectiveResult};

/// Shows one stage.
pub fn run(project: &Project, options: &Show) -> Result<(), Failure> {
    let settings = project.effective(&options.stage)?;
    let screen = Console::new(options.json, 1).screen(&options.stage);
    screen.effective(&EffectiveResult {
        stage: &options.stage,
        settings,
    });
    Ok(())
}
