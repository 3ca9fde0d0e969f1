//! Carries out a plan: each step as soon as what it comes after is done, writes
//! to one API one after the other, a failing branch stopping only what depends
//! on it.
//!
//! Deliberately absent: choices. What is written, and in which order, stands in
//! the plan.

mod step;

use crate::cloud::{Artifacts, CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::{Event, EventSink};
use crate::interrupt::Interrupt;
use crate::verify::Verify;
use deployer_core::names::Names;
use deployer_core::plan::{Bindings, Plan, StepId, Verb};
use deployer_core::policy::Account;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeSet;
use tokio::sync::{Mutex, Semaphore};

/// Writes in flight at once; the control planes allow 10 to 15 a second.
const WRITES_IN_FLIGHT: usize = 10;

/// What a plan is carried out with.
pub struct Means<'a, R, W> {
    /// For waiting until a write has taken effect.
    pub reader: &'a R,
    /// For the writes.
    pub writer: &'a W,
    /// Where.
    pub account: &'a Account,
    /// What everything is called.
    pub names: &'a Names,
    /// The functions' zips.
    pub artifacts: &'a Artifacts,
    /// Who listens.
    pub events: &'a dyn EventSink,
    /// Who may ask to stop.
    pub interrupt: &'a Interrupt,
    /// Whether an `up` waits until the endpoint answers.
    pub verify: Verify,
}

impl<'a, R, W> Means<'a, R, W> {
    /// The same with another writer.
    pub fn with<'b, V>(&self, writer: &'b V) -> Means<'b, R, V>
    where
        'a: 'b,
    {
        Means {
            reader: self.reader,
            writer,
            account: self.account,
            names: self.names,
            artifacts: self.artifacts,
            events: self.events,
            interrupt: self.interrupt,
            verify: self.verify,
        }
    }
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that are done.
    pub done: BTreeSet<StepId>,
    /// Steps that failed.
    pub failed: Vec<(StepId, CloudError)>,
    /// Steps that were not begun: they come after a failed one, or we were asked
    /// to stop.
    pub not_begun: BTreeSet<StepId>,
    /// Whether we were asked to stop.
    pub interrupted: bool,
    /// What exists now.
    pub bindings: Bindings,
}

impl Outcome {
    /// Everything was done.
    pub fn complete(&self) -> bool {
        self.failed.is_empty() && self.not_begun.is_empty()
    }

    /// Whether the plan had a release and it became live.
    pub fn released(&self, plan: &Plan) -> bool {
        let is_release = |step: &StepId| plan.steps[*step].action.verb() == Verb::Release;
        self.done.iter().any(is_release)
    }
}

/// Carries out `plan`; ends when no further step can begin.
pub async fn apply<R: CloudReader, W: CloudWriter>(
    plan: &Plan,
    means: &Means<'_, R, W>,
) -> Outcome {
    let bindings = Mutex::new(plan.bindings.clone());
    // API Gateway serialises changes of one API and refuses parallel ones.
    let api_changes = Semaphore::new(1);
    let mut outcome = Outcome::default();
    let mut waiting: BTreeSet<StepId> = (0..plan.steps.len()).collect();
    let mut running = FuturesUnordered::new();
    loop {
        outcome.interrupted = outcome.interrupted || means.interrupt.requested();
        while !outcome.interrupted && running.len() < WRITES_IN_FLIGHT {
            let ready = waiting.iter().copied().find(|id| {
                plan.steps[*id]
                    .after
                    .iter()
                    .all(|earlier| outcome.done.contains(earlier))
            });
            let Some(id) = ready else { break };
            waiting.remove(&id);
            let (bindings, api_changes) = (&bindings, &api_changes);
            running.push(async move {
                (
                    id,
                    step::run(id, &plan.steps[id], means, bindings, api_changes).await,
                )
            });
        }
        let Some((id, result)) = running.next().await else {
            break;
        };
        match result {
            Ok(()) => {
                outcome.done.insert(id);
            }
            Err(error) => {
                let what = plan.steps[id].action.to_string();
                means.events.event(Event::StepFailed {
                    step: id,
                    what,
                    error: error.clone(),
                });
                outcome.failed.push((id, error));
            }
        }
    }
    drop(running);
    outcome.not_begun = waiting;
    outcome.bindings = bindings.into_inner();
    outcome
}

#[cfg(test)]
mod tests;
