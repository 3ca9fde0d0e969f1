//! Whether a stage is as its file says, in one line, without building: the code that is live
//! is taken to be the file's.
//!
//! Deliberately absent: what differs, which `plan` shows.

use super::live_version;
use crate::failure::Failure;
use crate::provenance;
use crate::render::DriftStatus;
use crate::stage::OpenStage;
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::names::{CodeSha256, FunctionKey};
use deployer_core::observed::Observed;
use deployer_core::plan;
use deployer_core::stage_file::{Architecture, Place};
use deployer_engine::observe::complete_for;
use deployer_engine::up::plan_of;
use std::collections::BTreeMap;

/// Compares the stage's file with what was observed.
///
/// # Errors
/// When something that only the file leads to can't be read, or is in the way.
pub async fn drift(stage: &OpenStage, observed: &Observed) -> Result<DriftStatus, Failure> {
    let provenance = provenance::now(&stage.account, None);
    let code = live_code(stage, observed);
    // That an `up` would renew a stage's end is no difference, and isn't asked for here.
    let desired = Desired::new(&stage.definition, stage.account.clone(), &code, provenance);
    let observed = complete_for(&stage.cloud, &desired, observed.clone()).await?;
    let plan = plan_of(&desired, &observed)?;
    Ok(DriftStatus {
        differences: plan.steps.len(),
        by_hand: plan::drift(&plan, &desired, &observed).len(),
    })
}

/// What each function of the file runs, where it is there; on the processor that the file
/// wants.
fn live_code(stage: &OpenStage, observed: &Observed) -> BTreeMap<FunctionKey, FunctionCode> {
    let OpenStage {
        definition, names, ..
    } = stage;
    let of_host = Architecture::from_rust_arch(std::env::consts::ARCH);
    let code = |(key, function): (&FunctionKey, _)| {
        let function: &deployer_core::stage_file::FunctionDefinition = function;
        let name = names.function(key);
        let state = observed.functions.get(&name);
        let live = state.and_then(|state| live_version(observed, names, &name, state));
        let sha256 = live
            .map(|version| version.code.sha256.clone())
            .or_else(|| state.map(|state| state.code.sha256.clone()))
            .unwrap_or_else(|| CodeSha256::new(String::new()));
        let architecture = match definition.place {
            Place::Aws { .. } => function.architecture,
            Place::Local { .. } => of_host.unwrap_or(function.architecture),
        };
        let code = FunctionCode {
            sha256,
            architecture: architecture.as_str().to_owned(),
        };
        (key.clone(), code)
    };
    definition.functions.iter().map(code).collect()
}
