//! awsJson1.1, as CloudWatch Logs, SSM and Secrets Manager speak it, and awsJson1.0, which
//! differs by its content type, as CloudWatch does.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::Service;
use crate::error::Failure;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const CONTENT_TYPE_OF_VERSION_0: &str = "application/x-amz-json-1.0";
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// The operation in `X-Amz-Target: Logs_20140328.CreateLogGroup`.
pub(crate) fn operation(request: &Request<Bytes>) -> Option<&str> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    target.split_once('.').map(|(_, operation)| operation)
}

/// Writes a result; operations without output have an empty body.
pub(crate) fn answer(body: Option<Value>, request_id: &str) -> Response<Bytes> {
    write(
        200,
        body.map(|value| value.to_string()).unwrap_or_default(),
        request_id,
    )
}

/// The head of an answer whose body is a stream of events.
pub(crate) fn stream(request_id: &str) -> Response<Bytes> {
    let mut answer = write(200, String::new(), request_id);
    let kind = HeaderValue::from_static(EVENT_STREAM);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// The same answer in awsJson1.0.
pub(crate) fn in_version_0(mut answer: Response<Bytes>) -> Response<Bytes> {
    let kind = HeaderValue::from_static(CONTENT_TYPE_OF_VERSION_0);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// Writes a failure.
pub(crate) fn refuse(
    service: Option<Service>,
    failure: &Failure,
    request_id: &str,
) -> Response<Bytes> {
    let code = match failure.code {
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        code => code,
    };
    let body = match (service, failure.message.as_str()) {
        (_, "") => json!({ "__type": code }),
        // It spells the member with a capital.
        (Some(Service::SecretsManager), message) => json!({ "__type": code, "Message": message }),
        (_, message) => json!({ "__type": code, "message": message }),
    };
    write(failure.status, body.to_string(), request_id)
}

fn write(status: u16, body: String, request_id: &str) -> Response<Bytes> {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("x-amzn-RequestId", request_id)
        .header(header::CONTENT_TYPE, CONTENT_TYPE)
        .body(Bytes::from(body))
        .expect("names and values are plain ASCII of our own")
}
