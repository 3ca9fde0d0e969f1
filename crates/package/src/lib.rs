//! From Cargo packages to zips that Lambda (or the local cloud) can run.
//!
//! Deliberately absent: uploading, and knowing what a stage is. Printing too:
//! what cargo says is handed on line by line.

mod cargo;
mod inspect;
mod kept;
mod zip;

pub use cargo::{BuildError, BuildTarget, build};
pub use inspect::{AL2023_GLIBC, InspectError, Machine, inspect};
pub use kept::package_kept;
pub use zip::{Package, ZipError, package};
