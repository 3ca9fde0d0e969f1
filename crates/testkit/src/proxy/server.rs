//! Takes requests, passes them on, and lets the chosen one go wrong.
//!
//! What came whole is carried out whole, even if the caller dies meanwhile: on
//! AWS too a request that was sent can't be taken back.

use super::answer::{self, Answer};
use super::call::{self, Exchange, Point};
use super::fault::{self, Fault, When};
use super::record::Record;
use crate::wire::WireCall;
use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Largest body either way, in bytes. The zips of scenarios are small.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// For the local cloud's answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
/// For whoever is to kill the caller. Its connection ends this sooner.
const KILL_DEADLINE: Duration = Duration::from_secs(20);

/// Why a connection closes without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Cut {
    #[error("closed by script")]
    Closed,
    #[error("reset by script")]
    Reset,
    #[error("the caller was to be killed")]
    Killed,
    #[error("the request or its answer did not arrive")]
    Broken,
}

/// Where calls go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clouds {
    pub own: u16,
    /// The proxy itself: addresses of functions' code lead there.
    pub proxy: u16,
    /// Another cloud that must hear what IAM hears.
    pub iam: Option<u16>,
}

pub(super) async fn accept(listener: TcpListener, clouds: Clouds, record: Arc<Record>) {
    while let Ok((stream, _)) = listener.accept().await {
        let guard = record.connection();
        let record = Arc::clone(&record);
        tokio::spawn(async move {
            serve(stream, clouds, record).await;
            drop(guard);
        });
    }
}

async fn serve(stream: TcpStream, clouds: Clouds, record: Arc<Record>) {
    let _only_slower = stream.set_nodelay(true);
    let service = service_fn(move |request| Box::pin(answer(request, clouds, Arc::clone(&record))));
    let mut connection = server::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let cut = ended.err().and_then(|error| {
        let cause = std::error::Error::source(&error)?;
        cause.downcast_ref::<Cut>().copied()
    });
    if cut == Some(Cut::Reset) {
        let stream = connection.into_parts().io.into_inner();
        let _a_plain_close_will_do = stream.set_zero_linger();
    }
}

async fn answer(
    request: Request<Incoming>,
    clouds: Clouds,
    record: Arc<Record>,
) -> Result<Answer, Cut> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|_| Cut::Broken)?.to_bytes();
    let guard = record.call();
    let handling = tokio::spawn(async move {
        let answer = handle(Request::from_parts(parts, body), clouds, &record).await;
        drop(guard);
        answer
    });
    let answer = handling.await.map_err(|_| Cut::Broken)?;
    if matches!(answer, Err(Cut::Killed)) {
        sleep(KILL_DEADLINE).await;
    }
    answer
}

async fn handle(request: Request<Bytes>, clouds: Clouds, record: &Record) -> Result<Answer, Cut> {
    let service = call::service(&request);
    let what = call::what(&service, &request);
    let (place, fault) = record.add(service.clone(), what);
    let other = clouds.iam.filter(|_| service == "iam");
    let pass_on = async || {
        if let Some(other) = other {
            forward(request.clone(), other, clouds.proxy).await?;
        }
        forward(request.clone(), clouds.own, clouds.proxy).await
    };
    let answer = match fault {
        None => pass_on().await,
        Some(Fault::Delay(time)) => {
            sleep(time).await;
            pass_on().await
        }
        Some(Fault::Twice(which)) => {
            let first = pass_on().await;
            let second = pass_on().await;
            match which {
                fault::Answer::First => first,
                fault::Answer::Second => second,
            }
        }
        Some(Fault::Garble) => match pass_on().await {
            Ok(answer) => {
                let body = answer.body().clone().collect().await;
                let body = body.map_err(|_| Cut::Broken)?.to_bytes();
                Ok(answer::garbled(answer, body))
            }
            broken => broken,
        },
        Some(Fault::Throttle) => Ok(answer::throttled(&service)),
        Some(Fault::Refuse) => Ok(answer::refused(&service)),
        Some(Fault::Reset) => Err(Cut::Reset),
        Some(Fault::Fail(When::Before)) => Ok(answer::failed(&service)),
        Some(Fault::Kill(When::Before)) => Err(Cut::Killed),
        Some(Fault::Fail(When::After)) => pass_on().await.map(|_| answer::failed(&service)),
        Some(Fault::Kill(When::After)) => pass_on().await.and(Err(Cut::Killed)),
        Some(Fault::LostAnswer) => pass_on().await.and(Err(Cut::Closed)),
    };
    if fault.is_some() && !matches!(answer, Err(Cut::Broken)) {
        record.strike();
    }
    if let Ok(answer) = &answer {
        let status = answer.status().as_u16();
        record.answered(place, status);
        record.exchanged(place, exchange(&service, &request, status, answer).await);
    }
    answer
}

async fn exchange(
    service: &str,
    request: &Request<Bytes>,
    status: u16,
    answer: &Answer,
) -> Exchange {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|value| value.to_str().ok());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let point = Point {
        service: service.to_owned(),
        what: call::what(service, request),
        nth: 0,
    };
    // The body lies in memory: this neither waits nor fails.
    let body = answer.body().clone().collect().await;
    Exchange {
        call: WireCall {
            service: service.to_owned(),
            method: request.method().clone(),
            path: request.uri().to_string(),
            target: target.map(str::to_owned),
            body: text(request.body()),
        },
        reads: point.reads(),
        status,
        answer: body.map(|body| text(&body.to_bytes())).unwrap_or_default(),
    }
}

async fn forward(request: Request<Bytes>, cloud: u16, proxy: u16) -> Result<Answer, Cut> {
    let exchange = async {
        let stream = TcpStream::connect(("127.0.0.1", cloud)).await.ok()?;
        let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let answer = sender.send_request(request.map(Full::new)).await.ok()?;
        let (mut parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.ok()?;
        // The next hop's own business.
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        let body = led_here(body.to_bytes(), cloud, proxy);
        Some(Answer::from_parts(parts, Full::new(body)))
    };
    let answer = timeout(ANSWER_DEADLINE, exchange).await.ok().flatten();
    answer.ok_or(Cut::Broken)
}

/// Addresses of functions' code lead to the proxy, so that downloads are calls, too.
fn led_here(body: Bytes, cloud: u16, proxy: u16) -> Bytes {
    let there = format!("http://127.0.0.1:{cloud}/_local/code/");
    match std::str::from_utf8(&body) {
        Ok(text) if text.contains(&there) => {
            let here = format!("http://127.0.0.1:{proxy}/_local/code/");
            text.replace(&there, &here).into()
        }
        _ => body,
    }
}
