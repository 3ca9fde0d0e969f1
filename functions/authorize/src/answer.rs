//! What API Gateway gets back: a policy about exactly what it asked, and the name that
//! later events carry.

use lambda_runtime::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};

/// The answer of an authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    principal_id: String,
    policy_document: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    context: Value,
}

impl Answer {
    /// Lets a user in, by name.
    pub fn allow(name: &str, method_arn: &str) -> Self {
        Self {
            principal_id: name.to_owned(),
            policy_document: policy("Allow", method_arn),
            context: json!({ "name": name }),
        }
    }

    /// Keeps a client out.
    pub fn deny(method_arn: &str) -> Self {
        Self {
            principal_id: "nobody".to_owned(),
            policy_document: policy("Deny", method_arn),
            context: Value::Null,
        }
    }
}

fn policy(effect: &str, method_arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": effect,
            "Action": "execute-api:Invoke",
            "Resource": method_arn,
        }],
    })
}

/// There is no token. API Gateway makes a 401 of an error with exactly this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Unauthorized")]
pub struct Unauthorized;

impl From<Unauthorized> for Diagnostic {
    fn from(error: Unauthorized) -> Self {
        Self {
            error_type: "Unauthorized".to_owned(),
            error_message: error.to_string(),
        }
    }
}
