//! `deployer new`: a project that works as it is. Asks nobody.

use crate::begin::{mistakes, place};
use crate::cli::begin::New;
use crate::failure::Failure;
use crate::render::begun;
use deployer_core::stage_file::service_name_mistake;
use std::path::Path;

/// Makes the project, or says all that is in the way.
pub fn run(project: Option<&Path>, options: &New) -> Result<(), Failure> {
    let folder = &options.folder;
    let name = checked(project, folder)?;
    let files = options.template.files(name);
    let texts = files.iter().map(|file| (file.path, file.text.as_str()));
    place::place(folder, texts).map_err(|(path, error)| unwritten(&path, &error))?;
    begun::project(folder, files.len(), options.template.greeting());
    Ok(())
}

/// The service's name, if nothing is in the way.
fn checked<'f>(project: Option<&Path>, folder: &'f Path) -> Result<&'f str, Failure> {
    let mut wrong = Vec::new();
    if project.is_some() {
        wrong.push("--project names a project that is there; the new one's folder is NAME".into());
    }
    let name = folder.file_name().and_then(|name| name.to_str());
    match name {
        Some(name) => wrong.extend(service_name_mistake(name)),
        None => wrong.push(format!("`{}` has no name of its own", folder.display())),
    }
    wrong.extend(place::in_the_way(folder));
    let above = folder.parent().filter(|above| *above != Path::new(""));
    wrong.extend(
        above
            .filter(|above| !above.is_dir())
            .map(|above| format!("there is no folder {}", above.display())),
    );
    match (name, wrong.as_slice()) {
        (Some(name), []) => Ok(name),
        (_, wrong) => Err(Failure::Input {
            message: mistakes("can't make the project", wrong),
            next_step: "run: deployer new NAME, e.g. `deployer new my-chat`; nothing was written"
                .to_owned(),
        }),
    }
}

/// A file or folder that can't be written.
pub(super) fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input {
        message: format!("can't write {}: {error}", path.display()),
        next_step: "name a folder that may be written; nothing is left of this one".to_owned(),
    }
}
