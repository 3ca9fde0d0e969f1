//! Where a stage's source is, and which files of it count.
//!
//! Folders are watched rather than files, because editors save by renaming; and each one
//! by itself, because cargo's target folder may lie among them.

use crate::project::Project;
use deployer_core::stage_file::SERVICE_FILE_STEM;
use deployer_package::Sources;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Folders that are watched at most.
pub const WATCHED: usize = 4096;

/// Folders whose content nobody writes by hand.
const NOT_SOURCE: [&str; 2] = ["target", "node_modules"];
/// Hidden ones that count all the same.
const HIDDEN_SOURCE: [&str; 2] = [".cargo", ".sqlx"];
/// Files of the workspace's own folder that count.
const OF_WORKSPACE: [&str; 4] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain",
    "rust-toolchain.toml",
];
/// What files are called that are none of ours: editors', and what programs say.
const TEMPORARY: [&str; 7] = ["~", ".swp", ".swx", ".tmp", ".bak", ".log", "___jb_tmp___"];
/// Folders of a package that no function is built from.
const OF_TESTS: [&str; 3] = ["tests", "benches", "examples"];
/// Vim asks by this file whether it may write.
const VIMS: &str = "4913";

/// What is watched.
#[derive(Debug, Clone)]
pub struct Places {
    stages: PathBuf,
    /// Names of the stage's files.
    files: [String; 2],
    sources: Sources,
    /// Whether cargo has said where the source is.
    known: bool,
}

/// Why a file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The stage's files: functions may have come or gone.
    StageFile,
    /// A manifest or the lock file: packages may have.
    Manifest,
    Source,
}

impl Places {
    /// Of a stage of this project. Until cargo has said more, all of it is source.
    pub fn new(project: &Project, stage: &str) -> Self {
        // As the watcher names them.
        let root = project.root.canonicalize();
        let root = root.unwrap_or_else(|_| project.root.clone());
        let stages = project.stages_dir().canonicalize();
        Self {
            stages: stages.unwrap_or_else(|_| root.join("stages")),
            files: [SERVICE_FILE_STEM, stage].map(|stem| format!("{stem}.toml")),
            sources: Sources {
                packages: [root.clone()].into(),
                target: root.join("target"),
                workspace: root,
            },
            known: false,
        }
    }

    /// Cargo has said where the source is.
    pub fn found(&mut self, sources: Sources) {
        self.sources = sources;
        self.known = true;
    }

    /// Why a path counts, if it does.
    pub fn kind(&self, path: &Path) -> Option<Kind> {
        let name = path.file_name().and_then(OsStr::to_str)?;
        if is_temporary(name) || path.starts_with(&self.sources.target) {
            return None;
        }
        if let Ok(rest) = path.strip_prefix(&self.stages) {
            let ours = self.files.iter().any(|file| rest == Path::new(file));
            return ours.then_some(Kind::StageFile);
        }
        let in_package = |package: &PathBuf| {
            let below = path.strip_prefix(package);
            below.is_ok_and(|below| is_source(below, path))
        };
        if self.sources.packages.iter().any(in_package) {
            return Some(match name == OF_WORKSPACE[0] || name == OF_WORKSPACE[1] {
                true => Kind::Manifest,
                false => Kind::Source,
            });
        }
        let rest = path.strip_prefix(&self.sources.workspace).ok()?;
        let ours = rest.starts_with(HIDDEN_SOURCE[0])
            || OF_WORKSPACE.iter().any(|file| rest == Path::new(file));
        ours.then_some(Kind::Manifest)
    }

    /// The folders to be watched, and whether there are more than may be. Reads them.
    pub fn folders(&self) -> (BTreeSet<PathBuf>, bool) {
        let workspace = &self.sources.workspace;
        let mut folders = BTreeSet::from([self.stages.clone(), workspace.clone()]);
        let settings = workspace.join(HIDDEN_SOURCE[0]);
        let mut open: Vec<PathBuf> = self.sources.packages.iter().cloned().collect();
        open.extend(settings.is_dir().then_some(settings));
        let roots: BTreeSet<PathBuf> = open.iter().cloned().collect();
        while let Some(folder) = open.pop() {
            if folders.len() >= WATCHED {
                return (folders, true);
            }
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let (name, path) = (entry.file_name(), entry.path());
                let of_tests =
                    roots.contains(&folder) && OF_TESTS.iter().any(|other| name == *other);
                let others = self.known && path.join("Cargo.toml").is_file();
                if is_folder
                    && is_source_name(&name)
                    && path != self.sources.target
                    && !others
                    && !of_tests
                    && !roots.contains(&path)
                {
                    open.push(path);
                }
            }
            folders.insert(folder);
        }
        (folders, false)
    }
}

/// Whether what lies `below` a package's folder is source. In the folder itself, where
/// anything may lie, that is Rust, manifests and folders.
fn is_source(below: &Path, path: &Path) -> bool {
    let mut names = below.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let first = names.next().filter(|name| is_source_name(name));
    let Some(first) = first.and_then(OsStr::to_str) else {
        return false;
    };
    let mut deeper = names.peekable();
    match deeper.peek() {
        Some(_) => !OF_TESTS.contains(&first) && deeper.all(is_source_name),
        None => {
            let rust = Path::new(first).extension() == Some(OsStr::new("rs"));
            let folder = !OF_TESTS.contains(&first) && path.is_dir();
            rust || OF_WORKSPACE.contains(&first) || folder
        }
    }
}

fn is_source_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let hidden = name.starts_with('.') && !HIDDEN_SOURCE.contains(&name);
    !hidden && !NOT_SOURCE.contains(&name)
}

fn is_temporary(name: &str) -> bool {
    name == VIMS
        || name.starts_with(".#")
        || name.starts_with('#')
        || TEMPORARY.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let project = Project {
            root: PathBuf::from("/w"),
        };
        let mut places = Places::new(&project, "local");
        places.found(Sources {
            workspace: "/w".into(),
            packages: ["/w/functions/room", "/shared"].map(PathBuf::from).into(),
            target: "/w/target".into(),
        });
        places
    }

    #[test]
    fn source_manifests_and_the_stages_own_files_count() {
        let places = places();
        let kind = |path: &str| places.kind(Path::new(path));
        for path in [
            "/w/functions/room/src/main.rs",
            "/w/functions/room/src/words.json",
            "/w/functions/room/templates/words.html",
            "/w/functions/room/build.rs",
            "/shared/src/lib.rs",
        ] {
            assert_eq!(kind(path), Some(Kind::Source), "{path}");
        }
        for path in [
            "/w/Cargo.toml",
            "/w/Cargo.lock",
            "/shared/Cargo.toml",
            "/w/.cargo/config.toml",
            "/w/rust-toolchain.toml",
        ] {
            assert_eq!(kind(path), Some(Kind::Manifest), "{path}");
        }
        for path in ["/w/stages/service.toml", "/w/stages/local.toml"] {
            assert_eq!(kind(path), Some(Kind::StageFile), "{path}");
        }
    }

    #[test]
    fn what_is_built_hidden_temporary_or_anothers_does_not() {
        let places = places();
        for path in [
            "/w/target/debug/room",
            "/w/functions/room/target/x.rs",
            "/w/functions/room/.git/index",
            "/w/.deployer/local-cloud-9100/state.json",
            "/w/functions/room/src/.main.rs.swp",
            "/w/functions/room/src/main.rs~",
            "/w/functions/room/src/4913",
            "/w/functions/room/src/.#main.rs",
            "/w/functions/room/src/#main.rs#",
            "/w/functions/other/src/main.rs",
            "/w/functions/room/dev.log",
            "/w/functions/room/out",
            "/w/functions/room/src/out.log",
            "/w/functions/room/tests/it.rs",
            "/w/stages/alpha.toml",
            "/w/stages/local.toml~",
            "/w/README.md",
            "/elsewhere/src/main.rs",
        ] {
            assert_eq!(places.kind(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn folders_are_all_of_a_package_but_for_what_is_built_and_other_packages() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("its path");
        for folder in ["src/deep", "target/debug", ".git", "stages", "other/src"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        std::fs::write(root.join("other/Cargo.toml"), "").expect("a file");
        let project = Project { root: root.clone() };
        let mut places = Places::new(&project, "local");
        places.found(Sources {
            workspace: root.clone(),
            packages: [root.clone()].into(),
            target: root.join("target"),
        });
        let expected = ["", "src", "src/deep", "stages"].map(|path| root.join(path));
        let expected = expected.map(|path| path.components().collect::<PathBuf>());
        assert_eq!(places.folders(), (expected.into(), false));
    }
}
