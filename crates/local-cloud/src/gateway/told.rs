//! Requests, posts and connections as the traffic tells them ([`crate::traffic`]).

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Gateway;
use super::address::ConnectionAddress;
use super::events::ConnectionFacts;
use super::request_log::Report;
use crate::traffic::{add_text, masked_text};

impl Report<'_> {
    /// A handshake, a message, or the end of a connection.
    pub(super) fn told(&self) -> Value {
        let facts = self.facts;
        let call = self.integration.as_ref();
        let ran = call.and_then(|call| call.ran);
        let mut event = json!({
            "kind": "request",
            "at": self.occasion.at.as_millisecond(),
            "apiId": facts.api_id,
            "stage": facts.stage,
            "eventType": self.event_type,
            "routeKey": self.route_key,
            "connectionId": facts.connection_id,
            "requestId": self.occasion.request_id,
            "messageId": self.message_id,
            "status": self.status,
            "error": self.error,
            "durationMs": call.map(|call| call.took.as_secs_f64() * 1000.0),
            "integration": call.map(|call| json!({
                "functionName": ran.map(|ran| &ran.function_name),
                "version": ran.map(|ran| &ran.version),
                "requestId": ran.map(|ran| &ran.request_id),
                "status": call.status,
                "error": call.failure.map(|failure| masked_text(&failure.to_string())),
            })),
        });
        if self.message_id.is_some() {
            add_text(&mut event, "body", self.payload.as_bytes());
        }
        if let Some(closing) = self.closing {
            event["closeCode"] = closing.code.into();
            event["closeReason"] = closing.reason.as_str().into();
        }
        event
    }
}

impl Gateway {
    /// Tells of a call to the `@connections` API, however it ended.
    pub(super) fn tell_management(
        &self,
        address: &ConnectionAddress,
        method: &Method,
        body: Option<&Bytes>,
        status: StatusCode,
    ) {
        self.model.traffic.tell(|| {
            let stage = address.stage.as_ref();
            let mut event = json!({
                "kind": "management",
                "at": self.model.now().as_millisecond(),
                "apiId": stage.map(|stage| &stage.api_id),
                "stage": stage.map(|stage| &stage.stage),
                "connectionId": address.connection_id,
                "method": method.as_str(),
                "status": status.as_u16(),
            });
            if let (&Method::POST, Some(body)) = (method, body) {
                add_text(&mut event, "body", body);
            }
            event
        });
    }
}

impl ConnectionFacts {
    /// For who comes later than the connection.
    pub(crate) fn as_json(&self) -> Value {
        json!({
            "apiId": self.api_id,
            "stage": self.stage,
            "connectionId": self.connection_id,
            "connectedAt": self.connected_at.as_millisecond(),
            "sourceIp": self.source_ip,
            "userAgent": self.user_agent,
        })
    }
}
