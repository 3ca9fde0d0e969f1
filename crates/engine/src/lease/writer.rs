//! A writer that writes only while its lease is valid.

use super::succession::{Succession, is_harmless};
use super::{EXPIRY, FRESH, Journal, LATEST_ARRIVAL, LOOK, MARGIN};
use crate::cloud::{CloudWriter, Produced, WriteContext};
use crate::error::{CloudError, CloudErrorKind};
use deployer_core::lease::{Generation, latest};
use deployer_core::names::LogGroupName;
use deployer_core::plan::{Action, Verb};
use futures_util::future::join;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep, sleep_until};

/// A moment by both clocks: the monotonic one stands still while a machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Whether less than this has passed since, by both. A wall clock that was set
    /// back proves nothing.
    fn is_within(self, time: Duration) -> bool {
        let by_wall = self.wall.elapsed().is_ok_and(|elapsed| elapsed < time);
        self.monotonic.elapsed() < time && by_wall
    }
}

/// Since when a lease was last known to be ours.
#[derive(Debug)]
pub struct Validity {
    renewed: Mutex<Moment>,
    proven: Mutex<Moment>,
}

impl Validity {
    pub(super) fn since(moment: Moment) -> Self {
        Self {
            renewed: Mutex::new(moment),
            proven: Mutex::new(moment),
        }
    }

    pub(super) fn renewed(&self, at: Moment) {
        *self.renewed.lock().expect("no holder of the lock panics") = at;
        self.proven(at);
    }

    fn proven(&self, at: Moment) {
        *self.proven.lock().expect("no holder of the lock panics") = at;
    }

    fn last_renewed(&self) -> Moment {
        *self.renewed.lock().expect("no holder of the lock panics")
    }

    /// Whether a write begun now ends before the lease may be taken over.
    pub fn holds(&self) -> bool {
        self.last_renewed().is_within(EXPIRY - MARGIN)
    }

    /// Whether the proof of ownership is recent enough for a cut-over.
    fn is_fresh(&self) -> bool {
        let proven = *self.proven.lock().expect("no holder of the lock panics");
        proven.is_within(FRESH)
    }

    /// Ends when it doesn't hold any more.
    async fn lapses(&self) {
        while self.holds() {
            sleep_until(self.last_renewed().monotonic + (EXPIRY - MARGIN)).await;
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
    pub(super) succession: &'a Succession<'a, 'a, J>,
    /// What is written was planned from what was seen before the lease was asked for.
    pub(super) undisturbed: bool,
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
        let harmless = self.undisturbed && is_harmless(action);
        if !harmless && !self.succession.holds().await? {
            return Err(taken_over(action));
        }
        if self.deletes_the_journal(action) {
            // With it goes the place to say that writes may still be carried out.
            while self.store.has_unanswered_writes(LATEST_ARRIVAL) {
                sleep(LOOK).await;
            }
        }
        match action {
            // The cut-over comes next: looking beside this costs no time.
            Action::CreateDeployment { .. } if !self.validity.is_fresh() => {
                let (produced, proof) = join(self.within(action, context), self.prove()).await;
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
                self.within(action, context).await
            }
        }
    }
}

impl<W: CloudWriter, J: Journal> LeasedWriter<'_, W, J> {
    fn deletes_the_journal(&self, action: &Action) -> bool {
        matches!(action, Action::DeleteLogGroup { log_group } if log_group == self.journal)
    }

    /// The write, given up when the lease lapses: an attempt that is made again after
    /// a timeout could meet another's work.
    async fn within(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> Result<Produced, CloudError> {
        tokio::select! {
            biased;
            produced = self.inner.perform(action, context) => produced,
            () = self.validity.lapses() => Err(CloudError {
                kind: CloudErrorKind::NoAnswer,
                ..lost(action, "the lease could not be renewed while this was on its way")
            }),
        }
    }

    /// Looks whether the lease is still ours.
    async fn prove(&self) -> Result<bool, CloudError> {
        let asked = Moment::now();
        let ours = is_ours(self.store, self.journal, self.generation, self.holder).await?;
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

/// Whether nobody has taken over. The holder's name counts too: a journal that a
/// `down` deleted and another deploy made anew counts generations from the first.
pub(super) async fn is_ours<J: Journal>(
    store: &J,
    journal: &LogGroupName,
    generation: Generation,
    holder: &str,
) -> Result<bool, CloudError> {
    let streams = store.list_lease_streams(journal).await?.unwrap_or_default();
    let lease = latest(streams.iter().map(String::as_str));
    Ok(lease.is_some_and(|lease| lease.generation == generation)
        && streams.contains(&generation.holder_stream(holder)))
}
