//! `deployer status`: what is live. Reads only, builds nothing.

use super::run::{Run, Stage};
use crate::failure::Failure;
use crate::render::{FunctionStatus, Screen, StatusResult};
use crate::stage::OpenStage;
use deployer_core::observed::{FunctionState, Observed};
use deployer_core::release::ReleaseHash;
use deployer_engine::up::url_of;

/// Shows one stage.
pub async fn run(
    run: &Run,
    Stage {
        name, definition, ..
    }: &Stage,
    screen: &Screen,
) -> Result<(), Failure> {
    let seen = OpenStage::look_if_there(run.project.as_ref(), definition).await?;
    let mut result = StatusResult {
        stage: name,
        identity: definition.identity.to_string(),
        url: None,
        release: None,
        functions: Vec::new(),
        routes: Vec::new(),
        notice: definition.notice.as_deref(),
        owner: None,
        expires: None,
    };
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
        result.functions = observed
            .functions
            .iter()
            .map(|(name, state)| FunctionStatus {
                name: name.to_string(),
                version: version(state),
                memory_mb: state.configuration.memory_mb,
                timeout_seconds: state.configuration.timeout_seconds,
                reserved_concurrency: state.reserved_concurrency,
            })
            .collect();
    }
    screen.status(&result);
    Ok(())
}

fn version(state: &FunctionState) -> Option<String> {
    state
        .versions
        .last()
        .map(|version| version.version.to_string())
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
