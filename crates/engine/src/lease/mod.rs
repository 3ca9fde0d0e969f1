//! One deploy of a stage at a time, from any machines.
//!
//! Whoever wants to write acquires the stage's lease (streams in its journal,
//! see `deployer_core::lease`), renews it while it works, and ends it. A lease
//! that isn't renewed for [`EXPIRY`] may be taken over. The holder stops
//! [`MARGIN`] before that by its own monotonic clock, and looks once more right
//! before the cut-over, unless the lease was proven its own within [`FRESH`] by
//! the monotonic and by the wall clock, which goes on while a machine sleeps
//! ([`LeasedWriter`]).
//!
//! What was observed before the lease was acquired needn't be observed again
//! where nobody can have held it meanwhile ([`Quiet`]).
//!
//! Whoever has acquired it looks, beside its first writes, whether it follows the lease
//! that was seen before, in the same journal ([`succession`]).
//!
//! The window that remains: a holder that was stopped (a suspended laptop)
//! between that last look and its cut-over may write after another has taken
//! over. Both writes are releases of their own, complete and recorded; the later
//! one is live. All other writes converge: the next `up` finds and mends them.
//!
//! Who comes right after another lets reads settle first ([`SETTLED`]), and longer
//! ([`LATEST_ARRIVAL`]) after one whose last writes weren't all answered; where reads are
//! current ([`Reads`]), only the latter. A lease
//! that has lapsed is never renewed, and a write on its way is given up with it.
//!
//! Deliberately absent: comparing clocks of different machines. A waiter
//! measures by its own clock how long the lease hasn't been renewed.

mod acquire;
mod holding;
mod quiet;
mod succession;
mod writer;

pub use acquire::{LeaseError, Waiting};
pub use holding::{Held, exclusively};
pub use quiet::{Quiet, Seen};
pub use writer::{LeasedWriter, Validity};

use crate::error::CloudError;
use deployer_core::names::LogGroupName;
use deployer_core::tags::Tags;
use std::time::Duration;

/// How long a lease holds without renewal.
pub const EXPIRY: Duration = Duration::from_secs(60);
/// So many former generations are remembered by their streams; nobody acts on what it
/// saw longer ago.
pub const REMEMBERED: u64 = 16;
/// How often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(15);
/// How long before its expiry a holder stops.
pub const MARGIN: Duration = Duration::from_secs(20);
/// How long a proof of ownership counts at the cut-over.
pub const FRESH: Duration = Duration::from_secs(10);
/// How often a waiter looks.
pub const LOOK: Duration = Duration::from_secs(2);
/// How soon who lost a race looks again: the winner may not be listed yet.
pub const LOOK_SOON: Duration = Duration::from_millis(200);
/// How long reads may show what was there before the writes of the lease's former
/// holder; who comes right after it waits so long before it looks.
pub const SETTLED: Duration = Duration::from_secs(2);
/// How long after its sender has given it up a call may still be carried out. Less
/// than [`MARGIN`]. An assumption: AWS says nothing of it.
pub const LATEST_ARRIVAL: Duration = Duration::from_secs(15);
/// How long a waiter waits at most.
pub const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// A journal's streams. Reads and writes, but nothing of what a stage is.
pub trait Journal: Send + Sync {
    /// The names of the streams of leases; `None`: there is no journal.
    fn list_lease_streams(
        &self,
        journal: &LogGroupName,
    ) -> impl Future<Output = Result<Option<Vec<String>>, CloudError>> + Send;

    /// Makes the journal unless it exists; `false`: it existed.
    fn ensure_journal(
        &self,
        journal: &LogGroupName,
        tags: &Tags,
    ) -> impl Future<Output = Result<bool, CloudError>> + Send;

    /// Creates a stream; `false`: it existed.
    fn create_stream(
        &self,
        journal: &LogGroupName,
        stream: &str,
    ) -> impl Future<Output = Result<bool, CloudError>> + Send;

    /// Whether a write of this process was given up so recently without an answer: it
    /// may still be carried out, also where a retry was answered.
    fn has_unanswered_writes(&self, within: Duration) -> bool;

    /// Deletes a stream, also when it is gone already.
    fn delete_stream(
        &self,
        journal: &LogGroupName,
        stream: &str,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;
}

/// What reads show of the writes that were answered before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// Perhaps not all yet: AWS.
    #[default]
    Later,
    /// All of them: a local cloud, unless it plays AWS under load. Who comes right after
    /// another needn't let its writes settle.
    Current,
}

/// What is leased, and to whom.
pub struct LeaseRequest<'a, J> {
    /// Where its streams are.
    pub store: &'a J,
    /// The stage's journal.
    pub journal: LogGroupName,
    /// The journal's tags.
    pub tags: Tags,
    /// Who asks: user, machine, process.
    pub holder: String,
    /// Whether the process a holder names is known to be gone, so that its lease
    /// needn't be watched until it expires.
    pub is_gone: &'a (dyn Fn(&str) -> bool + Sync),
    /// Whether to wait for another holder.
    pub waiting: Waiting,
    /// What reads of this cloud show.
    pub reads: Reads,
}

#[cfg(test)]
mod tests;
