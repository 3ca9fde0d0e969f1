//! What API Gateway gets back.
//!
//! It checks the shape on every route, even where nobody reads the answer. The
//! answer is the same whatever became of a delivery: a sender that is gone is
//! no failure of the function, and a failure would reach the sender as an error
//! frame for a message that the others did get.

use crate::event::EventError;
use crate::post::Delivery;
use lambda_runtime::Diagnostic;
use serde::Serialize;
use std::collections::BTreeMap;

/// A Lambda proxy response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Of interest to `$connect` alone: whether the client is let in.
    pub status_code: u16,
    /// Of interest to `$connect` alone: the subprotocol.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<&'static str, &'static str>,
    /// Why a client is not let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'static str>,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status_code: 200,
            headers: BTreeMap::new(),
            body: None,
        }
    }
}

/// What an event came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Served {
    /// The room it was about.
    pub room: Option<String>,
    /// The number that its message has there.
    pub seq: Option<u64>,
    /// Why its request was refused: the code of the error its sender was told.
    pub refused: Option<&'static str>,
    /// How the store failed, if it did.
    pub failure: Option<String>,
    /// Who was told.
    pub delivery: Delivery,
    /// What API Gateway gets.
    pub response: Response,
}

impl From<Delivery> for Served {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery,
            ..Self::default()
        }
    }
}

/// Makes the answer to an invocation.
///
/// # Errors
/// The handler's own error, in the form the Lambda Runtime API takes.
pub fn respond(outcome: Result<Served, EventError>) -> Result<Response, Diagnostic> {
    match outcome {
        Ok(served) => Ok(served.response),
        Err(error) => Err(Diagnostic {
            error_type: "EventError".to_owned(),
            error_message: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Served, respond};
    use crate::event::EventError;
    use crate::post::{Delivery, Failure};

    #[test]
    fn the_answer_is_a_valid_proxy_response_even_when_nobody_was_reached() {
        let delivery = Delivery {
            undelivered: 1,
            gone: vec!["a=".into()],
            failed: vec![Failure {
                connection_id: "b=".into(),
                error: "HTTP 500".into(),
            }],
            ..Delivery::default()
        };
        let response = respond(Ok(Served::from(delivery))).unwrap();
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            r#"{"statusCode":200}"#
        );
    }

    #[test]
    fn an_event_that_cannot_be_served_is_a_function_error() {
        let error = respond(Err(EventError::Missing("stage"))).unwrap_err();
        assert_eq!(error.error_type, "EventError");
        assert_eq!(error.error_message, "event without `requestContext.stage`");
    }
}
