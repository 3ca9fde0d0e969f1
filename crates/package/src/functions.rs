//! Which packages of a workspace are Lambda functions: those that depend on
//! `lambda_runtime` and have a program.
//!
//! Deliberately absent: what they do. Which route leads to one isn't in any manifest.

use crate::cargo::BuildError;
use crate::metadata::{Target, ask};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What a function depends on, by itself and in its program.
const RUNTIME: &str = "lambda_runtime";

/// A workspace, as whoever adopts it wants to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// How many packages it has.
    pub packages: usize,
    /// Those that depend on the runtime, by their names.
    pub lambda_packages: Vec<LambdaPackage>,
}

/// A package that depends on the runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LambdaPackage {
    /// Its name.
    pub name: String,
    /// Its programs' names.
    pub programs: Vec<String>,
}

impl LambdaPackage {
    /// Whether the deployer can build it: it has a program of its own name.
    pub fn is_function(&self) -> bool {
        self.programs.contains(&self.name)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// What the registry calls it, however it is renamed here.
    name: String,
    /// `dev` or `build`; of what programs are built from: none.
    kind: Option<String>,
}

impl Workspace {
    /// The one that the folder is in.
    ///
    /// # Errors
    /// When cargo can't be run, or can't read it.
    pub async fn of(dir: &Path) -> Result<Self, BuildError> {
        let metadata: Metadata = ask(dir, &["--no-deps", "--offline"]).await?;
        Ok(metadata.workspace())
    }
}

impl Metadata {
    fn workspace(self) -> Workspace {
        let count = self.packages.len();
        let packages = self.packages.into_iter().filter(Described::runs_on_lambda);
        let mut lambda_packages: Vec<LambdaPackage> = packages
            .map(|package| LambdaPackage {
                programs: package.programs(),
                name: package.name,
            })
            .collect();
        lambda_packages.sort();
        Workspace {
            root: self.workspace_root,
            packages: count,
            lambda_packages,
        }
    }
}

impl Described {
    fn runs_on_lambda(&self) -> bool {
        let mut needs = self.dependencies.iter();
        needs.any(|needed| needed.name == RUNTIME && needed.kind.is_none())
    }

    fn programs(&self) -> Vec<String> {
        let programs = self.targets.iter().filter(|target| target.is_program());
        programs.map(|program| program.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn package(name: &str, targets: &[(&str, &str)], needs: &[(&str, Option<&str>)]) -> Value {
        let target = |(name, kind): &(&str, &str)| json!({"name": name, "kind": [kind]});
        let need = |(name, kind): &(&str, Option<&str>)| json!({"name": name, "kind": kind});
        json!({
            "name": name,
            "targets": targets.iter().map(target).collect::<Vec<_>>(),
            "dependencies": needs.iter().map(need).collect::<Vec<_>>(),
        })
    }

    #[test]
    fn a_function_depends_on_the_runtime_and_has_a_program_of_its_name() {
        let runtime = ("lambda_runtime", None);
        let packages = [
            package("room", &[("room", "lib"), ("room", "bin")], &[runtime]),
            package("shared", &[("shared", "lib")], &[runtime]),
            package("many", &[("one", "bin"), ("two", "bin")], &[runtime]),
            package("tool", &[("tool", "bin")], &[("tokio", None)]),
            package(
                "tried",
                &[("tried", "bin")],
                &[("lambda_runtime", Some("dev"))],
            ),
        ];
        let metadata = json!({"packages": packages, "workspace_root": "/w"});
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        let workspace = metadata.workspace();
        assert_eq!(workspace.packages, 5);
        let found: Vec<(&str, bool)> = workspace
            .lambda_packages
            .iter()
            .map(|package| (package.name.as_str(), package.is_function()))
            .collect();
        assert_eq!(found, [("many", false), ("room", true), ("shared", false)]);
    }
}
