//! Uploaded code. What is inside is read from the archive's directory, not
//! unpacked: a `bootstrap` that is missing fails when the function starts, as
//! in AWS, and whoever unpacks must bound what he writes himself.

use std::io::Cursor;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{invalid_parameter, not_supported};
use crate::error::Failure;
use crate::limits::{UNZIPPED_BYTES, ZIP_ENTRIES, ZIPPED_BYTES};
use crate::wire::members::Members;

/// A function's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Code {
    /// Kept apart from the rest, under its digest.
    #[serde(skip)]
    pub(super) zip: Arc<Bytes>,
    pub(super) sha256: String,
}

impl Code {
    /// Reads `ZipFile` and checks it.
    pub(super) fn read(members: &Members) -> Result<Self, Failure> {
        for other in [
            "S3Bucket",
            "S3Key",
            "S3ObjectStorageMode",
            "S3ObjectVersion",
            "ImageUri",
            "SourceKMSKeyArn",
        ] {
            // Not even empty: these have at least one character.
            if members.text(other)?.is_some() {
                return Err(not_supported(&format!(
                    "code from {other}; send it as ZipFile"
                )));
            }
        }
        let text = members
            .text("ZipFile")?
            .ok_or_else(|| invalid_parameter("Please provide a source for function code."))?;
        let zip = STANDARD
            .decode(text)
            .map_err(|_| Failure::serialization("ZipFile is not valid base64"))?;
        check(&zip)?;
        let sha256 = STANDARD.encode(Sha256::digest(&zip));
        Ok(Self {
            zip: Arc::new(Bytes::from(zip)),
            sha256,
        })
    }

    /// The digest in hexadecimal digits.
    pub(super) fn digest_in_hex(&self) -> String {
        let digest = STANDARD.decode(&self.sha256).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digest with the letters that need no escapes in a URL.
    pub(super) fn digest_in_url(&self) -> String {
        let digest = self.sha256.trim_end_matches('=');
        digest.replace('+', "-").replace('/', "_")
    }
}

fn check(zip: &[u8]) -> Result<(), Failure> {
    if zip.is_empty() {
        return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
    }
    if zip.len() > ZIPPED_BYTES {
        return Err(Failure::new(
            413,
            "RequestEntityTooLargeException",
            format!("Zipped size must be smaller than {ZIPPED_BYTES} bytes"),
        ));
    }
    let unreadable = || {
        invalid_parameter(
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        )
    };
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| unreadable())?;
    if archive.is_empty() {
        return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
    }
    if archive.len() > ZIP_ENTRIES {
        return Err(not_supported(&format!(
            "archives of more than {ZIP_ENTRIES} entries"
        )));
    }
    let mut unzipped: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| unreadable())?;
        let name = entry.name().map_err(|_| unreadable())?;
        if !stays_inside(&name) {
            return Err(invalid_parameter(format!(
                "The entry {name:?} leaves the directory of the function"
            )));
        }
        if entry.is_symlink() {
            return Err(not_supported(&format!(
                "symbolic links in archives ({name:?})"
            )));
        }
        unzipped = unzipped.saturating_add(entry.size());
    }
    if unzipped > UNZIPPED_BYTES {
        return Err(invalid_parameter(format!(
            "Unzipped size must be smaller than {UNZIPPED_BYTES} bytes"
        )));
    }
    Ok(())
}

/// Strict on purpose: no root, no `..` even where it stays inside, nothing that
/// another system could read as a separator.
fn stays_inside(name: &str) -> bool {
    !name.starts_with('/')
        && !name.contains(['\\', '\0'])
        && !name.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::check;

    fn archive(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    fn message(zip: &[u8]) -> String {
        let failure = check(zip).unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (400, "InvalidParameterValueException")
        );
        failure.message
    }

    #[test]
    fn a_plain_archive_is_accepted_without_a_bootstrap() {
        let zip = archive(|writer| {
            writer
                .start_file("lib/readme.txt", SimpleFileOptions::default())
                .unwrap();
            writer.write_all(b"hello").unwrap();
        });
        assert_eq!(check(&zip), Ok(()));
    }

    #[test]
    fn what_cannot_be_unzipped_is_refused() {
        let text =
            "Could not unzip uploaded file. Please check your file, then try to upload again.";
        assert_eq!(message(b"not a zip"), text);
        assert_eq!(message(b""), "Uploaded file must be a non-empty zip");
        assert_eq!(
            message(&archive(|_| ())),
            "Uploaded file must be a non-empty zip"
        );
    }

    #[test]
    fn entries_that_leave_the_directory_are_refused() {
        for name in ["../bootstrap", "a/../../b", "a\\..\\b", "/bootstrap"] {
            let zip = archive(|writer| {
                writer
                    .start_file(name, SimpleFileOptions::default())
                    .unwrap()
            });
            assert!(
                message(&zip).ends_with("leaves the directory of the function"),
                "{name}"
            );
        }
    }

    #[test]
    fn symbolic_links_are_refused() {
        let zip = archive(|writer| {
            writer
                .add_symlink("bootstrap", "/bin/sh", SimpleFileOptions::default())
                .unwrap();
        });
        assert_eq!(
            message(&zip),
            "The local cloud does not support symbolic links in archives (\"bootstrap\") yet"
        );
    }

    #[test]
    fn unpacked_code_has_at_most_250_mib() {
        let zip = archive(|writer| {
            writer
                .start_file("zeros", SimpleFileOptions::default().large_file(true))
                .unwrap();
            let block = vec![0; 1024 * 1024];
            for _ in 0..251 {
                writer.write_all(&block).unwrap();
            }
        });
        assert_eq!(
            message(&zip),
            "Unzipped size must be smaller than 262144000 bytes"
        );
    }

    #[test]
    fn a_zip_has_at_most_50_mib() {
        let failure = check(&vec![0; 52_428_801]).unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (413, "RequestEntityTooLargeException")
        );
        assert_eq!(
            failure.message,
            "Zipped size must be smaller than 52428800 bytes"
        );
    }
}
