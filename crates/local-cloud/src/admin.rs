//! The local cloud's own requests: how it is, what it serves, what happens, that it shall stop, and
//! the code that GetFunction's `Code.Location` leads to.

use std::collections::BTreeMap;

use bytes::Bytes;
use cloud_model::NoCode;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use crate::gateway::Gateway;
use crate::http_io::{self, Answer};
use crate::limits::TRAFFIC_CONNECTIONS;

/// What a local cloud calls itself; also how another one recognises it.
pub(crate) const NAME: &str = "local-cloud";
/// Requests of this crate's own stand under this path.
pub(crate) const PREFIX: &str = "/_local/";
/// Where a cloud tells how it is.
pub(crate) const HEALTH: &str = "/_local/health";
/// Where a cloud is asked to stop.
pub(crate) const SHUTDOWN: &str = "/_local/shutdown";
/// Below it, functions' zips by their digests.
pub(crate) const CODE: &str = "code";
/// Where a cloud tells what happens, as lines of JSON that go on.
pub(crate) const TRAFFIC: &str = "/_local/traffic";
/// A header that no web page can send without being asked for it first.
pub(crate) const MARK: &str = "x-local-cloud";

/// Answers a request; the second value says that the cloud is to stop.
pub(crate) fn answer(gateway: &Gateway, request: &Request<Incoming>) -> (Answer, bool) {
    let path = request.uri().path();
    match (request.method(), path.strip_prefix(PREFIX)) {
        (&Method::GET, Some("health")) => (health(gateway), false),
        (&Method::GET, Some("operations")) => {
            let body = json!(operations()).to_string();
            (http_io::json(StatusCode::OK, body), false)
        }
        (&Method::POST, Some("shutdown")) if is_marked(request) => {
            let body = json!({ "stopping": true }).to_string();
            (http_io::json(StatusCode::ACCEPTED, body), true)
        }
        (&Method::POST, Some("shutdown")) => {
            let text = format!("header {MARK}: 1 is missing");
            let body = json!({ "message": text }).to_string();
            (http_io::json(StatusCode::FORBIDDEN, body), false)
        }
        (&Method::GET, Some(rest)) => {
            let query = request.uri().query().unwrap_or_default();
            (code(gateway, rest, query), false)
        }
        _ => (http_io::empty(StatusCode::NOT_FOUND), false),
    }
}

/// A function's zip, or S3's words of why there is none.
fn code(gateway: &Gateway, path: &str, query: &str) -> Answer {
    let digest = path
        .strip_prefix(CODE)
        .and_then(|rest| rest.strip_prefix('/'));
    let Some(digest) = digest else {
        return http_io::empty(StatusCode::NOT_FOUND);
    };
    match gateway.model.code(digest, query) {
        Ok(zip) => {
            let answer = http_io::bytes(StatusCode::OK, Bytes::clone(&zip));
            http_io::with_header(answer, "content-type", "application/zip")
        }
        Err(why) => {
            let status = match why {
                NoCode::Gone => StatusCode::NOT_FOUND,
                NoCode::Expired | NoCode::Unsigned => StatusCode::FORBIDDEN,
            };
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{why}</Message></Error>",
                why.code()
            );
            let answer = http_io::bytes(status, text.into());
            http_io::with_header(answer, "content-type", "application/xml")
        }
    }
}

/// The operations of each service, by the names that the SDKs' models have for them:
/// the model's, and those that need sockets or processes.
fn operations() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all = cloud_model::operations();
    all.entry("lambda").or_default().push("Invoke");
    let connections = vec!["DeleteConnection", "GetConnection", "PostToConnection"];
    all.insert("apigatewaymanagementapi", connections);
    all
}

fn is_marked(request: &Request<Incoming>) -> bool {
    http_io::header(request.headers(), MARK) == Some("1")
}

/// What happens from now on, after who is connected.
pub(crate) fn traffic(gateway: &Gateway) -> Answer {
    gateway.model.traffic.answer(|| {
        let open = gateway.registry.some(TRAFFIC_CONNECTIONS);
        let open: Vec<_> = open.iter().map(|one| one.facts.as_json()).collect();
        json!({
            "kind": "listening",
            "at": gateway.model.now().as_millisecond(),
            "version": env!("CARGO_PKG_VERSION"),
            "connections": open,
            "connectionsOpen": gateway.registry.count(),
        })
    })
}

fn health(gateway: &Gateway) -> Answer {
    let model = &gateway.model;
    let inventory = model.inventory();
    let health = json!({
        "name": NAME,
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "account": model.account_id,
        "region": model.region,
        "port": gateway.port,
        "consistent": !gateway.model.realism,
        "empty": inventory.is_empty(),
        "inventory": inventory,
        "connections": gateway.registry.count(),
        "comingAndGoing": gateway.registry.coming_and_going(),
        "processes": gateway.pool.processes(),
        "invocations": gateway.pool.invocations(),
        "recentFailures": gateway.recent_failures(),
    });
    http_io::json(StatusCode::OK, health.to_string())
}
