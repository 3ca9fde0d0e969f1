//! Small helpers around hyper: bodies with a bound, and answers in AWS's shapes.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::limits::BODY_WAIT;
use crate::live_tail;

/// Who sent a request, and by what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    /// `http`, or `https` by TLS.
    pub(crate) proto: &'static str,
}

/// What every service answers.
pub(crate) type Answer = Response<Body>;

/// A complete one, or events that come one after the other.
pub(crate) type Body = Either<Full<Bytes>, live_tail::Events>;

/// An answer instead of a result. Boxed, because it is rare and large.
pub(crate) type Refusal = Box<Answer>;

/// Where AWS's clients look for an error's code.
pub(crate) const ERROR_TYPE: &str = "x-amzn-errortype";
/// Where AWS's clients look for the request's id.
pub(crate) const REQUEST_ID: &str = "x-amzn-requestid";

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// More bytes than the service takes.
    #[error("body too large")]
    TooLarge,
    /// The client went away, or took longer than [`BODY_WAIT`].
    #[error("body did not arrive")]
    Broken,
}

/// Reads a body of at most `limit` bytes, and the trailers behind it.
pub(crate) async fn read_body(
    body: Incoming,
    limit: usize,
) -> Result<(Bytes, HeaderMap), BodyError> {
    let collect = Limited::new(body, limit).collect();
    let collected = tokio::time::timeout(BODY_WAIT, collect)
        .await
        .map_err(|_| BodyError::Broken)?
        .map_err(|error| match error.is::<LengthLimitError>() {
            true => BodyError::TooLarge,
            false => BodyError::Broken,
        })?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok((collected.to_bytes(), trailers))
}

/// A complete body.
pub(crate) fn whole(body: impl Into<Bytes>) -> Body {
    Body::Left(Full::new(body.into()))
}

/// An answer with a body of JSON text.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = empty(status);
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    *answer.body_mut() = whole(body);
    answer
}

/// An answer of bytes.
pub(crate) fn bytes(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = empty(status);
    *answer.body_mut() = whole(body);
    answer
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(whole(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

/// An error whose code stands in the header, as the JSON protocols do it.
pub(crate) fn error(status: StatusCode, code: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = json(status, body);
    answer
        .headers_mut()
        .insert(ERROR_TYPE, HeaderValue::from_static(code));
    answer
}

/// Adds a header whose value this crate made; an impossible value is left out.
pub(crate) fn with_header(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// A header's value, when it is there and text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
