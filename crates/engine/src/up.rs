//! `up`: observe, plan, apply, verify.

use crate::apply::{Means, Outcome, apply};
use crate::cloud::{CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::Event;
use crate::lease::LeaseError;
use crate::observe::observe_for;
use crate::verify::wait_until_endpoint_answers;
use deployer_core::desired::Desired;
use deployer_core::names::Names;
use deployer_core::observed::Observed;
use deployer_core::plan::{self, Plan, Refusal};

/// How an `up` ended.
#[derive(Debug)]
pub struct Up {
    /// What was to be done.
    pub plan: Plan,
    /// What was done.
    pub outcome: Outcome,
    /// The stage's URL, once it is live.
    pub url: Option<String>,
    /// Whether something was serving before.
    pub served_before: bool,
}

/// Why there was no plan, or why the endpoint stayed silent.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// Reading or verifying failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Something in the way isn't ours.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another deploys the stage.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// The plan of `desired`, from what is there. Reads only.
///
/// # Errors
/// When reading fails, or a name belongs to somebody else.
pub async fn make_plan<R: CloudReader>(
    reader: &R,
    desired: &Desired,
) -> Result<(Plan, Observed), UpError> {
    let observed = observe_for(reader, desired).await?;
    let plan = plan::up(desired, &observed)?;
    Ok((plan, observed))
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
    carry_out(desired, means, plan, &observed).await
}

/// Applies a plan and verifies that its stage answers.
pub(crate) async fn carry_out<R: CloudReader, W: CloudWriter>(
    desired: &Desired,
    means: &Means<'_, R, W>,
    plan: Plan,
    observed: &Observed,
) -> Result<Up, UpError> {
    means.events.event(Event::Planned {
        steps: plan.steps.len(),
    });
    let outcome = apply(&plan, means).await;
    let served_before = url_of(observed, &desired.names).is_some();
    // From what the writes gave: a list may not show a new API yet.
    let endpoint = outcome.bindings.api_endpoint.as_ref();
    let url = match outcome.complete() {
        true => endpoint.map(|endpoint| stage_url(endpoint, &desired.names)),
        false => None,
    };
    if let Some(url) = &url {
        let answer = desired.gateway.api.status_of_plain_get();
        let (events, interrupt) = (means.events, means.interrupt);
        wait_until_endpoint_answers(means.reader, url, answer, events, interrupt).await?;
    }
    Ok(Up {
        plan,
        outcome,
        url,
        served_before,
    })
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
