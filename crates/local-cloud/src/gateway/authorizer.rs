//! Lambda REQUEST authorizers: whether a client may connect, as a function's policy
//! says, and what every later event tells of who it is.
//!
//! Deliberately absent: caching of results, which WebSocket APIs don't have.

use bytes::Bytes;
use cloud_model::{IdentitySource, LiveAuthorizer, LiveStage};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Gateway;
use super::events::{self, ConnectionFacts, Identity, Occasion};
use super::integration::{IntegrationFailure, Target, invoke};
use super::route_selection::CONNECT;
use crate::assumptions::{AUTHORIZER_DENIED, AUTHORIZER_FAILED};
use crate::limits::{AUTHORIZER_RESULT, AUTHORIZER_TIMEOUT};
use crate::runtime::Outcome;

const ACTION: &str = "execute-api:Invoke";
/// What an authorizer throws for a 401 instead of a 500.
const UNAUTHORIZED: &str = "Unauthorized";

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the identity source {0} is missing, so the authorizer was not asked")]
    NoIdentity(String),
    #[error("the authorizer threw {UNAUTHORIZED:?}")]
    Unauthorized,
    #[error("the authorizer's policy does not allow {ACTION} on {0}")]
    Denied(String),
    #[error("the authorizer could not be asked: {0}")]
    NotAsked(#[from] IntegrationFailure),
    #[error("the authorizer failed: {0}")]
    Failed(String),
    #[error("the authorizer's answer can't be used: {0}")]
    Unusable(&'static str),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoIdentity(_) | Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::NotAsked(_) | Self::Failed(_) | Self::Unusable(_) => AUTHORIZER_FAILED,
        }
    }

    /// What the client is told.
    pub(crate) fn told(&self) -> &'static str {
        match self {
            Self::NoIdentity(_) | Self::Unauthorized => UNAUTHORIZED,
            Self::Denied(_) => AUTHORIZER_DENIED,
            _ => "Internal server error",
        }
    }
}

/// Asks the authorizer; what it says of the client.
pub(crate) async fn authorize(
    gateway: &Gateway,
    stage: &LiveStage,
    authorizer: &LiveAuthorizer,
    facts: &ConnectionFacts,
    occasion: &Occasion,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Identity, Refusal> {
    let model = &gateway.model;
    let method = format!("{}/{}/{CONNECT}", stage.api_id, stage.stage_name);
    let method_arn = model.execute_api_arn(&method);
    let event = events::authorizer(facts, occasion, headers, query, &method_arn);
    for source in &authorizer.identity_sources {
        if !is_there(source, &event) {
            return Err(Refusal::NoIdentity(format!("{source:?}")));
        }
    }
    let Some(arn) = authorizer.function_arn.as_deref() else {
        return Err(IntegrationFailure::NoFunction(CONNECT.to_owned()).into());
    };
    let started = Instant::now();
    let payload = Bytes::from(Value::Object(event).to_string());
    let source = format!("authorizers/{}", authorizer.authorizer_id);
    let target = Target {
        arn,
        credentials: authorizer.credentials_arn.as_deref(),
        source: &source,
    };
    let outcome = invoke(gateway, stage, target, AUTHORIZER_TIMEOUT, payload).await?;
    let latency = started.elapsed();
    let answer = match outcome {
        Outcome::Answer(answer) => answer,
        Outcome::FunctionError(document) => return Err(thrown(&document)),
    };
    let mut identity = read(&answer)?;
    let policy = std::mem::take(&mut identity.policy);
    match cloud_model::policy_allows(&policy, ACTION, &method_arn) {
        Some(true) => Ok(Identity {
            context: identity.context,
            latency,
        }),
        Some(false) => Err(Refusal::Denied(method_arn)),
        None => Err(Refusal::Unusable("policyDocument is no policy")),
    }
}

/// Whether the request has what an identity source names, and it is not empty.
fn is_there(source: &IdentitySource, event: &Map<String, Value>) -> bool {
    let named = |members: &str, name: &str| {
        let members = event.get(members)?.as_object()?;
        let mut found = members.iter();
        let (_, value) = found.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.clone())
    };
    let exactly = |members: &str, name: &str| event.get(members)?.get(name).cloned();
    let value = match source {
        IdentitySource::Header(name) => named("headers", name),
        IdentitySource::QueryString(name) => exactly("queryStringParameters", name),
        IdentitySource::StageVariable(name) => exactly("stageVariables", name),
        IdentitySource::Context(path) => path.split('.').try_fold(
            event.get("requestContext").cloned().unwrap_or_default(),
            |value, name| value.get(name).cloned(),
        ),
    };
    value.is_some_and(|value| !value.is_null() && value != "")
}

fn thrown(document: &[u8]) -> Refusal {
    let error: Value = serde_json::from_slice(document).unwrap_or_default();
    match error.get("errorMessage").and_then(Value::as_str) {
        Some(UNAUTHORIZED) => Refusal::Unauthorized,
        _ => Refusal::Failed(String::from_utf8_lossy(document).into_owned()),
    }
}

/// An authorizer's answer, checked but for its policy.
#[derive(Debug)]
struct Read {
    policy: Value,
    /// `principalId` and the context, as later events have them.
    context: Map<String, Value>,
}

fn read(answer: &[u8]) -> Result<Read, Refusal> {
    if answer.len() > AUTHORIZER_RESULT {
        return Err(Refusal::Unusable("it has more than 8 KB"));
    }
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(answer) else {
        return Err(Refusal::Unusable("it is not an object"));
    };
    let Some(Value::String(principal)) = answer.remove("principalId") else {
        return Err(Refusal::Unusable("principalId is missing or no text"));
    };
    let Some(policy @ Value::Object(_)) = answer.remove("policyDocument") else {
        return Err(Refusal::Unusable("policyDocument is missing or no object"));
    };
    let mut context = Map::new();
    context.insert("principalId".to_owned(), Value::String(principal));
    match answer.remove("context") {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(is) => is.to_string(),
                    Value::Null => continue,
                    Value::Array(_) | Value::Object(_) => {
                        return Err(Refusal::Unusable(
                            "context has a value that is no text, number or boolean",
                        ));
                    }
                };
                context.insert(name, Value::String(text));
            }
        }
        Some(_) => return Err(Refusal::Unusable("context is no object")),
    }
    Ok(Read { policy, context })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unusable(answer: &Value) -> bool {
        let read = read(answer.to_string().as_bytes());
        matches!(read, Err(Refusal::Unusable(_)))
    }

    #[test]
    fn context_values_arrive_as_texts_beside_the_principal() {
        let answer = json!({
            "principalId": "ann", "policyDocument": {}, "usageIdentifierKey": "k",
            "context": { "tier": "gold", "age": 7, "admin": true, "none": null },
        });
        let read = read(answer.to_string().as_bytes()).unwrap();
        let expected = json!({"principalId": "ann", "tier": "gold", "age": "7", "admin": "true"});
        assert_eq!(Value::Object(read.context), expected);
    }

    #[test]
    fn an_answer_of_another_shape_cannot_be_used() {
        assert!(unusable(&json!(null)));
        assert!(unusable(&json!({ "isAuthorized": true })));
        assert!(unusable(&json!({ "principalId": 7, "policyDocument": {} })));
        let nested = json!({ "principalId": "a", "policyDocument": {}, "context": { "x": [1] } });
        assert!(unusable(&nested));
        let long = "x".repeat(AUTHORIZER_RESULT);
        assert!(unusable(
            &json!({ "principalId": long, "policyDocument": {} })
        ));
    }

    #[test]
    fn identity_sources_must_be_there_and_not_empty() {
        let event = json!({
            "headers": { "X-Token": "t", "Empty": "" },
            "queryStringParameters": { "key": "k" },
            "stageVariables": { "realm": "r" },
            "requestContext": { "identity": { "sourceIp": "127.0.0.1" } },
        });
        let Value::Object(event) = event else {
            unreachable!()
        };
        let there = |text| is_there(&IdentitySource::read(text).unwrap(), &event);
        assert!(there("route.request.header.x-token") && there("route.request.querystring.key"));
        assert!(there("stageVariables.realm") && there("context.identity.sourceIp"));
        assert!(!there("route.request.header.Empty") && !there("route.request.querystring.Key"));
        assert!(!there("context.identity.user") && !there("stageVariables.none"));
    }
}
