//! `deployer rollback`: makes a kept release live again, without source or build.

use crate::cli::Rollback;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{RollbackResult, Screen};
use crate::stage::OpenStage;
use deployer_engine::cloud::Artifacts;
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;

/// Rolls one stage back.
pub async fn run(
    project: &Project,
    options: &Rollback,
    screen: &Screen,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let (definition, stage) = OpenStage::open_if_running(project, &options.stage).await?;
    let Some(stage) = stage else {
        return Err(Failure::Rollback(
            deployer_core::plan::RollbackRefusal::NotLive,
        ));
    };
    let artifacts = Artifacts::new();
    let means = stage.means(&artifacts, screen, interrupt);
    let known = stage.function_names();
    let done = exclusive::rollback(
        &known,
        options.release.as_deref(),
        &means,
        &stage.lease(options.no_wait),
    )
    .await?;
    if done.outcome.interrupted && !done.outcome.complete() {
        let message = "interrupted: nothing was written".to_owned();
        return Err(Failure::Interrupted { message });
    }
    if let Some((_, error)) = done.outcome.failed.into_iter().next() {
        return Err(Failure::Cloud(error));
    }
    let release = done.plan.steps.iter().flat_map(|step| &step.changes).next();
    screen.rollback(&RollbackResult {
        stage: &options.stage,
        identity: definition.identity.to_string(),
        from: release.map(|change| change.old.clone()).unwrap_or_default(),
        to: release.map(|change| change.new.clone()).unwrap_or_default(),
        url: done.url.unwrap_or_default(),
    });
    Ok(())
}
