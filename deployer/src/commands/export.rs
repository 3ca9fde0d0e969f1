//! `deployer export`: writes down for another tool what is deployed. Reads only.

use super::choice::{Choice, choose};
use super::run::{Run, Stage};
use crate::cli::export::{Export, Format};
use crate::failure::Failure;
use crate::render::{ExportResult, Screen};
use crate::stage::OpenStage;
use deployer_core::export::{CloudFormation, Deployed, NotExportable, cloudformation, terraform};
use deployer_core::names::FunctionKey;
use deployer_core::observed::Observed;
use deployer_engine::cloud::ApiReader;
use deployer_engine::events::{Event, EventSink};
use deployer_engine::promote::{fetch, find_live};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where stages are written, below the current folder.
const FOLDER: &str = "export";

/// What goes where.
type Files = BTreeMap<String, Arc<[u8]>>;

/// Writes one stage down.
pub async fn run(run: &Run, options: Export, screen: &Screen) -> Result<(), Failure> {
    let choice = Choice::Named {
        stages: vec![options.stage.clone()],
        names: options.name.clone().into_iter().collect(),
        elsewhere: Some(options.elsewhere.clone()),
    };
    let chosen = choose(run, choice).await;
    let chosen = chosen.map_err(|mut failures| failures.swap_remove(0))?;
    if let Some(absent) = chosen.absent.first() {
        return Err(absent.failure(run.project.is_some()));
    }
    let stages = chosen.stages.into_iter().next();
    let Some(Stage {
        name, definition, ..
    }) = stages
    else {
        return Err(not_so(&options.stage, "it isn't there".to_owned()));
    };
    screen.event(Event::Observing);
    let seen = OpenStage::look_if_there(run.project.as_ref(), &definition).await?;
    let not_live = || NotExportable::NotLive(definition.identity.clone());
    let (stage, look) = seen.ok_or_else(|| failed(&name, &not_live()))?;
    let observed = look.observed;
    let api_id = serving(&observed, &stage.names.api_stage);
    let api_id = api_id.ok_or_else(|| failed(&name, &not_live()))?;
    let api = stage.cloud.find_api(api_id).await?;
    let api = api.ok_or_else(|| failed(&name, &not_live()))?;
    let deployed = Deployed::of(&stage.account, &stage.names, &observed, &api);
    let deployed = deployed.map_err(|error| failed(&name, &error))?;
    let mut files = documents(options.format, &deployed);
    if !options.no_code {
        let found = find_live(&stage.cloud, &stage.names).await?;
        for (key, zip) in fetch(&stage.cloud, &found).await? {
            files.insert(file_of(&key), zip);
        }
    }
    let out = options.out.unwrap_or_else(|| Path::new(FOLDER).join(&name));
    write(&out, &files, options.force)?;
    screen.export(&ExportResult {
        stage: &name,
        identity: definition.identity.to_string(),
        format: options.format.as_str(),
        out: out.display().to_string(),
        files: files.into_keys().collect(),
        notes: deployed.notes(&observed),
        code: !options.no_code,
    });
    Ok(())
}

/// The API that serves the stage.
fn serving<'a>(observed: &'a Observed, api_stage: &str) -> Option<&'a deployer_core::names::ApiId> {
    let mut apis = observed.apis.iter();
    let live = apis.find(|api| api.live_deployment(api_stage).is_some());
    live.map(|api| &api.api_id)
}

fn documents(format: Format, deployed: &Deployed<'_>) -> Files {
    let documents = match format {
        Format::Terraform => vec![("main.tf.json", terraform(deployed))],
        Format::CloudFormation => {
            let CloudFormation {
                template,
                import_template,
                import,
            } = cloudformation(deployed);
            vec![
                ("template.json", template),
                ("import-template.json", import_template),
                ("import.json", import),
            ]
        }
    };
    let text = |document: &Value| format!("{document:#}\n").into_bytes();
    documents
        .into_iter()
        .map(|(name, document)| (name.to_owned(), text(&document).into()))
        .collect()
}

/// Where the documents expect a function's zip.
fn file_of(key: &FunctionKey) -> String {
    format!("{key}.zip")
}

/// Writes the files, all or none; one that is there already stays where it is the same.
fn write(out: &Path, files: &Files, force: bool) -> Result<(), Failure> {
    let mut differing: Vec<PathBuf> = Vec::new();
    for (name, content) in files {
        let path = out.join(name);
        match std::fs::read(&path) {
            Ok(found) if found == **content => {}
            Ok(_) => differing.push(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unwritable(&path, &error)),
        }
    }
    if let (Some(first), false) = (differing.first(), force) {
        let others = match differing.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        return Err(Failure::Input {
            message: format!("{}{others} is there already, and differs", first.display()),
            next_step:
                "give another folder with --out, or replace it with --force; nothing was written"
                    .to_owned(),
        });
    }
    std::fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    for (name, content) in files {
        let path = out.join(name);
        std::fs::write(&path, content).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input {
        message: format!("can't write {}: {error}", path.display()),
        next_step: "give another folder with --out".to_owned(),
    }
}

fn failed(stage: &str, error: &NotExportable) -> Failure {
    not_so(stage, error.to_string())
}

fn not_so(stage: &str, message: String) -> Failure {
    Failure::NotSo {
        message,
        next_step: format!("see `deployer status {stage}`; `deployer up {stage}` makes it live"),
    }
}
