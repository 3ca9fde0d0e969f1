//! A handler behind the Lambda Runtime API.

use crate::event::{Event, EventError};
use crate::post::Delivery;
use crate::respond::respond;
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Serves events with the handler until Lambda ends the process.
///
/// # Errors
/// When the Runtime API cannot be reached.
///
/// # Panics
/// Outside Lambda: without the variables it sets.
pub async fn run(
    handler: impl AsyncFn(&Event) -> Result<Delivery, EventError>,
) -> Result<(), Error> {
    let handler = &handler;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Event>| {
        respond(&event.payload, handler(&event.payload).await)
    }))
    .await
}
