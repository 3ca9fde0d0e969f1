//! What a bundle says of itself: JSON, the same for the same functions. It has no time of
//! day in it.

use crate::cargo::{BuildTarget, Linker};
use crate::machine::Machine;
use serde::{Deserialize, Serialize};

/// Counts the shapes that manifests had.
pub(super) const FORMAT: u32 = 1;

/// A bundle's list of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The shape of this file.
    pub format: u32,
    /// How zips are made.
    pub zip_format: u32,
    /// The source's revision; `+` marks uncommitted changes. `None`: no git.
    pub git_revision: Option<String>,
    /// What rustc says of itself.
    pub toolchain: String,
    /// The deployer's version.
    pub deployer: String,
    /// What is in it, in order.
    pub functions: Vec<Function>,
}

/// A package's function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The Cargo package.
    pub package: String,
    /// Where it may be deployed.
    #[serde(rename = "for")]
    pub purpose: Purpose,
    /// rustc's name of what it was built for; for AWS with glibc's version.
    pub target: String,
    /// What linked it.
    pub linker: LinkedBy,
    /// The zip's name in the bundle.
    pub file: String,
    /// In hex.
    pub zip_sha256: String,
    /// The zip's size.
    pub zip_bytes: usize,
    /// In hex.
    pub binary_sha256: String,
    /// The size of what Lambda starts.
    pub binary_bytes: usize,
}

/// Where a build may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// AWS, and the local cloud of a machine that runs the same.
    Aws,
    /// The local cloud alone.
    Local,
}

/// What linked a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkedBy {
    /// The build machine's own linker.
    Cargo,
    /// zig.
    CargoZigbuild,
}

impl From<Linker> for LinkedBy {
    fn from(linker: Linker) -> Self {
        match linker {
            Linker::Native => Self::Cargo,
            Linker::Zig => Self::CargoZigbuild,
        }
    }
}

impl Function {
    /// The processor that it is for on AWS; `None` for a local build, and for a target
    /// that Lambda hasn't.
    pub fn machine(&self) -> Option<Machine> {
        let of_target = |machine: &Machine| machine.lambda_target() == self.target;
        match self.purpose {
            Purpose::Aws => Machine::ALL.into_iter().find(of_target),
            Purpose::Local => None,
        }
    }

    /// What it is for, in words.
    pub fn described(&self) -> String {
        match (self.purpose, self.machine()) {
            (Purpose::Aws, Some(machine)) => machine.to_string(),
            (Purpose::Aws, None) => self.target.clone(),
            (Purpose::Local, _) => format!("the local cloud of {}", self.target),
        }
    }

    /// Whether its names are those that the deployer gives; no other leads anywhere.
    pub(super) fn is_named_well(&self) -> bool {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let package = !self.package.is_empty() && self.package.bytes().all(letter);
        let file = match (self.purpose, self.machine()) {
            (Purpose::Aws, Some(machine)) => file_name(&self.package, BuildTarget::Lambda(machine)),
            (Purpose::Aws, None) => return false,
            (Purpose::Local, _) => file_name(&self.package, BuildTarget::Host),
        };
        package && file == self.file
    }
}

/// E.g. `room.arm64.zip`.
pub(super) fn file_name(package: &str, target: BuildTarget) -> String {
    match target {
        BuildTarget::Lambda(machine) => format!("{package}.{machine}.zip"),
        BuildTarget::Host => format!("{package}.local.zip"),
    }
}
