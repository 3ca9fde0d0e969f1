//! `up`, `down` and `rollback` under the stage's lease: one of them at a time,
//! from any machines. Where there is nothing to write, no lease is taken.

use crate::apply::Means;
use crate::cloud::{CloudReader, CloudWriter};
use crate::down::{self, Down, DownError};
use crate::lease::{Journal, LeaseRequest, exclusively};
use crate::rollback::{self, Rollback, RollbackError};
use crate::up::{self, Up, UpError};
use deployer_core::desired::Desired;
use deployer_core::names::FunctionName;
use deployer_core::stage_file::Retained;
use std::collections::BTreeSet;

/// As [`up::up`]. The plan is made again under the lease: another may have
/// deployed meanwhile.
///
/// # Errors
/// As [`up::up`], and when there is no lease to be had.
pub async fn up<R: CloudReader, W: CloudWriter, J: Journal>(
    desired: &Desired,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Up, UpError> {
    let (plan, observed) = up::make_plan(means.reader, desired).await?;
    if plan.is_empty() {
        return up::carry_out(desired, means, plan, &observed).await;
    }
    exclusively(
        lease,
        means.writer,
        means.events,
        means.interrupt,
        async |writer| up::up(desired, &means.with(writer)).await,
    )
    .await?
}

/// As [`down::down`].
///
/// # Errors
/// As [`down::down`], and when there is no lease to be had.
pub async fn down<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &[FunctionName],
    retain: &BTreeSet<Retained>,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Down, DownError> {
    let (plan, retained) = down::make_plan(means.reader, means.names, known, retain).await?;
    if plan.is_empty() {
        return Ok(Down::nothing(plan, retained));
    }
    exclusively(
        lease,
        means.writer,
        means.events,
        means.interrupt,
        async |writer| down::down(known, retain, &means.with(writer)).await,
    )
    .await?
}

/// As [`rollback::rollback`].
///
/// # Errors
/// As [`rollback::rollback`], and when there is no lease to be had.
pub async fn rollback<R: CloudReader, W: CloudWriter, J: Journal>(
    known: &[FunctionName],
    asked: Option<&str>,
    means: &Means<'_, R, W>,
    lease: &LeaseRequest<'_, J>,
) -> Result<Rollback, RollbackError> {
    // Refused before a lease is taken: what isn't there needs none.
    rollback::make_plan(means.reader, means.names, known, asked).await?;
    exclusively(
        lease,
        means.writer,
        means.events,
        means.interrupt,
        async |writer| rollback::rollback(known, asked, &means.with(writer)).await,
    )
    .await?
}
