//! The `@connections` API: what functions write to, ask about and close
//! connections with.
//!
//! A request must be signed as it should be, and the signer's role must allow it; the
//! account's own user may do anything.

use std::sync::Arc;

use bytes::Bytes;
use cloud_model::Caller;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::address::ConnectionAddress;
use super::registry::{Closing, Connection};
use super::{Gateway, iso_millis};
use crate::assumptions::{DISABLED_ENDPOINT_HAS_NO_CONNECTIONS, NOT_UTF8_POST};
use crate::http_io::{self, Answer, BodyError, Refusal};
use crate::ids::is_connection_id;
use crate::limits::MAX_MESSAGE;
use crate::sigv4::Signed;
use crate::{callers, signature};

/// Answers a management call.
pub(crate) async fn manage(
    gateway: &Gateway,
    address: ConnectionAddress,
    request: Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = match http_io::read_body(body, MAX_MESSAGE).await {
        Ok((body, _)) => Ok(body),
        Err(BodyError::TooLarge) => Err(too_large()),
        Err(BodyError::Broken) => return http_io::empty(StatusCode::BAD_REQUEST),
    };
    let sent = body.as_ref().ok().cloned();
    let mut answer = match check(gateway, &address, &parts, body.as_ref().ok()) {
        Err(refusal) => *refusal,
        Ok(connection) => match parts.method {
            Method::POST => match body {
                Ok(_) if is_struck(gateway, &connection) => gone(),
                Ok(data) => post(gateway, &connection, data),
                Err(too_large) => too_large,
            },
            Method::DELETE => {
                gateway.registry.close(&connection.facts.connection_id);
                connection.close(Closing::DELETED.into());
                http_io::empty(StatusCode::NO_CONTENT)
            }
            _ => describe(&connection),
        },
    };
    gateway.tell_management(&address, &parts.method, sent.as_ref(), answer.status());
    let request_id = gateway.model.ids.uuid();
    answer = http_io::with_header(answer, http_io::REQUEST_ID, &request_id);
    answer
}

/// The connection, if there is one and the caller may do this to it.
fn check(
    gateway: &Gateway,
    address: &ConnectionAddress,
    parts: &http::request::Parts,
    body: Option<&Bytes>,
) -> Result<Arc<Connection>, Refusal> {
    let caller = signer(gateway, parts, body)?;
    if ![Method::GET, Method::POST, Method::DELETE].contains(&parts.method) {
        return Err(Box::new(http_io::empty(StatusCode::METHOD_NOT_ALLOWED)));
    }
    let id = &address.connection_id;
    if let Some(stage) = &address.stage
        && gateway
            .model
            .live_stage(&stage.api_id, &stage.stage)
            .is_none_or(|live| live.endpoint_disabled && DISABLED_ENDPOINT_HAS_NO_CONNECTIONS)
    {
        let body = r#"{"message":"Forbidden"}"#;
        return Err(Box::new(http_io::error(
            StatusCode::FORBIDDEN,
            "ForbiddenException",
            body,
        )));
    }
    let connection = gateway.registry.find(id).filter(|connection| {
        let facts = &connection.facts;
        let stage = address.stage.as_ref();
        stage.is_none_or(|stage| facts.api_id == stage.api_id && facts.stage == stage.stage)
    });
    // Who may not ask learns nothing: permission comes before existence.
    let place = match (&address.stage, &connection) {
        (Some(stage), _) => Some((&stage.api_id, &stage.stage)),
        (None, Some(connection)) => Some((&connection.facts.api_id, &connection.facts.stage)),
        (None, None) => None,
    };
    if let Some((api_id, stage)) = place {
        let path = format!("{api_id}/{stage}/{}/@connections/{id}", parts.method);
        allowed(gateway, caller.as_ref(), &path)?;
    }
    if !is_connection_id(id) {
        let body = json!({ "message": format!("Invalid connectionId: {id}") }).to_string();
        return Err(Box::new(http_io::error(
            StatusCode::BAD_REQUEST,
            "BadRequestException",
            body,
        )));
    }
    connection.ok_or_else(|| Box::new(gone()))
}

fn gone() -> Answer {
    empty_error(StatusCode::GONE, "GoneException")
}

/// Whether somebody wants posts to it to fail.
fn is_struck(gateway: &Gateway, connection: &Connection) -> bool {
    let facts = &connection.facts;
    gateway.model.is_gone(&facts.api_id, &facts.connection_id)
}

/// These errors have a code, but no body.
fn empty_error(status: StatusCode, code: &'static str) -> Answer {
    http_io::with_header(http_io::empty(status), http_io::ERROR_TYPE, code)
}

/// Who asks; `None`: the account's own user. A body that is too large to be read isn't
/// compared with what was signed: it is refused either way.
fn signer(
    gateway: &Gateway,
    parts: &http::request::Parts,
    body: Option<&Bytes>,
) -> Result<Option<Caller>, Refusal> {
    signature::signer(&parts.headers, &parts.uri)?;
    let (model, credentials) = (&gateway.model, &gateway.pool.credentials);
    let Some(body) = body else {
        return Ok(callers::claimed(
            model,
            credentials,
            &parts.headers,
            &parts.uri,
        ));
    };
    let signed = Signed {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body,
    };
    let region = Some(model.region.as_str());
    match callers::verified(model, credentials, signed, "execute-api", region) {
        Ok(signer) => Ok(signer.caller),
        Err(unverified) => {
            let request = http::Request::from_parts(parts.clone(), Bytes::new());
            let refusal = model.refuse_unverified(&request, unverified.kind());
            Err(Box::new(refusal.map(http_io::whole)))
        }
    }
}

fn allowed(gateway: &Gateway, caller: Option<&Caller>, path: &str) -> Result<(), Refusal> {
    const ACTION: &str = "execute-api:ManageConnections";
    let Some(caller) = caller else {
        return Ok(());
    };
    let model = &gateway.model;
    let resource = model.execute_api_arn(path);
    if model.role_allows(&caller.role_arn, ACTION, &resource) {
        return Ok(());
    }
    let text = callers::denial(caller, ACTION, &resource);
    let body = json!({ "Message": text }).to_string();
    let code = "AccessDeniedException";
    Err(Box::new(http_io::error(StatusCode::FORBIDDEN, code, body)))
}

fn too_large() -> Answer {
    let body = format!(r#"{{"message":"Message too long, at most {MAX_MESSAGE} bytes"}}"#);
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    http_io::error(status, "PayloadTooLargeException", body)
}

fn post(gateway: &Gateway, connection: &Connection, data: Bytes) -> Answer {
    let Ok(text) = Utf8Bytes::try_from(data) else {
        let body = r#"{"message":"Data must be UTF-8 text"}"#;
        return http_io::error(NOT_UTF8_POST, "BadRequestException", body);
    };
    match connection.send(text) {
        Ok(()) => {
            gateway.count_sent(&connection.facts);
            http_io::empty(StatusCode::OK)
        }
        Err(_full) => empty_error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException"),
    }
}

fn describe(connection: &Connection) -> Answer {
    let facts = &connection.facts;
    let mut identity = json!({ "sourceIp": facts.source_ip });
    if let Some(agent) = &facts.user_agent {
        identity["userAgent"] = json!(agent);
    }
    let description = json!({
        "connectedAt": iso_millis(facts.connected_at),
        "identity": identity,
        "lastActiveAt": iso_millis(connection.last_active()),
    });
    http_io::json(StatusCode::OK, description.to_string())
}
