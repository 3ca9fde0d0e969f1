//! What happens with one message, and with the end of a connection: selects the
//! route, calls its function, and tells the client when that failed, or what the
//! function answered where the route has a response.

use std::sync::Arc;

use cloud_model::LiveStage;
use tokio::time::Instant;

use super::error_frame::ErrorMessage;
use super::events::{self, Occasion};
use super::integration::{self, Called, IntegrationFailure};
use super::registry::{Closing, Connection};
use super::request_log::{Integration, Report};
use super::route_selection::{self, DISCONNECT};
use super::{Gateway, events::ConnectionFacts};
use crate::assumptions::{DISCONNECT_IS_THROTTLED, SENDS_EMPTY_RESPONSES};

/// Routes one message; the client hears of it only when it failed.
pub(crate) async fn handle(gateway: Arc<Gateway>, connection: Arc<Connection>, text: String) {
    let facts = &connection.facts;
    let request_id = gateway.model.ids.websocket_id();
    let frame = match route(&gateway, facts, &request_id, &text).await {
        Ok(None) => return,
        Ok(Some(body)) => {
            gateway.count_sent(facts);
            body
        }
        Err(error) => error.frame(&facts.connection_id, &request_id),
    };
    // A client that does not read gets neither answers nor errors.
    let _slow = connection.send(frame.into());
}

async fn route(
    gateway: &Gateway,
    facts: &ConnectionFacts,
    request_id: &str,
    text: &str,
) -> Result<Option<String>, ErrorMessage> {
    let Some(stage) = gateway.model.live_stage(&facts.api_id, &facts.stage) else {
        return Err(ErrorMessage::Forbidden);
    };
    let occasion = occasion(gateway, &stage, request_id);
    let message_id = gateway.model.ids.websocket_id();
    let report = |route_key: &str, error: Option<ErrorMessage>, call: Option<Integration<'_>>| {
        gateway.log_request(&Report {
            stage: &stage,
            facts,
            occasion: &occasion,
            event_type: "MESSAGE",
            route_key,
            message_id: Some(&message_id),
            payload: text,
            closing: None,
            status: error.map_or(200, ErrorMessage::status),
            error: error.map(ErrorMessage::text),
            integration: call,
        });
        error.map_or(Ok(None), Err)
    };
    let Some(route) = route_selection::select(&stage, text) else {
        return report("$default", Some(ErrorMessage::Forbidden), None);
    };
    let key = &route.route_key;
    if !gateway.throttle.lets_through(&stage, key) {
        return report(key, Some(ErrorMessage::TooManyRequests), None);
    }
    let event = events::message(facts, &occasion, key, &message_id, text);
    let started = Instant::now();
    let Called { ran, answer } = integration::call(gateway, &stage, route, event).await;
    let (took, ran) = (started.elapsed(), ran.as_ref());
    match answer {
        Ok(answer) => {
            let call = Integration {
                took,
                ran,
                status: answer.status.as_u16(),
                failure: None,
            };
            report(key, None, Some(call))?;
            let body = answer.body.filter(|_| route.responds);
            Ok(body.filter(|body| SENDS_EMPTY_RESPONSES || !body.is_empty()))
        }
        Err(failure) => {
            gateway.remember_failure(&facts.api_id, &facts.stage, request_id, failure.to_string());
            let error = match failure {
                IntegrationFailure::TimedOut(_) => ErrorMessage::EndpointRequestTimedOut,
                _ => ErrorMessage::InternalServerError,
            };
            let call = Integration {
                took,
                ran,
                status: error.status(),
                failure: Some(&failure),
            };
            report(key, Some(error), Some(call))
        }
    }
}

/// Tells the `$disconnect` function, if there is one, that it is over.
pub(crate) async fn disconnected(gateway: &Gateway, facts: &ConnectionFacts, closing: &Closing) {
    let Some(stage) = gateway.model.live_stage(&facts.api_id, &facts.stage) else {
        return;
    };
    let request_id = gateway.model.ids.websocket_id();
    let occasion = occasion(gateway, &stage, &request_id);
    let report = |status: u16, call: Option<Integration<'_>>| {
        gateway.log_request(&Report {
            stage: &stage,
            facts,
            occasion: &occasion,
            event_type: "DISCONNECT",
            route_key: DISCONNECT,
            message_id: None,
            payload: "",
            closing: Some(closing),
            status,
            error: None,
            integration: call,
        });
    };
    let Some(route) = stage.routes.get(DISCONNECT) else {
        return report(200, None);
    };
    if DISCONNECT_IS_THROTTLED && !gateway.throttle.lets_through(&stage, DISCONNECT) {
        return report(429, None);
    }
    let event = events::disconnect(facts, &occasion, closing.code, &closing.reason);
    let started = Instant::now();
    let Called { ran, answer } = integration::call(gateway, &stage, route, event).await;
    let (took, ran) = (started.elapsed(), ran.as_ref());
    match answer {
        Ok(answer) => {
            let status = answer.status.as_u16();
            let call = Integration {
                took,
                ran,
                status,
                failure: None,
            };
            report(200, Some(call));
        }
        Err(failure) => {
            let reason = failure.to_string();
            gateway.remember_failure(&facts.api_id, &facts.stage, &request_id, reason);
            let call = Integration {
                took,
                ran,
                status: 500,
                failure: Some(&failure),
            };
            report(500, Some(call));
        }
    }
}

/// One event, now.
pub(crate) fn occasion(gateway: &Gateway, stage: &LiveStage, request_id: &str) -> Occasion {
    Occasion {
        request_id: request_id.to_owned(),
        at: gateway.model.now(),
        stage_variables: stage.stage_variables.clone(),
    }
}
