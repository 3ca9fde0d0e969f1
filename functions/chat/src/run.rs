//! A handler behind the Lambda Runtime API.

use crate::event::{Event, EventError};
use crate::log::{self, Timing};
use crate::post::Delivery;
use crate::respond::{Response, Served, respond};
use crate::split::Chunk;
use crate::store::StoreError;
use lambda_runtime::{Context, Diagnostic, Error, LambdaEvent, service_fn};
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// What is left of an invocation's time for all but telling: pruning, the sender's
/// answer, the log.
const RESERVE: Duration = Duration::from_millis(500);

/// What a handler knows of its invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's id of it; its retries have the same.
    pub request_id: String,
    /// Until when somebody may be told something.
    pub deadline: Instant,
}

impl Invocation {
    fn of(context: &Context) -> Self {
        let left = Duration::from_millis(context.deadline).saturating_sub(since_epoch());
        Self {
            request_id: context.request_id.clone(),
            deadline: Instant::now() + left.saturating_sub(RESERVE),
        }
    }
}

/// This machine's clock, in milliseconds since 1970: for what API Gateway didn't send.
pub fn clock() -> i64 {
    i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX)
}

fn since_epoch() -> Duration {
    // A clock before 1970 leaves an invocation all its time.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// Serves events with the handler until Lambda ends the process.
///
/// # Errors
/// When the Runtime API cannot be reached.
///
/// # Panics
/// Outside Lambda: without the variables it sets.
pub async fn run(
    handler: impl AsyncFn(&Event, &Invocation) -> Result<Served, EventError>,
) -> Result<(), Error> {
    let handler = &handler;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Event>| {
        serve(handler, &event.payload, &Invocation::of(&event.context)).await
    }))
    .await
}

/// As [`run`], and serves the parts of fan-outs that the function invokes itself with.
///
/// # Errors
/// When the Runtime API cannot be reached.
///
/// # Panics
/// Outside Lambda: without the variables it sets.
pub async fn run_with_chunks(
    handler: impl AsyncFn(&Event, &Invocation) -> Result<Served, EventError>,
    chunks: impl AsyncFn(&Chunk, &Invocation) -> Result<Delivery, StoreError>,
) -> Result<(), Error> {
    let (handler, chunks) = (&handler, &chunks);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Incoming>| {
        let invocation = Invocation::of(&event.context);
        match event.payload {
            Incoming::Chunk(chunk) => serve_part(chunks, &chunk, &invocation).await,
            Incoming::Event(event) => serve(handler, &event, &invocation).await,
        }
    }))
    .await
}

/// Only what is a chunk in each of its fields is one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Incoming {
    Chunk(Box<Chunk>),
    Event(Box<Event>),
}

async fn serve(
    handler: &impl AsyncFn(&Event, &Invocation) -> Result<Served, EventError>,
    event: &Event,
    invocation: &Invocation,
) -> Result<Response, Diagnostic> {
    let began = Instant::now();
    let outcome = handler(event, invocation).await;
    log::write(event, &outcome, timing(began));
    respond(outcome)
}

async fn serve_part(
    chunks: &impl AsyncFn(&Chunk, &Invocation) -> Result<Delivery, StoreError>,
    chunk: &Chunk,
    invocation: &Invocation,
) -> Result<Response, Diagnostic> {
    let began = Instant::now();
    let outcome = chunks(chunk, invocation).await;
    log::write_chunk(chunk, &invocation.request_id, &outcome, timing(began));
    respond(outcome.map(Served::from).map_err(EventError::from))
}

fn timing(began: Instant) -> Timing {
    Timing {
        ended: clock(),
        took: began.elapsed(),
    }
}

#[cfg(test)]
mod tests {
    use super::Incoming;
    use crate::split::Chunk;
    use crate::testing::message_event;

    #[test]
    fn what_a_client_sends_is_never_taken_for_a_part_of_a_fan_out() {
        let chunk = Chunk {
            chunk: "c".into(),
            domain_name: "d".into(),
            stage: "s".into(),
            room: "r".into(),
            plain: "p".into(),
            json: "{}".into(),
            members: vec![],
        };
        let forged = serde_json::to_string(&chunk).unwrap();
        let incoming = serde_json::from_str(&forged).unwrap();
        assert!(matches!(incoming, Incoming::Chunk(found) if *found == chunk));
        let event = serde_json::to_string(&message_event("send", "a=", &forged)).unwrap();
        let incoming = serde_json::from_str(&event).unwrap();
        assert!(matches!(incoming, Incoming::Event(_)));
    }
}
