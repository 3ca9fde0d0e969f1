//! `deployer rollback`: makes a kept release live again, without source or build.

use crate::cli::Rollback;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{RollbackResult, Screen};
use crate::stage::OpenStage;
use deployer_core::plan::RollbackRefusal;
use deployer_engine::apply::Means;
use deployer_engine::cloud::Artifacts;
use deployer_engine::events::{Event, EventSink};
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;

/// Rolls one stage back.
pub async fn run(
    project: &Project,
    options: &Rollback,
    screen: &Screen,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let definition = project.read_stage(&options.stage)?;
    screen.event(Event::Observing);
    let Some((stage, seen)) = OpenStage::look_if_there(project, &definition).await? else {
        return Err(RollbackRefusal::NotLive.into());
    };
    let artifacts = Artifacts::new();
    let means = Means {
        verify: options.verification.wanted(),
        ..stage.means(&artifacts, screen, interrupt)
    };
    let known = stage.known();
    let lease = stage.lease(options.no_wait);
    let asked = options.release.as_deref();
    let done = exclusive::rollback_from(&known, asked, &means, &lease, seen).await?;
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
