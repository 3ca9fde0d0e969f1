//! From Cargo packages to zips that Lambda (or the local cloud) can run, and to bundles
//! of them that can be carried elsewhere.
//!
//! Deliberately absent: uploading, and knowing what a stage is. Printing too:
//! what cargo says is handed on line by line.

mod build_times;
mod bundle;
mod cargo;
pub mod checkup;
mod digest;
mod functions;
mod inspect;
mod kept;
mod machine;
mod make;
mod metadata;
mod sources;
mod speech;
mod tools;
mod zip;

pub use bundle::{
    About, Bundle, BundleError, Function, Manifest, Purpose, Written, write as write_bundle,
};
pub use cargo::{BuildError, BuildTarget, Linker};
pub use functions::{LambdaPackage, Workspace};
pub use inspect::{InspectError, inspect, inspect_for_host};
pub use machine::{AL2023_GLIBC, Machine};
pub use make::{Made, MakeError, Remembered, make};
pub use sources::Sources;
pub use speech::{Said, Speech};
pub use tools::{Missing, Toolchain};
pub use zip::{Package, ZipError, package};
