//! What API Gateway asks an authorizer, and where the token is in it.

use crate::token::Refusal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the subprotocol that carries a token begins with.
pub const SUBPROTOCOL_PREFIX: &str = "token.";

const PARAMETER: &str = "token";
const SUBPROTOCOLS: &str = "sec-websocket-protocol";

/// An event of type `REQUEST`: as much of it as is read here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// What the policy must be about.
    pub method_arn: String,
    /// Headers by name, as the client wrote them.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, String>>,
    /// The last value of each parameter.
    #[serde(default)]
    pub query_string_parameters: Option<BTreeMap<String, String>>,
    /// All values of each parameter.
    #[serde(default)]
    pub multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    /// The connection that is to be.
    #[serde(default)]
    pub request_context: RequestContext,
}

/// The connection that is to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// Its id.
    #[serde(default)]
    pub connection_id: Option<String>,
}

impl Request {
    /// The one token.
    ///
    /// # Errors
    /// When there is none, or there are several, of which nobody can say who meant
    /// which.
    pub(crate) fn token(&self) -> Result<&str, Refusal> {
        let mut tokens = self.of_query().chain(self.of_subprotocols());
        match (tokens.next(), tokens.next()) {
            (None, _) => Err(Refusal::Missing),
            (Some(token), None) => Ok(token),
            (Some(_), Some(_)) => Err(Refusal::Several),
        }
    }

    fn of_query(&self) -> impl Iterator<Item = &str> {
        let all = self.multi_value_query_string_parameters.as_ref();
        let all = all.and_then(|parameters| parameters.get(PARAMETER));
        let last = self.query_string_parameters.as_ref();
        let last = last.and_then(|parameters| parameters.get(PARAMETER));
        let last = last.filter(|_| all.is_none());
        let values = all.into_iter().flatten().chain(last);
        values.map(String::as_str).filter(|value| !value.is_empty())
    }

    fn of_subprotocols(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().flatten();
        headers
            .filter(|(name, _)| name.eq_ignore_ascii_case(SUBPROTOCOLS))
            .flat_map(|(_, value)| value.split(','))
            .filter_map(|offered| offered.trim().strip_prefix(SUBPROTOCOL_PREFIX))
            .filter(|token| !token.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn token(event: &Value) -> Result<String, Refusal> {
        let mut event = event.clone();
        event["methodArn"] = json!("arn");
        let request: Request = serde_json::from_value(event).unwrap();
        request.token().map(str::to_owned)
    }

    #[test]
    fn a_token_is_found_in_the_query_string_or_among_the_subprotocols() {
        let query = json!({
            "queryStringParameters": { "token": "a.b.c" },
            "multiValueQueryStringParameters": { "token": ["a.b.c"], "other": ["x"] },
        });
        assert_eq!(token(&query), Ok("a.b.c".into()));
        let single = json!({ "queryStringParameters": { "token": "a.b.c" } });
        assert_eq!(token(&single), Ok("a.b.c".into()));
        for name in ["Sec-WebSocket-Protocol", "sec-websocket-protocol"] {
            let offered = json!({ "headers": { name: "chat.json, token.a.b.c" } });
            assert_eq!(token(&offered), Ok("a.b.c".into()), "{name}");
        }
    }

    #[test]
    fn an_empty_token_is_none() {
        for event in [
            json!({}),
            json!({ "headers": null, "queryStringParameters": null }),
            json!({ "queryStringParameters": { "token": "" } }),
            json!({ "headers": { "Sec-WebSocket-Protocol": "chat.json, token." } }),
            json!({ "headers": { "Authorization": "token.a.b.c" } }),
        ] {
            assert_eq!(token(&event), Err(Refusal::Missing), "{event}");
        }
    }

    #[test]
    fn several_tokens_are_as_good_as_none_of_them() {
        let twice = json!({
            "queryStringParameters": { "token": "b" },
            "multiValueQueryStringParameters": { "token": ["a", "b"] },
        });
        assert_eq!(token(&twice), Err(Refusal::Several));
        let both = json!({
            "queryStringParameters": { "token": "a" },
            "headers": { "Sec-WebSocket-Protocol": "token.a" },
        });
        assert_eq!(token(&both), Err(Refusal::Several));
    }
}
