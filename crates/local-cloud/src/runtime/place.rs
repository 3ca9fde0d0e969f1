//! What an event and an environment take up while they are there: each gives its
//! place back when it is dropped, however it ended.

use std::sync::Arc;

use super::pool::{Key, Pool};

/// One running event of a function.
pub(super) struct Permit {
    pub(super) pool: Arc<Pool>,
    pub(super) name: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(count) = state.in_flight.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                state.in_flight.remove(&self.name);
            }
        }
    }
}

/// Leave to start one environment.
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) starting: Starting,
    /// The log stream of an environment whose process failed: this one is that again.
    pub(super) reset: Option<String>,
}

/// One environment's place among all, with what must not outlive it.
pub(super) struct Place {
    pub(super) pool: Arc<Pool>,
    pub(super) key: Key,
    pub(super) access_key_id: Option<String>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = &self.access_key_id {
            self.pool.credentials.revoke(key);
        }
        let mut state = self.pool.lock();
        state.environments -= 1;
        if let Some(group) = state.groups.get_mut(&self.key) {
            group.live -= 1;
            if !group.is_needed() {
                state.groups.remove(&self.key);
            }
        }
        drop(state);
        self.pool.ended.notify_waiters();
    }
}

/// One environment's place among those that are starting.
pub(super) struct Starting {
    pub(super) pool: Arc<Pool>,
    pub(super) key: Key,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(group) = self.pool.lock().groups.get_mut(&self.key) {
            group.starting = group.starting.saturating_sub(1);
        }
    }
}
