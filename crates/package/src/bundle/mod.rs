//! Bundles: functions' zips with a manifest, made in one place and deployed from another,
//! as a file or as a folder.
//!
//! A bundle is read as a whole before anything of it is used: it must be, byte for byte,
//! what its manifest says, and every binary in it is looked into again. Who can change the
//! manifest too is found by its digest, which travels by another way.
//!
//! Deliberately absent: stage files, which the deploy job has; signatures, for which the
//! digest is what would be signed.

mod container;
mod manifest;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use manifest::{Function, Manifest, Purpose};
pub use read::Bundle;
pub use write::{About, Written, write};

use crate::inspect::InspectError;
use std::path::PathBuf;

/// Why a bundle can't be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It isn't there, or can't be read.
    #[error("can't read the bundle {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// It can't be written.
    #[error("can't write the bundle {0}: {1}")]
    Unwritable(PathBuf, std::io::Error),
    /// A folder with other things in it.
    #[error("{0} is no bundle: it holds `{1}`")]
    Occupied(PathBuf, String),
    /// Something else.
    #[error("{0} is no bundle: {1}")]
    NoBundle(PathBuf, String),
    /// Made by another version of the deployer.
    #[error("the bundle {0} is of another version of the deployer")]
    OtherVersion(PathBuf),
    /// It isn't what it was when it was made.
    #[error("the bundle {0} was changed after it was made: {1}")]
    Changed(PathBuf, String),
    /// It is whole, and another one than was asked for.
    #[error("the bundle {path} is another one: its digest is {found}, asked for was {wanted}")]
    Another {
        /// Which.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What it should have.
        wanted: String,
    },
    /// One of its binaries couldn't start.
    #[error("the package `{package}` of the bundle can't be deployed as a function: {reason}")]
    Unfit {
        /// Which.
        package: String,
        /// Why.
        reason: InspectError,
    },
    /// A function isn't in it.
    #[error("the bundle has no package `{package}`; it has {}", there.join(", "))]
    Lacks {
        /// Which.
        package: String,
        /// What is there.
        there: Vec<String>,
    },
    /// A function is in it, for something else.
    #[error("the bundle has the package `{package}` for {}, not for {wanted}", there.join(" and "))]
    BuiltForOther {
        /// Which.
        package: String,
        /// What the stage wants.
        wanted: String,
        /// What is there.
        there: Vec<String>,
    },
}

impl BundleError {
    /// What to do.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Unreadable(..) | Self::NoBundle(..) => {
                "name a file or folder that `deployer package` made"
            }
            Self::Unwritable(..) => "name another place by --out",
            Self::Occupied(..) => "name an empty folder, or one with a bundle, by --out",
            Self::OtherVersion(_) => "make it again by `deployer package` of this version",
            Self::Changed(..) => {
                "carry it here again as `deployer package` left it; nothing was touched"
            }
            Self::Another { .. } => {
                "carry the right one here, with the digest that `deployer package` printed; nothing was touched"
            }
            Self::Unfit { .. } | Self::Lacks { .. } => {
                "make it again by `deployer package` with all stages that it is for; nothing was touched"
            }
            Self::BuiltForOther { .. } => {
                "make it again by `deployer package` with this stage; nothing was touched"
            }
        }
    }
}
