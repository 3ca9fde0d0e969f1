//! Builds functions with cargo, in one invocation of their own: the features
//! others ask of shared crates must not end up in a function.

use crate::build_times::BuildTimes;
use crate::machine::Machine;
use crate::metadata::Metadata;
use crate::speech::{Program, Said, Speech, hand_on, programs};
use crate::tools::Missing;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;
use tokio::process::Command;

/// What a build is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildTarget {
    /// This machine, in the profile that compiles fast.
    Host,
    /// Amazon Linux 2023 on this processor, in the release profile.
    Lambda(Machine),
}

/// What links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linker {
    /// This machine's, against its own glibc.
    Native,
    /// cargo-zigbuild, against glibc 2.34 of any processor.
    Zig,
}

/// Why there are no binaries.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo can't be run.
    #[error("can't run cargo: {0}")]
    NoCargo(std::io::Error),
    /// The compiler can't be run.
    #[error("can't run rustc: {0}")]
    NoRustc(std::io::Error),
    /// There is no workspace, or a mistake in it.
    #[error("cargo can't read the workspace: {0}")]
    Workspace(String),
    /// A package that isn't there.
    #[error("there is no package `{package}` in the workspace")]
    NoPackage {
        /// Which.
        package: String,
        /// Those that have programs.
        known: Vec<String>,
    },
    /// Another target than this machine's needs a linker for it.
    #[error("building for {machine} on this machine needs {}", list(missing))]
    Tools {
        /// Which processor.
        machine: Machine,
        /// What isn't there.
        missing: Vec<Missing>,
    },
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

fn list(missing: &[Missing]) -> String {
    let all: Vec<String> = missing.iter().map(ToString::to_string).collect();
    all.join(", ")
}

impl BuildError {
    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::NoCargo(_) | Self::NoRustc(_) => {
                "install Rust (https://rustup.rs) so that `cargo` is on the PATH".to_owned()
            }
            Self::Workspace(_) => {
                "mend what cargo says; nothing was touched in the cloud".to_owned()
            }
            Self::NoPackage { known, .. } => format!(
                "set `package` of the function in the stage file to one with a src/main.rs: {}",
                known.join(", ")
            ),
            Self::Tools { missing, .. } => {
                let commands: Vec<String> = missing.iter().map(|what| what.command()).collect();
                format!("run: {}", commands.join(" && "))
            }
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

/// What is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    /// The workspace's folder.
    pub root: &'a Path,
    /// Its packages.
    pub packages: &'a [String],
    /// What for.
    pub target: BuildTarget,
}

/// Cargo; the one that runs us, if one does.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds packages; gives each one's binary. What cargo says goes to `said`, as it
/// comes.
pub(crate) async fn build(
    order: Order<'_>,
    linker: Linker,
    speech: Speech,
    said: &(dyn Fn(Said<'_>) + Sync),
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let mut command = cargo();
    match (linker, order.target) {
        (Linker::Zig, BuildTarget::Lambda(machine)) => {
            command.args(["zigbuild", "--target", &machine.lambda_target()]);
        }
        _ => {
            command.arg("build");
        }
    }
    if order.target != BuildTarget::Host {
        command.arg("--release");
    }
    for package in order.packages {
        command.args(["--package", package]);
    }
    if speech.progress {
        // Cargo shows it on terminals only, unless told, and then wants to know how wide.
        command.env("CARGO_TERM_PROGRESS_WHEN", "always");
        command.env("CARGO_TERM_PROGRESS_WIDTH", "76");
    }
    let mut child = command
        .arg("--message-format=json-render-diagnostics")
        .args(["--color", if speech.colour { "always" } else { "never" }])
        .current_dir(order.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(BuildError::NoCargo)?;
    let stdout = child.stdout.take().ok_or_else(|| no_pipe("stdout"))?;
    let stderr = child.stderr.take().ok_or_else(|| no_pipe("stderr"))?;
    // While cargo works: it takes a moment, and mostly says what is known. Where a
    // package is none, cargo is stopped.
    let begun = Instant::now();
    let ids = async {
        let metadata = Metadata::read(order.root).await?;
        let times = BuildTimes::new(&metadata.target_directory, order.packages, order.target);
        if let Some(last) = times.last() {
            said(Said::LastTook(last));
        }
        let packages = order.packages.iter();
        let ids = packages.map(|package| Ok((metadata.id_of(package)?.to_owned(), package)));
        let ids = ids.collect::<Result<BTreeMap<_, _>, BuildError>>();
        Ok((ids?, times))
    };
    let heard = async { Ok(tokio::join!(programs(stdout), hand_on(stderr, said)).0) };
    let ((ids, times), programs) = tokio::try_join!(ids, heard)?;
    let status = child.wait().await.map_err(BuildError::NoCargo)?;
    if !status.success() {
        return Err(BuildError::Failed {
            packages: order.packages.join(", "),
        });
    }
    times.keep(begun.elapsed());
    let mut built = BTreeMap::new();
    for (id, package) in ids {
        let of_package = |program: &&Program| program.package_id == id && program.name == *package;
        match programs.iter().find(of_package) {
            Some(program) => built.insert(package.clone(), program.path.clone()),
            None => {
                return Err(BuildError::NoBinary {
                    package: package.clone(),
                });
            }
        };
    }
    Ok(built)
}

fn no_pipe(which: &str) -> BuildError {
    BuildError::NoCargo(std::io::Error::other(format!(
        "cargo's {which} is not piped"
    )))
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

    /// Whether it was a line, and what.
    type Heard = Vec<(bool, String)>;

    async fn build_hello(
        dir: &tempfile::TempDir,
        progress: bool,
    ) -> (Result<BTreeMap<String, PathBuf>, BuildError>, Heard) {
        let heard = Mutex::new(Vec::new());
        let said = |said: Said<'_>| {
            heard.lock().unwrap().push(match said {
                Said::Line(text) => (true, text.to_owned()),
                Said::Progress(text) => (false, text.to_owned()),
                Said::Built => (true, "built".to_owned()),
                Said::LastTook(_) => return,
            });
        };
        let order = Order {
            root: dir.path(),
            packages: &["hello".to_owned()],
            target: BuildTarget::Host,
        };
        let speech = Speech {
            colour: false,
            progress,
        };
        let built = build(order, Linker::Native, speech, &said).await;
        (built, heard.into_inner().unwrap())
    }

    fn lines(heard: &Heard) -> String {
        let lines: Vec<&str> = heard
            .iter()
            .filter(|(line, _)| *line)
            .map(|(_, text)| text.as_str())
            .collect();
        lines.join("\n")
    }

    #[tokio::test]
    async fn a_package_that_compiles_gives_its_binary() {
        let dir = workspace("fn main() {}");
        let (built, heard) = build_hello(&dir, false).await;
        assert!(built.unwrap()["hello"].is_file(), "{heard:?}");
        assert!(heard.iter().all(|(line, _)| *line), "{heard:?}");
    }

    #[tokio::test]
    async fn the_compilers_message_is_handed_on() {
        let dir = workspace("fn main() { no_such_function() }");
        let (built, heard) = build_hello(&dir, true).await;
        assert!(matches!(built, Err(BuildError::Failed { .. })));
        let said = lines(&heard);
        assert!(
            said.contains("cannot find function `no_such_function`"),
            "{said}"
        );
        assert!(said.contains("src/main.rs:1:13"), "{said}");
    }

    #[tokio::test]
    async fn progress_is_told_apart_from_what_stays() {
        let dir = workspace("fn main() {}");
        let (built, heard) = build_hello(&dir, true).await;
        built.unwrap();
        let said = lines(&heard);
        assert!(said.contains("Compiling hello v0.1.0"), "{said}");
        assert!(said.contains("Finished"), "{said}");
        assert!(!said.contains("0/1"), "{said}");
        let far = |(line, text): &(bool, String)| !line && text.contains("0/1");
        assert!(heard.iter().any(far), "{heard:?}");
    }
}
