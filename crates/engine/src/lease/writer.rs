//! A writer that writes only while its lease is valid.

use super::holding::is_latest;
use super::{EXPIRY, FRESH, Journal, MARGIN};
use crate::cloud::{CloudWriter, Produced, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use deployer_core::lease::Generation;
use deployer_core::names::LogGroupName;
use deployer_core::plan::{Action, Verb};
use futures_util::future::join;
use std::sync::Mutex;
use std::time::SystemTime;
use tokio::time::Instant;

/// Since when a lease was last known to be ours.
#[derive(Debug)]
pub struct Validity {
    renewed: Mutex<Instant>,
    /// Also by the wall clock: the monotonic one stands still while a machine
    /// sleeps.
    proven: Mutex<(Instant, SystemTime)>,
}

impl Validity {
    pub(super) fn since(instant: Instant) -> Self {
        let wall = SystemTime::now()
            .checked_sub(instant.elapsed())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        Self {
            renewed: Mutex::new(instant),
            proven: Mutex::new((instant, wall)),
        }
    }

    pub(super) fn renewed(&self, at: Instant) {
        *self.renewed.lock().expect("no holder of the lock panics") = at;
    }

    pub(super) fn proven(&self, at: (Instant, SystemTime)) {
        *self.proven.lock().expect("no holder of the lock panics") = at;
    }

    /// Whether a write begun now ends before the lease may be taken over.
    pub fn holds(&self) -> bool {
        let last = *self.renewed.lock().expect("no holder of the lock panics");
        last.elapsed() < EXPIRY - MARGIN
    }

    /// Whether the proof of ownership is recent enough for a cut-over.
    fn is_fresh(&self) -> bool {
        let (monotonic, wall) = *self.proven.lock().expect("no holder of the lock panics");
        // A wall clock that was set back proves nothing.
        let by_wall = wall.elapsed().is_ok_and(|elapsed| elapsed < FRESH);
        monotonic.elapsed() < FRESH && by_wall
    }
}

/// Writes while the lease holds, and looks once more before a cut-over.
pub struct LeasedWriter<'a, W, J> {
    pub(super) inner: &'a W,
    pub(super) store: &'a J,
    pub(super) journal: &'a LogGroupName,
    pub(super) generation: Generation,
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
        match action {
            // The cut-over comes next: looking beside this costs no time.
            Action::CreateDeployment { .. } if !self.validity.is_fresh() => {
                let (produced, proof) =
                    join(self.inner.perform(action, context), self.prove()).await;
                if proof == Ok(false) {
                    return Err(taken_over(action));
                }
                produced
            }
            _ => {
                if action.verb() == Verb::Release
                    && !self.validity.is_fresh()
                    && !self.prove().await?
                {
                    return Err(taken_over(action));
                }
                self.inner.perform(action, context).await
            }
        }
    }
}

impl<W: CloudWriter, J: Journal> LeasedWriter<'_, W, J> {
    /// Looks whether the lease is still ours.
    async fn prove(&self) -> Result<bool, CloudError> {
        let asked = (Instant::now(), SystemTime::now());
        let ours = is_latest(self.store, self.journal, self.generation).await?;
        if ours {
            self.validity.proven(asked);
        }
        Ok(ours)
    }
}

fn taken_over(action: &Action) -> CloudError {
    lost(action, "another deploy has taken over the lease")
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
