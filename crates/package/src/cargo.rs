//! Builds functions with cargo, in one invocation of their own: the features
//! others ask of shared crates must not end up in a function.

use crate::inspect::Machine;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::Command;

/// What a build is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildTarget {
    /// This machine, in the profile that compiles fast.
    Host,
    /// Amazon Linux 2023 on this processor, in the release profile.
    Lambda(Machine),
}

/// Why there are no binaries.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo can't be run.
    #[error("can't run cargo: {0}")]
    NoCargo(std::io::Error),
    /// Another processor than this machine's needs a linker for it.
    #[error("building for {0} on this machine needs cargo-zigbuild")]
    NeedsZigbuild(Machine),
    /// Cargo said what is wrong; its messages have been handed on.
    #[error("cargo could not build {packages}")]
    Failed {
        /// What was to be built.
        packages: String,
    },
    /// A package without a binary of its own name.
    #[error("the package `{package}` has no binary target named `{package}`")]
    NoBinary {
        /// Which.
        package: String,
    },
}

impl BuildError {
    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::NoCargo(_) => {
                "install Rust (https://rustup.rs) so that `cargo` is on the PATH".to_owned()
            }
            Self::NeedsZigbuild(machine) => format!(
                "run: cargo install --locked cargo-zigbuild && pip install ziglang && rustup target add {}",
                machine.rust_target()
            ),
            Self::Failed { .. } => {
                "mend what cargo says above; nothing was touched in the cloud".to_owned()
            }
            Self::NoBinary { package } => {
                format!(
                    "give `{package}` a src/main.rs, or name the right package in the stage file"
                )
            }
        }
    }
}

/// Builds `packages` of the workspace at `root`; gives each one's binary. What
/// cargo says goes to `line`, as it comes; `colour` asks cargo for colours.
///
/// # Errors
/// When cargo can't be run or doesn't succeed, or a package has no binary.
pub async fn build(
    root: &Path,
    packages: &[String],
    target: BuildTarget,
    colour: bool,
    line: &(dyn Fn(&str) + Sync),
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    match target {
        BuildTarget::Host => {
            command.arg("build");
        }
        BuildTarget::Lambda(machine) => {
            if has_zigbuild().await {
                command.args(["zigbuild", "--target", &machine.zig_target()]);
            } else if Machine::of_host() == Some(machine) {
                command.arg("build");
            } else {
                return Err(BuildError::NeedsZigbuild(machine));
            }
            command.arg("--release");
        }
    }
    for package in packages {
        command.args(["--package", package]);
    }
    let mut child = command
        .arg("--message-format=json-render-diagnostics")
        .args(["--color", if colour { "always" } else { "never" }])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(BuildError::NoCargo)?;
    let stdout = child
        .stdout
        .take()
        .map(lines)
        .ok_or_else(|| no_pipe("stdout"))?;
    let stderr = child
        .stderr
        .take()
        .map(lines)
        .ok_or_else(|| no_pipe("stderr"))?;
    let (binaries, ()) = tokio::join!(executables(stdout), hand_on(stderr, line));
    let status = child.wait().await.map_err(BuildError::NoCargo)?;
    if !status.success() {
        return Err(BuildError::Failed {
            packages: packages.join(", "),
        });
    }
    packages
        .iter()
        .map(|package| match binaries.get(package) {
            Some(path) => Ok((package.clone(), path.clone())),
            None => Err(BuildError::NoBinary {
                package: package.clone(),
            }),
        })
        .collect()
}

async fn has_zigbuild() -> bool {
    let status = Command::new("cargo-zigbuild")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

fn no_pipe(which: &str) -> BuildError {
    BuildError::NoCargo(std::io::Error::other(format!(
        "cargo's {which} is not piped"
    )))
}

fn lines<R: AsyncRead + Unpin>(stream: R) -> Lines<BufReader<R>> {
    BufReader::new(stream).lines()
}

/// A line of cargo's machine-readable output; other lines have other reasons.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

async fn executables<R: AsyncRead + Unpin>(
    mut stdout: Lines<BufReader<R>>,
) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    while let Ok(Some(line)) = stdout.next_line().await {
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        if let (true, Some(path), Some(target)) = (
            message.reason == "compiler-artifact",
            message.executable,
            message.target,
        ) {
            found.insert(target.name, path);
        }
    }
    found
}

async fn hand_on<R: AsyncRead + Unpin>(
    mut stderr: Lines<BufReader<R>>,
    to: &(dyn Fn(&str) + Sync),
) {
    while let Ok(Some(line)) = stderr.next_line().await {
        to(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn workspace(main: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        let manifest =
            "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
        std::fs::write(dir.path().join("src/main.rs"), main).unwrap();
        dir
    }

    async fn build_hello(
        dir: &tempfile::TempDir,
    ) -> (Result<BTreeMap<String, PathBuf>, BuildError>, String) {
        let said = Mutex::new(String::new());
        let line = |text: &str| said.lock().unwrap().push_str(&format!("{text}\n"));
        let built = build(
            dir.path(),
            &["hello".to_owned()],
            BuildTarget::Host,
            false,
            &line,
        )
        .await;
        (built, said.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_package_that_compiles_gives_its_binary() {
        let dir = workspace("fn main() {}");
        let (built, said) = build_hello(&dir).await;
        assert!(built.unwrap()["hello"].is_file(), "{said}");
    }

    #[tokio::test]
    async fn the_compilers_message_is_handed_on() {
        let dir = workspace("fn main() { no_such_function() }");
        let (built, said) = build_hello(&dir).await;
        assert!(matches!(built, Err(BuildError::Failed { .. })));
        assert!(
            said.contains("cannot find function `no_such_function`"),
            "{said}"
        );
        assert!(said.contains("src/main.rs:1:13"), "{said}");
    }
}
