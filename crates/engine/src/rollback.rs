//! `rollback`: observe, one write, verify.

use crate::apply::{Means, Outcome, apply};
use crate::cloud::{CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::Event;
use crate::lease::LeaseError;
use crate::observe::{Known, observe};
use crate::up::url_of;
use crate::verify::{Verify, wait_until_endpoint_answers};
use deployer_core::names::Names;
use deployer_core::observed::Observed;
use deployer_core::plan::{self, Plan, Refusal, RollbackRefusal, UnsoundPlan};

/// How a `rollback` ended.
#[derive(Debug)]
pub struct Rollback {
    /// The one write.
    pub plan: Plan,
    /// Whether it was done.
    pub outcome: Outcome,
    /// The stage's URL.
    pub url: Option<String>,
    /// The status with which it answers a plain GET.
    answer: u16,
}

/// Why nothing was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// Reading or verifying failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// There is nothing to go back to.
    #[error(transparent)]
    Refused(#[from] RollbackRefusal),
    /// The journal isn't ours.
    #[error(transparent)]
    NotOurs(#[from] Refusal),
    /// The plan breaks the planner's own rules.
    #[error(transparent)]
    Unsound(#[from] UnsoundPlan),
    /// Another deploys the stage.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// The one write, from what is there. Reads only.
pub(crate) async fn make_plan<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
    asked: Option<&str>,
) -> Result<(Plan, Observed), RollbackError> {
    let observed = observe(reader, names, known).await?;
    Ok((plan_of(names, &observed, asked)?, observed))
}

/// As [`make_plan`], from what was observed.
pub(crate) fn plan_of(
    names: &Names,
    observed: &Observed,
    asked: Option<&str>,
) -> Result<Plan, RollbackError> {
    let plan = plan::rollback(names, observed, asked)?;
    plan::check_journal(names, observed)?;
    Ok(plan::sound(plan, observed, names)?)
}

/// Makes the release `asked` live again (its hash or the beginning of it;
/// `None`: the one before the live one). `known` is what the stage file
/// names.
///
/// # Errors
/// When reading or verifying fails, or there is no such release. A write that
/// fails is in the outcome.
pub async fn rollback<R: CloudReader, W: CloudWriter>(
    known: &Known,
    asked: Option<&str>,
    means: &Means<'_, R, W>,
) -> Result<Rollback, RollbackError> {
    means.events.event(Event::Observing);
    let (plan, observed) = make_plan(means.reader, means.names, known, asked).await?;
    let rollback = carry_out(means, plan, &observed).await;
    verify(&rollback, means).await?;
    Ok(rollback)
}

/// Applies the plan.
pub(crate) async fn carry_out<R: CloudReader, W: CloudWriter>(
    means: &Means<'_, R, W>,
    plan: Plan,
    observed: &Observed,
) -> Rollback {
    means.events.event(Event::Planned {
        steps: plan.steps.len(),
    });
    let outcome = Box::pin(apply(&plan, means)).await;
    let url = url_of(observed, means.names);
    let target = plan.bindings.deployment_id.as_ref();
    let mut deployments = observed.apis.iter().flat_map(|api| &api.deployments);
    let manifest = deployments
        .find(|deployment| Some(&deployment.deployment_id) == target)
        .and_then(|deployment| observed.manifest_of(deployment));
    let api = manifest.map(|manifest| manifest.api.clone());
    let answer = api.unwrap_or_default().status_of_plain_get();
    Rollback {
        plan,
        outcome,
        url,
        answer,
    }
}

/// Waits until what is live answers, where that is asked for.
///
/// # Errors
/// When it doesn't in time.
pub(crate) async fn verify<R: CloudReader, W>(
    rollback: &Rollback,
    means: &Means<'_, R, W>,
) -> Result<(), CloudError> {
    match &rollback.url {
        Some(url) if rollback.outcome.complete() && means.verify == Verify::Endpoint => {
            let (answer, events, interrupt) = (rollback.answer, means.events, means.interrupt);
            wait_until_endpoint_answers(means.reader, url, answer, events, interrupt).await
        }
        _ => Ok(()),
    }
}
