//! What the engine tells while it works: the only link between it and a screen.

use crate::error::CloudError;
use deployer_core::plan::StepId;
use std::time::Duration;

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Another deploys the stage; we wait.
    WaitingForLease {
        /// Who.
        holder: String,
    },
    /// The one before has ended, but reads may not show its writes yet, or calls of it
    /// may still be carried out.
    Settling {
        /// For how long.
        wait: Duration,
    },
    /// Reading the account.
    Observing,
    /// There is a plan of so many steps.
    Planned {
        /// How many.
        steps: usize,
    },
    /// A write begins.
    StepStarted {
        /// Which step of the plan.
        step: StepId,
        /// In words.
        what: String,
    },
    /// A write is not through yet: it is tried again or its effect waited for.
    StepWaiting {
        /// Which step of the plan.
        step: StepId,
        /// In words.
        what: String,
        /// For what.
        reason: String,
    },
    /// A write is done.
    StepDone {
        /// Which step of the plan.
        step: StepId,
        /// In words.
        what: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// A write failed; what doesn't depend on it goes on.
    StepFailed {
        /// Which step of the plan.
        step: StepId,
        /// In words.
        what: String,
        /// Why.
        error: CloudError,
    },
    /// Waiting until the endpoint answers for this stage.
    Verifying {
        /// The endpoint.
        url: String,
    },
    /// The endpoint answers.
    Verified {
        /// How long that took.
        elapsed: Duration,
    },
}

/// Whoever listens.
pub trait EventSink: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> EventSink for F {
    fn event(&self, event: Event) {
        self(event);
    }
}
