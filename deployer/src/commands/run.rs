//! What the verbs on stages are given.

use super::build::Workshop;
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
