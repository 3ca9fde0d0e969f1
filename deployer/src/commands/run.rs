//! What the verbs on stages are given.

use super::build::Workshop;
use crate::failure::Failure;
use crate::project::Project;
use deployer_core::stage_file::StageDefinition;
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
