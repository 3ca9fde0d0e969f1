//! A deployer's process: a future that can stand still, and end anywhere.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// What is to become of a process; shared with its wire, which says so.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    crashed: bool,
    resumes: Option<Instant>,
}

impl Fate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process ends now: nothing of it runs again.
    pub fn crash(&self) {
        self.state().crashed = true;
    }

    /// Whether it has crashed.
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    /// The process stands still, its clock goes on.
    pub fn pause(&self, long: Duration) {
        self.state().resumes = Some(Instant::now() + long);
    }
}

/// Runs `work` as a process with a fate; `None`: it crashed.
pub struct Process<F> {
    /// Dropped at once when the process crashes.
    work: Option<Pin<Box<F>>>,
    fate: Fate,
    standing_still: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Process<F> {
    /// Begins when polled.
    pub fn new(work: F, fate: Fate) -> Self {
        Self {
            work: Some(Box::pin(work)),
            fate,
            standing_still: None,
        }
    }
}

impl<F: Future> Future for Process<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            if this.fate.crashed() {
                this.work = None;
                return Poll::Ready(None);
            }
            let resumes = this.fate.state().resumes.take();
            if let Some(resumes) = resumes {
                this.standing_still = Some(Box::pin(sleep_until(resumes)));
            }
            if let Some(sleep) = &mut this.standing_still {
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                this.standing_still = None;
            }
            let Some(work) = &mut this.work else {
                return Poll::Ready(None);
            };
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            let state = this.fate.state();
            if !state.crashed && state.resumes.is_none() {
                return Poll::Pending;
            }
        }
    }
}
