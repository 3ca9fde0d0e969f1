//! Control-plane requests: on to the model, and its answers' effects out into the world.

use std::sync::Arc;

use bytes::Bytes;
use cloud_model::{Caller, Effect, LiveTail};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use crate::callers;
use crate::dynamodb;
use crate::gateway::Gateway;
use crate::http_io::{self, Answer, BodyError};
use crate::limits::MAX_CONTROL_BODY;
use crate::sigv4::{Signed, Unverified};

/// Passes a control-plane request to the model, and does in the world what
/// its answer means there.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = match http_io::read_body(body, MAX_CONTROL_BODY).await {
        Ok((body, _)) => body,
        Err(BodyError::TooLarge) => {
            let text = format!("Request must be smaller than {MAX_CONTROL_BODY} bytes");
            let body = json!({"Type": "User", "message": text}).to_string();
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return http_io::error(status, "RequestEntityTooLargeException", body);
        }
        Err(BodyError::Broken) => return http_io::empty(StatusCode::BAD_REQUEST),
    };
    let updated = updated_function(&parts).map(str::to_owned);
    let request = Request::from_parts(parts, body);
    let model = Arc::clone(&gateway.model);
    let caller = match caller(gateway, &request) {
        Ok(caller) => caller,
        Err(unverified) => {
            let refusal = model.refuse_unverified(&request, unverified.kind());
            return refusal.map(http_io::whole);
        }
    };
    if cloud_model::signing_name(&request).as_deref() == Some(dynamodb::SIGNING_NAME) {
        let address = gateway.dynamodb.as_ref();
        return dynamodb::answer(&model, address, request, caller.as_ref()).await;
    }
    // Hashing and checking an uploaded zip takes a while.
    let handled =
        tokio::task::spawn_blocking(move || model.handle(&request, caller.as_ref())).await;
    let Ok((handled, kept)) = handled else {
        return failure("the local cloud failed on this request");
    };
    let mut live_tail = None;
    for effect in handled.effects {
        live_tail = take_effect(gateway, effect).or(live_tail);
    }
    if handled.held_back.is_positive() {
        tokio::time::sleep(handled.held_back.unsigned_abs()).await;
    }
    if let Err(error) = kept {
        let text = "the local cloud has done this, but can't write it into its files";
        return failure(&format!("{text}: {error}; make room and try again"));
    }
    if let (Some(name), true) = (updated, handled.response.status().is_success()) {
        gateway.pool.unpack_early(&name);
    }
    let answer = handled.response.map(http_io::whole);
    match live_tail {
        None => answer,
        Some(tail) => gateway.live_tails.answer(answer, tail, &gateway.model),
    }
}

/// The function whose code a request updates.
fn updated_function(parts: &http::request::Parts) -> Option<&str> {
    let path = parts.uri.path().strip_suffix("/code")?;
    let (_, name) = path.rsplit_once("/functions/")?;
    (parts.method == Method::PUT).then_some(name)
}

fn failure(message: &str) -> Answer {
    let body = json!({ "message": message }).to_string();
    http_io::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", body)
}

/// Who makes a control-plane request; whether they signed it as they should is asked
/// where IAM is enforced.
fn caller(gateway: &Gateway, request: &Request<Bytes>) -> Result<Option<Caller>, Unverified> {
    let Gateway { model, pool, .. } = gateway;
    let (headers, uri) = (request.headers(), request.uri());
    let (true, Some(service)) = (model.enforce_iam, cloud_model::signing_name(request)) else {
        return Ok(callers::claimed(model, &pool.credentials, headers, uri));
    };
    let signed = Signed {
        method: request.method(),
        uri,
        headers,
        body: request.body(),
    };
    // IAM and STS are signed for whatever region their endpoint is in.
    let regional = !matches!(service.as_str(), "iam" | "sts");
    let region = regional.then_some(model.region.as_str());
    callers::verified(model, &pool.credentials, signed, &service, region)
        .map(|signer| signer.caller)
}

/// Does in the world what an effect means; answers the session that the answer goes on
/// with, if it has started one.
fn take_effect(gateway: &Gateway, effect: Effect) -> Option<LiveTail> {
    let registry = &gateway.registry;
    match effect {
        Effect::ApiDeleted { api_id } => {
            registry.close_deleted(&api_id, None);
            gateway.throttle.forget(&api_id);
        }
        Effect::StageDeleted { api_id, stage_name } => {
            registry.close_deleted(&api_id, Some(&stage_name));
        }
        Effect::FunctionDeleted { function_name } => gateway.pool.retire(&function_name),
        Effect::LiveTailStarted(tail) => return Some(*tail),
    }
    None
}
