//! Compiler, linkers, targets, zig: by the looks that a build itself takes.

use super::super::build::{architecture, machine};
use crate::commands::run::Stage;
use crate::project::Project;
use crate::render::Finding;
use deployer_core::stage_file::Place;
use deployer_package::checkup::{self, RustVersion};
use deployer_package::{
    AL2023_GLIBC, BuildError, BuildTarget, Linker, Machine, Missing, Toolchain,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const GET_RUST: &str =
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh, or put cargo on the PATH";

/// What there is to build with.
struct Facts {
    cargo: Result<String, BuildError>,
    rustc: Result<Toolchain, BuildError>,
    /// What the functions' packages ask for; `None`: there are no functions.
    needed: Option<Result<Option<RustVersion>, BuildError>>,
    /// The linker's name, and whether it can be run.
    host_linker: (String, bool),
    glibc: Option<(u32, u32)>,
    targets: Vec<TargetFacts>,
}

/// What there is to build for one processor of Lambda.
struct TargetFacts {
    machine: Machine,
    stages: Vec<String>,
    linker: Result<Linker, BuildError>,
    /// What is missing to link for an older glibc.
    lacking: Vec<Missing>,
}

/// Looks at all that a build of the stages' functions needs.
pub async fn check(project: Option<&Project>, stages: &[Stage]) -> Vec<Finding> {
    let root = match project {
        Some(project) => project.root.clone(),
        None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
    };
    let packages: BTreeSet<&str> = stages
        .iter()
        .flat_map(|stage| stage.definition.functions.values())
        .map(|function| function.package.as_str())
        .collect();
    let needed = async {
        match packages.is_empty() {
            true => None,
            false => Some(checkup::needed_rust(&root, packages.iter().copied()).await),
        }
    };
    let rustc = async {
        let rustc = Toolchain::of(&root).await;
        let host = rustc.as_ref().map(|it| it.host.clone());
        let linker = checkup::host_linker(&host.unwrap_or_default()).await;
        (rustc, linker)
    };
    let targets = async {
        let mut all = Vec::new();
        for (machine, stages) in wanted(stages) {
            all.push(target(&root, machine, stages).await);
        }
        all
    };
    let (cargo, (rustc, host_linker), needed, glibc, targets) = tokio::join!(
        checkup::cargo_version(&root),
        rustc,
        needed,
        checkup::host_glibc(),
        targets
    );
    judge(Facts {
        cargo,
        rustc,
        needed,
        host_linker,
        glibc,
        targets,
    })
}

/// The processors that stages on AWS want, and which stages do.
fn wanted(stages: &[Stage]) -> BTreeMap<Machine, Vec<String>> {
    let mut wanted: BTreeMap<Machine, Vec<String>> = BTreeMap::new();
    for Stage {
        name, definition, ..
    } in stages
    {
        if matches!(definition.place, Place::Local { .. }) {
            continue;
        }
        for key in definition.functions.keys() {
            let Ok(architecture) = architecture(definition, key) else {
                continue;
            };
            let stages = wanted.entry(machine(architecture)).or_default();
            if !stages.contains(name) {
                stages.push(name.clone());
            }
        }
    }
    wanted
}

async fn target(root: &Path, machine: Machine, stages: Vec<String>) -> TargetFacts {
    let linker = checkup::linker(root, BuildTarget::Lambda(machine)).await;
    let lacking = match &linker {
        Ok(Linker::Native) => checkup::lacking_for_another_glibc(root, machine).await,
        Ok(Linker::Zig) | Err(_) => Vec::new(),
    };
    TargetFacts {
        machine,
        stages,
        linker,
        lacking,
    }
}

fn judge(facts: Facts) -> Vec<Finding> {
    let mut findings = vec![match &facts.cargo {
        Ok(said) => Finding::ok("cargo", said.trim_start_matches("cargo ")),
        Err(error) => Finding::problem("cargo", error.to_string(), GET_RUST),
    }];
    findings.push(rustc(&facts.rustc, facts.needed.as_ref()));
    if let Some(Err(error)) = &facts.needed {
        findings.push(Finding::problem(
            "packages",
            error.to_string(),
            error.next_step(),
        ));
    }
    let (linker, runs) = &facts.host_linker;
    findings.push(match runs {
        true => Finding::ok("linker", linker.clone()),
        false => Finding::problem(
            "linker",
            format!("`{linker}` can't be run, by which Rust links"),
            get_linker(),
        ),
    });
    let compiles = facts.rustc.is_ok();
    for facts_of_one in &facts.targets {
        findings.push(match compiles {
            true => of_target(facts_of_one, facts.glibc),
            false => Finding::not_checked("target", "there is no compiler"),
        });
        let last = findings.last_mut();
        if let Some(last) = last {
            last.stages.clone_from(&facts_of_one.stages);
        }
    }
    findings
}

fn rustc(
    rustc: &Result<Toolchain, BuildError>,
    needed: Option<&Result<Option<RustVersion>, BuildError>>,
) -> Finding {
    let toolchain = match rustc {
        Ok(toolchain) => toolchain,
        Err(error) => return Finding::problem("rustc", error.to_string(), GET_RUST),
    };
    let said = toolchain.version.trim_start_matches("rustc ");
    let needed = needed.and_then(|needed| needed.as_ref().ok());
    let Some(needed) = needed.copied().flatten() else {
        return Finding::ok("rustc", said);
    };
    match RustVersion::parse(&toolchain.version) {
        Some(version) if version < needed => Finding::problem(
            "rustc",
            format!("{said} is older than the functions' packages ask for: {needed}"),
            "rustup update",
        ),
        _ => Finding::ok("rustc", format!("{said}; the functions need {needed}")),
    }
}

fn of_target(facts: &TargetFacts, glibc: Option<(u32, u32)>) -> Finding {
    let machine = facts.machine;
    let linker = match &facts.linker {
        Ok(linker) => linker,
        Err(error) => {
            let remedy = error.next_step();
            let command = remedy.strip_prefix("run: ").unwrap_or(&remedy);
            return Finding::problem("target", error.to_string(), command);
        }
    };
    let newer = glibc.filter(|glibc| *glibc > AL2023_GLIBC);
    match (linker, newer, facts.lacking.as_slice()) {
        (Linker::Zig, ..) => Finding::ok("target", format!("{machine}, by cargo-zigbuild")),
        (Linker::Native, Some((major, minor)), [_, ..]) => {
            let (old_major, old_minor) = AL2023_GLIBC;
            let lacking: Vec<String> = facts.lacking.iter().map(ToString::to_string).collect();
            let commands: Vec<String> = facts.lacking.iter().map(|it| it.command()).collect();
            let found = format!(
                "{machine}, by this machine's linker; its glibc {major}.{minor} is newer than Amazon Linux 2023's {old_major}.{old_minor}, and a function that needs the newer one would be linked by cargo-zigbuild, without {}",
                lacking.join(", ")
            );
            Finding::warning("target", found, commands.join(" && "))
        }
        (Linker::Native, ..) => {
            Finding::ok("target", format!("{machine}, by this machine's linker"))
        }
    }
}

fn get_linker() -> &'static str {
    match cfg!(target_os = "macos") {
        true => "xcode-select --install",
        false => "sudo apt-get install build-essential, or sudo dnf install gcc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Status;

    fn toolchain(version: &str) -> Toolchain {
        Toolchain {
            version: format!("rustc {version} (e408947bf 2026-03-25)"),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    fn target(linker: Result<Linker, BuildError>, lacking: &[Missing]) -> TargetFacts {
        TargetFacts {
            machine: Machine::Arm64,
            stages: vec!["alpha".to_owned()],
            linker,
            lacking: lacking.to_vec(),
        }
    }

    fn facts(version: &str, targets: Vec<TargetFacts>) -> Facts {
        Facts {
            cargo: Ok("cargo 1.94.1 (29ea6fb6a 2026-03-24)".to_owned()),
            rustc: Ok(toolchain(version)),
            needed: Some(Ok(Some(RustVersion(1, 94, 1)))),
            host_linker: ("cc".to_owned(), true),
            glibc: Some((2, 39)),
            targets,
        }
    }

    fn of(check: &str, facts: Facts) -> Finding {
        let mut found = judge(facts).into_iter();
        found.find(|finding| finding.check == check).expect(check)
    }

    #[test]
    fn a_compiler_older_than_the_functions_ask_for_is_a_problem() {
        let finding = of("rustc", facts("1.93.0", Vec::new()));
        assert_eq!(finding.status, Status::Problem);
        assert!(finding.found.contains("ask for: 1.94.1"), "{finding:?}");
        assert_eq!(finding.remedy.as_deref(), Some("rustup update"));
        assert_eq!(of("rustc", facts("1.94.1", Vec::new())).status, Status::Ok);
    }

    #[test]
    fn without_a_compiler_targets_are_not_checked() {
        let none = || BuildError::NoRustc(std::io::Error::other("no such file"));
        let mut facts = facts("1.94.1", vec![target(Ok(Linker::Native), &[])]);
        facts.rustc = Err(none());
        let found = judge(facts);
        let statuses: Vec<(&str, Status)> = found.iter().map(|it| (it.check, it.status)).collect();
        assert!(statuses.contains(&("rustc", Status::Problem)));
        assert!(statuses.contains(&("target", Status::NotChecked)));
    }

    #[test]
    fn what_a_build_would_lack_is_said_with_the_builds_own_commands() {
        let missing = vec![Missing::Zigbuild, Missing::Target(Machine::Arm64)];
        let error = BuildError::Tools {
            machine: Machine::Arm64,
            missing,
        };
        let said = error.to_string();
        let finding = of("target", facts("1.94.1", vec![target(Err(error), &[])]));
        assert_eq!((finding.status, finding.found), (Status::Problem, said));
        assert_eq!(
            finding.remedy.as_deref(),
            Some(
                "cargo install --locked cargo-zigbuild && rustup target add aarch64-unknown-linux-gnu"
            )
        );
        assert_eq!(finding.stages, ["alpha"]);
    }

    #[test]
    fn a_newer_glibc_is_a_warning_where_nothing_could_link_for_the_older() {
        let status = |glibc, lacking: &[Missing]| {
            let mut facts = facts("1.94.1", vec![target(Ok(Linker::Native), lacking)]);
            facts.glibc = glibc;
            of("target", facts).status
        };
        assert_eq!(status(Some((2, 39)), &[Missing::Zig]), Status::Warning);
        assert_eq!(status(Some((2, 39)), &[]), Status::Ok);
        assert_eq!(status(Some((2, 34)), &[Missing::Zig]), Status::Ok);
        assert_eq!(status(None, &[Missing::Zig]), Status::Ok);
    }

    #[test]
    fn a_package_that_isnt_there_and_a_missing_linker_are_problems() {
        let mut facts = facts("1.94.1", Vec::new());
        facts.needed = Some(Err(BuildError::NoPackage {
            package: "rom".to_owned(),
            known: vec!["room".to_owned()],
        }));
        facts.host_linker.1 = false;
        let found = judge(facts);
        let problems = found.iter().filter(|it| it.status == Status::Problem);
        let checks: Vec<&str> = problems.map(|it| it.check).collect();
        assert_eq!(checks, ["packages", "linker"]);
    }
}
