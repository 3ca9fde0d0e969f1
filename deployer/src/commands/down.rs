//! `deployer down`: removes everything the stage owns.

use super::choice::Absent;
use super::run::{Origin, Run, Stage};
use crate::failure::Failure;
use crate::guards;
use crate::local::{self, Afterwards};
use crate::render::{DownResult, Screen, StoppedResult};
use crate::stage::OpenStage;
use deployer_core::stage_file::Place;
use deployer_engine::cloud::Artifacts;
use deployer_engine::down::{ByRecord, Down, DownError, Removal, Spared};
use deployer_engine::events::{Event, EventSink};
use deployer_engine::exclusive;
use deployer_engine::observe::Look;
use jiff::Timestamp;

/// How stages are removed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether not to wait for another.
    pub no_wait: bool,
    /// Protected stages that are to be removed all the same.
    pub confirmed: Vec<String>,
    /// Only what has expired is to be removed.
    pub expired: bool,
}

/// Removes one stage. `absent`: it has no file, and the account doesn't list it.
pub async fn run(
    run: &Run,
    stage: &Stage,
    screen: &Screen,
    options: &Options,
    absent: Option<&Absent>,
) -> Result<(), Failure> {
    let Stage {
        name, definition, ..
    } = stage;
    let project = run.project.as_ref();
    screen.event(Event::Observing);
    let mut result = DownResult {
        stage: name,
        identity: definition.identity.to_string(),
        ..DownResult::default()
    };
    let removed = match OpenStage::look_if_there(project, definition).await? {
        Some((open, seen)) => match remove(run, stage, &open, seen, screen, options).await? {
            Removed::Renewed { until } => {
                result.renewed = true;
                result.expires = until.map(|until| until.to_string());
                screen.down(&result);
                return Ok(());
            }
            Removed::Gone(down) => Some(down),
        },
        None => None,
    };
    let local_cloud = match (&definition.place, project) {
        (Place::Local { port }, Some(project)) => Some(local::stop_if_empty(project, *port).await?),
        _ => None,
    };
    result.removed = removed.as_ref().map_or(0, |down| down.outcome.done.len());
    result.retained = removed
        .iter()
        .flat_map(|down| &down.retained.log_groups)
        .map(ToString::to_string)
        .chain(removed.iter().flat_map(|down| {
            let tables = down.retained.tables.iter();
            tables.map(|name| format!("table {name}"))
        }))
        .collect();
    result.local_cloud_stopped = local_cloud == Some(Afterwards::Ended);
    result.local_cloud_needed = local_cloud == Some(Afterwards::StillNeeded);
    result.logging_role_kept =
        result.removed > 0 && local_cloud != Some(Afterwards::Ended) && definition.api.write_logs();
    if let Some(Absent { looked, near, .. }) = absent.filter(|_| result.removed == 0) {
        result.nothing_in = Some(looked.to_string());
        result.near.clone_from(near);
    }
    screen.down(&result);
    Ok(())
}

/// What became of a stage.
enum Removed {
    Gone(Box<Down>),
    /// It was to go because it had expired, and doesn't any more.
    Renewed {
        until: Option<Timestamp>,
    },
}

async fn remove(
    run: &Run,
    stage: &Stage,
    open: &OpenStage,
    seen: Look,
    screen: &Screen,
    options: &Options,
) -> Result<Removed, Failure> {
    let artifacts = Artifacts::new();
    let means = open.means(&artifacts, screen, &run.interrupt);
    let removal = removal(run, stage, options);
    let known = open.known();
    let lease = open.lease(options.no_wait);
    let down = match exclusive::down_from(&known, &removal, &means, &lease, seen).await {
        Ok(down) => down,
        Err(DownError::Spared(Spared::Renewed { until })) => {
            return Ok(Removed::Renewed { until });
        }
        Err(DownError::Spared(Spared::Protected)) => {
            return Err(guards::protected(&stage.definition));
        }
        Err(error) => return Err(error.into()),
    };
    check(&down, &stage.definition.identity.stage, screen)?;
    Ok(Removed::Gone(Box::new(down)))
}

/// Of a stage without a file, the journal has a say: under the lease, too, for an `up` may
/// have been at work since it was listed.
fn removal(run: &Run, stage: &Stage, options: &Options) -> Removal {
    let definition = &stage.definition;
    let guards = &definition.guards;
    let confirmed = guards.protected || options.confirmed.contains(&definition.identity.stage);
    let by_record = ByRecord {
        // One that was protected got this far by its name.
        confirmed,
        expired_by: options.expired.then_some(run.now),
    };
    Removal {
        retain: definition.retain.clone(),
        by_record: (stage.origin != Origin::File).then_some(by_record),
    }
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
            Some((_, error)) => deployer_engine::causes::next_step(error),
            None => "run the command again".to_owned(),
        };
        let message = format!("{done} steps done; left: {}", left.join(", "));
        return Err(Failure::Incomplete { message, next_step });
    }
    Ok(())
}
