//! `deployer history`: the releases that are kept. Reads only.

use super::run::{Run, Stage};
use crate::failure::Failure;
use crate::render::{HistoryResult, ReleaseStatus, Screen};
use crate::stage::OpenStage;
use deployer_core::observed::Observed;
use deployer_core::plan::releases;

/// Lists one stage's releases, newest first.
pub async fn run(
    run: &Run,
    Stage {
        name, definition, ..
    }: &Stage,
    screen: &Screen,
) -> Result<(), Failure> {
    let seen = OpenStage::look_if_there(run.project.as_ref(), definition).await?;
    let releases = match &seen {
        Some((stage, seen)) => kept(&seen.observed, &stage.names.api_stage),
        None => Vec::new(),
    };
    screen.history(&HistoryResult {
        stage: name,
        identity: definition.identity.to_string(),
        releases,
    });
    Ok(())
}

fn kept(observed: &Observed, api_stage: &str) -> Vec<ReleaseStatus> {
    let status = |api| {
        releases(api, observed)
            .into_iter()
            .map(|(deployment, release)| {
                let live = api.live_deployment(api_stage);
                let manifest = observed.manifest_of(deployment);
                let provenance = manifest.map(|manifest| manifest.provenance.clone());
                ReleaseStatus {
                    release: release.to_string(),
                    live: live.is_some_and(|live| live.deployment_id == deployment.deployment_id),
                    at: provenance
                        .as_ref()
                        .map(|p| p.at.clone())
                        .or(deployment.created.clone()),
                    by: provenance.as_ref().map(|p| p.by.clone()),
                    promoted_from: provenance.as_ref().and_then(|p| p.promoted_from.clone()),
                    git_revision: provenance.and_then(|p| p.git_revision),
                }
            })
    };
    observed.apis.iter().flat_map(status).collect()
}
