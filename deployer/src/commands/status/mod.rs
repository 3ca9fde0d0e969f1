//! `deployer status`: what is live, and what it has done in the last hour. Reads only,
//! builds nothing.

mod drift;
mod figures;
mod watch;

pub use watch::watch;

use super::run::{Origin, Run, Stage};
use crate::failure::Failure;
use crate::render::{ErrorStatus, FunctionStatus, Screen, StatusResult};
use crate::stage::OpenStage;
use deployer_core::names::{FunctionName, Names};
use deployer_core::observed::{FunctionState, Observed, VersionState};
use deployer_core::release::ReleaseHash;
use deployer_engine::up::url_of;
use figures::Hour;
use jiff::Timestamp;

/// Shows one stage.
pub async fn run(run: &Run, asked: &Stage, screen: &Screen) -> Result<(), Failure> {
    let Stage {
        name, definition, ..
    } = asked;
    let seen = OpenStage::look_if_there(run.project.as_ref(), definition).await?;
    let mut result = StatusResult::nothing(name, definition.identity.to_string());
    result.notice = definition.notice.as_deref();
    if let Some((stage, look)) = seen {
        let record = look.record();
        let observed = look.observed;
        result.url = url_of(&observed, &stage.names);
        result.release = observed
            .apis
            .iter()
            .find_map(|api| api.live_deployment(&stage.names.api_stage))
            .and_then(|deployment| ReleaseHash::from_description(&deployment.description))
            .map(|release| release.to_string());
        result.owner = record.owner;
        result.expires = record.expires.map(|expires| expires.to_string());
        result.routes = routes(&observed);
        let there = !observed.functions.is_empty() || !observed.apis.is_empty();
        if there {
            let drift = async {
                match asked.origin {
                    Origin::File => Some(drift::drift(&stage, &observed).await),
                    Origin::Account | Origin::Nowhere => None,
                }
            };
            let (drift, hour) = tokio::join!(drift, figures::hour(&stage, &observed));
            match drift {
                Some(Ok(drift)) => result.drift = Some(drift),
                Some(Err(failure)) => {
                    let why = format!("not compared with the stage file: {failure}");
                    result.notes.push(format!("{why}; {}", failure.next_step()));
                }
                None => {}
            }
            result.functions = functions(&observed, &stage.names, &hour);
            result.gateway = hour.figures.and_then(|figures| figures.gateway);
            result.connections = hour.connections;
            result.notes.extend(hour.notes);
        }
    }
    screen.status(&result);
    Ok(())
}

fn functions(observed: &Observed, names: &Names, hour: &Hour) -> Vec<FunctionStatus> {
    let status = |(name, state): (&FunctionName, &FunctionState)| {
        let version = live_version(observed, names, name, state);
        let figures = hour.figures.as_ref();
        FunctionStatus {
            name: name.to_string(),
            version: version.map(|version| version.version.to_string()),
            code_bytes: version.map(|version| version.code_bytes),
            modified: version.and_then(|version| version.modified.clone()),
            memory_mb: state.configuration.memory_mb,
            timeout_seconds: state.configuration.timeout_seconds,
            reserved_concurrency: state.reserved_concurrency,
            figures: figures.and_then(|figures| figures.functions.get(name).cloned()),
            last_error: hour.errors.get(name).map(|event| ErrorStatus {
                at: Timestamp::from_millisecond(event.timestamp_ms)
                    .map(|at| at.to_string())
                    .unwrap_or_default(),
                message: event.message.trim_end().to_owned(),
            }),
        }
    };
    observed.functions.iter().map(status).collect()
}

/// The version that the live release invokes; where its manifest doesn't say, the newest.
fn live_version<'a>(
    observed: &Observed,
    names: &Names,
    name: &FunctionName,
    state: &'a FunctionState,
) -> Option<&'a VersionState> {
    let mut apis = observed.apis.iter();
    let live = apis.find_map(|api| api.live_deployment(&names.api_stage));
    let manifest = live.and_then(|deployment| observed.manifest_of(deployment));
    let mut released = manifest.into_iter().flat_map(|it| it.functions.values());
    let released = released.find(|function| function.name == *name);
    let mut versions = state.versions.iter();
    match released {
        Some(released) => versions.find(|version| version.version == released.version),
        None => versions.next_back(),
    }
}

/// Of the draft: AWS doesn't show what a deployment froze.
fn routes(observed: &Observed) -> Vec<String> {
    let mut routes: Vec<String> = observed
        .apis
        .iter()
        .flat_map(|api| &api.routes)
        .map(|route| route.route_key.clone())
        .collect();
    routes.sort();
    routes
}
