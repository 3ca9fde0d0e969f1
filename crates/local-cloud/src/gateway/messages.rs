//! What happens with one message, and with the end of a connection: selects the
//! route, calls its function, and tells the client when that failed.
//!
//! Deliberately absent: route responses. The answer of a function is checked,
//! but its body is not sent back.

use std::sync::Arc;

use cloud_model::LiveStage;

use super::error_frame::ErrorMessage;
use super::events::{self, Occasion};
use super::integration::{self, IntegrationFailure};
use super::registry::{Closing, Connection};
use super::route_selection::{self, DISCONNECT};
use super::{Gateway, events::ConnectionFacts};

/// Routes one message; the client hears of it only when it failed.
pub(crate) async fn handle(gateway: Arc<Gateway>, connection: Arc<Connection>, text: String) {
    let facts = &connection.facts;
    let request_id = gateway.model.ids.websocket_id();
    let Err(error) = route(&gateway, facts, &request_id, &text).await else {
        return;
    };
    let frame = error.frame(&facts.connection_id, &request_id);
    // A client that does not read gets no errors either.
    let _slow = connection.send(frame.into());
}

async fn route(
    gateway: &Gateway,
    facts: &ConnectionFacts,
    request_id: &str,
    text: &str,
) -> Result<(), ErrorMessage> {
    let Some(stage) = gateway.model.live_stage(&facts.api_id, &facts.stage) else {
        return Err(ErrorMessage::Forbidden);
    };
    let Some(route) = route_selection::select(&stage, text) else {
        return Err(ErrorMessage::Forbidden);
    };
    let message_id = gateway.model.ids.websocket_id();
    let occasion = occasion(gateway, &stage, request_id);
    let event = events::message(facts, &occasion, &route.route_key, &message_id, text);
    match integration::call(gateway, &stage, route, event).await {
        Ok(_answer) => Ok(()),
        Err(failure) => {
            gateway.remember_failure(&facts.api_id, &facts.stage, request_id, failure.to_string());
            Err(match failure {
                IntegrationFailure::TimedOut(_) => ErrorMessage::EndpointRequestTimedOut,
                _ => ErrorMessage::InternalServerError,
            })
        }
    }
}

/// Tells the `$disconnect` function, if there is one, that it is over.
pub(crate) async fn disconnected(gateway: &Gateway, facts: &ConnectionFacts, closing: &Closing) {
    let Some(stage) = gateway.model.live_stage(&facts.api_id, &facts.stage) else {
        return;
    };
    let Some(route) = stage.routes.get(DISCONNECT) else {
        return;
    };
    let request_id = gateway.model.ids.websocket_id();
    let occasion = occasion(gateway, &stage, &request_id);
    let event = events::disconnect(facts, &occasion, closing.code, &closing.reason);
    if let Err(failure) = integration::call(gateway, &stage, route, event).await {
        gateway.remember_failure(
            &facts.api_id,
            &facts.stage,
            &request_id,
            failure.to_string(),
        );
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
