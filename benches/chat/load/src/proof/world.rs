//! What all clients share: where the chat is, what was said, and how far the proof has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::ledger::{Fate, Logs, Sends};

/// How far the proof has come.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Clients come, talk and go.
    Talking,
    /// Who is there stays, and says nothing more.
    Quiet,
    /// These are the rooms' logs: who has heard all of its rooms' is done.
    Over(Arc<Logs>),
}

/// Connections that were seen lately; more are forgotten.
const SEEN: usize = 256;

/// Rates and sizes.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    pub(super) rooms: u64,
    /// Clients begin evenly within this.
    pub(super) ramp: Duration,
    /// Mean time between what one client does.
    pub(super) pause: Duration,
    /// Mean life of those that don't stay.
    pub(super) life: Duration,
}

pub(super) struct World {
    /// The chat's own URL, and the one by which connections can be cut.
    pub(super) url: String,
    pub(super) cut_url: String,
    pub(super) pace: Pace,
    pub(super) phase: watch::Sender<Phase>,
    /// Each new number has some speak at once.
    pub(super) crowd: watch::Sender<u64>,
    next_token: AtomicU64,
    sends: Mutex<Sends>,
    seen: Mutex<Vec<String>>,
    pub(super) counts: Counts,
}

/// What happened, so that it is known that it did.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Times that a member was in again after its connection was cut.
    pub(super) returns: AtomicU64,
    /// Requests of raw sockets that got API Gateway's error frame, or nothing.
    pub(super) unanswered: AtomicU64,
    /// Times that a raw socket was closed by the chat's side.
    pub(super) closed: AtomicU64,
    /// Connections that couldn't be opened: `$connect` was killed.
    pub(super) not_opened: AtomicU64,
}

pub(super) fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn so_many(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl World {
    pub(super) fn new(url: String, cut_url: String, pace: Pace) -> Self {
        Self {
            url,
            cut_url,
            pace,
            phase: watch::Sender::new(Phase::Talking),
            crowd: watch::Sender::new(0),
            next_token: AtomicU64::new(1),
            sends: Mutex::default(),
            seen: Mutex::default(),
            counts: Counts::default(),
        }
    }

    pub(super) fn is_talking(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Talking)
    }

    pub(super) fn room(&self, number: u64) -> String {
        format!("room-{number}")
    }

    pub(super) fn any_room(&self, lots: &mut fastrand::Rng) -> String {
        self.room(lots.u64(..self.pace.rooms))
    }

    /// Somebody is about to say this token in a room.
    pub(super) fn says(&self, room: &str) -> u64 {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        self.sends().insert(token, (room.to_owned(), Fate::Waiting));
        token
    }

    /// What became of it; the first that is known holds.
    pub(super) fn became(&self, token: u64, fate: Fate) {
        if let Some((_, known)) = self.sends().get_mut(&token)
            && *known == Fate::Waiting
        {
            *known = fate;
        }
    }

    /// How many wait for an answer.
    pub(super) fn waiting(&self) -> usize {
        let sends = self.sends();
        let fates = sends.values().filter(|(_, fate)| *fate == Fate::Waiting);
        fates.count()
    }

    pub(super) fn sends(&self) -> MutexGuard<'_, Sends> {
        self.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that somebody has heard of.
    pub(super) fn sees(&self, connection: String) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < SEEN {
            seen.push(connection);
        } else {
            let place = usize::from(connection.bytes().fold(0_u8, u8::wrapping_add)) % SEEN;
            seen[place] = connection;
        }
    }

    /// One of them, once.
    pub(super) fn take_seen(&self, lots: &mut fastrand::Rng) -> Option<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.len() {
            0 => None,
            many => Some(seen.swap_remove(lots.usize(..many))),
        }
    }
}

/// The text of a token, and back.
pub(super) fn token_of(text: &str) -> u64 {
    text.parse().unwrap_or(super::ledger::NO_TOKEN)
}
