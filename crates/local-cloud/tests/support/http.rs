//! A minimal HTTP client: one request, one connection.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use local_cloud::{USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Sends a request. Headers given replace none: `host` is added unless given.
pub async fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    request_on(stream, port, method, path, headers, body).await
}

/// As [`request`], on a connection that is there.
pub async fn request_on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let talk = async {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: 127.0.0.1:{port}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        // A refusal may come before the body has been read.
        let _refused = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let text = timeout(PATIENCE, talk).await.expect("an answer in time");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// The account's own user.
pub fn user() -> Credentials {
    let (key, secret) = (USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY);
    Credentials::new(key, secret, None, None, "test")
}

/// The headers that sign a request to `host` for a service.
pub fn signature(
    credentials: Credentials,
    service: &str,
    method: &str,
    host: &str,
    path: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = format!("http://{host}{path}");
    let host = [("host", host)].into_iter();
    let signable = SignableRequest::new(method, url, host, SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let headers = instructions.headers();
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Sends a request signed for a service with credentials.
pub async fn signed_as(
    credentials: Credentials,
    service: &str,
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let host = format!("127.0.0.1:{port}");
    let named = headers.iter().find(|(name, _)| *name == "host");
    let host = named.map_or(host.as_str(), |(_, host)| host);
    let signature = signature(credentials, service, method, host, path, body);
    let mut all = headers.to_vec();
    all.extend(
        signature
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    request(port, method, path, &all, body).await
}

/// As [`signed_as`], by the account's own user.
pub async fn signed(
    service: &str,
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    signed_as(user(), service, port, method, path, headers, body).await
}
