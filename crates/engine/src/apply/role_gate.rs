//! A new role that Lambda doesn't know yet: one function goes on asking, the
//! others wait for it, and all go on together when it is known.

use tokio::sync::{Mutex, MutexGuard};

#[derive(Debug, Default)]
pub(super) struct RoleGate(Mutex<()>);

impl RoleGate {
    /// Whether somebody is asking now.
    pub(super) fn is_shut(&self) -> bool {
        self.0.try_lock().is_err()
    }

    /// Waits until nobody is asking any more.
    pub(super) async fn opens(&self) {
        drop(self.0.lock().await);
    }

    /// Whoever is refused first gets the guard and asks again, holding it; the
    /// others return empty-handed once it is through.
    pub(super) async fn pass(&self) -> Option<MutexGuard<'_, ()>> {
        match self.0.try_lock() {
            Ok(asking) => Some(asking),
            Err(_) => {
                self.opens().await;
                None
            }
        }
    }
}
