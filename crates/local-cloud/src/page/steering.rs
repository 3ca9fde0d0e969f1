//! What a page can do to the cloud: give a function an event again, cut a connection, and let
//! something go wrong.

use std::sync::Arc;

use http::StatusCode;
use hyper::body::Incoming;
use serde_json::json;

use super::{found, refusal};
use crate::faults::{NewFault, Targets};
use crate::gateway::{Closing, Gateway};
use crate::http_io::{self, Answer};
use crate::limits::{PAGE_BODY, PAST_INVOCATIONS};

/// The latest invocations, oldest first.
pub(super) async fn invocations(gateway: &Gateway) -> Answer {
    let all = gateway.model.past.all();
    // Looking for secrets in them takes a while.
    let shown = tokio::task::spawn_blocking(move || {
        let all: Vec<_> = all.iter().map(|ended| ended.json()).collect();
        json!({ "invocations": all })
    });
    match shown.await {
        Ok(shown) => found(&shown),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "they can't be shown"),
    }
}

/// Gives the same version the same bytes.
pub(super) fn resend(gateway: &Gateway, request_id: &str) -> Answer {
    let Gateway { model, pool, .. } = gateway;
    let Some(ended) = model.past.find(request_id) else {
        let text = format!(
            "there is no invocation {request_id} among the latest {PAST_INVOCATIONS} that are kept"
        );
        return refusal(StatusCode::NOT_FOUND, &text);
    };
    let name = ended.function_name().unwrap_or_default();
    let version = format!("{name}:{}", ended.version);
    let mut function = match model.version(&version) {
        Ok(function) => function,
        Err(gone) => return refusal(StatusCode::NOT_FOUND, &gone.to_string()),
    };
    // The function is told what was invoked at first, say an alias.
    function.invoked_arn.clone_from(&ended.order.invoked_arn);
    match Arc::clone(pool).resend(function, &ended.order) {
        Ok(request_id) => {
            let body = json!({ "requestId": request_id }).to_string();
            http_io::json(StatusCode::ACCEPTED, body)
        }
        Err(throttled) => {
            let text = format!("the function is throttled: {throttled}");
            refusal(StatusCode::TOO_MANY_REQUESTS, &text)
        }
    }
}

/// Closes a connection as API Gateway does with one that is too old.
pub(super) fn cut(gateway: &Gateway, connection_id: &str) -> Answer {
    match gateway.registry.find(connection_id) {
        Some(connection) => {
            gateway.registry.close(connection_id);
            connection.close(Closing::GOING_AWAY.into());
            http_io::empty(StatusCode::NO_CONTENT)
        }
        None => {
            let text = format!("there is no connection {connection_id}");
            refusal(StatusCode::NOT_FOUND, &text)
        }
    }
}

pub(super) fn faults(gateway: &Gateway) -> Answer {
    found(&json!({ "faults": gateway.model.faults.show() }))
}

pub(super) async fn add_fault(gateway: &Gateway, body: Incoming) -> Answer {
    let Ok((body, _)) = http_io::read_body(body, PAGE_BODY).await else {
        let text = format!("the body must be JSON of at most {PAGE_BODY} bytes");
        return refusal(StatusCode::BAD_REQUEST, &text);
    };
    let fault = match NewFault::read(&body, gateway) {
        Ok(fault) => fault,
        Err(text) => return refusal(StatusCode::BAD_REQUEST, &text),
    };
    match gateway.model.add_fault(fault) {
        Ok(shown) => http_io::json(StatusCode::CREATED, shown.to_string()),
        Err(too_many) => refusal(StatusCode::TOO_MANY_REQUESTS, &too_many.to_string()),
    }
}

/// One, or all of them.
pub(super) fn remove_faults(gateway: &Gateway, id: Option<&str>) -> Answer {
    let removed = gateway.model.remove_faults(id);
    match id {
        Some(id) if !removed => refusal(StatusCode::NOT_FOUND, &format!("there is no fault {id}")),
        _ => http_io::empty(StatusCode::NO_CONTENT),
    }
}

impl Targets for Gateway {
    fn has_function(&self, name: &str) -> bool {
        // A version or an ARN names one, too; what is struck is known by its name.
        let found = self.model.shown_version(name);
        found.is_some_and(|found| found.function_name == name)
    }

    fn has_api(&self, id: &str) -> bool {
        self.model.shown_deployments(id).is_some()
    }

    fn has_connection(&self, id: &str) -> bool {
        self.registry.find(id).is_some()
    }
}
