//! restJson1, as API Gateway and Lambda speak it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::members::Members;
use super::{Service, url};
use crate::error::Failure;

/// A decoded request.
pub(crate) struct RestRequest {
    pub(crate) method: Method,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Bytes,
}

impl RestRequest {
    pub(crate) fn read(request: &Request<Bytes>) -> Self {
        Self {
            method: request.method().clone(),
            segments: url::segments(request.uri().path()),
            query: request.uri().query().map(url::pairs).unwrap_or_default(),
            body: request.body().clone(),
        }
    }

    /// The path's segments, decoded, for matching.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// `GET /v2/apis`, for messages.
    pub(crate) fn title(&self) -> String {
        format!("{} /{}", self.method, self.segments.join("/"))
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a repeated query parameter.
    pub(crate) fn query_all(&self, name: &str) -> Vec<&str> {
        let named = self.query.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body's length in bytes.
    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The body's members.
    pub(crate) fn members(&self) -> Result<Members, Failure> {
        Members::parse(&self.body)
    }
}

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    body: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self {
            status: 201,
            body: Some(body),
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None }
    }

    /// The same with something else in place of a member, where it has that member.
    pub(crate) fn replace(mut self, member: &str, other: &str, value: Value) -> Self {
        if let Some(members) = self.body.as_mut().and_then(Value::as_object_mut)
            && members.remove(member).is_some()
        {
            members.insert(other.to_owned(), value);
        }
        self
    }
}

/// Writes a reply.
pub(crate) fn answer(reply: Reply, request_id: &str) -> Response<Bytes> {
    let body = reply
        .body
        .map(|value| value.to_string())
        .unwrap_or_default();
    write(reply.status, None, body, request_id)
}

/// Writes a failure: the code travels in a header, the text in the body.
pub(crate) fn refuse(
    service: Option<Service>,
    failure: &Failure,
    request_id: &str,
) -> Response<Bytes> {
    let message = &failure.message;
    let body = match (service, failure.code) {
        // Recorded: Lambda's front end names no type, its services do, and one
        // of them spells the member with a capital.
        (
            Some(Service::Lambda),
            "ValidationException" | "SerializationException" | "RequestEntityTooLargeException",
        ) => json!({ "message": message }),
        (Some(Service::Lambda), "ResourceNotFoundException") => {
            json!({ "Type": "User", "Message": message })
        }
        (Some(Service::Lambda), "TooManyRequestsException") => json!({
            "Reason": "CallerRateLimitExceeded",
            "Type": "User",
            "message": message,
        }),
        (Some(Service::Lambda), _) => json!({ "Type": "User", "message": message }),
        _ => json!({ "message": message }),
    };
    // In the header this one error has the suffix.
    let code = match failure.code {
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        code => code,
    };
    write(failure.status, Some(code), body.to_string(), request_id)
}

fn write(status: u16, code: Option<&str>, body: String, request_id: &str) -> Response<Bytes> {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("x-amzn-RequestId", request_id);
    if !body.is_empty() {
        response = response.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(code) = code {
        response = response.header("x-amzn-ErrorType", code);
    }
    response
        .body(Bytes::from(body))
        .expect("names and values are plain ASCII of our own")
}
