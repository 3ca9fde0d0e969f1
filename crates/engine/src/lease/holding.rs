//! Work under the lease: renew it meanwhile, end it afterwards.

use super::acquire::{Acquired, LeaseError, acquire};
use super::{Journal, LeaseRequest, LeasedWriter, RENEWAL, SETTLED, Validity};
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
    let Acquired {
        generation,
        asked,
        after_another,
    } = acquire(request, events, interrupt).await?;
    if after_another {
        // What is planned from older answers would undo what the other released.
        sleep(SETTLED).await;
    }
    let validity = Validity::since(asked);
    let leased = LeasedWriter {
        inner: writer,
        store: request.store,
        journal: &request.journal,
        generation,
        holder: &request.holder,
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

/// Renews as long as the lease holds; a renewal that fails is tried again at the
/// next turn. What has lapsed isn't renewed any more, not even if nobody seems to
/// have taken over: somebody may be about to, having seen it lapse.
async fn renew<J: Journal>(
    request: &LeaseRequest<'_, J>,
    generation: Generation,
    validity: &Validity,
) -> std::convert::Infallible {
    let mut number = 0;
    loop {
        sleep(RENEWAL).await;
        if !validity.holds() {
            return std::future::pending().await;
        }
        number += 1;
        let asked = Instant::now();
        let stream = generation.renewal_stream(number);
        if request
            .store
            .create_stream(&request.journal, &stream)
            .await
            .is_ok()
            && is_ours(request.store, &request.journal, generation, &request.holder).await
                == Ok(true)
        {
            validity.renewed(asked);
        }
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

/// Says that it is over, and clears away what only told of it. Failing to is no
/// error: the lease expires, and the journal may be gone (`down`). A journal made
/// anew meanwhile has somebody else's leases, of the same numbers: they stay.
async fn end<J: Journal>(request: &LeaseRequest<'_, J>, generation: Generation) {
    let store = request.store;
    let streams = store.list_lease_streams(&request.journal).await;
    let streams = streams.ok().flatten().unwrap_or_default();
    if !streams.contains(&generation.holder_stream(&request.holder)) {
        return;
    }
    if store
        .create_stream(&request.journal, &generation.end_stream())
        .await
        .is_err()
    {
        return;
    }
    let kept = [generation.stream(), generation.end_stream()];
    for stream in streams {
        let is_old = generation_of(&stream).is_some_and(|its| its <= generation);
        if is_old && !kept.contains(&stream) {
            let _left_for_the_next = store.delete_stream(&request.journal, &stream).await;
        }
    }
}
