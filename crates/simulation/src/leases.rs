//! Who holds the stage's lease, as its streams tell: to count how often one was
//! taken over, and what its former holder still wrote; and to know the two windows
//! that the engine leaves open (decision 2): who begins right after another's end,
//! without having seen it at work, may read what was there before; and what a holder
//! sent that was stopped or killed may come when another has taken over.

use crate::call::{Call, Service};
use crate::counts::Counts;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the model's reads may lag behind.
const STALE: Duration = Duration::from_millis(1_500);

/// The lease as far as a run has come.
#[derive(Debug, Default)]
pub struct Leases {
    holder: Option<String>,
    generation: String,
    ended: bool,
    /// Who held it before, and whether that had ended.
    before: (Option<String>, bool),
    /// Who has acquired a lease.
    held: BTreeSet<String>,
    /// Who has ended its lease itself.
    done: BTreeSet<String>,
    /// Who worked last, and until when.
    last: Option<(String, Duration)>,
}

impl Leases {
    /// Notes a write that `who` made, and counts what is worth it.
    pub fn written(&mut self, who: &str, call: &Call, at: Duration, counts: &mut Counts) {
        if call.service != Service::Logs {
            if self.holder.as_deref().is_some_and(|holder| holder != who) {
                counts.add(match call.name.contains("/stages") {
                    true => "lease: released by a former holder",
                    false => "lease: written by a former holder",
                });
            }
            return;
        }
        if call.name == "DeleteLogGroup" && call.about.starts_with("/deployer/") {
            // A `down`: with the journal goes its lease.
            self.done.insert(who.to_owned());
            self.last = Some((who.to_owned(), at));
            return;
        }
        let stream = call.about.split(' ').next_back().unwrap_or_default();
        let Some(generation) = stream.strip_prefix("lease/") else {
            return;
        };
        if call.name == "DeleteLogStream" {
            if self.generation == generation && self.holder.as_deref() == Some(who) {
                // Given back: it followed none that was seen.
                (self.holder, self.ended) = self.before.clone();
                self.held.remove(who);
                counts.add("lease: given back");
            }
            return;
        }
        if call.name != "CreateLogStream" {
            return;
        }
        if generation.ends_with("/ended") {
            if self.holder.as_deref() == Some(who) {
                self.ended = true;
                self.done.insert(who.to_owned());
                self.last = Some((who.to_owned(), at));
            }
        } else if !generation.contains('/') {
            if self.holder.is_some() && !self.ended {
                counts.add("lease: taken over");
            }
            self.before = (self.holder.take(), self.ended);
            self.holder = Some(who.to_owned());
            generation.clone_into(&mut self.generation);
            self.held.insert(who.to_owned());
            self.ended = false;
        }
    }

    /// Whether `who` writes after somebody else acquired the lease, having been
    /// stopped or killed while it held it. Who never held it has no excuse.
    pub fn comes_too_late(&self, who: &str, call: &Call) -> bool {
        call.service != Service::Logs
            && self.held.contains(who)
            && !self.done.contains(who)
            && self.holder.as_deref().is_some_and(|holder| holder != who)
    }

    /// Whether a read by `who`, who holds the lease, may show what was there before
    /// the last writes of the holder before.
    pub fn reads_too_soon(&self, who: &str, call: &Call, at: Duration) -> bool {
        let holds = self.holder.as_deref() == Some(who) && !self.ended;
        let soon = |(last, until): &(String, Duration)| last != who && at < *until + STALE;
        holds && call.service != Service::Probe && self.last.as_ref().is_some_and(soon)
    }
}
