//! The Lambda Runtime API, as one environment's process sees it: translates HTTP
//! into [`Call`]s for the environment's supervisor and its answers back.
//!
//! Deliberately absent: extensions, telemetry, restore (SnapStart). A streamed
//! response is taken whole, since every caller here wants it whole.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::invocation::Order;
use crate::guard;
use crate::http_io::{self, Answer, BodyError, header};
use crate::limits::{ACCEPT_PAUSE, MAX_PAYLOAD, RUNTIME_CONNECTIONS};

const PREFIX: &str = "/2018-06-01/runtime/";

/// What the process says to its supervisor.
pub(crate) enum Call {
    /// It wants an event.
    Next(oneshot::Sender<Event>),
    /// It answers, or reports an error of, the event it has.
    Result {
        request_id: String,
        result: FunctionResult,
        reply: oneshot::Sender<Verdict>,
    },
    /// It cannot start.
    InitError {
        document: Bytes,
        reply: oneshot::Sender<Verdict>,
    },
}

/// An event on its way to the process.
pub(crate) struct Event {
    pub(crate) order: Arc<Order>,
    pub(crate) deadline_ms: i64,
}

/// How the function ended an event.
pub(crate) enum FunctionResult {
    Answer(Bytes),
    Error(Bytes),
    AnswerTooLarge,
}

/// Whether the supervisor accepts what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// The process has no such event.
    WrongRequest,
    /// It has no event at all, or has already started.
    WrongState,
}

/// Serves one environment, whose process has up to `events` events at once, until
/// dropped.
pub(crate) async fn serve(listener: TcpListener, calls: mpsc::Sender<Call>, events: usize) {
    let slots = Arc::new(Semaphore::new(RUNTIME_CONNECTIONS + events));
    // Dropping the set ends the connections with the environment.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _only_slower = stream.set_nodelay(true);
        let calls = calls.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let calls = calls.clone();
                async move { Ok::<_, Infallible>(answer(request, calls).await) }
            });
            let _ended = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(slot);
        });
    }
}

async fn answer(request: Request<Incoming>, calls: mpsc::Sender<Call>) -> Answer {
    // A page in a browser must not take a function's events.
    if guard::check(request.headers()).is_err() {
        return fault(StatusCode::FORBIDDEN, "Forbidden", "Forbidden");
    }
    let path = request.uri().path().to_owned();
    let Some(operation) = path.strip_prefix(PREFIX) else {
        return fault(StatusCode::NOT_FOUND, "NotFound", "404 page not found");
    };
    let segments: Vec<_> = operation.split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&calls).await,
        (&Method::POST, ["invocation", id, "response"]) => respond(request, id, &calls).await,
        (&Method::POST, ["invocation", id, "error"]) => {
            let document = http_io::read_body(request.into_body(), MAX_PAYLOAD).await;
            let result = match document {
                Ok((document, _)) => FunctionResult::Error(document),
                Err(BodyError::TooLarge) => FunctionResult::AnswerTooLarge,
                Err(BodyError::Broken) => return broken(),
            };
            tell(&calls, |reply| result_call(id, result, reply)).await
        }
        (&Method::POST, ["init", "error"]) => {
            match http_io::read_body(request.into_body(), MAX_PAYLOAD).await {
                Ok((document, _)) => {
                    tell(&calls, |reply| Call::InitError { document, reply }).await
                }
                Err(_) => broken(),
            }
        }
        _ => fault(StatusCode::NOT_FOUND, "NotFound", "404 page not found"),
    }
}

async fn next(calls: &mpsc::Sender<Call>) -> Answer {
    let (reply, event) = oneshot::channel();
    let asked = calls.send(Call::Next(reply)).await.is_ok();
    let event = if asked { event.await.ok() } else { None };
    let Some(Event { order, deadline_ms }) = event else {
        return wrong_state();
    };
    let answer = http_io::json(StatusCode::OK, order.event.clone());
    let headers = [
        ("lambda-runtime-aws-request-id", order.request_id.as_str()),
        ("lambda-runtime-deadline-ms", &deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", &order.invoked_arn),
        ("lambda-runtime-trace-id", &order.trace_id),
    ];
    headers.into_iter().fold(answer, |answer, (name, value)| {
        http_io::with_header(answer, name, value)
    })
}

async fn respond(request: Request<Incoming>, id: &str, calls: &mpsc::Sender<Call>) -> Answer {
    let (result, too_large) = match http_io::read_body(request.into_body(), MAX_PAYLOAD).await {
        Ok((body, trailers)) => (streamed_result(body, &trailers), false),
        Err(BodyError::TooLarge) => (FunctionResult::AnswerTooLarge, true),
        Err(BodyError::Broken) => return broken(),
    };
    let answer = tell(calls, |reply| result_call(id, result, reply)).await;
    if too_large && answer.status() == StatusCode::ACCEPTED {
        let text = format!("Exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes).");
        return fault(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &text,
        );
    }
    answer
}

/// A streamed response reports an error in its trailers.
fn streamed_result(body: Bytes, trailers: &HeaderMap) -> FunctionResult {
    use base64::Engine as _;
    let Some(error_type) = header(trailers, "lambda-runtime-function-error-type") else {
        return FunctionResult::Answer(body);
    };
    let document = header(trailers, "lambda-runtime-function-error-body")
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .map(Bytes::from);
    let named = || Bytes::from(json!({ "errorType": error_type }).to_string());
    FunctionResult::Error(document.unwrap_or_else(named))
}

fn result_call(id: &str, result: FunctionResult, reply: oneshot::Sender<Verdict>) -> Call {
    Call::Result {
        request_id: id.to_owned(),
        result,
        reply,
    }
}

async fn tell(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(oneshot::Sender<Verdict>) -> Call,
) -> Answer {
    let (reply, verdict) = oneshot::channel();
    let asked = calls.send(call(reply)).await.is_ok();
    let verdict = if asked { verdict.await.ok() } else { None };
    match verdict {
        Some(Verdict::Accepted) => http_io::json(StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n"),
        Some(Verdict::WrongRequest) => fault(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        ),
        Some(Verdict::WrongState) | None => wrong_state(),
    }
}

fn wrong_state() -> Answer {
    let text = "State transition is not allowed";
    fault(StatusCode::FORBIDDEN, "InvalidStateTransition", text)
}

fn broken() -> Answer {
    fault(
        StatusCode::BAD_REQUEST,
        "InvalidRequest",
        "The body did not arrive",
    )
}

fn fault(status: StatusCode, error_type: &str, message: &str) -> Answer {
    let body = json!({ "errorMessage": message, "errorType": error_type });
    http_io::json(status, body.to_string())
}
