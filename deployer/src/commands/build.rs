//! What stages' functions run: built, each package once whatever stages of a run need it,
//! or out of a bundle.

use super::run::Stage;
use crate::failure::Failure;
use crate::project::Project;
use crate::provenance;
use crate::render::Screen;
use deployer_core::desired::FunctionCode;
use deployer_core::names::{CodeSha256, FunctionKey};
use deployer_core::stage_file::{Architecture, Place, StageDefinition};
use deployer_engine::cloud::Artifacts;
use deployer_package::{BuildTarget, Bundle, Machine, Made, Package, Remembered, Said, make};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
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
pub struct Workshop {
    /// Where there is one, nothing is built.
    bundle: Option<Bundle>,
    shelf: Mutex<Shelf>,
    /// Of former runs of this process.
    remembered: Arc<Remembered>,
}

/// A package, and what it is for.
type Order = (String, BuildTarget);

#[derive(Default)]
struct Shelf {
    made: BTreeMap<Order, Made>,
    /// What didn't compile. Cargo needn't say it again for the next stage.
    broken: BTreeSet<Order>,
}

/// A function of a stage.
struct Wanted<'a> {
    key: &'a FunctionKey,
    architecture: Architecture,
    order: Order,
}

impl Workshop {
    /// One that hands out what is in a bundle.
    pub fn with_bundle(bundle: Bundle) -> Self {
        Self {
            bundle: Some(bundle),
            ..Self::default()
        }
    }

    /// One that makes nothing again that is in this memory.
    pub fn remembering(remembered: &Arc<Remembered>) -> Self {
        Self {
            remembered: Arc::clone(remembered),
            ..Self::default()
        }
    }

    /// The revision that the functions are of.
    pub fn git_revision(&self, project: &Project) -> Option<String> {
        match &self.bundle {
            Some(bundle) => bundle.manifest.git_revision.clone(),
            None => provenance::git_revision(project),
        }
    }

    /// The same, while others go on.
    pub async fn git_revision_aside(&self, project: &Project) -> Option<String> {
        match &self.bundle {
            Some(_) => self.git_revision(project),
            None => {
                let project = project.clone();
                let asked = tokio::task::spawn_blocking(move || provenance::git_revision(&project));
                asked.await.ok().flatten()
            }
        }
    }

    /// Whether there is everything for the stage, as far as that can be known without
    /// building.
    ///
    /// # Errors
    /// When the bundle lacks a function.
    pub fn check(&self, definition: &StageDefinition) -> Result<(), Failure> {
        let Some(bundle) = &self.bundle else {
            return Ok(());
        };
        for Wanted { order, .. } in wanted(definition)? {
            bundle.package(&order.0, order.1)?;
        }
        Ok(())
    }

    /// The functions of a stage, built where they aren't yet: natively for the local
    /// cloud, for Amazon Linux 2023 otherwise.
    ///
    /// # Errors
    /// When one can't be built, couldn't start on Lambda, or isn't in the bundle.
    pub async fn functions(
        &self,
        project: &Project,
        definition: &StageDefinition,
        screen: &Screen,
    ) -> Result<Built, Failure> {
        let wanted = wanted(definition)?;
        if let Some(bundle) = &self.bundle {
            return built(wanted, |(package, target)| {
                Ok(bundle.package(package, *target)?)
            });
        }
        let mut shelf = self.shelf.lock().await;
        shelf
            .stock(project, &wanted, screen, &self.remembered)
            .await?;
        built(wanted, |order| Ok(&shelf.made[order].package))
    }

    /// Everything that the stages need.
    ///
    /// # Errors
    /// When something can't be built, or couldn't start where it is to run.
    pub async fn all(
        self,
        project: &Project,
        stages: &[Stage],
        screen: &Screen,
    ) -> Result<BTreeMap<Order, Made>, Failure> {
        let mut all = Vec::new();
        for stage in stages {
            all.extend(wanted(&stage.definition)?);
        }
        let mut shelf = self.shelf.into_inner();
        shelf.stock(project, &all, screen, &self.remembered).await?;
        Ok(shelf.made)
    }
}

/// What the stage needs.
fn wanted(definition: &StageDefinition) -> Result<Vec<Wanted<'_>>, Failure> {
    let mut all = Vec::new();
    for (key, function) in &definition.functions {
        let architecture = architecture(definition, key)?;
        let target = match definition.place {
            Place::Local { .. } => BuildTarget::Host,
            Place::Aws { .. } => BuildTarget::Lambda(machine(architecture)),
        };
        all.push(Wanted {
            key,
            architecture,
            order: (function.package.clone(), target),
        });
    }
    Ok(all)
}

fn built<'a>(
    wanted: Vec<Wanted<'_>>,
    package: impl Fn(&Order) -> Result<&'a Package, Failure>,
) -> Result<Built, Failure> {
    let mut built = Built {
        code: BTreeMap::new(),
        artifacts: Artifacts::new(),
    };
    for one in wanted {
        let package = package(&one.order)?;
        let code = FunctionCode {
            sha256: CodeSha256::new(package.sha256.clone()),
            architecture: one.architecture.as_str().to_owned(),
        };
        built.code.insert(one.key.clone(), code);
        built.artifacts.insert(one.key.clone(), package.zip.clone());
    }
    Ok(built)
}

impl Shelf {
    /// Makes what isn't there yet.
    async fn stock(
        &mut self,
        project: &Project,
        wanted: &[Wanted<'_>],
        screen: &Screen,
        remembered: &Arc<Remembered>,
    ) -> Result<(), Failure> {
        let mut missing: BTreeMap<BuildTarget, BTreeSet<String>> = BTreeMap::new();
        for Wanted { order, .. } in wanted {
            if !self.made.contains_key(order) {
                let packages = missing.entry(order.1).or_default();
                packages.insert(order.0.clone());
            }
        }
        for (target, packages) in missing {
            let packages = packages.into_iter().collect();
            self.make(project, target, packages, screen, remembered)
                .await?;
        }
        Ok(())
    }

    /// Builds and zips packages that aren't there yet.
    async fn make(
        &mut self,
        project: &Project,
        target: BuildTarget,
        packages: Vec<String>,
        screen: &Screen,
        remembered: &Arc<Remembered>,
    ) -> Result<(), Failure> {
        let of = |package: &String| (package.clone(), target);
        if packages
            .iter()
            .any(|package| self.broken.contains(&of(package)))
        {
            return Err(Failure::BuiltInVain);
        }
        screen.building(&packages);
        let said = |said: Said<'_>| screen.cargo_says(said);
        let speech = screen.speech();
        let made = make(&project.root, &packages, target, speech, &said, remembered).await;
        screen.built();
        let made = made.inspect_err(|_| self.broken.extend(packages.iter().map(of)))?;
        let made = made.into_iter();
        self.made
            .extend(made.map(|(package, made)| ((package, target), made)));
        Ok(())
    }
}

/// The local cloud runs what this machine runs; AWS what the file says.
pub fn architecture(
    definition: &StageDefinition,
    key: &FunctionKey,
) -> Result<Architecture, Failure> {
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

pub fn machine(architecture: Architecture) -> Machine {
    match architecture {
        Architecture::X86_64 => Machine::X86_64,
        Architecture::Arm64 => Machine::Arm64,
    }
}
