//! Work under the lease: renew it meanwhile, end it afterwards.

use super::acquire::{LeaseError, acquire};
use super::{Journal, LeaseRequest, LeasedWriter, RENEWAL, Validity};
use crate::error::CloudError;
use crate::events::EventSink;
use crate::interrupt::Interrupt;
use deployer_core::lease::{Generation, generation_of, latest};
use deployer_core::names::LogGroupName;
use tokio::time::{Instant, sleep};

/// Acquires the lease, does `work` with a writer that writes only under it, and
/// ends it.
///
/// # Errors
/// When there is no lease to be had. What becomes of `work` is its own answer.
pub async fn exclusively<J: Journal, W, T>(
    request: &LeaseRequest<'_, J>,
    writer: &W,
    events: &dyn EventSink,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&LeasedWriter<'_, W, J>) -> T,
) -> Result<T, LeaseError> {
    let (generation, asked) = acquire(request, events, interrupt).await?;
    let validity = Validity::since(asked);
    let leased = LeasedWriter {
        inner: writer,
        store: request.store,
        journal: &request.journal,
        generation,
        validity: &validity,
    };
    let outcome = tokio::select! {
        // In one order, not in one drawn anew each time: runs can be repeated.
        biased;
        outcome = work(&leased) => outcome,
        never = renew(request, generation, &validity) => match never {},
    };
    end(request, generation).await;
    Ok(outcome)
}

/// Renews for ever; a renewal that fails is tried again at the next turn, and
/// the writer stops by itself when none succeeds in time.
async fn renew<J: Journal>(
    request: &LeaseRequest<'_, J>,
    generation: Generation,
    validity: &Validity,
) -> std::convert::Infallible {
    let mut number = 0;
    loop {
        sleep(RENEWAL).await;
        number += 1;
        let asked = Instant::now();
        let stream = generation.renewal_stream(number);
        if request
            .store
            .create_stream(&request.journal, &stream)
            .await
            .is_ok()
            && is_latest(request.store, &request.journal, generation).await == Ok(true)
        {
            validity.renewed(asked);
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

/// Says that it is over, and clears away what only told of it. Failing to is no
/// error: the lease expires, and the journal may be gone (`down`).
async fn end<J: Journal>(request: &LeaseRequest<'_, J>, generation: Generation) {
    let store = request.store;
    if store
        .create_stream(&request.journal, &generation.end_stream())
        .await
        .is_err()
    {
        return;
    }
    let streams = store.list_lease_streams(&request.journal).await;
    let kept = [generation.stream(), generation.end_stream()];
    for stream in streams.ok().flatten().unwrap_or_default() {
        let is_old = generation_of(&stream).is_some_and(|its| its <= generation);
        if is_old && !kept.contains(&stream) {
            let _left_for_the_next = store.delete_stream(&request.journal, &stream).await;
        }
    }
}
