//! `deployer up`: builds, then makes the account as the stage file says.

use super::build;
use crate::failure::Failure;
use crate::local;
use crate::project::Project;
use crate::provenance;
use crate::render::{Screen, UpResult};
use crate::stage::OpenStage;
use deployer_core::desired::Desired;
use deployer_core::release::ReleaseHash;
use deployer_core::stage_file::Place;
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::up::Up;

/// Deploys one stage.
pub async fn run(
    project: &Project,
    name: &str,
    screen: &Screen,
    interrupt: &Interrupt,
    no_wait: bool,
) -> Result<(), Failure> {
    let definition = project.read_stage(name)?;
    // The account is read while cargo looks for changes. Without credentials there
    // is no need to build for minutes first.
    let (built, seen) = tokio::try_join!(
        build::run(project, &definition, screen),
        OpenStage::look_if_running(&definition),
    )?;
    let (stage, seen) = match (seen, &definition.place) {
        (Some(seen), _) => seen,
        (None, Place::Local { port }) => {
            local::ensure_running(project, *port).await?;
            OpenStage::open_and_look(definition.clone()).await?
        }
        (None, Place::Aws { .. }) => unreachable!("AWS is always running"),
    };
    let desired = Desired::new(
        &definition,
        stage.account.clone(),
        &built.code,
        provenance::now(project, &stage.account),
    );
    let means = stage.means(&built.artifacts, screen, interrupt);
    let up = exclusive::up_from(&desired, &means, &stage.lease(no_wait), seen).await?;
    check(&up)?;
    screen.up(&UpResult {
        stage: name,
        identity: definition.identity.to_string(),
        changed: !up.plan.is_empty(),
        steps: up.done_before + up.outcome.done.len(),
        release: ReleaseHash::of(&desired).to_string(),
        url: up.url.unwrap_or_default(),
        notice: definition.notice.as_deref(),
    });
    Ok(())
}

/// Says what a half-done `up` means for who uses the service now.
fn check(up: &Up) -> Result<(), Failure> {
    if up.outcome.complete() {
        return Ok(());
    }
    let serving = match (up.released, up.served_before) {
        (true, _) => "the new release is live",
        (false, true) => "the old release is still serving",
        (false, false) => "nothing is live yet",
    };
    let left = up.plan.steps.len() - up.outcome.done.len();
    let done = up.done_before + up.outcome.done.len();
    let message = format!("{done} steps done, {left} left; {serving}");
    if up.outcome.interrupted {
        return Err(Failure::Interrupted { message });
    }
    let next_step = match up.outcome.failed.first() {
        Some((_, error)) => deployer_engine::hints::next_step(error).to_owned(),
        None => "run the command again".to_owned(),
    };
    Err(Failure::Incomplete { message, next_step })
}
