//! Carries out a plan: each step as soon as what it comes after is done, a
//! failing branch stopping only what depends on it.
//!
//! Deliberately absent: choices. What is written, and in which order, stands in
//! the plan.

mod api_lane;
mod role_gate;
mod step;

use crate::cloud::{Artifacts, CloudReader, CloudWriter};
use crate::error::CloudError;
use crate::events::EventSink;
use crate::interrupt::Interrupt;
use crate::verify::Verify;
use deployer_core::account::Account;
use deployer_core::names::Names;
use deployer_core::plan::{Bindings, Plan, StepId, Verb};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeSet;
use step::{Progress, RunningStep, Shared};

/// Writes in flight at once. How fast they may follow each other is the
/// adapter's to keep, which knows the services' rates.
const WRITES_IN_FLIGHT: usize = 32;

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
    let shared = Shared::new(plan.bindings.clone());
    let mut outcome = Outcome::default();
    let mut waiting: BTreeSet<StepId> = (0..plan.steps.len()).collect();
    // Written, but not ready yet.
    let mut written: BTreeSet<StepId> = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        outcome.interrupted = outcome.interrupted || means.interrupt.requested();
        while !outcome.interrupted && running.len() < WRITES_IN_FLIGHT {
            let ready = waiting.iter().copied().find(|id| {
                let step = &plan.steps[*id];
                let early = step.action.may_precede_readiness();
                step.after.iter().all(|earlier| {
                    outcome.done.contains(earlier) || early && written.contains(earlier)
                })
            });
            let Some(id) = ready else { break };
            waiting.remove(&id);
            let running_step = RunningStep::begin(id, &plan.steps[id], means, &shared);
            running.push(running_step.write().boxed());
        }
        let Some(progress) = running.next().await else {
            break;
        };
        match progress {
            Progress::Written(step, unready) => {
                written.insert(step.id);
                running.push(step.settle(unready).boxed());
            }
            Progress::Done(step) => {
                step.done();
                outcome.done.insert(step.id);
            }
            Progress::Failed(step, error) => {
                step.failed(&error);
                outcome.failed.push((step.id, error));
            }
        }
    }
    drop(running);
    outcome.not_begun = waiting;
    outcome.bindings = shared.bindings.into_inner();
    outcome
}

#[cfg(test)]
mod tests;
