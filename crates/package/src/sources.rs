//! Where the source of packages is: their own folders and those of every package on this
//! machine that they are built from.
//!
//! Deliberately absent: which files in them count, and packages of registries, which
//! don't change.

use crate::cargo::BuildError;
use crate::metadata::ask;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What packages are built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The workspace's folder, where its lock file is.
    pub workspace: PathBuf,
    /// The folders of packages.
    pub packages: BTreeSet<PathBuf>,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Option<Resolve>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    /// Of a package on this machine: none.
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Sources {
    /// Of `packages` of the workspace at `root`.
    ///
    /// # Errors
    /// When cargo can't read the workspace. A package that isn't there has no source.
    pub async fn of(root: &Path, packages: &[String]) -> Result<Self, BuildError> {
        let metadata: Metadata = ask(root, &[]).await?;
        Ok(metadata.sources(packages))
    }
}

impl Metadata {
    fn sources(&self, wanted: &[String]) -> Sources {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let needs: BTreeMap<&str, &[String]> = nodes
            .map(|node| (node.id.as_str(), node.dependencies.as_slice()))
            .collect();
        let here = |package: &&Package| package.source.is_none();
        let here: BTreeMap<&str, &Package> = self
            .packages
            .iter()
            .filter(here)
            .map(|package| (package.id.as_str(), package))
            .collect();
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let is_wanted = |package: &Package| wanted.contains(&package.name);
        let mut open: Vec<&str> = here
            .iter()
            .filter(|(_, package)| is_wanted(package))
            .map(|(id, _)| *id)
            .collect();
        // A package of a registry needs none that is here.
        while let Some(id) = open.pop() {
            if here.contains_key(id) && found.insert(id) {
                let needs = needs.get(id).copied().unwrap_or_default();
                open.extend(needs.iter().map(String::as_str));
            }
        }
        let folder = |id: &str| here[id].manifest_path.parent().map(Path::to_owned);
        Sources {
            workspace: self.workspace_root.clone(),
            packages: found.into_iter().filter_map(folder).collect(),
            target: self.target_directory.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, path: &str, text: &str) {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn package(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    }

    #[tokio::test]
    async fn sources_are_the_packages_and_what_they_are_built_from_also_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let workspace =
            "[workspace]\nresolver = \"3\"\nmembers = [\"room\", \"shared\", \"other\"]\n";
        write(&root, "w/Cargo.toml", workspace);
        let room = package(
            "room",
            "[dependencies]\nshared = { path = \"../shared\" }\n",
        );
        write(&root, "w/room/Cargo.toml", &room);
        write(&root, "w/room/src/main.rs", "fn main() {}\n");
        let shared = package(
            "shared",
            "[dependencies]\noutside = { path = \"../../outside\" }\n",
        );
        write(&root, "w/shared/Cargo.toml", &shared);
        write(&root, "w/shared/src/lib.rs", "");
        write(&root, "w/other/Cargo.toml", &package("other", ""));
        write(&root, "w/other/src/lib.rs", "");
        write(&root, "outside/Cargo.toml", &package("outside", ""));
        write(&root, "outside/src/lib.rs", "");
        let sources = Sources::of(&root.join("w"), &["room".to_owned()]).await;
        let sources = sources.unwrap();
        let expected = ["outside", "w/room", "w/shared"].map(|path| root.join(path));
        assert_eq!(sources.packages, expected.into());
        assert_eq!(sources.workspace, root.join("w"));
        assert_eq!(sources.target, root.join("w/target"));
    }

    #[tokio::test]
    async fn a_workspace_that_cargo_cannot_read_gives_its_words() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "Cargo.toml", "[package\n");
        let error = Sources::of(dir.path(), &[]).await.unwrap_err();
        assert!(
            error.to_string().contains("can't read the workspace"),
            "{error}"
        );
    }
}
