//! Lambda's Invoke API: `POST /2015-03-31/functions/{name}/invocations`.
//!
//! Deliberately absent: response streaming.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloud_model::InvokeRefusal;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::asynchronous::QueueFull;
use super::{Invocation, Outcome, Pool};
use crate::http_io::{self, Answer, BodyError, Refusal, header, with_header};
use crate::limits::{MAX_ASYNCHRONOUS_PAYLOAD, MAX_PAYLOAD};
use crate::model::Model;
use crate::sigv4::Signed;
use crate::{callers, signature};

/// What a caller must be allowed.
const ACTION: &str = "lambda:InvokeFunction";

/// Whom a request invokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvokePath {
    /// Name or ARN, with the qualifier of the query.
    function: String,
}

impl InvokePath {
    /// `None`: some other request.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let name = uri
            .path()
            .strip_prefix("/2015-03-31/functions/")?
            .strip_suffix("/invocations")?;
        if method != Method::POST || name.contains('/') {
            return None;
        }
        let mut pairs = uri.query().unwrap_or_default().split('&');
        let qualifier = pairs.find_map(|pair| pair.strip_prefix("Qualifier="));
        let function = match qualifier {
            Some(qualifier) => format!("{}:{}", decode(name), decode(qualifier)),
            None => decode(name),
        };
        Some(Self { function })
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Answers an Invoke request.
pub(crate) async fn invoke(
    model: &Model,
    pool: &Arc<Pool>,
    path: InvokePath,
    request: Request<Incoming>,
) -> Answer {
    let answer = answer(model, pool, path, request).await;
    if answer.headers().contains_key(http_io::REQUEST_ID) {
        return answer;
    }
    // A refusal has one of its own.
    with_header(answer, http_io::REQUEST_ID, &pool.new_request_id())
}

async fn answer(
    model: &Model,
    pool: &Arc<Pool>,
    path: InvokePath,
    request: Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    // Read whatever comes of it: a connection is closed on a body that nobody reads, and
    // clients that keep it would find it so.
    let event = http_io::read_body(body, MAX_PAYLOAD).await;
    if let Err(refusal) = signature::signer(&parts.headers, &parts.uri) {
        return *refusal;
    }
    let function = match model.function_version(&path.function) {
        Ok(function) => function,
        Err(refusal) => return refused(&refusal),
    };
    if let Some(caller) = callers::claimed(model, &pool.credentials, &parts.headers, &parts.uri)
        && !model.role_allows(&caller.role_arn, ACTION, &function.invoked_arn)
    {
        let text = callers::denial(&caller, ACTION, &function.invoked_arn);
        return fault(StatusCode::FORBIDDEN, "AccessDeniedException", &text, None);
    }
    if let Err(refusal) = check_headers(&parts.headers) {
        return *refusal;
    }
    let (asynchronous, largest) = match header(&parts.headers, "x-amz-invocation-type") {
        None | Some("RequestResponse") => (false, MAX_PAYLOAD),
        Some("Event") => (true, MAX_ASYNCHRONOUS_PAYLOAD),
        Some("DryRun") => return http_io::empty(StatusCode::NO_CONTENT),
        Some(other) => {
            let text = format!(
                "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            );
            let code = "ValidationException";
            return fault(StatusCode::BAD_REQUEST, code, &text, None);
        }
    };
    let event = match event {
        Ok((event, _)) if event.len() <= largest => event,
        Ok(_) | Err(BodyError::TooLarge) => {
            let text = format!(
                "Request must be smaller than {largest} bytes for the InvokeFunction operation"
            );
            return fault(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestTooLargeException",
                &text,
                None,
            );
        }
        Err(BodyError::Broken) => return http_io::empty(StatusCode::BAD_REQUEST),
    };
    if model.enforce_iam {
        let signed = Signed {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            body: &event,
        };
        let region = Some(model.region.as_str());
        if let Err(unverified) =
            callers::verified(model, &pool.credentials, signed, "lambda", region)
        {
            let request = Request::from_parts(parts, event);
            let refusal = model.refuse_unverified(&request, unverified.kind());
            return refusal.map(http_io::whole);
        }
    }
    let event = match event.is_empty() {
        true => bytes::Bytes::from_static(b"{}"),
        false => event,
    };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&event) {
        let text = format!("Could not parse request body into json: {error}");
        return fault(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            &text,
            None,
        );
    }
    if asynchronous {
        return match pool.invoke_later(path.function, event) {
            Ok(request_id) => {
                let taken = http_io::empty(StatusCode::ACCEPTED);
                with_header(taken, http_io::REQUEST_ID, &request_id)
            }
            Err(QueueFull) => throttled("CallerRateLimitExceeded"),
        };
    }
    let version = function.version.clone();
    match pool.invoke(function, event).await {
        Ok(invocation) => done(&invocation, &version, &parts.headers),
        Err(reason) => throttled(&reason.to_string()),
    }
}

/// Refuses what isn't honoured, and a type of log that Lambda doesn't know.
fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |code, text: &str| Err(Box::new(fault(StatusCode::BAD_REQUEST, code, text, None)));
    for (name, what) in [
        ("x-amz-durable-execution-name", "DurableExecutionName"),
        ("x-amz-tenant-id", "TenantId"),
    ] {
        if headers.contains_key(name) {
            let text = format!("The local cloud does not support {what} yet");
            return refuse("InvalidParameterValueException", &text);
        }
    }
    match header(headers, "x-amz-log-type") {
        None | Some("None" | "Tail") => Ok(()),
        Some(other) => {
            let text = format!(
                "1 validation error detected: Value '{other}' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]"
            );
            refuse("ValidationException", &text)
        }
    }
}

fn throttled(reason: &str) -> Answer {
    let code = "TooManyRequestsException";
    let text = "Rate Exceeded.";
    fault(StatusCode::TOO_MANY_REQUESTS, code, text, Some(reason))
}

fn done(invocation: &Invocation, version: &str, headers: &HeaderMap) -> Answer {
    let (payload, failed) = match &invocation.outcome {
        Outcome::Answer(payload) => (payload, false),
        Outcome::FunctionError(document) => (document, true),
    };
    let mut answer = http_io::json(StatusCode::OK, payload.clone());
    answer = with_header(answer, "x-amz-executed-version", version);
    answer = with_header(answer, http_io::REQUEST_ID, &invocation.request_id);
    if failed {
        answer = with_header(answer, "x-amz-function-error", "Unhandled");
    }
    if header(headers, "x-amz-log-type") == Some("Tail") {
        answer = with_header(
            answer,
            "x-amz-log-result",
            &STANDARD.encode(&invocation.log_tail),
        );
    }
    answer
}

fn refused(refusal: &InvokeRefusal) -> Answer {
    let text = refusal.to_string();
    match refusal {
        InvokeRefusal::NotFound(_) => fault(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            &text,
            None,
        ),
        InvokeRefusal::NotActive(_) => fault(
            StatusCode::CONFLICT,
            "ResourceConflictException",
            &text,
            None,
        ),
        InvokeRefusal::NotPublished(_) => fault(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            &text,
            None,
        ),
        InvokeRefusal::Forbidden { .. } => {
            fault(StatusCode::FORBIDDEN, "AccessDeniedException", &text, None)
        }
    }
}

fn fault(status: StatusCode, code: &'static str, message: &str, reason: Option<&str>) -> Answer {
    let body = match reason {
        Some(reason) => json!({"Type": "User", "message": message, "Reason": reason}),
        None => json!({"Type": "User", "message": message}),
    };
    http_io::error(status, code, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(method: Method, uri: &str) -> Option<String> {
        InvokePath::of(&method, &uri.parse().unwrap()).map(|path| path.function)
    }

    #[test]
    fn invoke_paths_name_a_function_and_a_qualifier() {
        let path = "/2015-03-31/functions/chat/invocations";
        assert_eq!(function(Method::POST, path).as_deref(), Some("chat"));
        assert_eq!(
            function(Method::POST, &format!("{path}?Qualifier=live")).as_deref(),
            Some("chat:live")
        );
        let arn = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A0%3Afunction%3Achat/invocations";
        assert_eq!(
            function(Method::POST, arn).as_deref(),
            Some("arn:aws:lambda:us-east-1:0:function:chat")
        );
        assert_eq!(function(Method::GET, path), None);
        assert_eq!(
            function(Method::POST, "/2015-03-31/functions/a/b/invocations"),
            None
        );
        assert_eq!(function(Method::POST, "/2015-03-31/functions"), None);
    }
}
