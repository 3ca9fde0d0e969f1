//! Getting the lease: at once, after its holder, or not at all.

use super::{EXPIRY, Journal, LOOK, LOOK_SOON, LeaseRequest, PATIENCE};
use crate::error::CloudError;
use crate::events::{Event, EventSink};
use crate::interrupt::Interrupt;
use deployer_core::lease::{Generation, Lease, latest};
use tokio::time::{Instant, sleep};

/// What to do while another holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Wait until it is free, or its holder doesn't renew it.
    Wait,
    /// Fail at once.
    DontWait,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another holds it.
    #[error("{holder} is deploying this stage")]
    Held {
        /// Who.
        holder: String,
    },
    /// We were asked to stop while waiting.
    #[error("interrupted while waiting for {holder}")]
    Interrupted {
        /// For whom.
        holder: String,
    },
    /// The journal can't be read or written.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// A lease that is ours.
pub(super) struct Acquired {
    pub generation: Generation,
    /// Since when.
    pub asked: Instant,
    /// Whether another was seen at work, whose last writes reads may not show yet.
    pub after_another: bool,
}

/// Waits for the lease, if that is wanted.
pub(super) async fn acquire<J: Journal>(
    request: &LeaseRequest<'_, J>,
    events: &dyn EventSink,
    interrupt: &Interrupt,
) -> Result<Acquired, LeaseError> {
    let started = Instant::now();
    let mut watched: Option<(Lease, Instant)> = None;
    let mut after_another = false;
    loop {
        let streams = match request.store.list_lease_streams(&request.journal).await? {
            Some(streams) => streams,
            None => {
                request
                    .store
                    .ensure_journal(&request.journal, &request.tags)
                    .await?;
                Vec::new()
            }
        };
        let lease = latest(streams.iter().map(String::as_str));
        after_another |= lease.as_ref().is_some_and(|lease| !lease.ended);
        let free = match &lease {
            None => Some(Generation::NONE),
            Some(lease) if lease.ended => Some(lease.generation),
            Some(lease) if is_dead(request, lease) => Some(lease.generation),
            Some(lease) => expired(&mut watched, lease).then_some(lease.generation),
        };
        if let Some(free) = free {
            let generation = free.next();
            // Others count from when they see it, which is later.
            let asked = Instant::now();
            if request
                .store
                .create_stream(&request.journal, &generation.stream())
                .await?
            {
                let name = generation.holder_stream(&request.holder);
                if let Err(error) = request.store.create_stream(&request.journal, &name).await {
                    // Nobody would know whose it is, and wait for its expiry.
                    let end = generation.end_stream();
                    let _expires_else = request.store.create_stream(&request.journal, &end).await;
                    return Err(error.into());
                }
                return Ok(Acquired {
                    generation,
                    asked,
                    after_another,
                });
            }
            after_another = true;
            // Another was quicker; look who, as soon as that can be seen.
            sleep(LOOK_SOON).await;
            if started.elapsed() <= PATIENCE && !interrupt.requested() {
                continue;
            }
        }
        let holder = lease
            .filter(|lease| !lease.ended)
            .and_then(|lease| lease.holder)
            .unwrap_or_else(|| "somebody".to_owned());
        if request.waiting == Waiting::DontWait || started.elapsed() > PATIENCE {
            return Err(LeaseError::Held { holder });
        }
        if interrupt.requested() {
            return Err(LeaseError::Interrupted { holder });
        }
        events.event(Event::WaitingForLease { holder });
        sleep(LOOK).await;
    }
}

fn is_dead<J>(request: &LeaseRequest<'_, J>, lease: &Lease) -> bool {
    lease.holder.as_deref().is_some_and(request.is_gone)
}

/// Whether the lease has been seen unchanged for as long as it holds.
fn expired(watched: &mut Option<(Lease, Instant)>, lease: &Lease) -> bool {
    match watched {
        Some((seen, since)) if seen == lease => since.elapsed() >= EXPIRY,
        _ => {
            *watched = Some((lease.clone(), Instant::now()));
            false
        }
    }
}
