//! Errors as each service words them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

/// What the caller gets.
pub(super) type Answer = Response<Full<Bytes>>;

/// A request too many.
pub(super) fn throttled(service: &str) -> Answer {
    match service {
        "iam" | "sts" => xml(StatusCode::BAD_REQUEST, "Sender", "Throttling"),
        "logs" => json(StatusCode::BAD_REQUEST, "ThrottlingException"),
        _ => json(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
    }
}

/// Something the caller may not do.
pub(super) fn refused(service: &str) -> Answer {
    match service {
        "iam" | "sts" => xml(StatusCode::FORBIDDEN, "Sender", "AccessDenied"),
        "logs" => json(StatusCode::BAD_REQUEST, "AccessDeniedException"),
        // A download, whose URL is what is signed: S3's words.
        "unsigned" => with_body(
            StatusCode::FORBIDDEN,
            "application/xml",
            "<Error><Code>AccessDenied</Code><Message>by script</Message></Error>".to_owned(),
        ),
        _ => json(StatusCode::FORBIDDEN, "AccessDeniedException"),
    }
}

/// An error of the service's own.
pub(super) fn failed(service: &str) -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    match service {
        "iam" | "sts" => xml(status, "Receiver", "ServiceFailure"),
        "logs" => json(status, "InternalFailure"),
        _ => json(status, "ServiceException"),
    }
}

/// With another last byte.
pub(super) fn garbled(answer: Answer, body: Bytes) -> Answer {
    let mut body = body.to_vec();
    if let Some(last) = body.last_mut() {
        *last ^= 1;
    }
    answer.map(|_| Full::new(Bytes::from(body)))
}

/// The JSON protocols: the code stands in the header or in `__type`.
fn json(status: StatusCode, code: &'static str) -> Answer {
    let body = json!({ "__type": code, "message": "by script" }).to_string();
    let mut answer = with_body(status, "application/json", body);
    answer
        .headers_mut()
        .insert("x-amzn-errortype", HeaderValue::from_static(code));
    answer
}

/// The query protocol.
fn xml(status: StatusCode, whose: &str, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>{whose}</Type><Code>{code}</Code><Message>by script</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    with_body(status, "text/xml", body)
}

fn with_body(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
