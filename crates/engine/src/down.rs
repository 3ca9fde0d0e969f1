//! `down`: observe, plan, apply, and look again.

use crate::apply::{Means, Outcome, apply};
use crate::cloud::{CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::Event;
use crate::observe::observe;
use deployer_core::names::FunctionName;
use deployer_core::plan::{self, Plan};

/// How a `down` ended.
#[derive(Debug)]
pub struct Down {
    /// What was to be done.
    pub plan: Plan,
    /// What was done.
    pub outcome: Outcome,
    /// What is still there afterwards, by looking again.
    pub left: Plan,
}

/// Removes everything the stage owns. `known` are functions the stage file
/// names; others are found by what they left in the account.
///
/// # Errors
/// When reading fails. A write that fails is in the outcome.
pub async fn down<R: CloudReader, W: CloudWriter>(
    known: &[FunctionName],
    means: &Means<'_, R, W>,
) -> Result<Down, CloudError> {
    means.events.event(Event::Observing);
    let observed = observe(means.reader, means.names, known).await?;
    let plan = plan::down(means.names, &observed);
    means.events.event(Event::Planned {
        steps: plan.steps.len(),
    });
    let outcome = apply(&plan, means).await;
    let left = if plan.is_empty() || outcome.interrupted {
        Plan {
            steps: Vec::new(),
            ..plan.clone()
        }
    } else {
        plan::down(
            means.names,
            &observe(means.reader, means.names, known).await?,
        )
    };
    Ok(Down {
        plan,
        outcome,
        left,
    })
}
