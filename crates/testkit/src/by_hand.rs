//! Requests as somebody sends them who isn't the deployer: changing things by hand,
//! putting secrets, invoking.

use crate::signature;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A request, signed by the account's own user for a service.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its signing name, e.g. `apigateway`.
    pub service: &'a str,
    /// E.g. `PATCH`.
    pub method: &'a str,
    /// With a leading slash.
    pub path: &'a str,
    /// Beside host and signature.
    pub headers: &'a [(&'a str, &'a str)],
    /// May be empty.
    pub body: &'a str,
}

/// Sends a request to the local cloud on `port`; the answer's status.
///
/// # Panics
/// When there is no answer.
pub async fn send(port: u16, call: Call<'_>) -> u16 {
    let host = format!("127.0.0.1:{port}");
    let body = call.body.as_bytes();
    let signature = signature::headers(call.service, call.method, &host, call.path, body);
    let mut request = Request::builder()
        .method(call.method)
        .uri(call.path)
        .header("host", host);
    for (name, value) in signature {
        request = request.header(name, value);
    }
    for (name, value) in call.headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::copy_from_slice(call.body.as_bytes()));
    let request = request.body(body).expect("a legal request");
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the local cloud listens");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("it speaks HTTP");
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let _body = answer.into_body().collect().await;
    connection.abort();
    status
}

/// Whom a call is for, and in which form.
#[derive(Debug, Clone, Copy)]
pub enum Operation<'a> {
    /// restJson1 of Lambda: method and path.
    Lambda(&'a str, &'a str),
    /// awsQuery of IAM: the form, beginning with `Action=`.
    Iam(&'a str),
    /// awsQuery of STS, as above.
    Sts(&'a str),
    /// awsJson1.1: signing name and target.
    Json(&'a str, &'a str),
}

/// The status and the text that the cloud on that port answers with.
///
/// # Panics
/// When it doesn't answer.
pub async fn call(port: u16, operation: Operation<'_>, body: &Value) -> (u16, String) {
    let answer = try_call(port, operation, body).await;
    answer.expect("an answer")
}

/// As [`call`]; `None` when there is no whole answer.
///
/// # Panics
/// When the request isn't legal.
pub async fn try_call(port: u16, operation: Operation<'_>, body: &Value) -> Option<(u16, String)> {
    let (service, method, path) = match operation {
        Operation::Lambda(method, path) => ("lambda", method, path),
        Operation::Iam(_) => ("iam", "POST", "/"),
        Operation::Sts(_) => ("sts", "POST", "/"),
        Operation::Json(service, _) => (service, "POST", "/"),
    };
    let host = format!("127.0.0.1:{port}");
    let text = match operation {
        Operation::Iam(form) | Operation::Sts(form) => format!("{form}&Version=2010-05-08"),
        _ if body.is_null() => String::new(),
        _ => body.to_string(),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &host);
    for (name, value) in signature::headers(service, method, &host, path, text.as_bytes()) {
        request = request.header(name, value);
    }
    let request = match operation {
        Operation::Lambda(..) => request.header("content-type", "application/json"),
        Operation::Iam(_) | Operation::Sts(_) => {
            request.header("content-type", "application/x-www-form-urlencoded")
        }
        Operation::Json(_, target) => request
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target),
    };
    let request = request
        .body(Full::new(Bytes::from(text)))
        .expect("a legal request");
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.ok()?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request).await.ok()?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.ok()?;
    driving.abort();
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Some((status, text))
}

/// As [`call`], of what must succeed: the answer's JSON, `Null` where it has none.
///
/// # Panics
/// When it is refused.
pub async fn succeed(port: u16, operation: Operation<'_>, body: &Value) -> Value {
    let (status, text) = call(port, operation, body).await;
    assert!(status < 300, "{operation:?}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
