//! DynamoDB is somebody else's: requests for it are passed on to a real or emulated one
//! whose address this local cloud was given, and its answers passed back, both byte for
//! byte. What is asked here is what AWS asks before a table does: who calls, and whether
//! a role's policies let it.
//!
//! Deliberately absent: tables. Absent too: signing for the other one; emulators don't
//! verify signatures, but some keep tables apart by access key, so all callers come to it
//! as one.

mod permissions;

use std::fmt;

use bytes::Bytes;
use cloud_model::Caller;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::USER_ACCESS_KEY_ID;
use crate::http_io::{self, Answer};
use crate::limits::{DYNAMODB_ANSWER, DYNAMODB_CONNECT_WAIT, DYNAMODB_WAIT};
use crate::model::Model;

/// The name that requests for it are signed with.
pub(crate) const SIGNING_NAME: &str = "dynamodb";
/// What it says when it failed: clients try again.
const FAILED: &str = "com.amazonaws.dynamodb.v20120810#InternalServerError";
/// Its sessions' tokens mean nothing elsewhere.
const SECURITY_TOKEN: &str = "x-amz-security-token";

/// Where a DynamoDB listens: `http://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoDbAddress {
    authority: String,
    port: u16,
    host: String,
}

impl std::str::FromStr for DynamoDbAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "an address looks like http://127.0.0.1:8000";
        let uri: Uri = text.parse().map_err(|_| format!("{form}, not `{text}`"))?;
        if uri.scheme_str() == Some("https") {
            return Err(format!(
                "{form}; https:// isn't served: use an emulated DynamoDB (dynalite, moto) or DynamoDB Local"
            ));
        }
        let (Some("http"), Some(authority), "/" | "") =
            (uri.scheme_str(), uri.authority(), uri.path())
        else {
            return Err(format!("{form}, not `{text}`"));
        };
        Ok(Self {
            authority: authority.to_string(),
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
    }
}

impl DynamoDbAddress {
    /// Where to connect.
    pub fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl fmt::Display for DynamoDbAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// Answers a request for DynamoDB.
pub(crate) async fn answer(
    model: &Model,
    address: Option<&DynamoDbAddress>,
    request: Request<Bytes>,
    caller: Option<&Caller>,
) -> Answer {
    let Some(address) = address else {
        let text = "The local cloud has no DynamoDB of its own. Start it with the address of \
                    one: --dynamodb http://127.0.0.1:8000, or DEPLOYER_LOCAL_DYNAMODB (dynalite, \
                    moto, DynamoDB Local)";
        let status = StatusCode::NOT_IMPLEMENTED;
        return refuse(status, "UnknownOperationException", text);
    };
    if let Some(caller) = caller
        && let Err(denied) = permissions::check(model, caller, &request)
    {
        return *denied;
    }
    match timeout(DYNAMODB_WAIT, pass_on(address, request)).await {
        Ok(Ok(answer)) => answer.map(http_io::whole),
        Ok(Err(why)) => unreachable(address, &why),
        Err(_) => unreachable(address, "it took too long"),
    }
}

fn unreachable(address: &DynamoDbAddress, why: &str) -> Answer {
    let text = format!("The DynamoDB at {address} doesn't answer: {why}");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, FAILED, &text)
}

fn refuse(status: StatusCode, code: &'static str, text: &str) -> Answer {
    let body = json!({ "__type": code, "message": text }).to_string();
    http_io::error(status, code, body)
}

async fn pass_on(
    address: &DynamoDbAddress,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let host = address.host.trim_matches(['[', ']']);
    let connecting = TcpStream::connect((host, address.port));
    let stream = timeout(DYNAMODB_CONNECT_WAIT, connecting)
        .await
        .map_err(|_| "it can't be reached".to_owned())?
        .map_err(|error| text(&error))?;
    let _only_slower = stream.set_nodelay(true);
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| text(&error))?;
    let (mut parts, body) = request.into_parts();
    readdress(&mut parts.headers, address);
    let request = Request::from_parts(parts, Full::new(body));
    let exchange = async {
        let answer = sender.send_request(request).await;
        let (parts, body) = answer.map_err(|error| text(&error))?.into_parts();
        let body = Limited::new(body, DYNAMODB_ANSWER).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok(Response::from_parts(parts, body))
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer.map(of_one_message),
        ended = connection => match ended {
            // The answer may be read already.
            Ok(()) => exchange.await.map(of_one_message),
            Err(error) => Err(text(&error)),
        },
    }
}

/// Headers that concern the other connection only.
fn of_one_message(mut answer: Response<Bytes>) -> Response<Bytes> {
    for name in [
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
    ] {
        answer.headers_mut().remove(name);
    }
    answer
}

fn readdress(headers: &mut HeaderMap, address: &DynamoDbAddress) {
    if let Ok(host) = HeaderValue::from_str(&address.authority) {
        headers.insert(HOST, host);
    }
    headers.remove(SECURITY_TOKEN);
    headers.remove(CONTENT_LENGTH);
    headers.remove("transfer-encoding");
    let one = headers
        .get(AUTHORIZATION)
        .and_then(|it| as_one(it.to_str().ok()?));
    if let Some(one) = one {
        headers.insert(AUTHORIZATION, one);
    }
}

/// The header with the access key of the account's own user.
fn as_one(authorization: &str) -> Option<HeaderValue> {
    let (before, rest) = authorization.split_once("Credential=")?;
    let (_, scope) = rest.split_once('/')?;
    let one = format!("{before}Credential={USER_ACCESS_KEY_ID}/{scope}");
    HeaderValue::from_str(&one).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host_and_nothing_else() {
        let address: DynamoDbAddress = "http://127.0.0.1:8000".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("127.0.0.1", 8000));
        assert_eq!(address.to_string(), "http://127.0.0.1:8000");
        assert!("http://localhost:4567/".parse::<DynamoDbAddress>().is_ok());
        for wrong in ["", "127.0.0.1:8000", "ftp://x", "http://x/path", "http://"] {
            let error = wrong.parse::<DynamoDbAddress>().unwrap_err();
            assert!(error.starts_with("an address looks like"), "{error}");
        }
        let error = "https://dynamodb.eu-central-1.amazonaws.com"
            .parse::<DynamoDbAddress>()
            .unwrap_err();
        assert!(error.contains("isn't served"), "{error}");
    }

    #[test]
    fn all_callers_come_to_it_as_one() {
        let header = as_one(
            "AWS4-HMAC-SHA256 Credential=ASIAX/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        );
        assert_eq!(
            header.unwrap(),
            "AWS4-HMAC-SHA256 Credential=AKIALOCALCLOUDUSER00/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
        );
        assert_eq!(as_one("Bearer x"), None);
    }
}
