//! Changes of one API: in parallel, until API Gateway refuses one because of
//! another; from then on one after the other, so that it is never slower than
//! that.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[derive(Debug, Default)]
pub(super) struct ApiLane {
    refused: AtomicBool,
    lane: RwLock<()>,
}

/// The right to change the API, while it is held.
pub(super) enum Turn<'a> {
    /// Beside others.
    Shared { _guard: RwLockReadGuard<'a, ()> },
    /// Alone.
    Alone { _guard: RwLockWriteGuard<'a, ()> },
}

impl ApiLane {
    pub(super) async fn turn(&self) -> Turn<'_> {
        if !self.refused.load(Ordering::Relaxed) {
            let guard = self.lane.read().await;
            // It may have been refused while we waited.
            if !self.refused.load(Ordering::Relaxed) {
                return Turn::Shared { _guard: guard };
            }
        }
        Turn::Alone {
            _guard: self.lane.write().await,
        }
    }

    /// A change was refused because of another: from now on each waits its turn.
    pub(super) fn refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}
