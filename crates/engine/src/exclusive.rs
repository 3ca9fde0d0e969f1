//! `up`, `down` and `rollback` under the stage's lease: one of them at a time,
//! from any machines. Where there is nothing to write, no lease is taken.
//!
//! What was observed to find that out counts under the lease too, where nobody
//! can have been at work meanwhile; else it is observed again.

use crate::apply::Means;
use crate::cloud::{CloudReader, CloudWriter};
use crate::down::{self, Down, DownError, Removal};
use crate::events::Event;
use crate::lease::{Journal, LeaseRequest, exclusively};
use crate::observe::{Known, Look, complete_for, look};
use crate::rollback::{self, Rollback, RollbackError};
use crate::up::{self, Up, UpError};
use deployer_core::desired::Desired;
use deployer_core::observed::LogGroupState;
use futures_util::future::join;
use std::time::Duration;

/// How old an observation may be. Leases tell of other deployers, but not of
/// changes made by hand while functions were built.
const OLD: Duration = Duration::from_secs(20);

/// As [`up::up`].
///
/// # Errors
/// As [`up::up`], and when there is no lease to be had.
pub async fn up<R: CloudReader, W: CloudWriter, J: Journal>(
    desired: &Desired,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Up, UpError> {
    means.events.event(Event::Observing);
    let seen = look(means.reader, &desired.names, &Known::of(desired)).await?;
    up_from(desired, means, lease, seen).await
}

/// As [`up()`], from what was seen just before.
///
/// # Errors
/// As [`up()`].
pub async fn up_from<R: CloudReader, W: CloudWriter, J: Journal>(
    desired: &Desired,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
    mut seen: Look,
) -> Result<Up, UpError> {
    if seen.age() > OLD {
        means.events.event(Event::Observing);
        seen = look(means.reader, &desired.names, &Known::of(desired)).await?;
    }
    seen.observed = complete_for(means.reader, desired, seen.observed).await?;
    let plan = up::plan_of(desired, &seen.observed)?;
    if plan.is_empty() {
        let up = up::carry_out(desired, means, plan, &seen.observed).await?;
        up::verify(&up, means).await.map_err(UpError::Silent)?;
        return Ok(up);
    }
    let Look { observed, seen, .. } = seen;
    let (up, held) = exclusively(
        lease,
        Some(seen),
        means.writer,
        means.events,
        means.interrupt,
        async |writer, undisturbed| {
            let means = means.with(writer);
            let (plan, observed) = match undisturbed {
                true => (plan, observed),
                false => up::make_plan(means.reader, desired).await?,
            };
            Box::pin(up::carry_out(desired, &means, plan, &observed)).await
        },
    )
    .await?;
    let verified = async {
        match &up {
            Ok(up) => up::verify(up, means).await,
            Err(_) => Ok(()),
        }
    };
    let (verified, ()) = join(verified, held.end()).await;
    let up = up?;
    verified.map_err(UpError::Silent)?;
    Ok(up)
}

/// As [`down::down`].
///
/// # Errors
/// As [`down::down`], and when there is no lease to be had.
pub async fn down<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &Known,
    removal: &Removal,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Down, DownError> {
    means.events.event(Event::Observing);
    let seen = look(means.reader, means.names, known).await?;
    down_from(known, removal, means, lease, seen).await
}

/// As [`down()`], from what was seen just before.
///
/// # Errors
/// As [`down()`].
pub async fn down_from<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &Known,
    removal: &Removal,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
    seen: Look,
) -> Result<Down, DownError> {
    let planned = down::plan_of(means.names, &seen.observed, removal)?;
    if planned.plan.is_empty() {
        return Ok(Down::nothing(planned.plan, planned.kept));
    }
    let (down, held) = exclusively(
        lease,
        Some(seen.seen),
        means.writer,
        means.events,
        means.interrupt,
        async |writer, undisturbed| {
            let means = means.with(writer);
            let planned = match undisturbed {
                true => {
                    // Where there was no journal, the lease has made one.
                    let mut observed = seen.observed;
                    observed.journal.get_or_insert_with(|| LogGroupState {
                        tags: lease.tags.clone(),
                        retention_days: None,
                    });
                    down::plan_of(means.names, &observed, removal)?
                }
                false => down::make_plan(means.reader, means.names, known, removal).await?,
            };
            Box::pin(down::carry_out(known, &means, planned)).await
        },
    )
    .await?;
    match &down {
        Ok(down) if down.outcome.complete() => held.gone(),
        _ => held.end().await,
    }
    down
}

/// As [`rollback::rollback`].
///
/// # Errors
/// As [`rollback::rollback`], and when there is no lease to be had.
pub async fn rollback<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &Known,
    asked: Option<&str>,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Rollback, RollbackError> {
    means.events.event(Event::Observing);
    let seen = look(means.reader, means.names, known).await?;
    rollback_from(known, asked, means, lease, seen).await
}

/// As [`rollback()`], from what was seen just before.
///
/// # Errors
/// As [`rollback()`].
pub async fn rollback_from<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &Known,
    asked: Option<&str>,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
    seen: Look,
) -> Result<Rollback, RollbackError> {
    // Refused before a lease is taken: what isn't there needs none.
    let plan = rollback::plan_of(means.names, &seen.observed, asked)?;
    let Look { observed, seen, .. } = seen;
    let (done, held) = exclusively(
        lease,
        Some(seen),
        means.writer,
        means.events,
        means.interrupt,
        async |writer, undisturbed| {
            let means = means.with(writer);
            let (plan, observed) = match undisturbed {
                true => (plan, observed),
                false => rollback::make_plan(means.reader, means.names, known, asked).await?,
            };
            Ok::<_, RollbackError>(rollback::carry_out(&means, plan, &observed).await)
        },
    )
    .await?;
    let verified = async {
        match &done {
            Ok(done) => rollback::verify(done, means).await,
            Err(_) => Ok(()),
        }
    };
    let (verified, ()) = join(verified, held.end()).await;
    let done = done?;
    verified?;
    Ok(done)
}
