//! Statements of `[[functions.<name>.iam]]`: permissions of one function.
//!
//! Deliberately absent: `NotAction`, `NotResource` and principals. What a
//! function may do is said by naming it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One statement.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamStatement {
    /// Actions, e.g. `dynamodb:GetItem`; `*` and `?` as in IAM.
    #[schemars(extend("minItems" = 1))]
    pub actions: Vec<String>,
    /// ARNs, or `*`.
    #[schemars(extend("minItems" = 1))]
    pub resources: Vec<String>,
    /// Default: `allow`.
    pub effect: Option<Effect>,
    /// Operator to condition key to values.
    #[serde(default)]
    pub conditions: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Allow,
    Deny,
}

impl IamStatement {
    /// As a policy has it.
    pub(super) fn to_value(&self) -> Value {
        let effect = match self.effect.unwrap_or(Effect::Allow) {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut statement = json!({
            "Effect": effect,
            "Action": self.actions,
            "Resource": self.resources,
        });
        if !self.conditions.is_empty() {
            statement["Condition"] = json!(self.conditions);
        }
        statement
    }
}

/// Why IAM would refuse an action, if it would.
pub(super) fn action_mistake(action: &str) -> Option<&'static str> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-*?".contains(c);
    let holds = action == "*"
        || action.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty()
                && !name.is_empty()
                && service
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-')
                && name.chars().all(legal)
        });
    (!holds).then_some("an action is `service:Name`, e.g. `dynamodb:GetItem`")
}

/// Why IAM would refuse a resource, if it would.
pub(super) fn resource_mistake(resource: &str) -> Option<&'static str> {
    let holds =
        resource == "*" || (resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6);
    (!holds).then_some("a resource is an ARN, or `*`")
}
