//! `deployer rollback`: makes a kept release live again, without source or build.

use super::choice::{Choice, choose};
use super::run::{Run, Stage};
use crate::cli::Rollback;
use crate::failure::Failure;
use crate::render::{RollbackResult, Screen};
use crate::stage::OpenStage;
use deployer_core::plan::RollbackRefusal;
use deployer_engine::apply::Means;
use deployer_engine::cloud::Artifacts;
use deployer_engine::events::{Event, EventSink};
use deployer_engine::exclusive;

/// Rolls one stage back.
pub async fn run(run: &Run, options: Rollback, screen: &Screen) -> Result<(), Failure> {
    let choice = Choice::Named {
        stages: vec![options.stage],
        names: options.name.into_iter().collect(),
        elsewhere: Some(options.elsewhere),
    };
    let chosen = choose(run, choice).await;
    let chosen = chosen.map_err(|mut failures| failures.swap_remove(0))?;
    if let Some(absent) = chosen.absent.first() {
        return Err(absent.failure(run.project.is_some()));
    }
    let Some(Stage {
        name, definition, ..
    }) = chosen.stages.into_iter().next()
    else {
        return Err(RollbackRefusal::NotLive.into());
    };
    screen.event(Event::Observing);
    let seen = OpenStage::look_if_there(run.project.as_ref(), &definition).await?;
    let Some((stage, seen)) = seen else {
        return Err(RollbackRefusal::NotLive.into());
    };
    let artifacts = Artifacts::new();
    let means = Means {
        verify: options.verification.wanted(),
        ..stage.means(&artifacts, screen, &run.interrupt)
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
        stage: &name,
        identity: definition.identity.to_string(),
        from: release.map(|change| change.old.clone()).unwrap_or_default(),
        to: release.map(|change| change.new.clone()).unwrap_or_default(),
        url: done.url.unwrap_or_default(),
    });
    Ok(())
}
