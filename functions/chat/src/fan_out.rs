//! Telling many connections something, quickly and within the function's time.
//!
//! One failing connection never keeps a text from the others: each post's fate is
//! collected in a [`Delivery`], and nothing here returns an error. A post that is
//! under way for long, or that was throttled, gives its place to others meanwhile. How
//! many run at a time follows what the gateway takes: it grows with posts that
//! succeed and halves with one that is throttled.

use crate::post::{Delivery, FAILURES_NAMED, Failure, Post, PostError, Telling};
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, pin_mut};
use std::cell::Cell;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Posts at a time to begin with. Few enough that their handshakes do not starve a
/// function with a fraction of a CPU.
pub const POSTS_AT_FIRST: usize = 32;
/// The most posts at a time, slow ones apart.
pub const POSTS_AT_ONCE: usize = 128;
/// The fewest posts at a time, however much is throttled.
const POSTS_AT_LEAST: usize = 8;
/// Posts at a time, slow ones too: a function has 1,024 open files.
pub const POSTS_UNDER_WAY: usize = 512;
/// So long a post keeps its place; then it goes on without one.
const SLOW: Duration = Duration::from_millis(150);
/// Of one attempt. What timed out is not tried again: it may have been delivered.
const POST_TIMEOUT: Duration = Duration::from_secs(3);
/// Tried again are throttling and what passes: server errors, and connections that
/// Lambda's freezing between events has cut.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Tells each its text until the deadline, and says what became of it. `done` hears of
/// each telling, by its index, that needs no other.
pub async fn fan_out(
    post: &impl Post,
    tellings: &[Telling<'_>],
    deadline: Instant,
    done: impl Fn(usize),
) -> Delivery {
    let flow = Flow::default();
    let mut delivery = Delivery::default();
    let mut posts: FuturesUnordered<_> = tellings
        .iter()
        .enumerate()
        .map(|(index, telling)| {
            let flow = &flow;
            async move { (index, telling, flow.deliver(post, telling).await) }
        })
        .collect();
    while let Ok(Some((index, telling, fate))) = timeout_at(deadline, posts.next()).await {
        done(index);
        match fate {
            Ok(()) => delivery.delivered += 1,
            Err(PostError::Gone) => delivery.gone.push(telling.to.to_owned()),
            Err(error) => {
                delivery.undelivered += 1;
                if delivery.failed.len() < FAILURES_NAMED {
                    delivery.failed.push(Failure {
                        connection_id: telling.to.to_owned(),
                        error: error.to_string(),
                    });
                }
            }
        }
    }
    delivery.undelivered += posts.len();
    delivery.throttled = flow.throttled.get();
    delivery
}

/// How many posts may run.
struct Flow {
    places: Semaphore,
    under_way: Semaphore,
    /// Places there are, taken or not.
    width: Cell<usize>,
    /// Places to be taken away as they get free.
    surplus: Cell<usize>,
    throttled: Cell<usize>,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            places: Semaphore::new(POSTS_AT_FIRST),
            under_way: Semaphore::new(POSTS_UNDER_WAY),
            width: Cell::new(POSTS_AT_FIRST),
            surplus: Cell::new(0),
            throttled: Cell::new(0),
        }
    }
}

impl Flow {
    async fn deliver(&self, post: &impl Post, telling: &Telling<'_>) -> Result<(), PostError> {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 1;
        loop {
            let fate = self.attempt(post, telling).await;
            match &fate {
                Ok(()) => self.widen(),
                Err(PostError::Throttled(_)) => self.narrow(),
                Err(_) => {}
            }
            let passes = matches!(fate, Err(PostError::Throttled(_) | PostError::Passing(_)));
            if !passes || attempts == ATTEMPTS {
                return fate;
            }
            sleep(pause).await;
            attempts += 1;
            pause *= 2;
        }
    }

    async fn attempt(&self, post: &impl Post, telling: &Telling<'_>) -> Result<(), PostError> {
        // Neither is ever closed.
        let under_way = self.under_way.acquire().await;
        let place = self.places.acquire().await;
        let posting = timeout(POST_TIMEOUT, post.post(telling.to, telling.text));
        pin_mut!(posting);
        let slow = sleep(SLOW);
        pin_mut!(slow);
        let fate = match select(posting, slow).await {
            Either::Left((fate, _)) => {
                self.free(place.ok());
                fate
            }
            Either::Right(((), posting)) => {
                self.free(place.ok());
                posting.await
            }
        };
        drop(under_way);
        let late = || format!("timeout: no answer within {} s", POST_TIMEOUT.as_secs());
        fate.unwrap_or_else(|_| Err(PostError::Other(late())))
    }

    fn free(&self, place: Option<tokio::sync::SemaphorePermit<'_>>) {
        let surplus = self.surplus.get();
        match place {
            Some(place) if surplus > 0 => {
                self.surplus.set(surplus - 1);
                place.forget();
            }
            place => drop(place),
        }
    }

    fn widen(&self) {
        let width = self.width.get();
        if width < POSTS_AT_ONCE {
            self.width.set(width + 1);
            match self.surplus.get() {
                0 => self.places.add_permits(1),
                surplus => self.surplus.set(surplus - 1),
            }
        }
    }

    fn narrow(&self) {
        self.throttled.set(self.throttled.get() + 1);
        let width = self.width.get();
        let narrower = (width / 2).max(POSTS_AT_LEAST);
        if narrower < width {
            self.width.set(narrower);
            let taken = self.places.forget_permits(width - narrower);
            self.surplus
                .set(self.surplus.get() + (width - narrower - taken));
        }
    }
}

#[cfg(test)]
mod tests;
