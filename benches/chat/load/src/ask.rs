//! Single requests by HTTP: to the local cloud's services, and to an emulated DynamoDB.
//!
//! Deliberately absent: signatures. Who asks is only claimed; neither verifies it, except
//! for `@connections`, which the SDK speaks to.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::Failure;

/// The local cloud's own user, and its region.
pub(crate) const ACCESS_KEY_ID: &str = "AKIALOCALCLOUDUSER00";
pub(crate) const SECRET_ACCESS_KEY: &str = "local";
pub(crate) const REGION: &str = "us-east-1";

const PATIENCE: Duration = Duration::from_secs(60);

/// `HOST:PORT` and path of a URL.
pub(crate) fn parts(url: &str) -> Result<(&str, &str), Failure> {
    let rest = ["ws://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let (address, path) = rest.map_or(("", ""), |rest| rest.split_once('/').unwrap_or((rest, "")));
    match address.contains(':') {
        true => Ok((address, path.trim_end_matches('/'))),
        false => Err(Failure::Address(url.to_owned(), "ws://HOST:PORT/PATH")),
    }
}

/// A call of an AWS service that speaks JSON: what follows `X-Amz-Target` is answered.
pub(crate) async fn call(
    address: &str,
    service: &str,
    target: &str,
    body: &Value,
) -> Result<Value, Failure> {
    // DynamoDB's is the one with 1.0.
    let version = u8::from(service != "dynamodb");
    let headers = format!(
        "content-type: application/x-amz-json-1.{version}\r\nx-amz-target: {target}\r\n{}",
        claim(service)
    );
    request(address, "POST /", &headers, &body.to_string()).await
}

/// Headers that say who asks.
pub(crate) fn claim(service: &str) -> String {
    format!(
        "x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential={ACCESS_KEY_ID}/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=00\r\n"
    )
}

/// A request, and the JSON of its answer; another status than 200 is an error.
pub(crate) async fn request(
    address: &str,
    what: &str,
    headers: &str,
    body: &str,
) -> Result<Value, Failure> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let length = body.len();
        let request = format!(
            "{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, Failure>(answer)
    };
    let silent = |_| Failure::Silent(address.to_owned());
    let answer = timeout(PATIENCE, asking).await.map_err(silent)??;
    let is_ok = answer.starts_with("HTTP/1.1 200 ");
    let body = answer.split_once("\r\n\r\n").filter(|_| is_ok);
    let body = body.and_then(|(_, body)| serde_json::from_str(body).ok());
    body.ok_or_else(|| Failure::Answer {
        what: what.to_owned(),
        answer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_an_address_and_a_path() {
        let url = "ws://127.0.0.1:9100/abcd/local";
        assert_eq!(parts(url).unwrap(), ("127.0.0.1:9100", "abcd/local"));
        assert_eq!(parts("http://[::1]:80/").unwrap(), ("[::1]:80", ""));
        for url in ["wss://a:1/", "127.0.0.1:1", "http://localhost/"] {
            assert!(parts(url).is_err(), "{url}");
        }
    }
}
