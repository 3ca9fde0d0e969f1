//! The events a proxy integration receives, with exactly the keys AWS sends:
//! `CONNECT` has headers and query but no body, `MESSAGE` has a body and neither
//! headers nor query, `DISCONNECT` has four odd headers. Pure.
//!
//! Deliberately absent: the API-key members of `identity`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, UPGRADE};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::route_selection::{CONNECT, DISCONNECT};

/// What is true of a connection all its life.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionFacts {
    pub(crate) connection_id: String,
    pub(crate) api_id: String,
    pub(crate) stage: String,
    /// See [`super::address`].
    pub(crate) domain_name: String,
    pub(crate) connected_at: Timestamp,
    pub(crate) source_ip: String,
    pub(crate) user_agent: Option<String>,
    /// Who signed the handshake, where a signature was asked for.
    pub(crate) iam: Option<IamIdentity>,
    /// What an authorizer said of the client, where one was asked.
    pub(crate) authorizer: Option<Identity>,
}

/// Who a client is by its authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `principalId` and the authorizer's context.
    pub(crate) context: Map<String, Value>,
    /// How long it took to ask.
    pub(crate) latency: Duration,
}

/// Whoever signed a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IamIdentity {
    pub(crate) access_key_id: String,
    pub(crate) account_id: String,
    /// The unique id, or what stands for it.
    pub(crate) user: String,
    pub(crate) user_arn: String,
}

/// What is true of one event only.
#[derive(Debug, Clone)]
pub(crate) struct Occasion {
    pub(crate) request_id: String,
    pub(crate) at: Timestamp,
    pub(crate) stage_variables: BTreeMap<String, String>,
}

impl Occasion {
    /// `29/Nov/2023:08:04:01 +0000`
    pub(crate) fn clf_time(&self) -> String {
        self.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
    }
}

/// The client's request, as `$connect` gets to see it.
pub(crate) fn connect(
    facts: &ConnectionFacts,
    occasion: &Occasion,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Bytes {
    let mut context = connect_context(facts, occasion);
    if let (Some(identity), Some(Value::Object(authorizer))) =
        (&facts.authorizer, context.get_mut("authorizer"))
    {
        let latency = u64::try_from(identity.latency.as_millis()).unwrap_or(u64::MAX);
        authorizer.insert("integrationLatency".to_owned(), json!(latency));
    }
    let mut event = Map::new();
    let pairs = header_pairs(headers, &[CONNECTION, UPGRADE, CONTENT_LENGTH]);
    put_multi(&mut event, "headers", "multiValueHeaders", pairs);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        let (single, multi) = ("queryStringParameters", "multiValueQueryStringParameters");
        put_multi(&mut event, single, multi, query_pairs(query));
    }
    finish(event, context, occasion)
}

/// The client's request, as an authorizer gets to see it.
pub(crate) fn authorizer(
    facts: &ConnectionFacts,
    occasion: &Occasion,
    headers: &HeaderMap,
    query: Option<&str>,
    method_arn: &str,
) -> Map<String, Value> {
    let mut event = Map::new();
    event.insert("type".to_owned(), json!("REQUEST"));
    event.insert("methodArn".to_owned(), json!(method_arn));
    let mut headers = headers.clone();
    headers
        .entry(CONTENT_LENGTH)
        .or_insert(HeaderValue::from_static("0"));
    let pairs = header_pairs(&headers, &[]);
    put_multi(&mut event, "headers", "multiValueHeaders", pairs);
    let (single, multi) = ("queryStringParameters", "multiValueQueryStringParameters");
    put_multi(
        &mut event,
        single,
        multi,
        query_pairs(query.unwrap_or_default()),
    );
    event.insert("stageVariables".to_owned(), json!(occasion.stage_variables));
    let context = connect_context(facts, occasion);
    event.insert("requestContext".to_owned(), Value::Object(context));
    event
}

/// One message of the client.
pub(crate) fn message(
    facts: &ConnectionFacts,
    occasion: &Occasion,
    route_key: &str,
    message_id: &str,
    text: &str,
) -> Bytes {
    let mut context = context(facts, occasion, route_key, "MESSAGE");
    context.insert("messageId".to_owned(), json!(message_id));
    let mut event = Map::new();
    event.insert("body".to_owned(), json!(text));
    finish(event, context, occasion)
}

/// The end of a connection, whoever ended it.
pub(crate) fn disconnect(
    facts: &ConnectionFacts,
    occasion: &Occasion,
    code: u16,
    reason: &str,
) -> Bytes {
    let mut context = context(facts, occasion, DISCONNECT, "DISCONNECT");
    context.insert("disconnectStatusCode".to_owned(), json!(code));
    context.insert("disconnectReason".to_owned(), json!(reason));
    let headers = [
        ("Host", facts.domain_name.as_str()),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ];
    let pairs = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut event = Map::new();
    put_multi(&mut event, "headers", "multiValueHeaders", pairs);
    finish(event, context, occasion)
}

fn connect_context(facts: &ConnectionFacts, occasion: &Occasion) -> Map<String, Value> {
    let mut context = context(facts, occasion, CONNECT, "CONNECT");
    if let (Some(agent), Some(Value::Object(identity))) =
        (&facts.user_agent, context.get_mut("identity"))
    {
        identity.insert("userAgent".to_owned(), json!(agent));
    }
    context
}

fn context(
    facts: &ConnectionFacts,
    occasion: &Occasion,
    route_key: &str,
    event_type: &str,
) -> Map<String, Value> {
    let context = json!({
        "routeKey": route_key,
        "eventType": event_type,
        "requestId": occasion.request_id,
        "extendedRequestId": occasion.request_id,
        "requestTime": occasion.clf_time(),
        "requestTimeEpoch": occasion.at.as_millisecond(),
        "messageDirection": "IN",
        "stage": facts.stage,
        "connectedAt": facts.connected_at.as_millisecond(),
        "identity": identity(facts),
        "domainName": facts.domain_name,
        "connectionId": facts.connection_id,
        "apiId": facts.api_id,
    });
    let Value::Object(mut context) = context else {
        return Map::new();
    };
    if let Some(authorizer) = &facts.authorizer {
        let said = Value::Object(authorizer.context.clone());
        context.insert("authorizer".to_owned(), said);
    }
    context
}

fn identity(facts: &ConnectionFacts) -> Value {
    match &facts.iam {
        None => json!({ "sourceIp": facts.source_ip }),
        Some(iam) => json!({
            "accessKey": iam.access_key_id,
            "accountId": iam.account_id,
            "caller": iam.user,
            "sourceIp": facts.source_ip,
            "user": iam.user,
            "userArn": iam.user_arn,
        }),
    }
}

fn finish(
    mut event: Map<String, Value>,
    context: Map<String, Value>,
    occasion: &Occasion,
) -> Bytes {
    event.insert("requestContext".to_owned(), Value::Object(context));
    event.insert("isBase64Encoded".to_owned(), json!(false));
    if !occasion.stage_variables.is_empty() {
        event.insert("stageVariables".to_owned(), json!(occasion.stage_variables));
    }
    Bytes::from(Value::Object(event).to_string())
}

/// Two maps of the same pairs: the last value of each name, and all of them.
fn put_multi(
    event: &mut Map<String, Value>,
    single_key: &str,
    multi_key: &str,
    pairs: impl IntoIterator<Item = (String, String)>,
) {
    let mut single = Map::new();
    let mut multi: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        multi.entry(name.clone()).or_default().push(value.clone());
        single.insert(name, Value::String(value));
    }
    event.insert(single_key.to_owned(), Value::Object(single));
    event.insert(multi_key.to_owned(), json!(multi));
}

/// All headers but `without`, under the names that events have.
fn header_pairs(
    headers: &HeaderMap,
    without: &[HeaderName],
) -> impl Iterator<Item = (String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !without.contains(name))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (canonical_name(name.as_str()), value)
        })
}

/// `sec-websocket-key` as `Sec-WebSocket-Key`; other names with capitals.
fn canonical_name(lower: &str) -> String {
    let words = lower.split('-').map(|word| {
        if word == "websocket" {
            return "WebSocket".to_owned();
        }
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decode(name), form_decode(value))
        })
}

fn form_decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::samples::{facts, occasion};
    use http::HeaderValue;

    fn value(event: Bytes) -> Value {
        serde_json::from_slice(&event).unwrap()
    }

    fn keys(value: &Value) -> Vec<&str> {
        let mut keys: Vec<_> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn a_connect_event_has_exactly_the_captured_keys() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:9100"));
        headers.insert("sec-websocket-key", HeaderValue::from_static("k=="));
        headers.insert("upgrade", HeaderValue::from_static("websocket"));
        headers.append("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        let event = value(connect(&facts(), &occasion(), &headers, None));
        assert_eq!(
            keys(&event),
            [
                "headers",
                "isBase64Encoded",
                "multiValueHeaders",
                "requestContext"
            ]
        );
        assert_eq!(
            event["headers"],
            json!({"Host": "127.0.0.1:9100", "Sec-WebSocket-Key": "k==", "X-A": "2"})
        );
        assert_eq!(event["multiValueHeaders"]["X-A"], json!(["1", "2"]));
        assert_eq!(
            event["requestContext"],
            json!({
                "routeKey": "$connect", "eventType": "CONNECT",
                "requestId": "PJqB0E1tKRcF-Qw=", "extendedRequestId": "PJqB0E1tKRcF-Qw=",
                "requestTime": "29/Nov/2023:08:04:01 +0000", "requestTimeEpoch": 1_701_245_041_798_i64,
                "connectedAt": 1_701_245_041_796_i64, "messageDirection": "IN", "stage": "local",
                "identity": {"userAgent": "test", "sourceIp": "127.0.0.1"},
                "domainName": "127.0.0.1:9100/abcd123456",
                "connectionId": "PJqB0fHsqRcCHlw=", "apiId": "abcd123456"
            })
        );
    }

    #[test]
    fn a_query_string_gives_the_last_value_and_all_values() {
        let event = value(connect(
            &facts(),
            &occasion(),
            &HeaderMap::new(),
            Some("k=a&k=b%20c+d&flag&="),
        ));
        assert_eq!(
            event["queryStringParameters"],
            json!({"k": "b c d", "flag": "", "": ""})
        );
        assert_eq!(
            event["multiValueQueryStringParameters"]["k"],
            json!(["a", "b c d"])
        );
        let without = value(connect(&facts(), &occasion(), &HeaderMap::new(), Some("")));
        assert!(without.get("queryStringParameters").is_none());
    }

    #[test]
    fn a_message_event_has_neither_headers_nor_query() {
        let event = value(message(
            &facts(),
            &occasion(),
            "join",
            "PJqCFfHyKRcCHlw=",
            "{}",
        ));
        assert_eq!(keys(&event), ["body", "isBase64Encoded", "requestContext"]);
        let context = &event["requestContext"];
        assert_eq!(context["identity"], json!({"sourceIp": "127.0.0.1"}));
        assert_eq!(context["messageId"], "PJqCFfHyKRcCHlw=");
        assert_eq!(context["routeKey"], "join");
    }

    #[test]
    fn a_disconnect_event_has_the_four_odd_headers_and_the_reason() {
        let event = value(disconnect(
            &facts(),
            &occasion(),
            1005,
            "Client-side close frame status not set",
        ));
        let domain = "127.0.0.1:9100/abcd123456";
        assert_eq!(
            event["headers"],
            json!({"Host": domain, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""})
        );
        assert_eq!(event["multiValueHeaders"]["x-restapi"], json!([""]));
        assert_eq!(event["requestContext"]["disconnectStatusCode"], 1005);
        assert_eq!(
            event["requestContext"]["disconnectReason"],
            "Client-side close frame status not set"
        );
        assert!(event.get("body").is_none());
    }

    #[test]
    fn stage_variables_are_there_only_when_the_stage_has_some() {
        let mut with = occasion();
        with.stage_variables
            .insert("alias".to_owned(), "live".to_owned());
        let event = value(message(&facts(), &with, "join", "m", ""));
        assert_eq!(event["stageVariables"], json!({"alias": "live"}));
    }
}
