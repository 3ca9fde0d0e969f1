//! What this machine can build with: its own linker where compiler and function have
//! one target, cargo-zigbuild for everything else.

use crate::cargo::{BuildError, BuildTarget, Linker};
use crate::machine::Machine;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// Something that must be installed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The cargo subcommand.
    Zigbuild,
    /// The compiler that it links with.
    Zig,
    /// The standard library for a processor.
    Target(Machine),
}

impl Missing {
    /// The command that installs it.
    pub fn command(self) -> String {
        match self {
            Self::Zigbuild => "cargo install --locked cargo-zigbuild".to_owned(),
            Self::Zig => "pip install ziglang".to_owned(),
            Self::Target(machine) => format!("rustup target add {}", machine.rust_target()),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zigbuild => f.write_str("cargo-zigbuild"),
            Self::Zig => f.write_str("zig"),
            Self::Target(machine) => write!(f, "Rust's target {}", machine.rust_target()),
        }
    }
}

/// The compiler, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// E.g. `rustc 1.94.1 (e408947bf 2026-03-25)`.
    pub version: String,
    /// The target that it builds for unless told, e.g. `x86_64-unknown-linux-gnu`.
    pub host: String,
}

impl Toolchain {
    /// The one that cargo uses in `root`.
    ///
    /// # Errors
    /// When it can't be run.
    pub async fn of(root: &Path) -> Result<Self, BuildError> {
        let output = rustc(root).arg("-vV").output().await;
        let output = output.map_err(BuildError::NoRustc)?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(BuildError::NoRustc(std::io::Error::other(
                error.trim().to_owned(),
            )));
        }
        Ok(Self::parse(&said))
    }

    fn parse(said: &str) -> Self {
        let mut lines = said.lines();
        let version = lines.next().unwrap_or_default().to_owned();
        let host = lines.find_map(|line| line.strip_prefix("host: "));
        Self {
            version,
            host: host.unwrap_or_default().to_owned(),
        }
    }

    /// Whether it builds for a target unless told otherwise.
    fn builds(&self, machine: Machine) -> bool {
        self.host == machine.rust_target()
    }
}

/// What links a build.
pub(crate) async fn linker(root: &Path, target: BuildTarget) -> Result<Linker, BuildError> {
    match target {
        BuildTarget::Host => Ok(Linker::Native),
        // The deployer was built by such a toolchain. If it has gone since, the binary
        // tells when it is looked into.
        BuildTarget::Lambda(machine)
            if cfg!(target_env = "gnu")
                && cfg!(target_os = "linux")
                && Machine::of_host() == Some(machine) =>
        {
            Ok(Linker::Native)
        }
        BuildTarget::Lambda(machine) => match Toolchain::of(root).await?.builds(machine) {
            true => Ok(Linker::Native),
            false => ready(machine, missing(root, machine).await),
        },
    }
}

fn ready(machine: Machine, missing: Vec<Missing>) -> Result<Linker, BuildError> {
    match missing.is_empty() {
        true => Ok(Linker::Zig),
        false => Err(BuildError::Tools { machine, missing }),
    }
}

/// What cargo-zigbuild would lack.
pub(crate) async fn missing(root: &Path, machine: Machine) -> Vec<Missing> {
    let (zigbuild, zig, target) = tokio::join!(
        succeeds(OsString::from("cargo-zigbuild"), &["--version"]),
        has_zig(),
        has_target(root, machine)
    );
    let all = [
        (zigbuild, Missing::Zigbuild),
        (zig, Missing::Zig),
        (target, Missing::Target(machine)),
    ];
    all.into_iter()
        .filter_map(|(there, what)| (!there).then_some(what))
        .collect()
}

/// Where cargo-zigbuild looks for it: its own variables, the PATH, Python's package.
async fn has_zig() -> bool {
    if std::env::var_os("CARGO_ZIGBUILD_ZIG_COMMAND").is_some() {
        return true;
    }
    let zig = std::env::var_os("CARGO_ZIGBUILD_ZIG_PATH").unwrap_or_else(|| "zig".into());
    if succeeds(zig, &["version"]).await {
        return true;
    }
    let python = std::env::var_os("CARGO_ZIGBUILD_PYTHON_PATH").unwrap_or_else(|| "python3".into());
    succeeds(python, &["-m", "ziglang", "version"]).await
}

async fn has_target(root: &Path, machine: Machine) -> bool {
    let output = rustc(root)
        .args([
            "--print",
            "target-libdir",
            "--target",
            machine.rust_target(),
        ])
        .output()
        .await;
    output.is_ok_and(|output| {
        let dir = String::from_utf8_lossy(&output.stdout);
        // The folder may be left behind, empty.
        std::fs::read_dir(dir.trim()).is_ok_and(|mut entries| entries.next().is_some())
    })
}

fn rustc(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn succeeds(program: OsString, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(host: &str) -> Toolchain {
        let said = format!(
            "rustc 1.94.1 (e408947bf 2026-03-25)\nbinary: rustc\nhost: {host}\nrelease: 1.94.1\n"
        );
        Toolchain::parse(&said)
    }

    #[test]
    fn the_compiler_says_what_it_is() {
        let parsed = toolchain("aarch64-unknown-linux-gnu");
        assert_eq!(parsed.version, "rustc 1.94.1 (e408947bf 2026-03-25)");
        assert_eq!(parsed.host, "aarch64-unknown-linux-gnu");
    }

    #[test]
    fn another_system_or_c_library_is_another_target_on_the_same_processor() {
        for machine in Machine::ALL {
            assert!(toolchain(machine.rust_target()).builds(machine));
        }
        for other in ["aarch64-apple-darwin", "aarch64-unknown-linux-musl"] {
            assert!(!toolchain(other).builds(Machine::Arm64), "{other}");
        }
    }

    #[tokio::test]
    async fn what_is_of_this_machines_target_is_linked_natively() {
        let root = Path::new(".");
        let own = linker(root, BuildTarget::Host).await.unwrap();
        assert_eq!(own, Linker::Native);
        let toolchain = Toolchain::of(root).await.unwrap();
        for machine in Machine::ALL {
            if toolchain.builds(machine) {
                let linker = linker(root, BuildTarget::Lambda(machine)).await;
                assert_eq!(linker.unwrap(), Linker::Native);
            }
        }
    }

    #[test]
    fn with_everything_there_another_target_is_linked_by_zig() {
        assert_eq!(ready(Machine::Arm64, Vec::new()).unwrap(), Linker::Zig);
    }

    #[test]
    fn whatever_is_missing_is_named_with_the_commands_that_install_it() {
        let of = |missing: &[Missing]| {
            let error = ready(Machine::Arm64, missing.to_vec()).unwrap_err();
            (error.to_string(), error.next_step())
        };
        let (what, next) = of(&[
            Missing::Zigbuild,
            Missing::Zig,
            Missing::Target(Machine::Arm64),
        ]);
        assert_eq!(
            what,
            "building for arm64 on this machine needs cargo-zigbuild, zig, Rust's target aarch64-unknown-linux-gnu"
        );
        assert_eq!(
            next,
            "run: cargo install --locked cargo-zigbuild && pip install ziglang && rustup target add aarch64-unknown-linux-gnu"
        );
        let (what, next) = of(&[Missing::Target(Machine::Arm64)]);
        assert!(what.ends_with("needs Rust's target aarch64-unknown-linux-gnu"));
        assert_eq!(next, "run: rustup target add aarch64-unknown-linux-gnu");
    }
}
