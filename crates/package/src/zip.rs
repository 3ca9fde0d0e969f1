//! A function's zip: `bootstrap`, executable, and nothing else. The same binary
//! gives the same bytes on any machine and day.

use base64::Engine;
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use std::sync::Arc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Lambda's limit for a zip that is uploaded with the call, in bytes (the
/// recorded 413 says so).
const ZIP_LIMIT: usize = 52_428_800;
/// What Lambda starts.
const ENTRY: &str = "bootstrap";
/// `rwxr-xr-x`: Lambda keeps the zip's modes, and a bootstrap that isn't
/// executable doesn't start.
const MODE: u32 = 0o755;

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
}

/// Zips one binary.
///
/// # Errors
/// When the zip is larger than Lambda takes, or the archive can't be written.
pub fn package(binary: &[u8]) -> Result<Package, ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(MODE);
    writer.start_file(ENTRY, options)?;
    writer.write_all(binary)?;
    let zip = writer.finish()?.into_inner();
    if zip.len() > ZIP_LIMIT {
        return Err(ZipError::TooLarge(zip.len()));
    }
    let sha256 = sha256_of(&zip);
    Ok(Package {
        zip: zip.into(),
        sha256,
    })
}

/// base64 of the SHA-256.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_same_binary_gives_the_same_bytes() {
        let one = package(b"binary").unwrap();
        assert_eq!(one, package(b"binary").unwrap());
        assert_ne!(one.sha256, package(b"another").unwrap().sha256);
        // Pinned: another version of a library must not change it unnoticed.
        assert_eq!(one.sha256, "BNo6vA8yZ0JD+ffc4GhqC/t7KGxKHZhveN7yUoFV4IM=");
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
