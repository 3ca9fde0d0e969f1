//! `deployer down`: removes everything the stage owns.

use super::run::{Run, Stage};
use crate::failure::Failure;
use crate::local::{self, Afterwards};
use crate::render::{DownResult, Screen, StoppedResult};
use crate::stage::OpenStage;
use deployer_core::stage_file::Place;
use deployer_engine::cloud::Artifacts;
use deployer_engine::down::Down;
use deployer_engine::events::{Event, EventSink};
use deployer_engine::exclusive;
use deployer_engine::observe::Look;

/// How stages are removed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether not to wait for another.
    pub no_wait: bool,
    /// Protected stages that are to be removed all the same.
    pub confirmed: Vec<String>,
}

/// Removes one stage.
pub async fn run(
    run: &Run,
    Stage { name, definition }: &Stage,
    screen: &Screen,
    no_wait: bool,
) -> Result<(), Failure> {
    screen.event(Event::Observing);
    let removed = match OpenStage::look_if_there(&run.project, definition).await? {
        Some((stage, seen)) => Some(remove(run, &stage, seen, screen, no_wait).await?),
        None => None,
    };
    let local_cloud = match definition.place {
        Place::Local { port } => Some(local::stop_if_empty(&run.project, port).await?),
        Place::Aws { .. } => None,
    };
    let done = removed.as_ref().map_or(0, |down| down.outcome.done.len());
    screen.down(&DownResult {
        stage: name,
        identity: definition.identity.to_string(),
        removed: done,
        retained: removed
            .iter()
            .flat_map(|down| &down.retained.log_groups)
            .map(ToString::to_string)
            .chain(removed.iter().flat_map(|down| {
                let tables = down.retained.tables.iter();
                tables.map(|name| format!("table {name}"))
            }))
            .collect(),
        local_cloud_stopped: local_cloud == Some(Afterwards::Ended),
        local_cloud_needed: local_cloud == Some(Afterwards::StillNeeded),
        logging_role_kept: done > 0
            && local_cloud != Some(Afterwards::Ended)
            && definition.api.write_logs(),
    });
    Ok(())
}

async fn remove(
    run: &Run,
    stage: &OpenStage,
    seen: Look,
    screen: &Screen,
    no_wait: bool,
) -> Result<Down, Failure> {
    let artifacts = Artifacts::new();
    let means = stage.means(&artifacts, screen, &run.interrupt);
    let retain = &stage.definition.retain;
    let known = stage.known();
    let lease = stage.lease(no_wait);
    let down = exclusive::down_from(&known, retain, &means, &lease, seen).await?;
    check(&down, &stage.definition.identity.stage, screen)?;
    Ok(down)
}

fn check(down: &Down, stage: &str, screen: &Screen) -> Result<(), Failure> {
    let done = down.outcome.done.len();
    if down.outcome.interrupted && !down.outcome.complete() {
        let stopped = StoppedResult::new(stage, &down.plan, &down.outcome, None);
        screen.stopped(&stopped);
        let message = stopped.to_string();
        return Err(Failure::Interrupted { message });
    }
    if !down.left.is_empty() {
        let left: Vec<String> = down
            .left
            .steps
            .iter()
            .map(|step| step.action.to_string())
            .collect();
        let next_step = match down.outcome.failed.first() {
            Some((_, error)) => deployer_engine::hints::next_step(error),
            None => "run the command again".to_owned(),
        };
        let message = format!("{done} steps done; left: {}", left.join(", "));
        return Err(Failure::Incomplete { message, next_step });
    }
    Ok(())
}
