//! What became of everything that clients sent.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

macro_rules! ledger {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters, each of one fate.
        #[derive(Default)]
        pub(super) struct Ledger {
            $($(#[$doc])* pub(super) $name: Count,)*
            /// What must not be, in words; no more than some of it.
            wrongs: Mutex<Vec<String>>,
        }

        impl Ledger {
            pub(super) fn figures(&self) -> Value {
                json!({
                    $(stringify!($name): self.$name.get(),)*
                    "wrongs": *self.wrongs.lock().unwrap_or_else(|it| it.into_inner()),
                })
            }
        }
    };
}

ledger! {
    /// Handshakes that were accepted.
    connected,
    /// Handshakes that `$connect` refused, as it does when its process was killed.
    refused,
    /// Handshakes that ended otherwise: none may.
    broken,
    /// Messages that clients sent.
    sent,
    /// Of these, with the answer that they were meant to get.
    answered,
    /// With the gateway's error frame.
    failed,
    /// Whose connection the client cut before an answer came.
    cut,
    /// Whose connection the gateway closed: none may.
    closed,
    /// With no answer in time: none may.
    silent,
    /// Texts of others that members of a room heard.
    heard,
    /// Answers and error frames beyond that: of messages that were answered before their
    /// function was killed.
    late,
    /// Texts that nobody can have sent: none may be.
    stray,
}

/// So many.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.many(1);
    }

    pub(super) fn many(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// So many wrongs are told; the counters have all.
const TOLD: usize = 10;

impl Ledger {
    pub(super) fn wrong(&self, what: String) {
        let mut wrongs = self.wrongs.lock().unwrap_or_else(|it| it.into_inner());
        if wrongs.len() < TOLD {
            wrongs.push(what);
        }
    }
}
