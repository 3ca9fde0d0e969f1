//! `deployer init`: stage files for a workspace that has functions already. Asks cargo, and
//! nobody else.

use super::new::unwritten;
use crate::begin::guess::{ALPHA, Guess, LOCAL, guess, service_of};
use crate::begin::{mistakes, place};
use crate::cli::begin::Init;
use crate::failure::Failure;
use crate::project::STAGES;
use crate::render::begun::{self, Adopted};
use crate::template::schemas;
use deployer_core::stage_file::{self, FileText, service_name_mistake};
use deployer_package::{BuildError, LambdaPackage, Workspace};
use std::path::Path;

/// Writes the stage files, or says all that is in the way.
pub async fn run(project: Option<&Path>, options: &Init) -> Result<(), Failure> {
    let dir = project.unwrap_or(Path::new("."));
    let workspace = Workspace::of(dir).await.map_err(no_workspace)?;
    let (functions, others): (Vec<LambdaPackage>, Vec<LambdaPackage>) = workspace
        .lambda_packages
        .iter()
        .cloned()
        .partition(LambdaPackage::is_function);
    let guess = guess(functions.iter().map(|package| package.name.as_str()));
    let service = service(&workspace, options);
    let left_out: Vec<String> = others
        .iter()
        .map(not_built)
        .chain(guess.left_out.iter().map(|package| not_named(package)))
        .collect();
    let stages = workspace.root.join(STAGES);
    let mut wrong = Vec::new();
    wrong.extend(place::in_the_way(&stages));
    if guess.functions.is_empty() {
        wrong.push(none_is_a_function(&workspace));
        wrong.extend(left_out.iter().cloned());
    }
    let service = match service {
        Ok(service) if wrong.is_empty() => service,
        service => {
            wrong.extend(service.err());
            return Err(Failure::Input {
                message: mistakes("can't write stage files", &wrong),
                next_step: next_step(&guess),
            });
        }
    };
    write(&stages, &guess, &service)?;
    begun::adopted(&Adopted {
        folder: &stages,
        service: &service,
        guess: &guess,
        left_out,
        ignored: is_ignored(&workspace.root),
    });
    Ok(())
}

/// What the service is called, or why it can't be.
fn service(workspace: &Workspace, options: &Init) -> Result<String, String> {
    match &options.service {
        Some(given) => match service_name_mistake(given) {
            None => Ok(given.clone()),
            Some(mistake) => Err(mistake),
        },
        None => {
            let folder = workspace.root.file_name().unwrap_or_default().display();
            service_of(&folder.to_string()).ok_or_else(|| {
                format!("the folder's name, `{folder}`, makes no name of a service: give one with --service")
            })
        }
    }
}

fn write(stages: &Path, guess: &Guess, service: &str) -> Result<(), Failure> {
    let service_file = guess.service_file(service);
    let text = |path, text| FileText { path, text };
    let shared = || text("stages/service.toml", service_file.as_str());
    // What is written is what would be read.
    for (stage, path, own) in [
        ("local", "stages/local.toml", LOCAL),
        ("alpha", "stages/alpha.toml", ALPHA),
    ] {
        stage_file::read(stage, shared(), text(path, own)).map_err(Failure::StageFiles)?;
    }
    let schemas = schemas();
    let schemas = schemas.iter().map(|file| {
        let name = file.path.rsplit('/').next().unwrap_or(file.path);
        (name, file.text.as_str())
    });
    let files = [
        ("service.toml", service_file.as_str()),
        ("local.toml", LOCAL),
        ("alpha.toml", ALPHA),
    ];
    let files = files.into_iter().chain(schemas);
    place::place(stages, files).map_err(|(path, error)| unwritten(&path, &error))
}

fn no_workspace(error: BuildError) -> Failure {
    match error {
        BuildError::Workspace(said) => Failure::Input {
            message: format!("there is no Cargo workspace to adopt here: {said}"),
            next_step: "run it in one, or make a project: deployer new NAME".to_owned(),
        },
        other => other.into(),
    }
}

fn none_is_a_function(workspace: &Workspace) -> String {
    format!(
        "no function is among the {} packages of {}: a function depends on `lambda_runtime` and has a program of its own name",
        workspace.packages,
        workspace.root.display()
    )
}

/// Why a package that looks like a function is none.
fn not_built(package: &LambdaPackage) -> String {
    let LambdaPackage { name, programs } = package;
    match programs.as_slice() {
        [] => format!("`{name}`: a library, without a program"),
        programs => format!(
            "`{name}`: its programs are called {}, and the deployer builds those called as their package",
            programs.join(", ")
        ),
    }
}

/// Why a function can't be taken.
fn not_named(package: &str) -> String {
    format!("`{package}`: as a stage file would call it, it is no legal name, or another's")
}

fn next_step(guess: &Guess) -> String {
    match guess.functions.is_empty() {
        true => "see docs/TUTORIAL.md for what a function is, or begin with `deployer new NAME`; nothing was written".to_owned(),
        false => "mend this and run it again; nothing was written".to_owned(),
    }
}

/// Whether git knows that what is made on this machine isn't source.
fn is_ignored(root: &Path) -> bool {
    let text = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    text.lines()
        .any(|line| line.trim_matches('/') == ".deployer")
}
