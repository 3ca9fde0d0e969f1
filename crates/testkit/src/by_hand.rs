//! Requests as somebody sends them who isn't the deployer.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request, signed by nobody for a service: the local cloud asks no more.
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
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAHAND/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0",
        call.service
    );
    let mut request = Request::builder()
        .method(call.method)
        .uri(call.path)
        .header("host", format!("127.0.0.1:{port}"))
        .header("authorization", scope);
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
