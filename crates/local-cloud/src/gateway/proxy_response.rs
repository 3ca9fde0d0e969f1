//! The shape a Lambda proxy integration must answer in. It is checked on every
//! route, also where nothing of the answer is used. Pure.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::assumptions::STATUS_CODE_IS_REQUIRED;

/// A well-formed answer, as far as the gateway uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyResponse {
    /// Decides a handshake; ignored for messages.
    pub(crate) status: StatusCode,
    /// What `$connect` chose among the offered subprotocols.
    pub(crate) subprotocol: Option<String>,
    /// What goes back to the client where the route has a response.
    pub(crate) body: Option<String>,
}

/// Why an answer is malformed, for the developer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Malformed Lambda proxy response: {0}")]
pub(crate) struct Malformed(String);

const KNOWN_KEYS: [&str; 5] = [
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

impl ProxyResponse {
    /// Reads and checks what a function answered.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let value: Value =
            serde_json::from_slice(payload).map_err(|_| malformed("it is not JSON"))?;
        let Value::Object(answer) = value else {
            return Err(malformed("it is not an object"));
        };
        if let Some(key) = answer
            .keys()
            .find(|key| !KNOWN_KEYS.contains(&key.as_str()))
        {
            return Err(malformed(&format!("unknown key {key:?}")));
        }
        check("body", &answer, Value::is_string)?;
        check("isBase64Encoded", &answer, Value::is_boolean)?;
        check("headers", &answer, |headers| {
            members_are(headers, is_scalar)
        })?;
        check("multiValueHeaders", &answer, |headers| {
            members_are(headers, |values| {
                values
                    .as_array()
                    .is_some_and(|values| values.iter().all(is_scalar))
            })
        })?;
        Ok(Self {
            status: status(answer.get("statusCode"))?,
            subprotocol: header(&answer, "sec-websocket-protocol"),
            body: answer
                .get("body")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

fn malformed(what: &str) -> Malformed {
    Malformed(what.to_owned())
}

/// A known key may be absent or null; else its value must be right.
fn check(
    key: &str,
    answer: &Map<String, Value>,
    is_right: impl Fn(&Value) -> bool,
) -> Result<(), Malformed> {
    match answer.get(key) {
        Some(value) if !value.is_null() && !is_right(value) => {
            Err(malformed(&format!("{key:?} has the wrong type")))
        }
        _ => Ok(()),
    }
}

fn members_are(value: &Value, is_right: impl Fn(&Value) -> bool) -> bool {
    value
        .as_object()
        .is_some_and(|members| members.values().all(is_right))
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn status(value: Option<&Value>) -> Result<StatusCode, Malformed> {
    let number = match value {
        None | Some(Value::Null) if STATUS_CODE_IS_REQUIRED => {
            return Err(malformed("\"statusCode\" is missing"));
        }
        None | Some(Value::Null) => Some(200),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|number| (100..600).contains(number))
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or_else(|| malformed("\"statusCode\" is not an HTTP status"))
}

fn header(answer: &Map<String, Value>, name: &str) -> Option<String> {
    let find = |key: &str| {
        let headers = answer.get(key)?.as_object()?;
        let (_, value) = headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.clone())
    };
    let value = find("headers").or_else(|| find("multiValueHeaders")?.get(0).cloned())?;
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ProxyResponse, Malformed> {
        ProxyResponse::parse(text.as_bytes())
    }

    #[test]
    fn a_status_alone_is_well_formed() {
        assert_eq!(
            parse(r#"{"statusCode":200}"#).unwrap().status,
            StatusCode::OK
        );
        assert_eq!(
            parse(r#"{"statusCode":"401"}"#).unwrap().status,
            StatusCode::UNAUTHORIZED
        );
    }

    #[test]
    fn all_known_keys_may_be_there_or_null() {
        let full = r#"{"statusCode":200,"headers":{"a":"b","n":1},"multiValueHeaders":{"a":["b"]},"body":"x","isBase64Encoded":false}"#;
        let null = r#"{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}"#;
        assert!(parse(full).is_ok() && parse(null).is_ok());
    }

    #[test]
    fn anything_else_is_malformed() {
        for answer in [
            "",
            "null",
            "\"ok\"",
            "[]",
            "{}",
            r#"{"statusCode":200,"ConnectionId":"x"}"#,
            r#"{"statusCode":"ok"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":70000}"#,
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":200,"headers":[]}"#,
            r#"{"statusCode":200,"headers":{"a":{}}}"#,
            r#"{"statusCode":200,"multiValueHeaders":{"a":"b"}}"#,
            r#"{"statusCode":200,"isBase64Encoded":"no"}"#,
        ] {
            assert!(parse(answer).is_err(), "{answer}");
        }
    }

    #[test]
    fn the_chosen_subprotocol_is_found_whatever_its_case() {
        let single = r#"{"statusCode":200,"headers":{"sec-websocket-PROTOCOL":"chat.v2"}}"#;
        let many =
            r#"{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["chat.v1"]}}"#;
        assert_eq!(
            parse(single).unwrap().subprotocol.as_deref(),
            Some("chat.v2")
        );
        assert_eq!(parse(many).unwrap().subprotocol.as_deref(), Some("chat.v1"));
        assert_eq!(parse(r#"{"statusCode":200}"#).unwrap().subprotocol, None);
    }
}
