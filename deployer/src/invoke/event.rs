//! The events that a WebSocket API sends to a function behind a proxy integration, with the
//! members that AWS gives each kind. Pure.
//!
//! Deliberately absent: stage variables, which no stage of the deployer has.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the event is of, and how it came to be.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The API.
    pub api_id: String,
    /// Without scheme; where posts go, with the stage behind it.
    pub domain_name: String,
    /// The API stage.
    pub stage: String,
    /// Of the connection.
    pub connection_id: String,
    /// Of this request, and of this message.
    pub request_id: String,
    /// When.
    pub at: Timestamp,
    /// The route's key.
    pub route_key: String,
    /// What an authorizer said, if anything.
    pub authorizer: Vec<(String, String)>,
}

/// A client connects, with these headers and parameters beside those that every handshake has.
pub fn connect(
    occasion: &Occasion,
    headers: &[(String, String)],
    query: &[(String, String)],
) -> Value {
    let host = occasion.domain_name.split('/').next().unwrap_or_default();
    let mut all: Vec<(String, String)> = [
        ("Host", host),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("Sec-WebSocket-Version", "13"),
        ("X-Forwarded-For", SOURCE_IP),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.retain(|(name, _)| {
        !headers
            .iter()
            .any(|(given, _)| given.eq_ignore_ascii_case(name))
    });
    all.extend_from_slice(headers);
    let mut event = Map::new();
    put_multi(&mut event, "headers", "multiValueHeaders", &all);
    if !query.is_empty() {
        let (single, multi) = ("queryStringParameters", "multiValueQueryStringParameters");
        put_multi(&mut event, single, multi, query);
    }
    finish(event, occasion, "CONNECT", &[])
}

/// A client sends a message.
pub fn message(occasion: &Occasion, body: &str) -> Value {
    let mut event = Map::new();
    event.insert("body".to_owned(), json!(body));
    let more = [("messageId", json!(occasion.request_id))];
    finish(event, occasion, "MESSAGE", &more)
}

/// A client has closed its connection.
pub fn disconnect(occasion: &Occasion) -> Value {
    let headers = [
        ("Host", occasion.domain_name.as_str()),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut event = Map::new();
    put_multi(&mut event, "headers", "multiValueHeaders", &headers);
    let more = [
        ("disconnectStatusCode", json!(1000)),
        ("disconnectReason", json!("")),
    ];
    finish(event, occasion, "DISCONNECT", &more)
}

/// The documentation's address of nobody (RFC 5737).
const SOURCE_IP: &str = "192.0.2.1";

fn finish(
    mut event: Map<String, Value>,
    occasion: &Occasion,
    kind: &str,
    more: &[(&str, Value)],
) -> Value {
    let at = occasion.at.as_millisecond();
    let mut identity = json!({ "sourceIp": SOURCE_IP });
    if kind == "CONNECT" {
        identity["userAgent"] = Value::Null;
    }
    let mut context = json!({
        "routeKey": occasion.route_key,
        "eventType": kind,
        "extendedRequestId": occasion.request_id,
        "requestTime": occasion.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "messageDirection": "IN",
        "stage": occasion.stage,
        "connectedAt": at,
        "requestTimeEpoch": at,
        "identity": identity,
        "requestId": occasion.request_id,
        "domainName": occasion.domain_name,
        "connectionId": occasion.connection_id,
        "apiId": occasion.api_id,
    });
    for (name, value) in more {
        context[*name] = value.clone();
    }
    if !occasion.authorizer.is_empty() {
        let said = occasion.authorizer.iter();
        let said: Map<String, Value> = said
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        context["authorizer"] = Value::Object(said);
    }
    event.insert("requestContext".to_owned(), context);
    event.insert("isBase64Encoded".to_owned(), json!(false));
    Value::Object(event)
}

/// As API Gateway has them: the last value of each name, and all of them.
fn put_multi(
    event: &mut Map<String, Value>,
    single: &str,
    multi: &str,
    pairs: &[(String, String)],
) {
    let mut last = Map::new();
    let mut all: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (name, value) in pairs {
        last.insert(name.clone(), json!(value));
        all.entry(name).or_default().push(value);
    }
    event.insert(single.to_owned(), Value::Object(last));
    event.insert(multi.to_owned(), json!(all));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion(route_key: &str) -> Occasion {
        Occasion {
            api_id: "abcd123456".to_owned(),
            domain_name: "abcd123456.execute-api.eu-central-1.amazonaws.com".to_owned(),
            stage: "alpha".to_owned(),
            connection_id: "PJqB0fHsqRcCHlw=".to_owned(),
            request_id: "PJqB0E1tKRcF-Qw=".to_owned(),
            at: "2023-11-29T08:04:01.798Z".parse().expect("a time"),
            route_key: route_key.to_owned(),
            authorizer: Vec::new(),
        }
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_message_has_its_body_and_neither_headers_nor_query() {
        insta::assert_json_snapshot!(message(&occasion("join"), r#"{"action":"join"}"#));
    }

    #[test]
    fn a_connect_has_headers_and_query_and_what_was_given_goes_before() {
        let headers = [pair("host", "me"), pair("X-A", "1"), pair("X-A", "2")];
        let event = connect(&occasion("$connect"), &headers, &[pair("token", "x")]);
        insta::assert_json_snapshot!(event);
    }

    #[test]
    fn a_disconnect_says_why() {
        let mut occasion = occasion("$disconnect");
        occasion.authorizer = vec![pair("principalId", "me")];
        insta::assert_json_snapshot!(disconnect(&occasion));
    }
}
