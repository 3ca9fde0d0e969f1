//! Builds and zips a stage's functions.

use crate::failure::Failure;
use crate::project::Project;
use crate::render::Screen;
use deployer_core::desired::FunctionCode;
use deployer_core::names::{CodeSha256, FunctionKey};
use deployer_core::stage_file::{Architecture, Place, StageDefinition};
use deployer_engine::cloud::Artifacts;
use deployer_package::{BuildTarget, InspectError, Machine, Package, build, inspect, package_kept};
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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
    // Each binary once, and side by side: hashing and zipping take their time.
    let on_aws = matches!(definition.place, Place::Aws { .. });
    let packaged = binaries.into_iter().map(|(of, path)| async move {
        let machine = on_aws.then(|| machine(of.0));
        let work = tokio::task::spawn_blocking(move || package_binary(&path, machine));
        let package = work.await.map_err(|panic| (of.1.clone(), panic.into()));
        Ok((of.clone(), package?.map_err(|unfit| (of.1, unfit))?))
    });
    let packaged: Result<Vec<_>, (String, Unfit)> = try_join_all(packaged).await;
    let packages: BTreeMap<(Architecture, String), Package> = match packaged {
        Ok(packages) => packages.into_iter().collect(),
        Err((package, unfit)) => {
            let mut functions = definition.functions.iter();
            let function = functions.find(|(_, function)| function.package == package);
            return Err(Failure::Package {
                function: function.map_or(package, |(key, _)| key.to_string()),
                reason: unfit.reason,
                next_step: unfit.next_step,
            });
        }
    };
    let mut built = Built {
        code: BTreeMap::new(),
        artifacts: Artifacts::new(),
    };
    for (key, function) in &definition.functions {
        let architecture = architecture_of(key)?;
        let package = &packages[&(architecture, function.package.clone())];
        let code = FunctionCode {
            sha256: CodeSha256::new(package.sha256.clone()),
            architecture: architecture.as_str().to_owned(),
        };
        built.code.insert(key.clone(), code);
        built.artifacts.insert(key.clone(), package.zip.clone());
    }
    Ok(built)
}

/// Why a binary can't become a function.
struct Unfit {
    reason: String,
    next_step: String,
}

impl From<tokio::task::JoinError> for Unfit {
    fn from(error: tokio::task::JoinError) -> Self {
        Self {
            reason: error.to_string(),
            next_step: "report this: it is a mistake in the deployer".to_owned(),
        }
    }
}

/// Zips one binary; for AWS (`machine`) only if it could start there.
fn package_binary(path: &Path, machine: Option<Machine>) -> Result<Package, Unfit> {
    let binary = std::fs::read(path).map_err(|error| Unfit {
        reason: format!("{}: {error}", path.display()),
        next_step: "build again".to_owned(),
    })?;
    if let Some(machine) = machine {
        inspect(&binary, machine).map_err(|error: InspectError| Unfit {
            reason: error.to_string(),
            next_step: error.next_step(),
        })?;
    }
    package_kept(path, &binary).map_err(|error| Unfit {
        reason: error.to_string(),
        next_step: "leave out what the function doesn't need".to_owned(),
    })
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
