//! Makes a bundle of what was built.

use super::BundleError;
use super::container::{self, Files, MANIFEST};
use super::manifest::{FORMAT, Function, Manifest, Purpose, file_name};
use crate::cargo::BuildTarget;
use crate::digest::Sum;
use crate::make::Made;
use crate::tools::Toolchain;
use crate::zip;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the functions come from.
#[derive(Debug, Clone)]
pub struct About {
    /// The source's revision.
    pub git_revision: Option<String>,
    /// The compiler.
    pub toolchain: Toolchain,
}

/// A bundle that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The SHA-256 of its manifest, in hex.
    pub digest: String,
    /// What is in it.
    pub manifest: Manifest,
}

/// Writes a bundle: one archive where the name ends in `.zip`, a folder otherwise.
///
/// # Errors
/// When that can't be written, or holds something else.
pub fn write(
    out: &Path,
    functions: &BTreeMap<(String, BuildTarget), Made>,
    about: About,
) -> Result<Written, BundleError> {
    let mut files = Files::new();
    let mut listed = Vec::new();
    for ((package, target), made) in functions {
        let (purpose, target_name) = match target {
            BuildTarget::Lambda(machine) => (Purpose::Aws, machine.lambda_target()),
            BuildTarget::Host => (Purpose::Local, about.toolchain.host.clone()),
        };
        let file = file_name(package, *target);
        listed.push(Function {
            package: package.clone(),
            purpose,
            target: target_name,
            linker: made.linker.into(),
            file: file.clone(),
            zip_sha256: Sum::of(&made.package.zip).hex(),
            zip_bytes: made.package.zip.len(),
            binary_sha256: made.binary_sum.hex(),
            binary_bytes: made.binary_bytes,
        });
        files.insert(file, made.package.zip.to_vec());
    }
    let manifest = Manifest {
        format: FORMAT,
        zip_format: zip::FORMAT,
        git_revision: about.git_revision,
        toolchain: about.toolchain.version,
        deployer: env!("CARGO_PKG_VERSION").to_owned(),
        functions: listed,
    };
    let unwritable = |error: serde_json::Error| {
        BundleError::Unwritable(out.to_owned(), std::io::Error::from(error))
    };
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(unwritable)?;
    text.push(b'\n');
    let digest = Sum::of(&text).hex();
    files.insert(MANIFEST.to_owned(), text);
    container::write(out, &files)?;
    Ok(Written { digest, manifest })
}
