//! Who holds the stage's lease, as its streams tell: to count how often one was
//! taken over, and what its former holder still wrote.

use crate::call::{Call, Service};
use crate::counts::Counts;

/// The lease as far as a run has come.
#[derive(Debug, Default)]
pub struct Leases {
    holder: Option<String>,
    ended: bool,
}

impl Leases {
    /// Notes a write that `who` made, and counts what is worth it.
    pub fn written(&mut self, who: &str, call: &Call, counts: &mut Counts) {
        if call.service != Service::Logs {
            if self.holder.as_deref().is_some_and(|holder| holder != who) {
                counts.add(match call.name.contains("/stages") {
                    true => "lease: released by a former holder",
                    false => "lease: written by a former holder",
                });
            }
            return;
        }
        let stream = call.about.split(' ').next_back().unwrap_or_default();
        let Some(generation) = stream.strip_prefix("lease/") else {
            return;
        };
        if call.name != "CreateLogStream" {
            return;
        }
        if generation.ends_with("/ended") {
            self.ended |= self.holder.as_deref() == Some(who);
        } else if !generation.contains('/') {
            if self.holder.is_some() && !self.ended {
                counts.add("lease: taken over");
            }
            self.holder = Some(who.to_owned());
            self.ended = false;
        }
    }
}
