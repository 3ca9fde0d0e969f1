//! An API that somebody else made, written down as stage files: its routes lead to the
//! functions that are there (`existing`), and `up --adopt` takes it over.
//!
//! What can't be said is a loss where something that serves would go, and a note where it
//! stays as it is or is for somebody to know. Deliberately absent: what a deployment froze,
//! which AWS shows to nobody; custom domains, which stay where they are; and files.

mod reading;
mod writing;

use crate::account::Account;
use crate::api_details::{ApiDetails, StageDetails};
use crate::authorizer::Authorizer;
use crate::existing::ExistingFunction;
use crate::names::{FunctionKey, RouteKey};
use crate::stage_file::{self, FileProblems, FileText, Place, StageDefinition, stage_name_mistake};
use crate::tags::{SERVICE_TAG, STAGE_TAG};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is imported, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// All that AWS shows of the API.
    pub api: &'a ApiDetails,
    /// The API stage; `None`: the only one.
    pub stage: Option<&'a str>,
    /// What the service is called.
    pub service: &'a str,
    /// Where it lives.
    pub account: &'a Account,
    /// The same, as the file says it.
    pub place: &'a Place,
    /// The service's file, if there is one.
    pub service_file: Option<FileText<'a>>,
}

/// Stage files of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The deploy stage: called as the API stage.
    pub stage: String,
    /// The service's file; `None`: there is one, which agrees.
    pub service_file: Option<String>,
    /// The stage's file.
    pub stage_file: String,
    /// What serves now and won't after `up --adopt`.
    pub losses: Vec<String>,
    /// What else whoever goes on must know.
    pub notes: Vec<String>,
}

/// Why there are no files.
#[derive(Debug, Clone, PartialEq)]
pub enum NotImportable {
    /// It isn't a WebSocket API.
    Protocol(String),
    /// A stage of the deployer's has it: `service/stage`.
    Owned(String),
    /// Which of its stages isn't said, or it has no such one.
    WhichStage {
        /// What was asked for.
        asked: Option<String>,
        /// Those that it has.
        stages: Vec<String>,
    },
    /// The API stage's name can't be a deploy stage's.
    StageName(String),
    /// None of its routes leads to a function.
    NoRoutes,
    /// The service's file says otherwise: every difference.
    Disagrees(Vec<String>),
    /// The files break a rule of stage files.
    Files(Vec<FileProblems>),
}

impl fmt::Display for NotImportable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(protocol) => {
                write!(
                    f,
                    "it is an API of the protocol {protocol}, and stages are WebSocket APIs"
                )
            }
            Self::Owned(owner) => write!(f, "it belongs to the stage {owner} already"),
            Self::WhichStage { stages, .. } if stages.is_empty() => {
                write!(f, "it has no stage, so that it serves nobody")
            }
            Self::WhichStage {
                asked: None,
                stages,
            } => {
                write!(f, "it has several stages: {}", stages.join(", "))
            }
            Self::WhichStage {
                asked: Some(asked),
                stages,
            } => {
                write!(f, "it has no stage `{asked}`, but {}", stages.join(", "))
            }
            Self::StageName(mistake) => write!(
                f,
                "{mistake}; the name is in the API's URL, so that a stage must be called as it is"
            ),
            Self::NoRoutes => write!(f, "none of its routes leads to a Lambda function"),
            Self::Disagrees(differences) => {
                write!(f, "the service's file says otherwise:")?;
                differences.iter().try_for_each(|it| write!(f, "\n  {it}"))
            }
            Self::Files(problems) => {
                write!(f, "what would be written breaks rules of stage files:")?;
                problems.iter().try_for_each(|it| write!(f, "\n{it}"))
            }
        }
    }
}

impl std::error::Error for NotImportable {}

/// What was understood of an API.
#[derive(Debug, Default)]
struct Found<'a> {
    routes: BTreeMap<RouteKey, FunctionKey>,
    functions: BTreeMap<FunctionKey, &'a ExistingFunction>,
    signed: BTreeSet<RouteKey>,
    authorizer: Option<Authorizer>,
}

/// Stage files for an API. They pass the stage files' own check.
///
/// # Errors
/// When there can't be any, or the service's file says otherwise.
pub fn import(request: &Request<'_>) -> Result<Imported, NotImportable> {
    let api = request.api;
    let stage = importable(request)?;
    let name = stage.state.name.clone();
    let mut losses = Vec::new();
    let mut notes = Vec::new();
    let service = request
        .service_file
        .map(|file| service_of(&name, file))
        .transpose()?;
    let read = reading::read(api, request.account, &mut losses);
    let named = match &service {
        Some(service) => {
            let authorizer = service.api.authorizer.as_ref();
            let authorizer = authorizer.map(|it| &it.function);
            reading::name(&read, Some(&service.routes), authorizer)
        }
        None => reading::name(&read, None, None),
    };
    let mut found = Found {
        signed: read.signed.clone(),
        ..Found::default()
    };
    for (route, function) in &read.routes {
        let key = &named[function];
        found.routes.insert(route.clone(), key.clone());
        found.functions.insert(key.clone(), function);
    }
    if found.routes.is_empty() {
        return Err(NotImportable::NoRoutes);
    }
    if let Some((function, identity_sources)) = &read.authorizer {
        let key = &named[function];
        found.functions.insert(key.clone(), function);
        found.authorizer = Some(Authorizer {
            function: key.clone(),
            identity_sources: identity_sources.clone(),
        });
    }
    reading::other_stages(api, &name, &mut losses);
    reading::beside(api, stage, &mut notes);

    let service_file = match &service {
        Some(_) => None,
        None => Some(writing::service_file(request, &found)),
    };
    let stage_file = writing::stage_file(request, stage, &found, &mut notes);
    let text = |path, text| FileText { path, text };
    let stage_path = format!("stages/{name}.toml");
    let shared = match (&service_file, request.service_file) {
        (Some(made), _) => text("stages/service.toml", made.as_str()),
        (None, Some(there)) => there,
        (None, None) => text("stages/service.toml", ""),
    };
    if let Some(service) = &service {
        agree(service, &found, request)?;
    }
    stage_file::read(&name, shared, text(&stage_path, &stage_file))
        .map_err(NotImportable::Files)?;
    Ok(Imported {
        stage: name,
        service_file,
        stage_file,
        losses,
        notes,
    })
}

/// The API stage that is meant, of an API that can be imported.
fn importable<'a>(request: &Request<'a>) -> Result<&'a StageDetails, NotImportable> {
    let api = request.api;
    if api.protocol != "WEBSOCKET" {
        return Err(NotImportable::Protocol(api.protocol.clone()));
    }
    if let (Some(service), Some(stage)) = (api.tags.get(SERVICE_TAG), api.tags.get(STAGE_TAG)) {
        return Err(NotImportable::Owned(format!("{service}/{stage}")));
    }
    let which = || NotImportable::WhichStage {
        asked: request.stage.map(str::to_owned),
        stages: api.stages.iter().map(|it| it.state.name.clone()).collect(),
    };
    let stage = match (request.stage, api.stages.as_slice()) {
        (Some(name), _) => api.stage(name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let stage = stage.ok_or_else(which)?;
    match stage_name_mistake(&stage.state.name) {
        Some(mistake) => Err(NotImportable::StageName(mistake)),
        None => Ok(stage),
    }
}

/// What the service's file says of any stage.
fn service_of(stage: &str, file: FileText<'_>) -> Result<StageDefinition, NotImportable> {
    let nothing = FileText {
        path: "",
        text: "target = \"aws\"\n",
    };
    stage_file::read(stage, file, nothing).map_err(NotImportable::Files)
}

/// Whether the service's file fits the API.
fn agree(
    service: &StageDefinition,
    found: &Found<'_>,
    request: &Request<'_>,
) -> Result<(), NotImportable> {
    let mut differences = Vec::new();
    let expression = &request.api.route_selection_expression;
    if service.route_selection_expression != *expression {
        differences.push(format!(
            "route_selection_expression is {}, and the API's is {expression}",
            service.route_selection_expression
        ));
    }
    for route in service
        .routes
        .keys()
        .filter(|it| !found.routes.contains_key(*it))
    {
        differences.push(format!(
            "the API has no route {route} that leads to a function"
        ));
    }
    let known = |key: &FunctionKey| {
        service.functions.contains_key(key) || service.existing.contains_key(key)
    };
    for (key, function) in found.functions.iter().filter(|(key, _)| !known(key)) {
        differences.push(format!("[functions.{key}] is missing, for {function}"));
    }
    for (route, key) in &found.routes {
        match service.routes.get(route) {
            Some(there) if there == key => {}
            Some(there) => differences.push(format!(
                "route {route} leads to `{there}`, and in the API to `{key}`"
            )),
            None => differences.push(format!("route {route} is missing; it leads to `{key}`")),
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(NotImportable::Disagrees(differences)),
    }
}

#[cfg(test)]
mod tests;
