//! `deployer up`: builds, then makes the account as the stage file says.

use super::run::{Run, Stage};
use crate::cli::Lives;
use crate::failure::Failure;
use crate::local;
use crate::project::Project;
use crate::provenance;
use crate::render::{Screen, StoppedResult, UpResult};
use crate::stage::OpenStage;
use deployer_aws::Cloud;
use deployer_core::desired::Desired;
use deployer_core::record::Expiry;
use deployer_core::release::ReleaseHash;
use deployer_core::stage_file::{Place, StageDefinition};
use deployer_engine::apply::Means;
use deployer_engine::exclusive;
use deployer_engine::lease::LeaseRequest;
use deployer_engine::observe::Look;
use deployer_engine::up::Up;
use deployer_engine::verify::Verify;
use jiff::Timestamp;

/// What an `up` may do.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Fail at once when another deploys the stage.
    pub no_wait: bool,
    /// Take over what is in the way and nobody's.
    pub adopt: bool,
    /// What must be seen before it is said to be done.
    pub verify: Verify,
    /// How long the stage is to live.
    pub lives: Option<Lives>,
}

/// What an `up` has made live, or found so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub release: String,
    pub url: String,
    /// Whether anything was written.
    pub changed: bool,
}

/// Deploys one stage.
pub async fn run(
    run: &Run,
    stage: &Stage,
    screen: &Screen,
    options: Options,
) -> Result<(), Failure> {
    let deployed = deploy(run, stage, screen, options).await;
    deployed.map(|_| ()).map_err(Failure::of_up)
}

/// As [`run`]; gives what is live.
pub async fn deploy(
    run: &Run,
    Stage { definition, .. }: &Stage,
    screen: &Screen,
    options: Options,
) -> Result<Live, Failure> {
    let Run {
        workshop,
        interrupt,
        ..
    } = run;
    let project = run.project()?;
    // The account is read while cargo looks for changes. Without credentials there
    // is no need to build for minutes first.
    let (built, seen, revision) = tokio::try_join!(
        workshop.functions(project, definition, screen),
        OpenStage::look_if_there(Some(project), definition),
        async { Ok(workshop.git_revision_aside(project).await) },
    )?;
    if interrupt.requested() {
        let message = "interrupted after building, before anything was touched".to_owned();
        return Err(Failure::Interrupted { message });
    }
    let (stage, seen) = there(project, definition, seen).await?;
    let mut desired = Desired::new(
        definition,
        stage.account.clone(),
        &built.code,
        provenance::now(&stage.account, revision),
    );
    desired.adopt = options.adopt;
    desired.expiry = expiry(definition, options.lives, run.now).unwrap_or(desired.expiry);
    let means = Means {
        verify: options.verify,
        ..stage.means(&built.artifacts, screen, interrupt)
    };
    release(
        &desired,
        &means,
        options.no_wait,
        (&stage, seen),
        definition,
        screen,
    )
    .await
}

/// What was seen, and where nothing could be, a local cloud that is started now.
pub async fn there(
    project: &Project,
    definition: &StageDefinition,
    seen: Option<(OpenStage, Look)>,
) -> Result<(OpenStage, Look), Failure> {
    match (seen, &definition.place) {
        (Some(seen), _) => Ok(seen),
        (None, Place::Local { port }) => {
            local::ensure_running(project, *port).await?;
            OpenStage::open_and_look(definition.clone()).await
        }
        (None, Place::Aws { .. }) => unreachable!("AWS is always running"),
    }
}

/// Makes the account as `desired`, and says how that ended.
pub async fn release(
    desired: &Desired,
    means: &Means<'_, Cloud, Cloud>,
    no_wait: bool,
    (stage, seen): (&OpenStage, Look),
    definition: &StageDefinition,
    screen: &Screen,
) -> Result<Live, Failure> {
    let name = &definition.identity.stage;
    let expires = match desired.expiry {
        Expiry::At(at) => Some(at),
        Expiry::Never => None,
        Expiry::Keep => seen.record().expires,
    };
    let lease = LeaseRequest {
        tags: desired.journal_tags(),
        ..stage.lease(no_wait)
    };
    let up = exclusive::up_from(desired, means, &lease, seen).await?;
    check(&up, name, screen)?;
    let url = up.url.unwrap_or_default();
    // The local cloud takes both on its one port; AWS knows no other than `wss://`.
    let path = url.strip_prefix("ws://");
    let secure_url = path.map(|path| format!("wss://{path}"));
    let page = page_of(&url);
    let live = Live {
        release: ReleaseHash::of(desired).to_string(),
        url: url.clone(),
        changed: !up.plan.is_empty() || up.done_before > 0,
    };
    screen.up(&UpResult {
        stage: name,
        identity: definition.identity.to_string(),
        changed: !up.plan.is_empty(),
        steps: up.done_before + up.outcome.done.len(),
        release: live.release.clone(),
        promoted_from: desired.provenance.promoted_from.as_ref(),
        git_revision: desired.provenance.git_revision.as_deref(),
        url,
        secure_url,
        page,
        endpoint_disabled: desired.gateway.api.disable_execute_api_endpoint,
        expires: expires.map(|expires| expires.to_string()),
        notice: definition.notice.as_deref(),
    });
    Ok(live)
}

/// The page of the local cloud that serves this address; AWS has none.
pub fn page_of(url: &str) -> Option<String> {
    let (host, _) = url.strip_prefix("ws://")?.split_once('/')?;
    Some(format!("http://{host}/"))
}

/// When the stage is to expire: as the command says, else its file; `None`: neither does.
pub fn expiry(
    definition: &StageDefinition,
    lives: Option<Lives>,
    now: Timestamp,
) -> Option<Expiry> {
    match (lives, definition.ttl) {
        (Some(Lives::ForEver), _) => Some(Expiry::Never),
        (Some(Lives::For(ttl)), _) | (None, Some(ttl)) => Some(Expiry::At(ttl.from(now))),
        (None, None) => None,
    }
}

/// Says what a half-done `up` means for who uses the service now.
fn check(up: &Up, stage: &str, screen: &Screen) -> Result<(), Failure> {
    if up.outcome.complete() {
        return Ok(());
    }
    let stopped = StoppedResult::new(stage, &up.plan, &up.outcome, Some(up.serving()));
    screen.stopped(&stopped);
    let message = stopped.to_string();
    if up.outcome.interrupted {
        return Err(Failure::Interrupted { message });
    }
    let next_step = match up.outcome.failed.first() {
        Some((_, error)) => deployer_engine::causes::next_step(error),
        None => "run the command again".to_owned(),
    };
    Err(Failure::Incomplete { message, next_step })
}
