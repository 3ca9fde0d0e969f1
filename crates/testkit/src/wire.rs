//! Control-plane requests as they go over the wire, without an SDK: for what a
//! deployer would never ask for, and for playing back what one asked.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One request. The local cloud looks at a signature's scope and not at its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireCall {
    /// As signatures name it, e.g. `apigateway`.
    pub service: String,
    /// The HTTP method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// `X-Amz-Target`, in the services that have it.
    pub target: Option<String>,
    /// Empty: none.
    pub body: String,
}

impl WireCall {
    /// A request with a JSON or empty body.
    pub fn new(service: &str, method: Method, path: &str, body: &str) -> Self {
        Self {
            service: service.to_owned(),
            method,
            path: path.to_owned(),
            target: None,
            body: body.to_owned(),
        }
    }

    /// A call of CloudWatch Logs.
    pub fn logs(operation: &str, body: &str) -> Self {
        Self {
            target: Some(format!("Logs_20140328.{operation}")),
            ..Self::new("logs", Method::POST, "/", body)
        }
    }

    /// Sends it to the local cloud on `port`; gives status and body.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn send(&self, port: u16) -> (StatusCode, String) {
        let content_type = match (self.service.as_str(), &self.target) {
            ("iam" | "sts", _) => "application/x-www-form-urlencoded",
            (_, Some(_)) => "application/x-amz-json-1.1",
            _ => "application/json",
        };
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIALOCALCLOUDUSER00/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0",
            local_cloud::REGION,
            self.service
        );
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("host", format!("127.0.0.1:{port}"))
            .header("authorization", scope)
            .header("content-type", content_type);
        if let Some(target) = &self.target {
            request = request.header("x-amz-target", target);
        }
        let body = Full::new(Bytes::from(self.body.clone()));
        let request = request.body(body).expect("a legal request");
        let stream = TcpStream::connect(("127.0.0.1", port)).await;
        let stream = TokioIo::new(stream.expect("the local cloud listens"));
        let (mut sender, connection) = http1::handshake(stream).await.expect("it speaks HTTP");
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.expect("it answers");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a whole answer");
        (
            status,
            String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        )
    }

    /// As [`Self::send`]; gives the body.
    ///
    /// # Panics
    /// When the answer isn't a success.
    pub async fn succeed(&self, port: u16) -> String {
        let (status, body) = self.send(port).await;
        assert!(status.is_success(), "{self:?}: {status} {body}");
        body
    }
}
