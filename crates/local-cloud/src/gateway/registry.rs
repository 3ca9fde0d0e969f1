//! All open connections: who they are, and the ways to write to them and to
//! close them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::events::ConnectionFacts;
use crate::assumptions;
use crate::limits::OUTBOUND_MESSAGES;

/// How a connection ends: what the client receives and `$disconnect` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Closing {
    /// Idle for too long, too old, or the cloud stops.
    pub(crate) const GOING_AWAY: (u16, &str) = (1001, "Going away");
    /// Deleted through the management API.
    pub(crate) const DELETED: (u16, &str) = (1000, "Connection Closed Normally");
    /// The client closed without saying a status.
    pub(crate) const NO_STATUS: (u16, &str) = (1005, "Client-side close frame status not set");
}

impl From<(u16, &str)> for Closing {
    fn from((code, reason): (u16, &str)) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }
}

/// An open connection, as others see it.
pub(crate) struct Connection {
    pub(crate) facts: ConnectionFacts,
    last_active_ms: AtomicI64,
    /// On the clock that waiting uses; wall time may jump.
    last_active: Mutex<Instant>,
    outbound: mpsc::Sender<Utf8Bytes>,
    queued_bytes: AtomicUsize,
    most_bytes: usize,
    closing: watch::Sender<Option<Closing>>,
}

/// The client takes its messages too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Connection {
    /// A connection and what its task takes messages from.
    pub(crate) fn new(
        facts: ConnectionFacts,
        most_bytes: usize,
    ) -> (Arc<Self>, mpsc::Receiver<Utf8Bytes>) {
        let (outbound, queue) = mpsc::channel(OUTBOUND_MESSAGES);
        let connection = Self {
            last_active_ms: AtomicI64::new(facts.connected_at.as_millisecond()),
            last_active: Mutex::new(Instant::now()),
            facts,
            outbound,
            queued_bytes: AtomicUsize::new(0),
            most_bytes,
            closing: watch::Sender::new(None),
        };
        (Arc::new(connection), queue)
    }

    /// Queues a text message for the client.
    pub(crate) fn send(&self, text: Utf8Bytes) -> Result<(), Full> {
        let size = text.len();
        let before = self.queued_bytes.fetch_add(size, Ordering::AcqRel);
        // One message always fits, however small the bound.
        let fits = before == 0 || before + size <= self.most_bytes;
        if fits && self.outbound.try_send(text).is_ok() {
            return Ok(());
        }
        self.written(size);
        Err(Full)
    }

    /// So many queued bytes have left.
    pub(crate) fn written(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Asks the connection's task to close it; the first asker's reason holds.
    pub(crate) fn close(&self, closing: Closing) {
        self.closing.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert(closing);
            first
        });
    }

    /// Tells when [`Connection::close`] was called.
    pub(crate) fn closing(&self) -> watch::Receiver<Option<Closing>> {
        self.closing.subscribe()
    }

    /// A message went either way.
    pub(crate) fn touch(&self, at: Timestamp) {
        self.last_active_ms
            .fetch_max(at.as_millisecond(), Ordering::AcqRel);
        *self
            .last_active
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until no message has gone either way for so long.
    pub(crate) async fn idle_for(&self, limit: Duration) {
        loop {
            let since = *self
                .last_active
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if since.elapsed() >= limit {
                return;
            }
            sleep_until(since + limit).await;
        }
    }

    pub(crate) fn last_active(&self) -> Timestamp {
        let ms = self.last_active_ms.load(Ordering::Acquire);
        Timestamp::from_millisecond(ms).unwrap_or(self.facts.connected_at)
    }
}

/// All open connections.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    open: HashMap<String, Arc<Connection>>,
    /// Connections whose task still runs, closed ones included.
    tasks: usize,
    refusing: bool,
}

/// A place for one connection's task; `$disconnect` runs within it.
pub(crate) struct TaskPlace(Arc<super::Gateway>);

impl Drop for TaskPlace {
    fn drop(&mut self) {
        self.0.registry.lock().tasks -= 1;
        self.0.registry.ended.notify_waiters();
    }
}

impl Registry {
    /// A place for one more connection; `None`: there are too many, or the cloud
    /// stops.
    pub(crate) fn place(gateway: &Arc<super::Gateway>) -> Option<TaskPlace> {
        let mut state = gateway.registry.lock();
        if state.refusing || state.tasks >= gateway.limits.websockets {
            return None;
        }
        state.tasks += 1;
        Some(TaskPlace(Arc::clone(gateway)))
    }

    /// From here on the connection can be written to.
    pub(crate) fn open(&self, connection: Arc<Connection>) {
        let mut state = self.lock();
        if state.refusing {
            connection.close(Closing::GOING_AWAY.into());
        }
        let id = connection.facts.connection_id.clone();
        state.open.insert(id, connection);
    }

    /// From here on the connection is gone.
    pub(crate) fn close(&self, connection_id: &str) {
        self.lock().open.remove(connection_id);
    }

    pub(crate) fn find(&self, connection_id: &str) -> Option<Arc<Connection>> {
        self.lock().open.get(connection_id).cloned()
    }

    /// At most so many of the open ones.
    pub(crate) fn some(&self, most: usize) -> Vec<Arc<Connection>> {
        self.lock().open.values().take(most).cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// Connections that are at their `$connect`, or at their `$disconnect`.
    pub(crate) fn coming_and_going(&self) -> usize {
        let state = self.lock();
        state.tasks.saturating_sub(state.open.len())
    }

    /// Asks connections to close.
    pub(crate) fn close_where(
        &self,
        closing: (u16, &str),
        is_meant: impl Fn(&ConnectionFacts) -> bool,
    ) {
        for connection in self.lock().open.values() {
            if is_meant(&connection.facts) {
                connection.close(closing.into());
            }
        }
    }

    /// Closes the connections of a deleted API, or of one of its stages.
    pub(crate) fn close_deleted(&self, api_id: &str, stage: Option<&str>) {
        self.close_where(assumptions::API_DELETED, |facts| {
            facts.api_id == api_id && stage.is_none_or(|stage| facts.stage == stage)
        });
    }

    pub(crate) fn refuse_more(&self) {
        self.lock().refusing = true;
    }

    pub(crate) async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.lock().tasks == 0 {
                return;
            }
            ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
