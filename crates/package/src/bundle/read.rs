//! Reads a bundle, and believes nothing that it can check.

use super::BundleError;
use super::container::{self, Files, MANIFEST};
use super::manifest::{FORMAT, Function, Manifest};
use crate::cargo::BuildTarget;
use crate::digest::Sum;
use crate::inspect::{inspect, inspect_for_host};
use crate::zip::{self, Package, unpack};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// A bundle that is whole.
#[derive(Debug)]
pub struct Bundle {
    /// The SHA-256 of its manifest, in hex.
    pub digest: String,
    /// What is in it.
    pub manifest: Manifest,
    functions: Vec<Checked>,
}

/// A function that is what the manifest says.
#[derive(Debug)]
struct Checked {
    listed: Function,
    package: Package,
    /// Whether this machine could run it.
    runs_here: bool,
}

/// As much of a manifest as every version has.
#[derive(Deserialize)]
struct Formats {
    format: u32,
    zip_format: u32,
}

impl Bundle {
    /// Reads and checks all of it. `digest`: what its manifest must have, by the word of
    /// whoever made it.
    ///
    /// # Errors
    /// When it isn't a bundle, was changed, or holds what couldn't start.
    pub fn read(path: &Path, digest: Option<&str>) -> Result<Self, BundleError> {
        let mut files = container::read(path)?;
        let text = files.remove(MANIFEST).unwrap_or_default();
        let found = Sum::of(&text).hex();
        if let Some(wanted) = digest
            && !wanted.eq_ignore_ascii_case(&found)
        {
            return Err(BundleError::Another {
                path: path.to_owned(),
                found,
                wanted: wanted.to_owned(),
            });
        }
        let manifest = parse(path, &text)?;
        let functions = check_all(path, &manifest, files)?;
        Ok(Self {
            digest: found,
            manifest,
            functions,
        })
    }

    /// The zip of a package for a target. The local cloud gets the local build, and where
    /// there is none the one for AWS, if this machine runs that.
    ///
    /// # Errors
    /// When there is none.
    pub fn package(&self, package: &str, target: BuildTarget) -> Result<&Package, BundleError> {
        let of_package = || {
            let functions = self.functions.iter();
            functions.filter(|function| function.listed.package == package)
        };
        let fits = |function: &&Checked| match target {
            BuildTarget::Lambda(machine) => function.listed.machine() == Some(machine),
            BuildTarget::Host => function.runs_here,
        };
        // A local build has the debug information, and is what `up` would take.
        let found = of_package()
            .filter(fits)
            .max_by_key(|function| function.listed.purpose);
        if let Some(found) = found {
            return Ok(&found.package);
        }
        let there: Vec<String> = of_package().map(|f| f.listed.described()).collect();
        if there.is_empty() {
            let all: BTreeSet<&String> = self.functions.iter().map(|f| &f.listed.package).collect();
            return Err(BundleError::Lacks {
                package: package.to_owned(),
                there: all.into_iter().cloned().collect(),
            });
        }
        Err(BundleError::BuiltForOther {
            package: package.to_owned(),
            wanted: match target {
                BuildTarget::Lambda(machine) => format!("{machine} on AWS"),
                BuildTarget::Host => "the local cloud of this machine".to_owned(),
            },
            there,
        })
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Manifest, BundleError> {
    let no_bundle = |error: serde_json::Error| {
        BundleError::NoBundle(path.to_owned(), format!("{MANIFEST}: {error}"))
    };
    let formats: Formats = serde_json::from_slice(text).map_err(no_bundle)?;
    if (formats.format, formats.zip_format) != (FORMAT, zip::FORMAT) {
        return Err(BundleError::OtherVersion(path.to_owned()));
    }
    serde_json::from_slice(text).map_err(no_bundle)
}

/// Every file is one of the manifest's, and every one of those is there and as it says.
fn check_all(
    path: &Path,
    manifest: &Manifest,
    mut files: Files,
) -> Result<Vec<Checked>, BundleError> {
    let changed = |what: String| BundleError::Changed(path.to_owned(), what);
    let mut all = Vec::new();
    for listed in &manifest.functions {
        if !listed.is_named_well() {
            return Err(changed(format!(
                "the manifest has no right name for `{}` of {}",
                listed.package, listed.target
            )));
        }
        let file = &listed.file;
        let zip = files
            .remove(file)
            .ok_or_else(|| changed(format!("{file} is missing, or listed twice")))?;
        if zip.len() != listed.zip_bytes || Sum::of(&zip).hex() != listed.zip_sha256 {
            return Err(changed(format!("{file} isn't what the manifest says")));
        }
        let binary = unpack(&zip).map_err(|error| changed(format!("{file}: {error}")))?;
        if binary.len() != listed.binary_bytes || Sum::of(&binary).hex() != listed.binary_sha256 {
            return Err(changed(format!(
                "the binary in {file} isn't what the manifest says"
            )));
        }
        if let Some(machine) = listed.machine() {
            inspect(&binary, machine).map_err(|reason| BundleError::Unfit {
                package: listed.package.clone(),
                reason,
            })?;
        }
        all.push(Checked {
            listed: listed.clone(),
            package: Package {
                sha256: Sum::of(&zip).base64(),
                zip: zip.into(),
            },
            runs_here: inspect_for_host(&binary).is_ok(),
        });
    }
    match files.keys().next() {
        Some(more) => Err(changed(format!("the manifest doesn't name {more}"))),
        None => Ok(all),
    }
}
