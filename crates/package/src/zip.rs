//! A function's zip: `bootstrap`, executable, and nothing else. The same binary
//! gives the same bytes on any machine and day.

use crate::digest::Sum;
use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Lambda's limit for a zip that is uploaded with the call, in bytes (the
/// recorded 413 says so).
pub(crate) const ZIP_LIMIT: usize = 52_428_800;
/// Lambda's limit for what a zip unpacks to, in bytes (the recorded 400 says so).
const UNZIPPED_LIMIT: usize = 262_144_000;
/// What Lambda starts.
const ENTRY: &str = "bootstrap";
/// `rwxr-xr-x`: Lambda keeps the zip's modes, and a bootstrap that isn't
/// executable doesn't start.
const MODE: u32 = 0o755;

/// How hard a zip is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For AWS, where it is sent afar and loaded at each start.
    #[default]
    Small,
    /// For the local cloud: whoever has saved is waiting.
    Quick,
}

impl Effort {
    fn level(self) -> Option<i64> {
        match self {
            Self::Small => None,
            Self::Quick => Some(1),
        }
    }
}

/// Counts the ways in which zips were made: it grows whenever the same binary would
/// give another zip.
pub(crate) const FORMAT: u32 = 1;

/// A function's code, ready to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The zip.
    pub zip: Arc<[u8]>,
    /// base64 of its SHA-256, as Lambda reports it.
    pub sha256: String,
}

/// Why there is no zip.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// Writing it failed.
    #[error("can't zip it: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// As above, by the archive's writer.
    #[error("can't zip it: {0}")]
    Io(#[from] std::io::Error),
    /// Lambda takes no larger one.
    #[error("its zip has {0} bytes; Lambda takes at most {ZIP_LIMIT}")]
    TooLarge(usize),
    /// Lambda unpacks no larger one.
    #[error("it has {0} bytes; Lambda unpacks at most {UNZIPPED_LIMIT}")]
    BinaryTooLarge(usize),
    /// Not a zip that [`package`] makes.
    #[error("it is not a function's zip as the deployer makes them: {0}")]
    NotOurs(String),
}

/// Zips one binary.
///
/// # Errors
/// When binary or zip is larger than Lambda takes, or the archive can't be written.
pub fn package(binary: &[u8]) -> Result<Package, ZipError> {
    package_by(binary, Effort::Small)
}

/// As [`package`], compressed as hard as is said.
pub(crate) fn package_by(binary: &[u8], effort: Effort) -> Result<Package, ZipError> {
    if binary.len() > UNZIPPED_LIMIT {
        return Err(ZipError::BinaryTooLarge(binary.len()));
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(effort.level())
        .last_modified_time(DateTime::default())
        .unix_permissions(MODE);
    writer.start_file(ENTRY, options)?;
    writer.write_all(binary)?;
    let zip = writer.finish()?.into_inner();
    if zip.len() > ZIP_LIMIT {
        return Err(ZipError::TooLarge(zip.len()));
    }
    let sha256 = Sum::of(&zip).base64();
    Ok(Package {
        zip: zip.into(),
        sha256,
    })
}

/// The binary in a zip that [`package`] made of it. Whoever takes a zip of elsewhere
/// knows by this that it holds that binary, executable, and nothing beside it: the zip
/// is made anew and compared.
///
/// # Errors
/// When it is anything else.
pub(crate) fn unpack(zip: &[u8]) -> Result<Vec<u8>, ZipError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip))?;
    let entry = archive.by_name(ENTRY)?;
    let mut binary = Vec::new();
    // What the archive says of the size may be untrue.
    let limit = u64::try_from(UNZIPPED_LIMIT).unwrap_or(u64::MAX);
    entry.take(limit + 1).read_to_end(&mut binary)?;
    for effort in [Effort::Small, Effort::Quick] {
        if *package_by(&binary, effort)?.zip == *zip {
            return Ok(binary);
        }
    }
    Err(ZipError::NotOurs(format!(
        "one of the same `{ENTRY}` has other bytes"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_for_the_local_cloud_is_known_again_too() {
        let binary = b"binary ".repeat(1000);
        let quick = package_by(&binary, Effort::Quick).unwrap();
        assert_ne!(quick, package(&binary).unwrap());
        assert_eq!(unpack(&quick.zip).unwrap(), binary);
    }

    #[test]
    fn the_same_binary_gives_the_same_bytes() {
        let one = package(b"binary").unwrap();
        assert_eq!(one, package(b"binary").unwrap());
        assert_ne!(one.sha256, package(b"another").unwrap().sha256);
        // Pinned: another version of a library must not change it unnoticed.
        assert_eq!(one.sha256, "BNo6vA8yZ0JD+ffc4GhqC/t7KGxKHZhveN7yUoFV4IM=");
    }

    /// As compressible as code, and of several of the compressor's windows.
    fn large() -> Vec<u8> {
        let mut state = 1_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [b'a' + (state >> 29) as u8; 2]
        })
        .take(100_000)
        .flatten()
        .collect()
    }

    #[test]
    fn a_binary_of_several_windows_gives_the_same_bytes_too() {
        // Pinned like the small one: the compressor has paths of its own for each
        // processor, and they must agree.
        assert_eq!(
            package(&large()).unwrap().sha256,
            "j3ekhQQhzB+9VVe39rDAjimmWS2fNqZEMo5EbC1lcKw="
        );
    }

    #[test]
    fn the_binary_is_found_again() {
        for binary in [b"binary".to_vec(), large(), Vec::new()] {
            let made = package(&binary).unwrap();
            assert_eq!(unpack(&made.zip).unwrap(), binary);
        }
    }

    /// A zip with these entries, and their modes.
    fn zip_of(entries: &[(&str, u32)], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode) in entries {
            let options = SimpleFileOptions::default()
                .compression_method(method)
                .last_modified_time(DateTime::default())
                .unix_permissions(*mode);
            writer.start_file(*name, options).unwrap();
            writer.write_all(b"binary").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_zip_that_others_made_is_refused() {
        let deflated = CompressionMethod::Deflated;
        assert_eq!(
            unpack(&zip_of(&[(ENTRY, MODE)], deflated)).unwrap(),
            b"binary"
        );
        let mut longer = zip_of(&[(ENTRY, MODE)], deflated);
        longer.push(0);
        for (what, zip) in [
            ("not executable", zip_of(&[(ENTRY, 0o644)], deflated)),
            ("of another name", zip_of(&[("start", MODE)], deflated)),
            (
                "with more in it",
                zip_of(&[(ENTRY, MODE), ("more", MODE)], deflated),
            ),
            (
                "not compressed",
                zip_of(&[(ENTRY, MODE)], CompressionMethod::Stored),
            ),
            ("followed by a byte", longer),
            ("no zip", b"no zip".to_vec()),
        ] {
            assert!(unpack(&zip).is_err(), "{what}");
        }
    }

    #[test]
    fn a_binary_larger_than_lambda_unpacks_is_refused() {
        let zeros = vec![0; UNZIPPED_LIMIT + 1];
        assert!(matches!(
            package(&zeros),
            Err(ZipError::BinaryTooLarge(size)) if size == UNZIPPED_LIMIT + 1
        ));
    }

    #[test]
    fn bootstrap_is_executable_and_alone() {
        let package = package(b"binary").unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(&package.zip[..])).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "binary");
    }

    #[test]
    fn a_zip_larger_than_lambda_takes_is_refused() {
        // Noise doesn't compress.
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()
        })
        .take(ZIP_LIMIT / 4 + 1)
        .flatten()
        .collect();
        assert!(matches!(package(&noise), Err(ZipError::TooLarge(_))));
    }
}
