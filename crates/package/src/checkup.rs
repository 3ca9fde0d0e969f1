//! What there is to build with, for whoever looks before there is anything to build. The
//! looks are a build's own, so that both say the same.

use crate::cargo::{BuildError, BuildTarget, Linker, cargo};
use crate::machine::Machine;
use crate::metadata::Metadata;
use crate::tools::{self, Missing};
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// A version of Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RustVersion(pub u64, pub u64, pub u64);

impl RustVersion {
    /// Of `1.94`, `1.94.1`, or what the compiler says: `rustc 1.94.1-nightly (e408947bf …)`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("rustc ").unwrap_or(text);
        let number = text.split([' ', '-', '+']).next()?;
        let mut parts = number.split('.').map(str::parse::<u64>);
        let mut part = || parts.next().map(Result::ok);
        Some(Self(part()??, part()??, part().unwrap_or(Some(0))?))
    }
}

impl fmt::Display for RustVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// What a build for `target` would be linked by.
///
/// # Errors
/// What it lacks: the build's own error.
pub async fn linker(root: &Path, target: BuildTarget) -> Result<Linker, BuildError> {
    tools::linker(root, target).await
}

/// What is missing to link again for an older glibc, where this machine's is too new.
pub async fn lacking_for_another_glibc(root: &Path, machine: Machine) -> Vec<Missing> {
    tools::missing(root, machine).await
}

/// What cargo calls itself: `cargo 1.94.1 (29ea6fb6a 2026-03-24)`.
///
/// # Errors
/// When it can't be run.
pub async fn cargo_version(root: &Path) -> Result<String, BuildError> {
    let mut command = cargo();
    command.arg("--version").current_dir(root);
    said(command).await.map_err(BuildError::NoCargo)
}

/// The oldest Rust that may build all of these packages; `None`: they don't say.
///
/// # Errors
/// When one isn't there or has no program, or the workspace can't be read.
pub async fn needed_rust<'a>(
    root: &Path,
    packages: impl Iterator<Item = &'a str> + Send,
) -> Result<Option<RustVersion>, BuildError> {
    let metadata = Metadata::read(root).await?;
    let mut needed = None;
    for package in packages {
        metadata.id_of(package)?;
        let said = metadata.rust_version_of(package);
        needed = needed.max(said.and_then(RustVersion::parse));
    }
    Ok(needed)
}

/// The program by which rustc links for this machine, and whether it can be run.
pub async fn host_linker(host: &str) -> (String, bool) {
    let variable = format!(
        "CARGO_TARGET_{}_LINKER",
        host.to_uppercase().replace(['-', '.'], "_")
    );
    let program = std::env::var(variable).unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&program);
    command.arg("--version");
    let runs = said(command).await.is_ok();
    (program, runs)
}

/// The version of this machine's glibc, if it has one.
pub async fn host_glibc() -> Option<(u32, u32)> {
    let mut command = Command::new("getconf");
    command.arg("GNU_LIBC_VERSION");
    glibc_of(&said(command).await.ok()?)
}

/// Of `glibc 2.39`.
fn glibc_of(said: &str) -> Option<(u32, u32)> {
    let (major, minor) = said.strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What a program prints on stdout, if it succeeds.
async fn said(mut command: Command) -> std::io::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => {
            let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(std::io::Error::other(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let of = |text| RustVersion::parse(text).unwrap();
        assert_eq!(
            of("rustc 1.94.1 (e408947bf 2026-03-25)").to_string(),
            "1.94.1"
        );
        assert_eq!(of("1.94"), RustVersion(1, 94, 0));
        assert!(of("rustc 1.100.0-nightly (x)") > of("1.94.1"));
        for wrong in ["", "rustc", "1", "rustc one.two"] {
            assert_eq!(RustVersion::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_c_library_is_read_from_what_the_system_says() {
        assert_eq!(glibc_of("glibc 2.39"), Some((2, 39)));
        assert_eq!(glibc_of("glibc 2.3.6"), Some((2, 3)));
        assert_eq!(glibc_of("musl"), None);
    }
}
