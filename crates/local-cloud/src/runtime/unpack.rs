//! Unpacks a function's zip, once for each code hash, into the run's directory.
//!
//! The zip comes over the network, so nothing in it is trusted: names must stay
//! inside, links are refused, and size and number are bounded by what really
//! comes out, not by what the zip claims.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;
use zip::ZipArchive;

use crate::limits::{MAX_UNPACKED, MAX_ZIP_ENTRIES};

/// The executable's name at the root of the zip.
pub(crate) const BOOTSTRAP: &str = "bootstrap";

/// Why code cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The zip is at fault; the text is worded as Lambda words it.
    #[error("{0}")]
    BadCode(String),
    /// The machine is at fault, e.g. its disk is full.
    #[error("cannot unpack the function: {0}")]
    Io(String),
}

impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// All code unpacked in this run.
pub(crate) struct CodeStore {
    dir: PathBuf,
    unpacked: Mutex<HashMap<String, Arc<OnceCell<PathBuf>>>>,
}

impl CodeStore {
    /// A store in a directory of its own.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            unpacked: Mutex::default(),
        }
    }

    /// The directory with this code; concurrent callers wait for one unpacking.
    pub(crate) async fn dir_of(
        &self,
        sha256: &str,
        zip: Arc<Bytes>,
    ) -> Result<PathBuf, UnpackError> {
        let cell = {
            let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(unpacked.entry(sha256.to_owned()).or_default())
        };
        let target = self.dir.join(file_name(sha256));
        let unpack = || async move {
            let work = tokio::task::spawn_blocking(move || unpack(&zip, &target));
            work.await
                .unwrap_or_else(|error| Err(UnpackError::Io(error.to_string())))
        };
        cell.get_or_try_init(unpack).await.cloned()
    }
}

/// A hash as a file name, whatever somebody put into it.
fn file_name(sha256: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c,
        '/' => '_',
        _ => '-',
    };
    sha256.chars().take(64).map(safe).collect()
}

pub(crate) fn unpack(zip: &[u8], target: &Path) -> Result<PathBuf, UnpackError> {
    // Left over by an attempt that failed.
    if target.exists() {
        fs::remove_dir_all(target)?;
    }
    fs::create_dir_all(target)?;
    let mut archive = ZipArchive::new(io::Cursor::new(zip)).map_err(bad_zip)?;
    if archive.len() > MAX_ZIP_ENTRIES {
        return Err(UnpackError::BadCode(format!(
            "more than {MAX_ZIP_ENTRIES} files in the zip"
        )));
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(bad_zip)?;
        let name = entry.enclosed_name().filter(|_| !entry.is_symlink());
        let Some(name) = name else {
            let name = entry.name();
            return Err(UnpackError::BadCode(format!(
                "the zip has a link or leads outside: {name:?}"
            )));
        };
        let path = target.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // Never more than reading and running: no set-user-id bits.
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777 | 0o400;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file)?;
        left = left.checked_sub(written).ok_or_else(|| {
            UnpackError::BadCode(format!(
                "Unzipped size must be smaller than {MAX_UNPACKED} bytes"
            ))
        })?;
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    check_bootstrap(target)?;
    Ok(target.to_owned())
}

fn check_bootstrap(target: &Path) -> Result<(), UnpackError> {
    let mode = File::open(target.join(BOOTSTRAP))
        .and_then(|file| file.metadata())
        .map(|metadata| {
            if metadata.is_file() {
                metadata.permissions().mode()
            } else {
                0
            }
        });
    match mode {
        Ok(mode) if mode & 0o111 != 0 => Ok(()),
        _ => Err(UnpackError::BadCode(
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
        )),
    }
}

fn bad_zip(error: zip::result::ZipError) -> UnpackError {
    UnpackError::BadCode(format!("cannot read the function's zip: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::write::SimpleFileOptions;

    fn zip_of(files: &[(&str, u32)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, mode) in files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            writer.start_file(*name, options).unwrap();
            writer.write_all(b"content").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn unpacked(zip: &[u8]) -> (tempfile::TempDir, Result<PathBuf, UnpackError>) {
        let dir = tempfile::tempdir().unwrap();
        let result = unpack(zip, &dir.path().join("code"));
        (dir, result)
    }

    fn fault(zip: &[u8]) -> String {
        match unpacked(zip).1 {
            Err(UnpackError::BadCode(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_and_modes_come_out_as_packed_but_never_set_user_id() {
        let zip = zip_of(&[("bootstrap", 0o4755), ("assets/a.txt", 0o644)]);
        let (_dir, code) = unpacked(&zip);
        let code = code.unwrap();
        let mode =
            |name: &str| fs::metadata(code.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("bootstrap"), mode("assets/a.txt")), (0o755, 0o644));
    }

    #[test]
    fn a_missing_or_not_executable_bootstrap_is_worded_as_lambda_words_it() {
        for zip in [zip_of(&[("other", 0o755)]), zip_of(&[("bootstrap", 0o644)])] {
            assert!(fault(&zip).starts_with("Couldn't find valid bootstrap(s)"));
        }
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in ["../outside", "a/../../outside"] {
            let zip = zip_of(&[("bootstrap", 0o755), (name, 0o644)]);
            let (dir, result) = unpacked(&zip);
            assert!(matches!(result, Err(UnpackError::BadCode(_))), "{name}");
            assert!(!dir.path().join("outside").exists());
        }
    }

    #[test]
    fn links_are_refused() {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.add_symlink("bootstrap", "/bin/sh", options).unwrap();
        assert!(fault(&writer.finish().unwrap().into_inner()).contains("link"));
    }

    #[test]
    fn what_is_no_zip_is_said_to_be_none() {
        assert!(fault(b"not a zip").contains("zip"));
    }

    #[tokio::test]
    async fn the_same_code_is_unpacked_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = CodeStore::new(dir.path().to_owned());
        let zip = Arc::new(Bytes::from(zip_of(&[("bootstrap", 0o755)])));
        let first = store.dir_of("a/b+c=", Arc::clone(&zip)).await.unwrap();
        fs::write(first.join("mark"), "").unwrap();
        let second = store.dir_of("a/b+c=", zip).await.unwrap();
        assert!(second.join("mark").exists());
    }
}
