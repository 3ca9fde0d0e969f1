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
    // Without credentials there is no need to build for minutes first.
    let on_aws = match definition.place {
        Place::Aws { .. } => Some(OpenStage::open(definition.clone()).await?),
        Place::Local { .. } => None,
    };
    let built = build::run(project, &definition, screen).await?;
    let stage = match (on_aws, &definition.place) {
        (Some(stage), _) => stage,
        (None, Place::Local { port }) => {
            local::ensure_running(project, *port).await?;
            OpenStage::open(definition.clone()).await?
        }
        (None, Place::Aws { .. }) => unreachable!("stages on AWS were opened above"),
    };
    let desired = Desired::new(
        &definition,
        stage.account.clone(),
        &built.code,
        provenance::now(project, &stage.account),
    );
    let means = stage.means(&built.artifacts, screen, interrupt);
    let up = exclusive::up(&desired, &means, &stage.lease(no_wait)).await?;
    check(&up)?;
    screen.up(&UpResult {
        stage: name,
        identity: definition.identity.to_string(),
        changed: !up.plan.is_empty(),
        steps: up.outcome.done.len(),
        release: ReleaseHash::of(&desired).to_string(),
        url: up.url.unwrap_or_default(),
        endpoint_disabled: desired.gateway.api.disable_execute_api_endpoint,
        notice: definition.notice.as_deref(),
    });
    Ok(())
}

/// Says what a half-done `up` means for who uses the service now.
fn check(up: &Up) -> Result<(), Failure> {
    if up.outcome.complete() {
        return Ok(());
    }
    let serving = match (up.outcome.released(&up.plan), up.served_before) {
        (true, _) => "the new release is live",
        (false, true) => "the old release is still serving",
        (false, false) => "nothing is live yet",
    };
    let done = up.outcome.done.len();
    let left = up.plan.steps.len() - done;
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
