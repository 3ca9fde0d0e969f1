//! Builds and zips functions: each package once, whatever stages of a run need it.

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
use std::path::Path;
use tokio::sync::Mutex;

/// What was built, for the planner and for uploading.
pub struct Built {
    /// What each function runs.
    pub code: BTreeMap<FunctionKey, FunctionCode>,
    /// Each function's zip.
    pub artifacts: Artifacts,
}

/// What a run has built. Stages that come while another builds wait for it: they
/// mostly need the same.
#[derive(Default)]
pub struct Workshop(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    packages: BTreeMap<(BuildTarget, String), Package>,
    /// What didn't compile. Cargo needn't say it again for the next stage.
    broken: BTreeSet<(BuildTarget, String)>,
}

impl Workshop {
    /// The functions of a stage, built where they aren't yet: natively for the local
    /// cloud, for Amazon Linux 2023 otherwise.
    ///
    /// # Errors
    /// When one can't be built, or couldn't start on Lambda.
    pub async fn functions(
        &self,
        project: &Project,
        definition: &StageDefinition,
        screen: &Screen,
    ) -> Result<Built, Failure> {
        let mut wanted: BTreeMap<BuildTarget, BTreeSet<String>> = BTreeMap::new();
        let mut of_function: BTreeMap<&FunctionKey, (Architecture, BuildTarget)> = BTreeMap::new();
        for (key, function) in &definition.functions {
            let architecture = architecture(definition, key)?;
            let target = match definition.place {
                Place::Local { .. } => BuildTarget::Host,
                Place::Aws { .. } => BuildTarget::Lambda(machine(architecture)),
            };
            of_function.insert(key, (architecture, target));
            let packages = wanted.entry(target).or_default();
            packages.insert(function.package.clone());
        }
        let mut shelf = self.0.lock().await;
        for (target, packages) in wanted {
            let is_missing =
                |package: &String| !shelf.packages.contains_key(&(target, package.clone()));
            let missing: Vec<String> = packages.into_iter().filter(is_missing).collect();
            shelf.make(project, target, missing, screen).await?;
        }
        let mut built = Built {
            code: BTreeMap::new(),
            artifacts: Artifacts::new(),
        };
        for (key, (architecture, target)) in of_function {
            let of = (target, definition.functions[key].package.clone());
            let package = &shelf.packages[&of];
            let code = FunctionCode {
                sha256: CodeSha256::new(package.sha256.clone()),
                architecture: architecture.as_str().to_owned(),
            };
            built.code.insert(key.clone(), code);
            built.artifacts.insert(key.clone(), package.zip.clone());
        }
        Ok(built)
    }
}

impl Shelf {
    /// Builds and zips packages that aren't there yet.
    async fn make(
        &mut self,
        project: &Project,
        target: BuildTarget,
        packages: Vec<String>,
        screen: &Screen,
    ) -> Result<(), Failure> {
        if packages.is_empty() {
            return Ok(());
        }
        let of = |package: &String| (target, package.clone());
        if packages
            .iter()
            .any(|package| self.broken.contains(&of(package)))
        {
            return Err(Failure::BuiltInVain);
        }
        screen.building(&packages);
        let line = |text: &str| screen.cargo_says(text);
        let built = build(&project.root, &packages, target, screen.colours(), &line).await;
        let binaries = built.inspect_err(|_| self.broken.extend(packages.iter().map(of)))?;
        // Side by side: hashing and zipping take their time.
        let packaged = binaries.into_iter().map(|(package, path)| async move {
            let work = tokio::task::spawn_blocking(move || package_binary(&path, target));
            let zipped = work.await.unwrap_or_else(|panic| Err(panic.into()));
            match zipped {
                Ok(zipped) => Ok(((target, package), zipped)),
                Err(unfit) => Err(Failure::Package {
                    package,
                    reason: unfit.reason,
                    next_step: unfit.next_step,
                }),
            }
        });
        self.packages.extend(try_join_all(packaged).await?);
        Ok(())
    }
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

/// Zips one binary; for Lambda only if it could start there.
fn package_binary(path: &Path, target: BuildTarget) -> Result<Package, Unfit> {
    let binary = std::fs::read(path).map_err(|error| Unfit {
        reason: format!("{}: {error}", path.display()),
        next_step: "build again".to_owned(),
    })?;
    if let BuildTarget::Lambda(machine) = target {
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
