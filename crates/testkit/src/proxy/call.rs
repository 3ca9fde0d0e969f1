//! Which call a request is.

use crate::wire::WireCall;
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::Value;
use std::fmt;

/// A call, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What was called.
    pub point: Point,
    /// The status that was answered; `None`: none, or not yet.
    pub status: Option<u16>,
}

/// A request and its answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub call: WireCall,
    /// Whether it only reads.
    pub reads: bool,
    /// The status that was answered.
    pub status: u16,
    /// What was answered.
    pub answer: String,
}

/// A call by what it asks, the same in every run of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// As in the signature, e.g. `apigateway`.
    pub service: String,
    /// Operation and resource: `POST /v2/apis/*/routes`, `GetRole chat-alpha`. Ids
    /// that the cloud makes up are stars.
    pub what: String,
    /// Its place among the run's calls that ask the same, counted from 0.
    pub nth: usize,
}

impl Point {
    /// Whether the call only reads.
    pub fn reads(&self) -> bool {
        ["GET ", "Get", "List", "Describe"]
            .iter()
            .any(|verb| self.what.starts_with(verb))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} [{}]", self.service, self.what, self.nth)
    }
}

/// The service in the signature's scope (`AKID/date/region/service/aws4_request`).
pub(super) fn service<B>(request: &Request<B>) -> String {
    let header = request.headers().get(AUTHORIZATION);
    header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, scope)| scope.split('/').nth(3))
        .unwrap_or("unsigned")
        .to_owned()
}

/// What a request asks, in the protocol of its service.
pub(super) fn what(service: &str, request: &Request<Bytes>) -> String {
    match service {
        "iam" | "sts" => query(request.body()),
        "logs" => {
            let target = request.headers().get("x-amz-target");
            let target = target
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default();
            format!("{operation} {}", log_group(request.body()))
        }
        _ => format!("{} {}", request.method(), starred(request.uri().path())),
    }
}

/// `Action` of a form, and the resource it names.
fn query(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let field = |name: &str| {
        text.split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    format!("{} {}", field("Action"), field("RoleName"))
}

fn log_group(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    ["logGroupName", "resourceArn", "logGroupNamePrefix"]
        .iter()
        .find_map(|name| body.get(name)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// A path with stars for the ids that API Gateway makes up.
fn starred(path: &str) -> String {
    const COLLECTIONS: [&str; 5] = [
        "apis",
        "routes",
        "integrations",
        "authorizers",
        "deployments",
    ];
    let mut after_collection = false;
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            let id = after_collection;
            after_collection = !id && COLLECTIONS.contains(&segment);
            if id { "*" } else { segment }
        })
        .collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, service: &str, body: &'static str) -> Request<Bytes> {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, Signature=0"
        );
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", scope)
            .header("x-amz-target", "Logs_20140328.CreateLogGroup")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn a_call_is_named_alike_in_every_run() {
        let calls = [
            (
                request("POST", "/v2/apis/ab12/routes", "apigateway", ""),
                "POST /v2/apis/*/routes",
            ),
            (
                request("PATCH", "/v2/apis/a/stages/ws", "apigateway", ""),
                "PATCH /v2/apis/*/stages/ws",
            ),
            (
                request(
                    "GET",
                    "/2015-03-31/functions/chat?Qualifier=3",
                    "lambda",
                    "",
                ),
                "GET /2015-03-31/functions/chat",
            ),
            (
                request("POST", "/", "iam", "Action=GetRole&RoleName=chat"),
                "GetRole chat",
            ),
            (
                request(
                    "POST",
                    "/",
                    "logs",
                    r#"{"logGroupName":"/aws/lambda/chat"}"#,
                ),
                "CreateLogGroup /aws/lambda/chat",
            ),
        ];
        for (request, expected) in calls {
            assert_eq!(what(&service(&request), &request), expected);
        }
    }
}
