//! Faults that somebody has asked for: a function that is slow, dies or is throttled, and
//! connections that are gone. So one sees what a service does when AWS has a bad day.
//!
//! They strike where the true thing would, and are told in logs, metrics and answers as it would
//! be; only the traffic says that it was one of these. None is there unless somebody has set it,
//! and none outlives the process.
//!
//! Deliberately absent: chance. A fault strikes each time, or so many times.

mod request;
mod strike;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::limits::FAULTS;
use crate::model::Model;

pub(crate) use request::{NewFault, Targets};
pub(crate) use strike::Inflicted;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// An invocation begins later, in its own time.
    Slow,
    /// The process is killed while it has the event.
    Crash,
    /// The invocation is refused, as with a reserved concurrency of 0.
    Throttle,
    /// A post to a connection is answered as if it had ended.
    Gone,
}

/// All faults that are set.
#[derive(Default)]
pub(crate) struct Faults {
    /// Whether there are any: nothing else is asked where there are none.
    any: AtomicBool,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// How many there have been.
    made: u64,
    faults: Vec<Fault>,
}

struct Fault {
    id: String,
    what: NewFault,
    /// `None`: until it is removed.
    remaining: Option<u32>,
    hits: u64,
    created: Timestamp,
}

impl Fault {
    fn show(&self) -> Value {
        let what = &self.what;
        json!({
            "id": self.id,
            "kind": what.kind,
            "functionName": what.function_name,
            "apiId": what.api_id,
            "connectionId": what.connection_id,
            "delayMs": what.delay_ms,
            "remaining": self.remaining,
            "hits": self.hits,
            "createdAt": self.created.as_millisecond(),
        })
    }
}

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {FAULTS} faults already: remove one first")]
pub(crate) struct TooMany;

impl Faults {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, list: &List) {
        self.any.store(!list.faults.is_empty(), Ordering::Release);
    }

    /// All of them, oldest first.
    pub(crate) fn show(&self) -> Value {
        let list = self.lock();
        list.faults.iter().map(Fault::show).collect()
    }

    fn add(&self, what: NewFault, now: Timestamp) -> Result<Value, TooMany> {
        let mut list = self.lock();
        if list.faults.len() >= FAULTS {
            return Err(TooMany);
        }
        list.made += 1;
        let fault = Fault {
            id: format!("fault-{}", list.made),
            remaining: what.times,
            what,
            hits: 0,
            created: now,
        };
        let shown = fault.show();
        list.faults.push(fault);
        self.changed(&list);
        Ok(shown)
    }

    /// Whether any was removed; `None`: all.
    fn remove(&self, id: Option<&str>) -> bool {
        let mut list = self.lock();
        let before = list.faults.len();
        list.faults
            .retain(|fault| id.is_some_and(|id| fault.id != id));
        self.changed(&list);
        list.faults.len() < before
    }
}

impl Model {
    /// Sets a fault that has been checked; shows it.
    pub(crate) fn add_fault(&self, what: NewFault) -> Result<Value, TooMany> {
        let shown = self.faults.add(what, self.now())?;
        self.tell_faults();
        Ok(shown)
    }

    /// Removes one, or all; whether there was any.
    pub(crate) fn remove_faults(&self, id: Option<&str>) -> bool {
        let removed = self.faults.remove(id);
        if removed {
            self.tell_faults();
        }
        removed
    }

    fn tell_faults(&self) {
        self.traffic.tell(|| {
            json!({
                "kind": "faults",
                "at": self.now().as_millisecond(),
                "faults": self.faults.show(),
            })
        });
    }
}

/// Of a fault that is slow.
fn delay(what: &NewFault) -> Duration {
    Duration::from_millis(what.delay_ms.unwrap_or_default())
}
