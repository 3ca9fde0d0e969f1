//! What `cargo metadata` says of the workspace: which packages it has, and their
//! programs.

use crate::cargo::{BuildError, cargo};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The workspace's packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Where cargo puts what it builds.
    pub target_directory: PathBuf,
    packages: Vec<Described>,
}

#[derive(Debug, Deserialize)]
struct Described {
    id: String,
    name: String,
    targets: Vec<Target>,
    /// The oldest compiler that may build it, if it says so.
    rust_version: Option<String>,
}

/// Something that cargo builds.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    /// Its name.
    pub name: String,
    /// E.g. `bin`.
    pub kind: Vec<String>,
}

impl Target {
    pub fn is_program(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }
}

/// What `cargo metadata` says of the workspace at `root`, as far as `T` wants to know it.
pub(crate) async fn ask<T: DeserializeOwned>(
    root: &Path,
    options: &[&str],
) -> Result<T, BuildError> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--color", "never"])
        .args(options)
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(BuildError::NoCargo)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(BuildError::Workspace(said.trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| BuildError::Workspace(format!("cargo metadata: {error}")))
}

impl Metadata {
    /// Of the workspace at `root`.
    pub async fn read(root: &Path) -> Result<Self, BuildError> {
        ask(root, &["--no-deps"]).await
    }

    /// Cargo's id of the package of this name, if it is in the workspace and has a
    /// program of its name.
    pub fn id_of(&self, package: &str) -> Result<&str, BuildError> {
        let mut packages = self.packages.iter();
        let Some(found) = packages.find(|known| known.name == package) else {
            let with_program = |known: &&Described| known.targets.iter().any(Target::is_program);
            let programs = self.packages.iter().filter(with_program);
            return Err(BuildError::NoPackage {
                package: package.to_owned(),
                known: programs.map(|known| known.name.clone()).collect(),
            });
        };
        let mut targets = found.targets.iter();
        match targets.any(|target| target.is_program() && target.name == package) {
            true => Ok(&found.id),
            false => Err(BuildError::NoBinary {
                package: package.to_owned(),
            }),
        }
    }
}

impl Metadata {
    /// What the package says of compilers: the oldest that may build it.
    pub fn rust_version_of(&self, package: &str) -> Option<&str> {
        let found = self.packages.iter().find(|known| known.name == package)?;
        found.rust_version.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Metadata {
        let package = |name: &str, kind: &str| {
            let id = format!("path+file:///w/{name}#0.1.0");
            let target = serde_json::json!({"name": name, "kind": [kind]});
            serde_json::json!({"id": id, "name": name, "targets": [target]})
        };
        let packages = [package("chat", "lib"), package("room", "bin")];
        serde_json::from_value(
            serde_json::json!({"packages": packages, "target_directory": "/w/target"}),
        )
        .unwrap()
    }

    #[test]
    fn a_package_with_a_program_of_its_name_is_found() {
        assert_eq!(
            workspace().id_of("room").unwrap(),
            "path+file:///w/room#0.1.0"
        );
    }

    #[test]
    fn a_package_that_is_not_there_is_answered_with_those_that_could_be_meant() {
        let error = workspace().id_of("rom").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no package `rom` in the workspace"
        );
        assert!(error.next_step().contains("room"), "{}", error.next_step());
        assert!(!error.next_step().contains("chat"), "{}", error.next_step());
    }

    #[test]
    fn a_library_alone_is_no_function() {
        let error = workspace().id_of("chat").unwrap_err();
        assert!(matches!(error, BuildError::NoBinary { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_folder_without_a_workspace_gives_cargos_words() {
        let dir = tempfile::tempdir().unwrap();
        let error = Metadata::read(dir.path()).await.unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
