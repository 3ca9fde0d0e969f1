//! Waits until the endpoint answers for a stage: what was released may take
//! seconds to be live everywhere.

use crate::cloud::CloudReader;
use crate::error::{CloudError, CloudErrorKind};
use crate::events::{Event, EventSink};
use crate::interrupt::Interrupt;
use crate::retry;
use std::time::Duration;
use tokio::time::Instant;

/// Whether to wait, at the end of an `up`, until the endpoint answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// Until it answers as a live stage does.
    #[default]
    Endpoint,
    /// Not at all: the endpoint can't be reached from here, or needn't be.
    Nothing,
}

/// How long an endpoint may take.
const ENDPOINT_DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `url` (`wss://…/stage`) answers a plain GET as `expected`.
///
/// # Errors
/// The last reason, when the deadline has passed or we were asked to stop.
pub async fn wait_until_endpoint_answers<R: CloudReader>(
    reader: &R,
    url: &str,
    expected: u16,
    events: &dyn EventSink,
    interrupt: &Interrupt,
) -> Result<(), CloudError> {
    events.event(Event::Verifying {
        url: url.to_owned(),
    });
    let started = Instant::now();
    let mut pauses = retry::pauses();
    loop {
        let reason = match reader.probe(url).await {
            Ok(status) if status == expected => {
                events.event(Event::Verified {
                    elapsed: started.elapsed(),
                });
                return Ok(());
            }
            Ok(status) => format!("it answers with status {status}"),
            Err(error) => error.message,
        };
        let pause = pauses.next().expect("pauses never end");
        if started.elapsed() + pause > ENDPOINT_DEADLINE || interrupt.requested() {
            return Err(CloudError {
                service: "execute-api",
                operation: "GET".to_owned(),
                resource: url.to_owned(),
                kind: CloudErrorKind::TimedOut,
                code: None,
                message: format!(
                    "the endpoint doesn't answer for this stage after {:.0?}: {reason}",
                    started.elapsed()
                ),
                request_id: None,
            });
        }
        tokio::time::sleep(pause).await;
    }
}
