//! Work under the lease: say whose it is, renew it meanwhile, end it afterwards.

use super::acquire::{Acquired, LeaseError, acquire};
use super::succession::Succession;
use super::writer::{Moment, is_ours};
use super::{
    Journal, LATEST_ARRIVAL, LeaseRequest, LeasedWriter, REMEMBERED, RENEWAL, Seen, Validity,
};
use crate::events::{Event, EventSink};
use crate::interrupt::Interrupt;
use deployer_core::lease::{Generation, generation_of};
use tokio::time::{Instant, sleep, sleep_until};

/// A lease whose work is done; it is over when it has been ended.
#[must_use]
pub struct Held<'a, 'r, J> {
    request: &'a LeaseRequest<'r, J>,
    generation: Generation,
    validity: Validity,
    disowned: bool,
}

impl<J: Journal> Held<'_, '_, J> {
    /// Says that it is over, and whether calls may still be on their way. Failing to is
    /// no error: the lease expires. One that has
    /// lapsed isn't ended: in a journal that a `down` deleted and another deploy made
    /// anew, it would be somebody else's of the same number.
    pub async fn end(self) {
        if self.validity.holds() && !self.disowned {
            let Self {
                request,
                generation,
                ..
            } = self;
            let (store, journal) = (request.store, &request.journal);
            if store.has_unanswered_writes(LATEST_ARRIVAL) {
                let unanswered = generation.unanswered_stream();
                if store.create_stream(journal, &unanswered).await.is_err() {
                    return;
                }
            }
            let end = generation.end_stream();
            let _expires_else = store.create_stream(journal, &end).await;
        }
    }

    /// The journal is gone, and with it the lease.
    pub fn gone(self) {}
}

/// Acquires the lease and does `work` with a writer that writes only under it.
/// `work` is told whether nobody held the lease since the observation that has
/// `seen` of former leases what it could.
/// Gives the lease back with the outcome, still to be ended.
///
/// # Errors
/// When there is no lease to be had. What becomes of `work` is its own answer.
pub async fn exclusively<'a, 'r, J: Journal, W, T>(
    request: &'a LeaseRequest<'r, J>,
    seen: Option<Seen>,
    writer: &W,
    events: &dyn EventSink,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&LeasedWriter<'_, W, J>, bool) -> T,
) -> Result<(T, Held<'a, 'r, J>), LeaseError> {
    let acquired = acquire(request, seen, events, interrupt).await?;
    let generation = acquired.generation;
    if let Some(settled_at) = acquired.settled_at {
        // What is planned from older answers would undo what the other released.
        let wait = settled_at.saturating_duration_since(Instant::now());
        events.event(Event::Settling { wait });
        sleep_until(settled_at).await;
    }
    let validity = Validity::since(acquired.asked);
    let succession = Succession::new(request, generation, &acquired.seen);
    let leased = LeasedWriter {
        inner: writer,
        store: request.store,
        journal: &request.journal,
        generation,
        holder: &request.holder,
        validity: &validity,
        succession: &succession,
        undisturbed: acquired.undisturbed,
    };
    let outcome = tokio::select! {
        // In one order, not in one drawn anew each time: runs can be repeated.
        biased;
        outcome = work(&leased, acquired.undisturbed) => outcome,
        never = keep(request, &acquired, &validity, &succession) => match never {},
    };
    let held = Held {
        request,
        generation,
        validity,
        disowned: succession.is_broken(),
    };
    Ok((outcome, held))
}

/// Looks whether the lease follows the one it should, names the holder, clears away
/// what former leases left, and renews as long as the lease holds. What fails is tried
/// again at the next turn. What has lapsed isn't renewed any more, not even if nobody
/// seems to have taken over: somebody may be about to, having seen it lapse.
async fn keep<J: Journal>(
    request: &LeaseRequest<'_, J>,
    acquired: &Acquired,
    validity: &Validity,
    succession: &Succession<'_, '_, J>,
) -> std::convert::Infallible {
    let generation = acquired.generation;
    let store = request.store;
    if succession.holds().await == Ok(false) {
        return std::future::pending().await;
    }
    let mut named = name(request, generation).await;
    for stream in old(&acquired.seen, generation) {
        let _left_for_the_next = store.delete_stream(&request.journal, stream).await;
    }
    let mut number = 0;
    loop {
        sleep(RENEWAL).await;
        if !validity.holds() {
            return std::future::pending().await;
        }
        if !named {
            named = name(request, generation).await;
        }
        number += 1;
        let asked = Moment::now();
        let stream = generation.renewal_stream(number);
        if store.create_stream(&request.journal, &stream).await.is_ok()
            && is_ours(store, &request.journal, generation, &request.holder).await == Ok(true)
        {
            validity.renewed(asked);
        }
    }
}

/// The streams of former leases that nobody needs any more.
fn old(streams: &[String], ours: Generation) -> impl Iterator<Item = &String> {
    streams
        .iter()
        .filter(move |stream| match generation_of(stream) {
            // The stream of a generation itself stays for long: whoever has seen an older
            // lease end must not be able to create one that was there already.
            Some(its) if **stream == its.stream() => ours.follows_by(its) > REMEMBERED,
            Some(its) => its < ours,
            None => false,
        })
}

/// Says whose the lease is, which nobody waits for; whether that is said.
async fn name<J: Journal>(request: &LeaseRequest<'_, J>, generation: Generation) -> bool {
    let holder = generation.holder_stream(&request.holder);
    let created = request.store.create_stream(&request.journal, &holder);
    created.await.is_ok()
}
