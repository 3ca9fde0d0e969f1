//! From packages to zips: built, looked into, zipped. What couldn't start where it is
//! to run becomes no zip.

use crate::cargo::{BuildError, BuildTarget, Linker, Order, build};
use crate::digest::Sum;
use crate::inspect::{InspectError, inspect, inspect_for_host};
use crate::kept::package_kept;
use crate::speech::{Said, Speech};
use crate::tools::{linker, missing};
use crate::zip::{Effort, Package, ZipError};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A function that was built and fits.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its zip.
    pub package: Package,
    /// The binary in it.
    pub(crate) binary_sum: Sum,
    /// Its size.
    pub(crate) binary_bytes: usize,
    /// What linked it.
    pub linker: Linker,
}

/// What was made, for whoever makes it again and again: a binary that nobody has written
/// since is neither read nor zipped again.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<BTreeMap<PathBuf, (Stamp, Made)>>);

/// By what a file that was written is told from what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

impl Remembered {
    fn find(&self, path: &Path) -> Option<Made> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stamp, made) = all.get(path)?;
        (Stamp::of(path) == Some(*stamp)).then(|| made.clone())
    }

    /// `stamp` was taken before the file was read.
    fn keep(&self, path: PathBuf, stamp: Option<Stamp>, made: &Made) {
        if let Some(stamp) = stamp {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(path, (stamp, made.clone()));
        }
    }
}

/// Why there is no zip.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// It doesn't build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It is built, and can't be deployed.
    #[error("the package `{package}` can't be deployed as a function: {reason}")]
    Unfit {
        /// Which.
        package: String,
        /// Why.
        reason: Unfit,
    },
}

/// Why a binary can't become a function.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is gone, or can't be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// Nobody may run it.
    #[error("{0} isn't executable")]
    NoExecutableBit(PathBuf),
    /// It couldn't start.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It can't be zipped.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// A mistake of ours.
    #[error("{0}")]
    Broken(String),
}

impl MakeError {
    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::Build(error) => error.next_step(),
            Self::Unfit { reason, .. } => match reason {
                Unfit::Inspect(error) => error.next_step(),
                Unfit::Unreadable(..) | Unfit::NoExecutableBit(_) => "build again".to_owned(),
                Unfit::Zip(_) => "leave out what the function doesn't need".to_owned(),
                Unfit::Broken(_) => "report this: it is a mistake in the deployer".to_owned(),
            },
        }
    }
}

/// Builds `packages` of the workspace at `root`, and zips what fits. What cargo says
/// goes to `said`.
///
/// # Errors
/// When something isn't there to build with, doesn't build, or couldn't run.
pub async fn make(
    root: &Path,
    packages: &[String],
    target: BuildTarget,
    speech: Speech,
    said: &(dyn Fn(Said<'_>) + Sync),
    remembered: &Arc<Remembered>,
) -> Result<BTreeMap<String, Made>, MakeError> {
    let order = Order {
        root,
        packages,
        target,
    };
    let linker = linker(root, target).await?;
    let binaries = build(order, linker, speech, said).await?;
    said(Said::Built);
    let made = zipped(binaries, target, linker, remembered).await;
    let BuildTarget::Lambda(machine) = target else {
        return made;
    };
    match &made {
        // This machine's glibc is newer. Another build only where it can help.
        Err(MakeError::Unfit {
            package,
            reason: Unfit::Inspect(reason),
        }) if reason.is_of_linking()
            && linker == Linker::Native
            && missing(root, machine).await.is_empty() =>
        {
            said(Said::Line(&format!(
                "{package}: {reason}; linking again by cargo-zigbuild"
            )));
            let binaries = build(order, Linker::Zig, speech, said).await?;
            zipped(binaries, target, Linker::Zig, remembered).await
        }
        _ => made,
    }
}

/// Looks into the binaries and zips them, side by side: hashing and compressing take
/// their time.
async fn zipped(
    binaries: BTreeMap<String, PathBuf>,
    target: BuildTarget,
    linker: Linker,
    remembered: &Arc<Remembered>,
) -> Result<BTreeMap<String, Made>, MakeError> {
    let begun: Vec<_> = binaries
        .into_iter()
        .map(|(package, path)| {
            let remembered = Arc::clone(remembered);
            let work = tokio::task::spawn_blocking(move || {
                if let Some(made) = remembered.find(&path) {
                    return Ok(made);
                }
                let stamp = Stamp::of(&path);
                let made = zip_one(&path, target, linker)?;
                remembered.keep(path, stamp, &made);
                Ok(made)
            });
            (package, work)
        })
        .collect();
    let mut all = BTreeMap::new();
    for (package, work) in begun {
        let zipped = work.await;
        match zipped.unwrap_or_else(|panic| Err(Unfit::Broken(panic.to_string()))) {
            Ok(made) => all.insert(package, made),
            Err(reason) => return Err(MakeError::Unfit { package, reason }),
        };
    }
    Ok(all)
}

fn zip_one(path: &Path, target: BuildTarget, linker: Linker) -> Result<Made, Unfit> {
    let unreadable = |error| Unfit::Unreadable(path.to_owned(), error);
    let binary = std::fs::read(path).map_err(unreadable)?;
    if !may_run(path).map_err(unreadable)? {
        return Err(Unfit::NoExecutableBit(path.to_owned()));
    }
    match target {
        BuildTarget::Host => inspect_for_host(&binary)?,
        BuildTarget::Lambda(machine) => inspect(&binary, machine)?,
    }
    let effort = match target {
        BuildTarget::Host => Effort::Quick,
        BuildTarget::Lambda(_) => Effort::Small,
    };
    let binary_sum = Sum::of(&binary);
    Ok(Made {
        package: package_kept(path, &binary, binary_sum, effort)?,
        binary_sum,
        binary_bytes: binary.len(),
        linker,
    })
}

fn may_run(path: &Path) -> std::io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o100 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tiny_elf::{TinyElf, Version};
    use crate::machine::Machine;
    use crate::zip::package;

    /// A binary of these bytes, as a build leaves it.
    fn binary(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
        let path = dir.path().join("room");
        std::fs::write(&path, bytes).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        path
    }

    async fn zip_of(path: PathBuf, target: BuildTarget) -> Result<Made, MakeError> {
        let binaries = BTreeMap::from([("room".to_owned(), path)]);
        let remembered = Arc::default();
        let all = zipped(binaries, target, Linker::Native, &remembered).await;
        all.map(|mut all| all.remove("room").unwrap())
    }

    #[tokio::test]
    async fn a_binary_that_fits_becomes_a_zip() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = TinyElf::new(Machine::Arm64).bytes();
        let path = binary(&dir, &bytes);
        let made = zip_of(path, BuildTarget::Lambda(Machine::Arm64)).await;
        let made = made.unwrap();
        assert_eq!(made.package, package(&bytes).unwrap());
        assert_eq!(made.binary_bytes, bytes.len());
    }

    #[tokio::test]
    async fn what_is_remembered_counts_until_the_binary_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let remembered = Arc::default();
        let made = async |bytes: &[u8]| {
            let binaries = BTreeMap::from([("room".to_owned(), binary(&dir, bytes))]);
            let target = BuildTarget::Lambda(Machine::Arm64);
            let all = zipped(binaries, target, Linker::Native, &remembered).await;
            all.unwrap().remove("room").unwrap().package
        };
        let mut bytes = TinyElf::new(Machine::Arm64).bytes();
        let first = made(&bytes).await;
        let path = dir.path().join("room");
        let found = remembered.find(&path).unwrap();
        assert_eq!(found.package, first);
        // Of the same length, by another file in its place, as cargo links.
        std::fs::remove_file(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let aside = std::fs::File::create(dir.path().join("aside")).unwrap();
        assert_ne!(made(&bytes).await, first);
        drop(aside);
    }

    #[tokio::test]
    async fn what_could_not_start_on_lambda_leaves_no_zip() {
        let dir = tempfile::tempdir().unwrap();
        let fitting = TinyElf::new(Machine::X86_64);
        let newer = TinyElf::new(Machine::X86_64)
            .needs("libc.so.6", &[Version::strong("GLIBC_2.36")])
            .bytes();
        for (bytes, machine, word) in [
            (newer, Machine::X86_64, "it needs glibc 2.36"),
            (fitting.bytes(), Machine::Arm64, "it is built for x86_64"),
            (b"#!/bin/sh\n".to_vec(), Machine::X86_64, "not a 64-bit"),
        ] {
            let path = binary(&dir, &bytes);
            let error = zip_of(path, BuildTarget::Lambda(machine))
                .await
                .unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
            let left = std::fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(left, 1, "{word}: the binary alone");
        }
    }

    #[tokio::test]
    async fn the_local_cloud_gets_this_machines_format_only() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let path = binary(&dir, &own);
        assert!(zip_of(path, BuildTarget::Host).await.is_ok());
        let path = binary(&dir, b"#!/bin/sh\n");
        let error = zip_of(path, BuildTarget::Host).await.unwrap_err();
        assert!(error.to_string().contains("own format"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_nobody_may_run_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = binary(&dir, &TinyElf::new(Machine::Arm64).bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = zip_of(path, BuildTarget::Lambda(Machine::Arm64)).await;
        assert!(error.unwrap_err().to_string().contains("isn't executable"));
    }

    #[tokio::test]
    async fn a_half_written_binary_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = TinyElf::new(Machine::Arm64).bytes();
        let path = binary(&dir, &bytes[..bytes.len() - 1]);
        let error = zip_of(path, BuildTarget::Lambda(Machine::Arm64))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("cut off"), "{error}");
        assert_eq!(error.next_step(), "build again");
    }
}
