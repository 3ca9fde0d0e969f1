//! The handshake: `$connect` decides before the 101 is sent.
//!
//! The connection lives in a task of its own from the start. Should the client
//! leave while `$connect` is still thinking, the task learns it there and tells
//! `$disconnect`, so no member stays behind in an application's tables.

use std::sync::Arc;

use cloud_model::{LiveAuthorization, LiveStage};
use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::address::{self, StageAddress};
use super::events::Occasion;
use super::events::{self, ConnectionFacts};
use super::iam;
use super::integration::{self, Called, IntegrationFailure};
use super::messages::{disconnected, occasion};
use super::registry::{Connection, TaskPlace};
use super::request_log::{Integration, Report};
use super::route_selection::CONNECT;
use super::{Gateway, Registry, authorizer, connection};
use crate::assumptions::{
    CONNECT_FAILED, CONNECT_MISCONFIGURED, CONNECT_THROTTLED, CONNECT_TIMED_OUT,
    GONE_BEFORE_ACCEPTED, handshake_refusal_body,
};
use crate::http_io::{self, Answer, Peer, REQUEST_ID, header, with_header};
use crate::limits::MAX_URL;

const PROTOCOL: &str = "sec-websocket-protocol";

/// One handshake's ids.
struct Ids {
    connection: String,
    request: String,
}

/// Answers a plain request to an API: only WebSockets are spoken there.
pub(crate) fn upgrade_required(gateway: &Gateway, stage: Option<&StageAddress>) -> Answer {
    let found = stage.and_then(|stage| gateway.model.live_stage(&stage.api_id, &stage.stage));
    match found {
        Some(live) if !live.endpoint_disabled => refuse(
            &new_ids(gateway),
            StatusCode::UPGRADE_REQUIRED,
            "Upgrade Required",
        ),
        _ => refuse(&new_ids(gateway), StatusCode::FORBIDDEN, "Forbidden"),
    }
}

/// Answers an upgrade request, and if all agree, begins the connection.
pub(crate) async fn connect(
    gateway: Arc<Gateway>,
    stage: Option<StageAddress>,
    mut request: Request<Incoming>,
    peer: Peer,
) -> Answer {
    let ids = new_ids(&gateway);
    let live = stage.and_then(|stage| gateway.model.live_stage(&stage.api_id, &stage.stage));
    let Some(live) = live.filter(|live| !live.endpoint_disabled) else {
        return refuse(&ids, StatusCode::FORBIDDEN, "Forbidden");
    };
    if request.uri().to_string().len() > MAX_URL {
        return refuse(&ids, StatusCode::URI_TOO_LONG, "URI Too Long");
    }
    let Some(accept) = accept_key(&request) else {
        return refuse(&ids, StatusCode::BAD_REQUEST, "Bad Request");
    };
    let Some(place) = Registry::place(&gateway) else {
        return refuse(&ids, CONNECT_THROTTLED, "Too Many Requests");
    };
    let mut facts = ConnectionFacts {
        connection_id: ids.connection.clone(),
        api_id: live.api_id.clone(),
        stage: live.stage_name.clone(),
        domain_name: address::domain_name(gateway.port, &live.api_id),
        connected_at: gateway.model.now(),
        source_ip: peer.ip.to_string(),
        user_agent: header(request.headers(), "user-agent").map(str::to_owned),
        iam: None,
        authorizer: None,
    };
    let asked = occasion(&gateway, &live, &ids.request);
    let refused = |facts: &ConnectionFacts, status: StatusCode, message: &str| {
        gateway.log_request(&Report {
            stage: &live,
            facts,
            occasion: &asked,
            event_type: "CONNECT",
            route_key: CONNECT,
            message_id: None,
            payload: "",
            closing: None,
            status: status.as_u16(),
            error: Some(message),
            integration: None,
        });
        refuse(&ids, status, message)
    };
    let headers = forwarded(&gateway, request.headers(), peer);
    let query = request.uri().query().map(str::to_owned);
    // Who isn't let in uses up nobody's limit.
    let let_in = match live.routes.get(CONNECT).map(|route| &route.authorization) {
        None | Some(LiveAuthorization::None) => Ok(()),
        Some(LiveAuthorization::Iam) => iam::authorize(&gateway, &live, &request)
            .map(|identity| facts.iam = Some(identity))
            .map_err(|refusal| (StatusCode::FORBIDDEN, refusal.told(), refusal.to_string())),
        Some(LiveAuthorization::Custom(authorizer)) => {
            let query = query.as_deref();
            authorizer::authorize(&gateway, &live, authorizer, &facts, &asked, &headers, query)
                .await
                .map(|identity| facts.authorizer = Some(identity))
                .map_err(|refusal| (refusal.status(), refusal.told(), refusal.to_string()))
        }
    };
    if let Err((status, told, reason)) = let_in {
        gateway.remember_failure(&facts.api_id, &facts.stage, &ids.request, reason);
        return refused(&facts, status, told);
    }
    if !gateway.throttle.lets_through(&live, CONNECT) {
        return refused(&facts, CONNECT_THROTTLED, "Too Many Requests");
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let (decide, decided) = oneshot::channel();
    let opening = Opening {
        gateway,
        live,
        facts,
        headers,
        query,
        request_id: ids.request.clone(),
    };
    tokio::spawn(opening.run(decide, upgrade, place));
    match decided.await {
        Ok(Ok(subprotocol)) => switching(&accept, subprotocol),
        Ok(Err(status)) => {
            let message = status.canonical_reason().unwrap_or("Refused");
            refuse(&ids, status, message)
        }
        Err(_) => refuse(
            &ids,
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error",
        ),
    }
}

/// What `$connect` decided: the subprotocol it chose, or the status of a refusal.
type Decision = Result<Option<HeaderValue>, StatusCode>;

/// A connection that is about to open.
struct Opening {
    gateway: Arc<Gateway>,
    live: LiveStage,
    facts: ConnectionFacts,
    headers: HeaderMap,
    query: Option<String>,
    request_id: String,
}

impl Opening {
    async fn run(
        self,
        decide: oneshot::Sender<Decision>,
        upgrade: hyper::upgrade::OnUpgrade,
        place: TaskPlace,
    ) {
        // Apart, so that the connection's task doesn't keep the room that this needs.
        match Box::pin(self.ask_connect()).await {
            Err(status) => {
                let _client_left = decide.send(Err(status));
            }
            Ok(subprotocol) => {
                let (gateway, facts) = self.opened();
                if decide.is_closed() {
                    let gone = GONE_BEFORE_ACCEPTED.into();
                    Box::pin(disconnected(&gateway, &facts, &gone)).await;
                    return;
                }
                let most = gateway.limits.outbound_bytes;
                let (connection, queue) = Connection::new(facts, most);
                // Open before the client learns of it: who is told of the
                // connection by the client can already write to it.
                gateway.registry.open(Arc::clone(&connection));
                let _client_left = decide.send(Ok(subprotocol));
                connection::run(gateway, connection, queue, upgrade).await;
            }
        }
        drop(place);
    }

    /// What the connection goes on with. The rest isn't needed as long as it is open.
    fn opened(self) -> (Arc<Gateway>, ConnectionFacts) {
        (self.gateway, self.facts)
    }

    fn log(&self, occasion: &Occasion, status: u16, integration: Option<Integration<'_>>) {
        let status_line = StatusCode::from_u16(status).ok();
        let reason = status_line.and_then(|status| status.canonical_reason());
        self.gateway.log_request(&Report {
            stage: &self.live,
            facts: &self.facts,
            occasion,
            event_type: "CONNECT",
            route_key: CONNECT,
            message_id: None,
            payload: "",
            closing: None,
            status,
            error: reason.filter(|_| status >= 400),
            integration,
        });
    }

    async fn ask_connect(&self) -> Decision {
        let gateway = &self.gateway;
        let occasion = occasion(gateway, &self.live, &self.request_id);
        let Some(route) = self.live.routes.get(CONNECT) else {
            self.log(&occasion, 200, None);
            return Ok(None);
        };
        let started = Instant::now();
        let event = events::connect(&self.facts, &occasion, &self.headers, self.query.as_deref());
        let Called { ran, answer } = integration::call(gateway, &self.live, route, event).await;
        let call = Integration {
            took: started.elapsed(),
            ran: ran.as_ref(),
            status: match &answer {
                Ok(response) => response.status.as_u16(),
                Err(failure) => status_of(failure).as_u16(),
            },
            failure: answer.as_ref().err(),
        };
        let status = call.status;
        self.log(&occasion, status, Some(call));
        let response = match answer {
            Ok(response) => response,
            Err(failure) => {
                let (api_id, stage) = (&self.facts.api_id, &self.facts.stage);
                let reason = failure.to_string();
                gateway.remember_failure(api_id, stage, &self.request_id, reason);
                return Err(status_of(&failure));
            }
        };
        match response.status {
            status if status.is_success() => {
                let chosen = response.subprotocol.map(HeaderValue::try_from);
                chosen.transpose().map_err(|_| CONNECT_FAILED)
            }
            status if status.is_informational() => Err(CONNECT_FAILED),
            status => Err(status),
        }
    }
}

fn status_of(failure: &IntegrationFailure) -> StatusCode {
    match failure {
        IntegrationFailure::FunctionError(_) | IntegrationFailure::Malformed(_) => CONNECT_FAILED,
        IntegrationFailure::TimedOut(_) => CONNECT_TIMED_OUT,
        IntegrationFailure::NoFunction(_)
        | IntegrationFailure::Refused(_)
        | IntegrationFailure::Throttled(_) => CONNECT_MISCONFIGURED,
    }
}

fn new_ids(gateway: &Gateway) -> Ids {
    let ids = &gateway.model.ids;
    Ids {
        connection: ids.websocket_id(),
        request: ids.websocket_id(),
    }
}

fn refuse(ids: &Ids, status: StatusCode, message: &str) -> Answer {
    let body = handshake_refusal_body(message, &ids.connection, &ids.request);
    let answer = with_header(http_io::json(status, body), REQUEST_ID, &ids.request);
    match status {
        StatusCode::UPGRADE_REQUIRED => with_header(answer, "upgrade", "websocket"),
        StatusCode::FORBIDDEN => with_header(answer, http_io::ERROR_TYPE, "ForbiddenException"),
        _ => answer,
    }
}

fn switching(accept: &str, subprotocol: Option<HeaderValue>) -> Answer {
    let mut answer = http_io::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Some(subprotocol) = subprotocol {
        headers.insert(PROTOCOL, subprotocol);
    }
    with_header(answer, "sec-websocket-accept", accept)
}

/// The answer to the client's key, if its request is a WebSocket's.
fn accept_key(request: &Request<Incoming>) -> Option<String> {
    let headers = request.headers();
    let connection = header(headers, "connection")?;
    let upgrades = connection
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    let version = header(headers, "sec-websocket-version")?;
    let key = header(headers, "sec-websocket-key")?;
    let legal = request.method() == Method::GET && upgrades && version == "13" && key.len() == 24;
    legal.then(|| derive_accept_key(key.as_bytes()))
}

/// The client's headers with those a load balancer adds.
fn forwarded(gateway: &Gateway, headers: &HeaderMap, peer: Peer) -> HeaderMap {
    let mut headers = headers.clone();
    let ip = peer.ip;
    let forwarded_for = match header(&headers, "x-forwarded-for") {
        Some(before) => format!("{before}, {ip}"),
        None => ip.to_string(),
    };
    let root = gateway
        .model
        .ids
        .trace_root(gateway.model.now().as_second());
    for (name, value) in [
        ("x-amzn-trace-id", root),
        ("x-forwarded-for", forwarded_for),
        ("x-forwarded-port", gateway.port.to_string()),
        ("x-forwarded-proto", peer.proto.to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}
