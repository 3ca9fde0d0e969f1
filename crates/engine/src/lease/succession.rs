//! Whether a lease follows the one that was seen to be free, in the same journal.
//!
//! The creation of a stream is atomic within one journal. But a `down` may have
//! deleted the journal that was looked at, and another deploy made it anew, where
//! generations count from the first again: there the next number after the one seen
//! can be free while somebody holds a lower one. So whoever has acquired a lease looks
//! once more, beside its first writes: the lease before must be the one it saw, of the
//! same holder. Else the lease is taken back, and nothing more is written. What was said
//! of that lease later, its end most of all, doesn't count: lists may lag behind.
//!
//! Deliberately absent: the first lease of a journal. It follows none, and whoever
//! makes a journal anew begins with it too.

use super::{Journal, LeaseRequest};
use crate::error::CloudError;
use deployer_core::lease::{Generation, generation_of};
use deployer_core::plan::Action;
use std::collections::BTreeSet;
use tokio::sync::OnceCell;

/// The lease before ours, and whether it was looked for already.
pub(super) struct Succession<'a, 'r, J> {
    request: &'a LeaseRequest<'r, J>,
    generation: Generation,
    predecessor: BTreeSet<String>,
    known: OnceCell<bool>,
}

impl<'a, 'r, J: Journal> Succession<'a, 'r, J> {
    /// Of `generation`, acquired after these streams were seen.
    pub fn new(request: &'a LeaseRequest<'r, J>, generation: Generation, seen: &[String]) -> Self {
        let predecessor = identity(seen, generation);
        let known = predecessor.is_empty().then_some(true);
        Self {
            request,
            generation,
            predecessor,
            known: OnceCell::new_with(known),
        }
    }

    /// Whether it holds; looks once, and takes the lease back where it doesn't.
    ///
    /// # Errors
    /// When the streams can't be listed; the next who asks looks again.
    pub async fn holds(&self) -> Result<bool, CloudError> {
        self.known.get_or_try_init(|| self.look()).await.copied()
    }

    /// Whether it is known not to hold.
    pub fn is_broken(&self) -> bool {
        self.known.get() == Some(&false)
    }

    async fn look(&self) -> Result<bool, CloudError> {
        let (store, journal) = (self.request.store, &self.request.journal);
        let listed = store.list_lease_streams(journal).await?.unwrap_or_default();
        let overtaken = |stream: &String| generation_of(stream) > Some(self.generation);
        let holds =
            identity(&listed, self.generation) == self.predecessor && !listed.iter().any(overtaken);
        if !holds {
            let holder = self.generation.holder_stream(&self.request.holder);
            for ours in [holder, self.generation.stream()] {
                let _expires_else = store.delete_stream(journal, &ours).await;
            }
        }
        Ok(holds)
    }
}

/// What tells the lease before `generation` from another of its number: its streams,
/// without what is said of it later.
fn identity(streams: &[String], generation: Generation) -> BTreeSet<String> {
    let before = |stream: &&String| {
        generation_of(stream).is_some_and(|its| {
            let whose = its.holder_stream("");
            its.next() == generation && (**stream == its.stream() || stream.starts_with(&whose))
        })
    };
    streams.iter().filter(before).cloned().collect()
}

/// Whether an action that was planned before the lease was asked for does no harm to
/// another's deploy, so that it needn't wait for that look: what it makes is only there
/// if nobody else made it, what it uploads is not what a version is published from
/// unless its hash is the one expected, and the API that was seen is gone where another
/// `down` was.
pub(super) fn is_harmless(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateLogGroup { .. }
            | Action::CreateRole { .. }
            | Action::CreateFunction { .. }
            | Action::CreateApi { .. }
            | Action::UpdateFunctionCode { .. }
            | Action::CreateIntegration { .. }
            | Action::CreateRoute { .. }
            | Action::UpdateIntegration { .. }
            | Action::UpdateRoute { .. }
            | Action::DeleteApi { .. }
    )
}
