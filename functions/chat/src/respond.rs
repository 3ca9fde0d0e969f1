//! What API Gateway gets back.
//!
//! It checks the shape on every route, even where nobody reads the answer. The
//! answer is the same whatever became of a delivery: a sender that is gone is
//! no failure of the function, and a failure would reach the sender as an error
//! frame for a message that the others did get.

use crate::event::{Event, EventError};
use crate::log;
use crate::post::Delivery;
use lambda_runtime::Diagnostic;
use serde::Serialize;

/// A Lambda proxy response without a body.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
}

/// Logs an invocation's one line and makes its answer.
///
/// # Errors
/// The handler's own error, in the form the Lambda Runtime API takes.
pub fn respond(
    event: &Event,
    outcome: Result<Delivery, EventError>,
) -> Result<Response, Diagnostic> {
    log::write(event, &outcome);
    match outcome {
        Ok(_) => Ok(Response { status_code: 200 }),
        Err(error) => Err(Diagnostic {
            error_type: "EventError".to_owned(),
            error_message: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::respond;
    use crate::event::EventError;
    use crate::post::{Delivery, Failure};
    use crate::testing::message_event;

    #[test]
    fn the_answer_is_a_valid_proxy_response_even_when_nobody_was_reached() {
        let event = message_event("send", "a=", "{}");
        let delivery = Delivery {
            delivered: 0,
            gone: vec!["a=".into()],
            failed: vec![Failure {
                connection_id: "b=".into(),
                error: "HTTP 500".into(),
            }],
        };
        let response = respond(&event, Ok(delivery)).unwrap();
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            r#"{"statusCode":200}"#
        );
    }

    #[test]
    fn an_event_that_cannot_be_served_is_a_function_error() {
        let event = message_event("send", "a=", "{}");
        let error = respond(&event, Err(EventError::Missing("stage"))).unwrap_err();
        assert_eq!(error.error_type, "EventError");
        assert_eq!(error.error_message, "event without `requestContext.stage`");
    }
}
