//! What the verbs on stages are given.

use super::build::Workshop;
use crate::failure::Failure;
use crate::project::Project;
use deployer_core::stage_file::{Place, StageDefinition};
use deployer_engine::interrupt::Interrupt;

/// What the verbs have in common.
pub struct Run {
    pub project: Project,
    pub workshop: Workshop,
    pub interrupt: Interrupt,
}

/// A stage that was asked for.
pub struct Stage {
    /// As the user calls it.
    pub name: String,
    pub definition: StageDefinition,
}

/// Reads all stages that are on AWS. At least one.
///
/// # Errors
/// What is wrong with any stage, or that none is on AWS. `next_step` is for the latter.
pub fn read_all_on_aws(project: &Project, next_step: &str) -> Result<Vec<Stage>, Vec<Failure>> {
    let names = project.stage_names().map_err(|failure| vec![failure])?;
    let mut stages = read_stages(project, names)?;
    stages.retain(|stage| matches!(stage.definition.place, Place::Aws { .. }));
    match stages.is_empty() {
        false => Ok(stages),
        true => Err(vec![Failure::Input {
            message: "there is no stage on AWS".to_owned(),
            next_step: next_step.to_owned(),
        }]),
    }
}

/// Reads the stages, each once.
///
/// # Errors
/// What is wrong with any of them.
pub fn read_stages(project: &Project, names: Vec<String>) -> Result<Vec<Stage>, Vec<Failure>> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut misread: Vec<Failure> = Vec::new();
    for name in names {
        if stages.iter().any(|stage| stage.name == name) {
            continue;
        }
        match project.read_stage(&name) {
            Ok(definition) => stages.push(Stage { name, definition }),
            Err(failure) => misread.push(failure),
        }
    }
    match misread.is_empty() {
        true => Ok(stages),
        false => Err(misread),
    }
}
