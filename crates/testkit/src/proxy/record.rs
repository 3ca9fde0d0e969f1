//! What came, what is still under way, and where the fault stands.

use super::call::{Call, Exchange, Point};
use super::fault::Fault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Shared by the proxy's tasks and whoever holds the proxy.
#[derive(Default)]
pub(super) struct Record {
    run: Mutex<Run>,
    reached: watch::Sender<bool>,
    under_way: watch::Sender<UnderWay>,
}

#[derive(Default)]
struct Run {
    /// Counts runs, so that a late answer isn't written into the next one.
    number: usize,
    calls: Vec<Call>,
    /// Requests that were answered, with what they were answered.
    exchanges: Vec<Exchange>,
    fault: Option<(Point, Fault)>,
}

#[derive(Default)]
struct UnderWay {
    connections: usize,
    calls: usize,
}

/// A call's place in the record.
#[derive(Clone, Copy)]
pub(super) struct Place {
    run: usize,
    call: usize,
}

/// Counts a connection or a call for as long as it lives.
pub(super) struct Guard {
    record: Arc<Record>,
    counter: fn(&mut UnderWay) -> &mut usize,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let counter = self.counter;
        self.record
            .under_way
            .send_modify(|under_way| *counter(under_way) -= 1);
    }
}

impl Record {
    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, fault: Option<(Point, Fault)>) {
        let mut run = self.run();
        run.number += 1;
        run.calls.clear();
        run.exchanges.clear();
        run.fault = fault;
        self.reached.send_replace(false);
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.run().calls.clone()
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.run().exchanges.clone()
    }

    pub(super) fn exchanged(&self, place: Place, exchange: Exchange) {
        let mut run = self.run();
        if run.number == place.run {
            run.exchanges.push(exchange);
        }
    }

    /// Takes a call down; gives the fault that is to strike it.
    pub(super) fn add(&self, service: String, what: String) -> (Place, Option<Fault>) {
        let mut run = self.run();
        let alike = |call: &&Call| call.point.service == service && call.point.what == what;
        let nth = run.calls.iter().filter(alike).count();
        let point = Point { service, what, nth };
        let fault = run.fault.take_if(|(at, _)| *at == point);
        let place = Place {
            run: run.number,
            call: run.calls.len(),
        };
        run.calls.push(Call {
            point,
            status: None,
        });
        (place, fault.map(|(_, fault)| fault))
    }

    pub(super) fn answered(&self, place: Place, status: u16) {
        let mut run = self.run();
        if run.number == place.run
            && let Some(call) = run.calls.get_mut(place.call)
        {
            call.status = Some(status);
        }
    }

    pub(super) fn strike(&self) {
        self.reached.send_replace(true);
    }

    pub(super) fn reached(&self) -> bool {
        *self.reached.borrow()
    }

    pub(super) async fn until_reached(&self) {
        let mut reached = self.reached.subscribe();
        // The sender is in `self`: it outlives this wait.
        let _open = reached.wait_for(|reached| *reached).await;
    }

    pub(super) fn connection(self: &Arc<Self>) -> Guard {
        self.count(|under_way| &mut under_way.connections)
    }

    pub(super) fn call(self: &Arc<Self>) -> Guard {
        self.count(|under_way| &mut under_way.calls)
    }

    fn count(self: &Arc<Self>, counter: fn(&mut UnderWay) -> &mut usize) -> Guard {
        self.under_way
            .send_modify(|under_way| *counter(under_way) += 1);
        Guard {
            record: Arc::clone(self),
            counter,
        }
    }

    pub(super) async fn until_quiet(&self) {
        let mut under_way = self.under_way.subscribe();
        let _open = under_way.wait_for(|under_way| under_way.calls == 0).await;
    }

    pub(super) async fn until_alone(&self) {
        let mut under_way = self.under_way.subscribe();
        let _open = under_way
            .wait_for(|under_way| under_way.calls == 0 && under_way.connections == 0)
            .await;
    }
}
