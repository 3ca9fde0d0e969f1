//! A writer that writes only while its lease is valid.

use super::holding::is_ours;
use super::{EXPIRY, Journal, MARGIN};
use crate::cloud::{CloudWriter, Produced, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use deployer_core::lease::Generation;
use deployer_core::names::LogGroupName;
use deployer_core::plan::{Action, Verb};
use std::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Since when a lease was last known to be ours.
#[derive(Debug)]
pub struct Validity(Mutex<Instant>);

impl Validity {
    pub(super) fn since(instant: Instant) -> Self {
        Self(Mutex::new(instant))
    }

    pub(super) fn renewed(&self, at: Instant) {
        *self.0.lock().expect("no holder of the lock panics") = at;
    }

    /// Whether a write begun now ends before the lease may be taken over.
    pub fn holds(&self) -> bool {
        Instant::now() < self.until()
    }

    fn until(&self) -> Instant {
        *self.0.lock().expect("no holder of the lock panics") + (EXPIRY - MARGIN)
    }

    /// Ends when it doesn't hold any more.
    async fn lapses(&self) {
        while self.holds() {
            sleep_until(self.until()).await;
        }
    }
}

/// Writes while the lease holds, and looks once more before a cut-over.
pub struct LeasedWriter<'a, W, J> {
    pub(super) inner: &'a W,
    pub(super) store: &'a J,
    pub(super) journal: &'a LogGroupName,
    pub(super) generation: Generation,
    pub(super) holder: &'a str,
    pub(super) validity: &'a Validity,
}

impl<W: CloudWriter, J: Journal> CloudWriter for LeasedWriter<'_, W, J> {
    async fn perform(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> Result<Produced, CloudError> {
        if !self.validity.holds() {
            return Err(lost(action, "the lease could not be renewed in time"));
        }
        if action.verb() == Verb::Release
            && !is_ours(self.store, self.journal, self.generation, self.holder).await?
        {
            return Err(lost(action, "another deploy has taken over the lease"));
        }
        tokio::select! {
            biased;
            produced = self.inner.perform(action, context) => produced,
            // Else an attempt made again after a timeout could meet another's work.
            () = self.validity.lapses() => Err(CloudError {
                kind: CloudErrorKind::NoAnswer,
                ..lost(action, "the lease could not be renewed while this was on its way")
            }),
        }
    }
}

fn lost(action: &Action, why: &str) -> CloudError {
    CloudError {
        service: "deployer",
        operation: action.operation().to_owned(),
        resource: action.resource().1,
        kind: CloudErrorKind::NotSent,
        code: Some("LeaseLost".to_owned()),
        message: why.to_owned(),
        request_id: None,
    }
}
