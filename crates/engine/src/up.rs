//! `up`: observe, plan, apply, verify.

use crate::apply::{Means, Outcome, apply};
use crate::cloud::{CloudReader, CloudWriter};
use crate::error::{CloudError, CloudErrorKind};
use crate::events::Event;
use crate::lease::LeaseError;
use crate::observe::observe_for;
use crate::verify::{Verify, wait_until_endpoint_answers};
use deployer_core::desired::Desired;
use deployer_core::names::Names;
use deployer_core::observed::Observed;
use deployer_core::plan::{self, Plan, Refusal, UnsoundPlan, Verb};
use std::time::Duration;
use tokio::time::sleep;

/// Plans made within one `up`: lost answers are looked after once.
const ROUNDS: usize = 2;
/// How long reads get to show what a lost answer would have told.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How an `up` ended.
#[derive(Debug)]
pub struct Up {
    /// What was to be done; after lost answers, what was still to be done.
    pub plan: Plan,
    /// What became of that plan.
    pub outcome: Outcome,
    /// Steps done by earlier plans, before answers were lost.
    pub done_before: usize,
    /// The stage's URL, once it is live.
    pub url: Option<String>,
    /// Whether something was serving before.
    pub served_before: bool,
    /// Whether the new release became live.
    pub released: bool,
    /// The status with which its endpoint answers a plain GET.
    answer: u16,
}

/// What users of the service reach after an `up`, however it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// What this `up` released, or what it found live and as the files say.
    New,
    /// What was live before.
    Old,
    /// The cut-over got no answer.
    OldOrNew,
    /// Nothing yet.
    Nothing,
}

impl Serving {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "the new release is live",
            Self::Old => "the old release is still serving",
            Self::OldOrNew => {
                "the cut-over got no answer, so the old release is still serving or the new one is live"
            }
            Self::Nothing => "nothing is live yet",
        }
    }
}

impl Up {
    /// What users reach now.
    pub fn serving(&self) -> Serving {
        let is_release = |id: &usize| self.plan.steps[*id].action.verb() == Verb::Release;
        let unanswered = self
            .outcome
            .failed
            .iter()
            .any(|(id, error)| is_release(id) && error.kind == CloudErrorKind::NoAnswer);
        let releases = (0..self.plan.steps.len()).any(|id| is_release(&id));
        match (self.released, self.served_before) {
            (true, _) => Serving::New,
            _ if unanswered => Serving::OldOrNew,
            (false, true) if releases => Serving::Old,
            (false, true) => Serving::New,
            (false, false) => Serving::Nothing,
        }
    }
}

/// Why there was no plan, or why the endpoint stayed silent.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Reading failed: nothing was written.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// All is written and live, but the endpoint doesn't answer.
    #[error("all steps are done and the release is live, but: {0}")]
    Silent(CloudError),
    /// Something in the way isn't ours.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plan breaks the planner's own rules.
    #[error(transparent)]
    Unsound(#[from] UnsoundPlan),
    /// Another deploys the stage.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// The plan of `desired`, from what is there. Reads only.
///
/// # Errors
/// When reading fails, a name belongs to somebody else, or the plan is unsound.
pub async fn make_plan<R: CloudReader>(
    reader: &R,
    desired: &Desired,
) -> Result<(Plan, Observed), UpError> {
    let observed = observe_for(reader, desired).await?;
    let plan = plan_of(desired, &observed)?;
    Ok((plan, observed))
}

/// As [`make_plan`], from what was observed.
///
/// # Errors
/// When a name belongs to somebody else, or the plan is unsound.
pub fn plan_of(desired: &Desired, observed: &Observed) -> Result<Plan, UpError> {
    let plan = plan::up(desired, observed)?;
    Ok(plan::sound(plan, observed, &desired.names)?)
}

/// Makes the account as `desired` says.
///
/// # Errors
/// When reading or verifying fails, or a name belongs to somebody else. A write
/// that fails is in the outcome.
pub async fn up<R: CloudReader, W: CloudWriter>(
    desired: &Desired,
    means: &Means<'_, R, W>,
) -> Result<Up, UpError> {
    means.events.event(Event::Observing);
    let (plan, observed) = make_plan(means.reader, desired).await?;
    let up = carry_out(desired, means, plan, &observed).await?;
    verify(&up, means).await.map_err(UpError::Silent)?;
    Ok(up)
}

/// Applies a plan. Where answers were lost, looks what became of those writes and
/// goes on from there: they may have been done.
pub(crate) async fn carry_out<R: CloudReader, W: CloudWriter>(
    desired: &Desired,
    means: &Means<'_, R, W>,
    mut plan: Plan,
    observed: &Observed,
) -> Result<Up, UpError> {
    let served_before = url_of(observed, &desired.names).is_some();
    let mut done_before = 0;
    let mut released = false;
    let mut rounds = 0;
    loop {
        rounds += 1;
        means.events.event(Event::Planned {
            steps: plan.steps.len(),
        });
        let outcome = Box::pin(apply(&plan, means)).await;
        released |= outcome.released(&plan);
        if rounds < ROUNDS && only_lost_answers(&outcome) {
            sleep(LOOK_AGAIN_AFTER).await;
            means.events.event(Event::Observing);
            // Where looking fails too, the first failure says more.
            if let Ok((next, _)) = make_plan(means.reader, desired).await {
                done_before += outcome.done.len();
                plan = next;
                continue;
            }
        }
        // From what the writes gave: a list may not show a new API yet.
        let endpoint = outcome.bindings.api_endpoint.as_ref();
        let url = match outcome.complete() {
            true => endpoint.map(|endpoint| stage_url(endpoint, &desired.names)),
            false => None,
        };
        return Ok(Up {
            plan,
            outcome,
            done_before,
            url,
            served_before,
            released,
            answer: desired.gateway.api.status_of_plain_get(),
        });
    }
}

/// Whether all that failed may have been done all the same.
fn only_lost_answers(outcome: &Outcome) -> bool {
    let lost = |(_, error): &(_, CloudError)| error.kind == CloudErrorKind::NoAnswer;
    !outcome.failed.is_empty() && !outcome.interrupted && outcome.failed.iter().all(lost)
}

/// Waits until what is live answers.
///
/// # Errors
/// When it doesn't in time.
pub(crate) async fn verify<R: CloudReader, W>(
    up: &Up,
    means: &Means<'_, R, W>,
) -> Result<(), CloudError> {
    match &up.url {
        Some(url) if means.verify == Verify::Endpoint => {
            let (answer, events, interrupt) = (up.answer, means.events, means.interrupt);
            wait_until_endpoint_answers(means.reader, url, answer, events, interrupt).await
        }
        _ => Ok(()),
    }
}

/// The URL of a stage that is live.
pub fn url_of(observed: &Observed, names: &Names) -> Option<String> {
    let api = observed
        .apis
        .iter()
        .find(|api| api.live_deployment(&names.api_stage).is_some())?;
    Some(stage_url(&api.endpoint, names))
}

fn stage_url(endpoint: &str, names: &Names) -> String {
    format!("{endpoint}/{}", names.api_stage)
}
