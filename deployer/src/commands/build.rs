//! Builds and zips a stage's functions.

use crate::failure::Failure;
use crate::project::Project;
use crate::render::Screen;
use deployer_core::desired::FunctionCode;
use deployer_core::names::{CodeSha256, FunctionKey};
use deployer_core::stage_file::{Architecture, Place, StageDefinition};
use deployer_engine::cloud::Artifacts;
use deployer_package::{BuildTarget, InspectError, Machine, build, inspect, package};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What was built, for the planner and for uploading.
pub struct Built {
    /// What each function runs.
    pub code: BTreeMap<FunctionKey, FunctionCode>,
    /// Each function's zip.
    pub artifacts: Artifacts,
}

/// Builds the functions of a stage: natively for the local cloud, for Amazon
/// Linux 2023 otherwise.
pub async fn run(
    project: &Project,
    definition: &StageDefinition,
    screen: &Screen,
) -> Result<Built, Failure> {
    let mut packages_by_target: BTreeMap<Architecture, BTreeSet<String>> = BTreeMap::new();
    let architecture_of = |key: &FunctionKey| architecture(definition, key);
    for (key, function) in &definition.functions {
        packages_by_target
            .entry(architecture_of(key)?)
            .or_default()
            .insert(function.package.clone());
    }
    let mut binaries: BTreeMap<(Architecture, String), PathBuf> = BTreeMap::new();
    for (architecture, packages) in packages_by_target {
        let target = match definition.place {
            Place::Local { .. } => BuildTarget::Host,
            Place::Aws { .. } => BuildTarget::Lambda(machine(architecture)),
        };
        let packages: Vec<String> = packages.into_iter().collect();
        screen.building(&packages);
        let line = |text: &str| screen.cargo_says(text);
        let built = build(&project.root, &packages, target, screen.colours(), &line).await?;
        binaries.extend(
            built
                .into_iter()
                .map(|(package, path)| ((architecture, package), path)),
        );
    }
    let mut built = Built {
        code: BTreeMap::new(),
        artifacts: Artifacts::new(),
    };
    for (key, function) in &definition.functions {
        let architecture = architecture_of(key)?;
        let unfit = |reason: String, next_step: String| Failure::Package {
            function: key.to_string(),
            reason,
            next_step,
        };
        let path = &binaries[&(architecture, function.package.clone())];
        let binary = std::fs::read(path).map_err(|error| {
            unfit(
                format!("{}: {error}", path.display()),
                "build again".to_owned(),
            )
        })?;
        if let Place::Aws { .. } = definition.place {
            inspect(&binary, machine(architecture))
                .map_err(|error: InspectError| unfit(error.to_string(), error.next_step()))?;
        }
        let package = package(&binary).map_err(|error| {
            unfit(
                error.to_string(),
                "leave out what the function doesn't need".to_owned(),
            )
        })?;
        let code = FunctionCode {
            sha256: CodeSha256::new(package.sha256),
            architecture: architecture.as_str().to_owned(),
        };
        built.code.insert(key.clone(), code);
        built.artifacts.insert(key.clone(), package.zip);
    }
    Ok(built)
}

/// The local cloud runs what this machine runs; AWS what the file says.
fn architecture(definition: &StageDefinition, key: &FunctionKey) -> Result<Architecture, Failure> {
    match definition.place {
        Place::Aws { .. } => Ok(definition.functions[key].architecture),
        Place::Local { .. } => {
            Architecture::from_rust_arch(std::env::consts::ARCH).ok_or_else(|| Failure::Input {
                message: format!(
                    "Lambda has no processor like this machine's ({})",
                    std::env::consts::ARCH
                ),
                next_step: "run the local cloud on x86_64 or arm64".to_owned(),
            })
        }
    }
}

fn machine(architecture: Architecture) -> Machine {
    match architecture {
        Architecture::X86_64 => Machine::X86_64,
        Architecture::Arm64 => Machine::Arm64,
    }
}
