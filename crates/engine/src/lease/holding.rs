//! Work under the lease: say whose it is, renew it meanwhile, end it afterwards.

use super::acquire::{Acquired, LeaseError, acquire};
use super::{Journal, LeaseRequest, LeasedWriter, Quiet, RENEWAL, Validity};
use crate::error::CloudError;
use crate::events::EventSink;
use crate::interrupt::Interrupt;
use deployer_core::lease::{Generation, latest};
use deployer_core::names::LogGroupName;
use std::time::SystemTime;
use tokio::time::{Instant, sleep};

/// A lease whose work is done; it is over when it has been ended.
#[must_use]
pub struct Held<'a, 'r, J> {
    request: &'a LeaseRequest<'r, J>,
    generation: Generation,
}

impl<J: Journal> Held<'_, '_, J> {
    /// Says that it is over. Failing to is no error: the lease expires.
    pub async fn end(self) {
        let end = self.generation.end_stream();
        let Self { request, .. } = self;
        let _expires_else = request.store.create_stream(&request.journal, &end).await;
    }

    /// The journal is gone, and with it the lease.
    pub fn gone(self) {}
}

/// Acquires the lease and does `work` with a writer that writes only under it.
/// `work` is told whether nobody held the lease since `quiet` was found out.
/// Gives the lease back with the outcome, still to be ended.
///
/// # Errors
/// When there is no lease to be had. What becomes of `work` is its own answer.
pub async fn exclusively<'a, 'r, J: Journal, W, T>(
    request: &'a LeaseRequest<'r, J>,
    quiet: Option<(Quiet, Vec<String>)>,
    writer: &W,
    events: &dyn EventSink,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&LeasedWriter<'_, W, J>, bool) -> T,
) -> Result<(T, Held<'a, 'r, J>), LeaseError> {
    let acquired = acquire(request, quiet, events, interrupt).await?;
    let generation = acquired.generation;
    let validity = Validity::since(acquired.asked);
    let leased = LeasedWriter {
        inner: writer,
        store: request.store,
        journal: &request.journal,
        generation,
        validity: &validity,
    };
    let outcome = tokio::select! {
        outcome = work(&leased, acquired.undisturbed) => outcome,
        never = keep(request, &acquired, &validity) => match never {},
    };
    let held = Held {
        request,
        generation,
    };
    Ok((outcome, held))
}

/// Names the holder, clears away what former leases left, and renews for ever.
/// What fails is tried again at the next turn; the writer stops by itself when
/// no renewal succeeds in time.
async fn keep<J: Journal>(
    request: &LeaseRequest<'_, J>,
    acquired: &Acquired,
    validity: &Validity,
) -> std::convert::Infallible {
    let Acquired {
        generation,
        old_streams,
        ..
    } = acquired;
    let store = request.store;
    let holder = generation.holder_stream(&request.holder);
    let mut named = store.create_stream(&request.journal, &holder).await.is_ok();
    for stream in old_streams {
        let _left_for_the_next = store.delete_stream(&request.journal, stream).await;
    }
    let mut number = 0;
    loop {
        sleep(RENEWAL).await;
        number += 1;
        let asked = Instant::now();
        let asked_by_wall = SystemTime::now();
        let stream = generation.renewal_stream(number);
        if store.create_stream(&request.journal, &stream).await.is_ok()
            && is_latest(store, &request.journal, *generation).await == Ok(true)
        {
            validity.renewed(asked);
            validity.proven((asked, asked_by_wall));
        }
        if !named {
            named = store.create_stream(&request.journal, &holder).await.is_ok();
        }
    }
}

/// Whether nobody has taken over.
pub(super) async fn is_latest<J: Journal>(
    store: &J,
    journal: &LogGroupName,
    generation: Generation,
) -> Result<bool, CloudError> {
    let streams = store.list_lease_streams(journal).await?.unwrap_or_default();
    let lease = latest(streams.iter().map(String::as_str));
    Ok(lease.is_some_and(|lease| lease.generation == generation))
}
