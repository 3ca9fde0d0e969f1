//! A fault proxy on the wire: stands on a port of 127.0.0.1 in front of the local
//! cloud, records every call of a command, and lets one of them go wrong.
//!
//! Calls of parallel steps arrive in any order, so call number k of one run need
//! not be number k of the next. A [`Point`] names a call by what it asks and by
//! its place among equal ones; the calls recorded of a run without a fault are
//! the points at which runs with one can be hit.
//!
//! Deliberately absent: TLS, HTTP/2, upgrades, and faults at more than one call
//! of a run. Requests pass unchanged, `Host` and signature included; of answers, only the
//! addresses of functions' code are changed: they lead here.

mod answer;
mod call;
mod fault;
mod record;
mod server;

pub use call::{Call, Exchange, Point};
pub use fault::{Answer, Fault, When};

use record::Record;
use server::Clouds;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// For whatever is waited for here. Generous: it only passes when a test fails.
const DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks for a call.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running proxy; dropping it ends it.
pub struct Proxy {
    port: u16,
    record: Arc<Record>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of the local cloud on the port `cloud`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(cloud: u16) -> Self {
        Self::in_front_of(cloud, None).await
    }

    /// As [`Self::start`], for one of two regions of an account: what is asked of IAM,
    /// which is one for all regions, reaches the local cloud on `other` too.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn of_region(cloud: u16, other: u16) -> Self {
        Self::in_front_of(cloud, Some(other)).await
    }

    async fn in_front_of(own: u16, iam: Option<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let record = Arc::new(Record::default());
        let clouds = Clouds {
            own,
            proxy: port,
            iam,
        };
        let accepting = tokio::spawn(server::accept(listener, clouds, Arc::clone(&record)));
        Self {
            port,
            record,
            accepting,
        }
    }

    /// What an SDK is told as its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Forgets the calls so far; what comes now is a new run. The call at the
    /// point goes wrong, once.
    pub fn begin(&self, fault: Option<(Point, Fault)>) {
        self.record.begin(fault);
    }

    /// The calls of this run, in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        self.record.calls()
    }

    /// The requests of this run that were answered, whole, in the order of their
    /// answers: who depends on an answer asks after it.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.record.exchanges()
    }

    /// Whether the fault has struck.
    pub fn reached(&self) -> bool {
        self.record.reached()
    }

    /// Waits until the fault has struck. With [`Fault::Kill`] it is then time to
    /// kill the caller, who gets no answer to this call.
    pub async fn until_reached(&self) {
        self.record.until_reached().await;
    }

    /// Waits until the call at the point has come; it may not have been answered yet.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn until_called(&self, point: &Point) {
        let came = async {
            while !self.calls().iter().any(|call| call.point == *point) {
                sleep(LOOK_AGAIN).await;
            }
        };
        let came = timeout(DEADLINE, came).await;
        assert!(came.is_ok(), "{point} never came");
    }

    /// Waits until every call that came has been carried out, whether somebody
    /// still waits for its answer or not.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn until_quiet(&self) {
        timeout(DEADLINE, self.record.until_quiet())
            .await
            .expect("calls end");
    }

    /// As [`Self::until_quiet`], and nobody is connected any more: nothing of a
    /// dead process can come later.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn until_alone(&self) {
        timeout(DEADLINE, self.record.until_alone())
            .await
            .expect("connections end");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
