//! What browsers on this machine are given: a page that shows the cloud at work, the chat's own
//! page, and the requests by which the first one looks and steers.
//!
//! Only pages of this very port are answered ([`crate::guard::check_page`]), and what changes
//! something needs a header beside, which no other page can send. The control planes of AWS
//! stay closed to every page.
//!
//! Deliberately absent: anything that says the value of a function's variable.

mod assets;
mod deployments;
mod document;
mod overview;
mod release;
mod steering;

use http::{Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::admin::{self, MARK};
use crate::gateway::Gateway;
use crate::guard;
use crate::http_io::{self, Answer, Peer, header, with_header};

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted<'a> {
    Asset(&'a str),
    ChatAsset(&'a str),
    /// The chat's folder without its slash, from which its page wouldn't find its files.
    ChatFolder,
    Traffic,
    Overview,
    Deployments,
    Invocations,
    Resend(&'a str),
    Connection(String),
    Faults,
    Fault(&'a str),
}

impl<'a> Wanted<'a> {
    /// `None`: it isn't for this module.
    fn of(uri: &'a Uri) -> Option<Self> {
        let path = uri.path();
        match path.strip_prefix("/chat") {
            Some("") => return Some(Self::ChatFolder),
            Some("/") => return Some(Self::ChatAsset(DOCUMENT)),
            Some(rest) if rest.starts_with('/') => return Some(Self::ChatAsset(&rest[1..])),
            _ => {}
        }
        let rest = path.strip_prefix(admin::PREFIX)?;
        let segments: Vec<&str> = rest.split('/').collect();
        Some(match segments.as_slice() {
            ["page", name] => Self::Asset(name),
            ["chat", name] => Self::ChatAsset(name),
            ["traffic"] => Self::Traffic,
            ["overview"] => Self::Overview,
            ["deployments"] => Self::Deployments,
            ["invocations"] => Self::Invocations,
            ["invocations", id, "resend"] => Self::Resend(id),
            // These may be encoded: they end in `=`.
            ["connections", id] => {
                Self::Connection(percent_decode_str(id).decode_utf8_lossy().into_owned())
            }
            ["faults"] => Self::Faults,
            ["faults", id] => Self::Fault(id),
            _ => return None,
        })
    }
}

const DOCUMENT: &str = "index.html";

/// Whether a request is one that pages of this port may make.
pub(crate) fn is_of_page<B>(request: &Request<B>) -> bool {
    Wanted::of(request.uri()).is_some() || is_root(request)
}

/// A browser at the port's root; requests for AWS's services have other marks.
fn is_root<B>(request: &Request<B>) -> bool {
    let uri = request.uri();
    let for_aws = ["Action=", "X-Amz-"];
    let query = uri.query().unwrap_or_default();
    uri.path() == "/"
        && matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.headers().contains_key("authorization")
        && !for_aws.iter().any(|mark| query.contains(mark))
}

/// Answers such a request.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Incoming>, peer: Peer) -> Answer {
    let answer = match guard::check_page(request.headers(), peer.proto) {
        Ok(()) => route(gateway, request).await,
        Err(refused) => refusal(StatusCode::FORBIDDEN, &refused.to_string()),
    };
    protected(answer)
}

async fn route(gateway: &Gateway, request: Request<Incoming>) -> Answer {
    let (uri, method) = (request.uri().clone(), request.method().clone());
    let looks = matches!(method, Method::GET | Method::HEAD);
    if !looks && header(request.headers(), MARK) != Some("1") {
        let text = format!("header {MARK}: 1 is missing");
        return refusal(StatusCode::FORBIDDEN, &text);
    }
    let wanted = match Wanted::of(&uri) {
        None => Wanted::Asset(DOCUMENT),
        Some(wanted) => wanted,
    };
    match (wanted, &method) {
        (Wanted::Asset(name), _) if looks => asset(assets::PAGE, name),
        (Wanted::ChatAsset(name), _) if looks => asset(assets::CHAT, name),
        (Wanted::ChatFolder, _) if looks => chat_folder(&uri),
        (Wanted::Traffic, &Method::GET) => admin::traffic(gateway),
        (Wanted::Overview, &Method::GET) => found(&overview::of(gateway)),
        (Wanted::Deployments, &Method::GET) => deployments::answer(gateway, uri.query()),
        (Wanted::Invocations, &Method::GET) => steering::invocations(gateway).await,
        (Wanted::Resend(id), &Method::POST) => steering::resend(gateway, id),
        (Wanted::Connection(id), &Method::DELETE) => steering::cut(gateway, &id),
        (Wanted::Faults, &Method::GET) => steering::faults(gateway),
        (Wanted::Faults, &Method::POST) => steering::add_fault(gateway, request.into_body()).await,
        (Wanted::Faults, &Method::DELETE) => steering::remove_faults(gateway, None),
        (Wanted::Fault(id), &Method::DELETE) => steering::remove_faults(gateway, Some(id)),
        _ => refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("{method} isn't for {}", uri.path()),
        ),
    }
}

fn asset(table: &'static [(&str, &[u8])], name: &str) -> Answer {
    assets::answer(table, name)
        .unwrap_or_else(|| refusal(StatusCode::NOT_FOUND, &format!("there is no file {name}")))
}

/// The chat's files name each other by their folder, so that any server can have them.
fn chat_folder(uri: &Uri) -> Answer {
    let query = uri.query().map(|query| format!("?{query}"));
    let place = format!("/chat/{}", query.unwrap_or_default());
    with_header(
        http_io::empty(StatusCode::TEMPORARY_REDIRECT),
        "location",
        &place,
    )
}

fn found(body: &Value) -> Answer {
    http_io::json(StatusCode::OK, body.to_string())
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    http_io::json(status, json!({ "message": message }).to_string())
}

/// Nothing is kept by a browser, guessed at, framed, or told to others.
fn protected(answer: Answer) -> Answer {
    [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ]
    .into_iter()
    .fold(answer, |answer, (name, value)| {
        with_header(answer, name, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn requests_for_aws_are_none_of_a_page() {
        let signed = [("authorization", "AWS4-HMAC-SHA256")];
        for (method, uri, headers) in [
            ("POST", "/", &[][..]),
            ("GET", "/", &signed[..]),
            ("GET", "/?Action=GetCallerIdentity", &[]),
            ("GET", "/?X-Amz-Signature=a", &[]),
            ("GET", "/v2/apis", &[]),
            ("POST", "/_local/shutdown", &[]),
            ("GET", "/_local/health", &[]),
            ("GET", "/_local/operations", &[]),
            ("GET", "/_local/code/0a", &[]),
            ("GET", "/2015-03-31/functions", &[]),
        ] {
            assert!(
                !is_of_page(&request(method, uri, headers)),
                "{method} {uri}"
            );
        }
        for uri in [
            "/",
            "/?",
            "/chat",
            "/chat/?url=ws://x",
            "/chat/chat.js",
            "/_local/page/app.css",
            "/_local/overview",
        ] {
            assert!(is_of_page(&request("GET", uri, &[])), "{uri}");
        }
    }
}
