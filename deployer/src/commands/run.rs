//! What the verbs on stages are given.

use super::build::Workshop;
use crate::failure::Failure;
use crate::project::Project;
use deployer_core::census::Resident;
use deployer_core::stage_file::{Place, StageDefinition};
use deployer_engine::interrupt::Interrupt;
use jiff::Timestamp;

/// What the verbs have in common.
pub struct Run {
    /// Where it is run, if that is in a project.
    pub project: Option<Project>,
    pub workshop: Workshop,
    pub interrupt: Interrupt,
    /// When the command began.
    pub now: Timestamp,
}

impl Run {
    /// The project, for what needs files.
    ///
    /// # Errors
    /// When there is none.
    pub fn project(&self) -> Result<&Project, Failure> {
        match &self.project {
            Some(project) => Ok(project),
            // Says where it looked.
            None => Err(Project::find(None).err().unwrap_or_else(|| Failure::Input {
                message: "there is no project here".to_owned(),
                next_step: "name its folder with --project".to_owned(),
            })),
        }
    }
}

/// Who knows of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Its file.
    File,
    /// Its account.
    Account,
    /// Nobody. There may be something under its names all the same.
    Nowhere,
}

/// A stage that was asked for.
pub struct Stage {
    /// As the user calls it.
    pub name: String,
    /// What its file says. Of a stage without one: only what it takes to find it.
    pub definition: StageDefinition,
    pub origin: Origin,
}

impl Stage {
    pub fn of_file(name: String, definition: StageDefinition) -> Self {
        Self {
            name,
            definition,
            origin: Origin::File,
        }
    }

    /// One that was found in an account.
    pub fn of_resident(resident: &Resident, place: &Place) -> Self {
        let identity = resident.identity.clone();
        let tags = resident.tags.clone();
        let mut definition = StageDefinition::without_file(identity, place.clone(), tags);
        definition.guards.protected = resident.record.protected;
        definition.retain.clone_from(&resident.record.retain);
        Self {
            name: resident.identity.stage.clone(),
            definition,
            origin: Origin::Account,
        }
    }
}

/// Reads all stages that are on AWS, `templates` too or not. At least one.
///
/// # Errors
/// What is wrong with any stage, or that none is on AWS. `next_step` is for the latter.
pub fn read_all_on_aws(
    project: &Project,
    templates: bool,
    next_step: &str,
) -> Result<Vec<Stage>, Vec<Failure>> {
    let names = project.stage_names().map_err(|failure| vec![failure])?;
    let mut stages = read_stages(project, names)?;
    stages.retain(|Stage { definition, .. }| {
        matches!(definition.place, Place::Aws { .. }) && (templates || !definition.template)
    });
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
            Ok(definition) => stages.push(Stage::of_file(name, definition)),
            Err(failure) => misread.push(failure),
        }
    }
    match misread.is_empty() {
        true => Ok(stages),
        false => Err(misread),
    }
}
