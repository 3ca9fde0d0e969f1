//! Getting the lease: at once, after its holder, or not at all.

use super::quiet::{on_their_way, settles_after};
use super::writer::Moment;
use super::{EXPIRY, Journal, LOOK, LOOK_SOON, LeaseRequest, PATIENCE, Quiet, Reads, Seen};
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
#[derive(Debug)]
pub(super) struct Acquired {
    pub generation: Generation,
    /// Since when; others count from when they see it, which is later.
    pub asked: Moment,
    /// Whether nobody held it since the account was observed.
    pub undisturbed: bool,
    /// When reads show the last writes of another that was seen at work.
    pub settled_at: Option<Instant>,
    /// What was seen before.
    pub seen: Vec<String>,
}

/// The lease. `seen` is what the observation knows of former ones.
pub(super) async fn acquire<J: Journal>(
    request: &LeaseRequest<'_, J>,
    seen: Option<Seen>,
    events: &dyn EventSink,
    interrupt: &Interrupt,
) -> Result<Acquired, LeaseError> {
    let (mut after_another, mut seen_end, mut settled_at) = (false, None, None);
    match seen {
        Some(Seen::Quiet(quiet, streams)) => {
            if let Some(acquired) = acquire_next(request, quiet, streams).await? {
                return Ok(acquired);
            }
            after_another = true;
        }
        Some(Seen::AtWork(None)) => after_another = true,
        Some(Seen::AtWork(Some(end))) => {
            let (generation, settles) = (end.generation, end.settles(request.reads));
            if request.reads == Reads::Current
                && let Some((quiet, streams)) = end.before_current_reads
                && let Some(acquired) = acquire_next(request, quiet, streams).await?
            {
                return Ok(acquired);
            }
            (seen_end, settled_at) = (Some(generation), settles);
        }
        None => {}
    }
    let started = Instant::now();
    let mut watched: Option<(Lease, Instant)> = None;
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
        after_another |= lease.as_ref().is_some_and(|lease| {
            !lease.ended || seen_end.is_some_and(|seen| seen != lease.generation)
        });
        let free = match &lease {
            None => Some(Generation::NONE),
            Some(lease) if lease.ended => Some(lease.generation),
            Some(lease) if is_dead(request, lease) => Some(lease.generation),
            Some(lease) => expired(&mut watched, lease).then_some(lease.generation),
        };
        if let Some(free) = free {
            if let Some(acquired) = create(request, free, &streams).await? {
                let before = lease.as_ref().map(on_their_way).unwrap_or_default();
                if after_another {
                    // Who didn't end its lease may have been cut off amid a call.
                    let cut_off = lease.as_ref().is_some_and(|lease| !lease.ended);
                    let reads = if cut_off { Reads::Later } else { request.reads };
                    settled_at = settles_after(before, reads);
                }
                return Ok(Acquired {
                    settled_at,
                    ..acquired
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

/// The lease right after the one that was observed to have ended; `None` when
/// another was quicker.
async fn acquire_next<J: Journal>(
    request: &LeaseRequest<'_, J>,
    quiet: Quiet,
    streams: Vec<String>,
) -> Result<Option<Acquired>, LeaseError> {
    if !quiet.journal_exists {
        let made = request
            .store
            .ensure_journal(&request.journal, &request.tags)
            .await?;
        if !made {
            return Ok(None);
        }
    }
    let acquired = create(request, quiet.last, &streams).await?;
    Ok(acquired.map(|acquired| Acquired {
        undisturbed: true,
        ..acquired
    }))
}

/// Creates the stream that is the lease after `last`; `None` when it existed.
async fn create<J: Journal>(
    request: &LeaseRequest<'_, J>,
    last: Generation,
    streams: &[String],
) -> Result<Option<Acquired>, LeaseError> {
    let generation = last.next();
    let asked = Moment::now();
    let created = request
        .store
        .create_stream(&request.journal, &generation.stream())
        .await?;
    Ok(created.then(|| Acquired {
        generation,
        asked,
        undisturbed: false,
        settled_at: None,
        seen: streams.to_vec(),
    }))
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
