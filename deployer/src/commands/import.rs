//! `deployer import`: stage files for an API that somebody else made. Reads the account, and
//! writes files that aren't there.

use super::choice::Somewhere;
use super::run::Run;
use crate::begin::guess::service_of;
use crate::begin::mistakes;
use crate::cli::import::Import;
use crate::failure::Failure;
use crate::local;
use crate::project::STAGES;
use crate::render::{ImportResult, Screen};
use crate::stage::connect_to;
use crate::template::schemas;
use deployer_core::api_details::ApiDetails;
use deployer_core::import::{Imported, NotImportable, Request, import};
use deployer_core::names::ApiId;
use deployer_core::stage_file::{FileText, Place, SERVICE_FILE_STEM, service_name};
use deployer_engine::cloud::{ApiReader, CloudReader};
use deployer_engine::events::{Event, EventSink};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes the files, or says all that is in the way.
pub async fn run(run: &Run, options: &Import, screen: &Screen) -> Result<(), Failure> {
    let folder = folder(run, options);
    let service_path = folder.join(format!("{SERVICE_FILE_STEM}.toml"));
    let shown = service_path.display().to_string();
    let service_text = read_if_there(&service_path)?;
    let service_file = service_text
        .as_deref()
        .map(|text| FileText { path: &shown, text });
    let place = options.site().place()?;
    let api_id = ApiId::new(options.api_id.as_str());
    if let Place::Local { port } = place
        && !local::is_there(run.project.as_ref(), port).await?
    {
        return Err(no_api(
            &api_id,
            &Somewhere::Local {
                port,
                running: false,
            },
        ));
    }
    screen.event(Event::Observing);
    let cloud = connect_to(&place).await?;
    let (account, api) = tokio::try_join!(cloud.get_account(), cloud.find_api(&api_id))?;
    let api = api.ok_or_else(|| {
        let looked = match place {
            Place::Local { port } => Somewhere::Local {
                port,
                running: true,
            },
            Place::Aws { .. } => Somewhere::Aws {
                account_id: account.account_id.clone(),
                region: account.region.clone(),
            },
        };
        no_api(&api_id, &looked)
    })?;
    let service = service(options, service_file, &api)?;
    let request = Request {
        api: &api,
        stage: options.stage.as_deref(),
        service: &service,
        account: &account,
        place: &place,
        service_file,
    };
    let imported = import(&request).map_err(|error| not_imported(&api_id, &error))?;
    if !imported.losses.is_empty() && !options.partial {
        return Err(Failure::Input {
            message: mistakes(
                &format!("not all that the API {api_id} serves can be said in stage files"),
                &imported.losses,
            ),
            next_step:
                "change that in the API, or leave it out with --partial; nothing was written"
                    .to_owned(),
        });
    }
    let files = files(&imported);
    write(&folder, &files)?;
    screen.import(&ImportResult {
        api: api_id.as_str(),
        name: &api.name,
        service: &service,
        stage: &imported.stage,
        out: folder.display().to_string(),
        files: files.iter().map(|file| file.name.clone()).collect(),
        lost: &imported.losses,
        notes: &imported.notes,
    });
    Ok(())
}

fn no_api(api_id: &ApiId, looked: &Somewhere) -> Failure {
    Failure::Input {
        message: format!("there is no API {api_id} in {looked}"),
        next_step: "give its id, and where it is: --region, --profile, or --local with --port"
            .to_owned(),
    }
}

/// Where stage files are, or are to be.
fn folder(run: &Run, options: &Import) -> PathBuf {
    match (&options.out, &run.project) {
        (Some(out), _) => out.clone(),
        (None, Some(project)) => project.stages_dir(),
        (None, None) => PathBuf::from(STAGES),
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Input {
            message: format!("can't read {}: {error}", path.display()),
            next_step: "give another folder with --out".to_owned(),
        }),
    }
}

/// What the service is called: as its file says, as asked for, or after the API.
fn service(
    options: &Import,
    file: Option<FileText<'_>>,
    api: &ApiDetails,
) -> Result<String, Failure> {
    let given = options.service.as_ref();
    if let Some(file) = file {
        let there = service_name(file).map_err(Failure::StageFiles)?;
        return match given {
            Some(given) if *given != there => Err(Failure::Input {
                message: format!("{} is the service `{there}`'s, not `{given}`'s", file.path),
                next_step: "leave --service out, or give another folder with --out".to_owned(),
            }),
            _ => Ok(there),
        };
    }
    let service = given.cloned().or_else(|| service_of(&api.name));
    service.ok_or_else(|| Failure::Input {
        message: format!("the API's name, `{}`, makes no name of a service", api.name),
        next_step: "give one with --service".to_owned(),
    })
}

fn not_imported(api_id: &ApiId, error: &NotImportable) -> Failure {
    let next_step = match error {
        NotImportable::WhichStage { .. } => "name one with --stage",
        NotImportable::Owned(_) => "write its file, or see `deployer list`",
        NotImportable::Disagrees(_) => {
            "mend the service's file, or import into another folder with --out; nothing was written"
        }
        NotImportable::Protocol(_)
        | NotImportable::StageName(_)
        | NotImportable::NoRoutes
        | NotImportable::Files(_) => "see docs/IMPORT.md for what can be imported",
    };
    Failure::Input {
        message: format!("the API {api_id} can't be imported: {error}"),
        next_step: next_step.to_owned(),
    }
}

struct File {
    name: String,
    text: String,
    /// Whether one that is there stays.
    may_be_there: bool,
}

fn files(imported: &Imported) -> Vec<File> {
    let own = |name: &str, text: &str| File {
        name: format!("{name}.toml"),
        text: text.to_owned(),
        may_be_there: false,
    };
    let shared = imported.service_file.as_deref();
    let shared = shared.map(|text| own(SERVICE_FILE_STEM, text));
    let schemas = schemas().into_iter().map(|file| File {
        name: file.path.rsplit('/').next().unwrap_or(file.path).to_owned(),
        text: file.text,
        may_be_there: true,
    });
    let stage = own(&imported.stage, &imported.stage_file);
    shared.into_iter().chain([stage]).chain(schemas).collect()
}

/// Writes what isn't there. What is, is never touched.
fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    let there = |file: &&File| !file.may_be_there && folder.join(&file.name).exists();
    if let Some(file) = files.iter().find(there) {
        return Err(Failure::Input {
            message: format!("{} is there already", folder.join(&file.name).display()),
            next_step: "remove it, or give another folder with --out; nothing was written"
                .to_owned(),
        });
    }
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for file in files {
        let path = folder.join(&file.name);
        let made = std::fs::File::create_new(&path);
        let written = made.and_then(|mut it| it.write_all(file.text.as_bytes()));
        match written {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && file.may_be_there => {}
            other => other.map_err(|error| unwritable(&path, &error))?,
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input {
        message: format!("can't write {}: {error}", path.display()),
        next_step: "give another folder with --out".to_owned(),
    }
}
