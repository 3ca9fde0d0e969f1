//! Zips that are kept beside their binaries, in cargo's target folder: what hasn't
//! changed isn't zipped again.
//!
//! A kept zip counts only when it is of these very bytes of the binary and is
//! itself unharmed; anything else is zipped anew, and a folder that can't be
//! written costs only time.

use crate::digest::Sum;
use crate::zip::{Effort, FORMAT, Package, ZipError, package_by};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What a kept zip is of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    /// How zips are made: another way makes another zip.
    format: u32,
    /// Whether it is compressed quickly rather than well.
    #[serde(default)]
    quick: bool,
    /// base64.
    binary_sha256: String,
    /// base64.
    zip_sha256: String,
}

/// The zip of the `binary` that was read from `path` and has this sum.
///
/// # Errors
/// As [`crate::zip::package`].
pub(crate) fn package_kept(
    path: &Path,
    binary: &[u8],
    sum: Sum,
    effort: Effort,
) -> Result<Package, ZipError> {
    let binary_sha256 = sum.base64();
    let quick = effort == Effort::Quick;
    if let Some(kept) = find(path, &binary_sha256, quick) {
        return Ok(kept);
    }
    let made = package_by(binary, effort)?;
    let label = Label {
        format: FORMAT,
        quick,
        binary_sha256,
        zip_sha256: made.sha256.clone(),
    };
    let _only_saves_time = keep(path, &made, &label);
    Ok(made)
}

fn find(path: &Path, binary_sha256: &str, quick: bool) -> Option<Package> {
    let label: Label = serde_json::from_slice(&fs::read(beside(path, "json")).ok()?).ok()?;
    if (label.format, label.quick) != (FORMAT, quick) || label.binary_sha256 != binary_sha256 {
        return None;
    }
    let zip = fs::read(beside(path, "zip")).ok()?;
    let sha256 = Sum::of(&zip).base64();
    (sha256 == label.zip_sha256).then(|| Package {
        zip: zip.into(),
        sha256,
    })
}

/// Each file appears whole or not at all: two deployers may work beside each other.
fn keep(path: &Path, made: &Package, label: &Label) -> std::io::Result<()> {
    let write = |extension: &str, content: &[u8]| {
        let unfinished = beside(path, &format!("{extension}.{}", std::process::id()));
        fs::write(&unfinished, content)?;
        fs::rename(unfinished, beside(path, extension))
    };
    write("zip", &made.zip)?;
    write("json", &serde_json::to_vec(label)?)
}

/// E.g. `target/release/room.lambda.zip`.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".lambda.");
    name.push(extension);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::package;

    fn package_kept(path: &Path, binary: &[u8]) -> Result<Package, ZipError> {
        super::package_kept(path, binary, Sum::of(binary), Effort::Small)
    }

    fn zip_of(path: &Path) -> PathBuf {
        beside(path, "zip")
    }

    #[test]
    fn an_unchanged_binary_is_not_zipped_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room");
        let first = package_kept(&path, b"binary").unwrap();
        // Another zip with a fitting label: only a kept one can come from here.
        let other = package(b"other").unwrap();
        let label = Label {
            format: FORMAT,
            quick: false,
            binary_sha256: Sum::of(b"binary").base64(),
            zip_sha256: other.sha256.clone(),
        };
        keep(&path, &other, &label).unwrap();
        assert_eq!(package_kept(&path, b"binary").unwrap(), other);
        assert_ne!(first, other);
    }

    #[test]
    fn a_changed_binary_or_a_harmed_zip_is_zipped_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room");
        package_kept(&path, b"binary").unwrap();
        let changed = package_kept(&path, b"changed").unwrap();
        assert_eq!(changed, package(b"changed").unwrap());
        fs::write(zip_of(&path), b"harmed").unwrap();
        assert_eq!(package_kept(&path, b"changed").unwrap(), changed);
        assert_eq!(fs::read(zip_of(&path)).unwrap(), &changed.zip[..]);
    }

    #[test]
    fn what_a_killed_deployer_leaves_is_not_taken_for_a_zip() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room");
        let whole = package(b"changed").unwrap();
        let label_of = |made: &Package| Label {
            format: FORMAT,
            quick: false,
            binary_sha256: Sum::of(b"changed").base64(),
            zip_sha256: made.sha256.clone(),
        };
        let half = &whole.zip[..whole.zip.len() / 2];
        // While it wrote the zip: under a name of its own, whatever number the next
        // process has.
        package_kept(&path, b"binary").unwrap();
        fs::write(beside(&path, "zip.1"), half).unwrap();
        fs::write(beside(&path, &format!("zip.{}", std::process::id())), half).unwrap();
        assert_eq!(package_kept(&path, b"changed").unwrap(), whole);
        // Between the zip and its label: the label is the former binary's.
        package_kept(&path, b"binary").unwrap();
        fs::write(zip_of(&path), &whole.zip).unwrap();
        let binary = package(b"binary").unwrap();
        assert_eq!(package_kept(&path, b"binary").unwrap(), binary);
        // A crash of the machine can leave a file shorter than it was written.
        fs::write(zip_of(&path), half).unwrap();
        fs::write(
            beside(&path, "json"),
            serde_json::to_vec(&label_of(&whole)).unwrap(),
        )
        .unwrap();
        assert_eq!(package_kept(&path, b"changed").unwrap(), whole);
        let label = serde_json::to_vec(&label_of(&whole)).unwrap();
        fs::write(beside(&path, "json"), &label[..label.len() / 2]).unwrap();
        assert_eq!(package_kept(&path, b"changed").unwrap(), whole);
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_only_time() {
        let nowhere = Path::new("/nonexistent/room");
        assert_eq!(
            package_kept(nowhere, b"binary").unwrap(),
            package(b"binary").unwrap()
        );
    }
}
