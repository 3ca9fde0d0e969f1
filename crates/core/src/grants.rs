//! What a function may do beyond what every function may: as data, so that what
//! several releases need of one role can be put together, and taken apart again.

use crate::account::Account;
use crate::secrets::SecretReference;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Permissions of one or several functions, beside logs and connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// ARNs of parameters they may read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub parameters: BTreeSet<String>,
    /// ARNs of secrets they may read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// ARNs of keys they may decrypt with.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Whether they send traces.
    #[serde(skip_serializing_if = "is_false")]
    pub tracing: bool,
    /// Statements of the stage files, in the order of their texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Value>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Grants {
    /// Nothing beyond what every function may.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Lets a secret be read.
    pub fn add_secret(&mut self, reference: &SecretReference, account: &Account) {
        let arns = match reference.is_secret() {
            true => &mut self.secrets,
            false => &mut self.parameters,
        };
        arns.insert(reference.arn(account));
    }

    /// Adds a statement.
    pub fn add_statement(&mut self, statement: Value) {
        if !self.statements.contains(&statement) {
            self.statements.push(statement);
            // One order, so that equal permissions are equal documents.
            self.statements.sort_by_key(Value::to_string);
        }
    }

    /// Adds all that another has.
    pub fn extend(&mut self, other: &Self) {
        self.parameters.extend(other.parameters.iter().cloned());
        self.secrets.extend(other.secrets.iter().cloned());
        self.keys.extend(other.keys.iter().cloned());
        self.tracing |= other.tracing;
        for statement in &other.statements {
            self.add_statement(statement.clone());
        }
    }

    /// Whether all of another's are among them.
    pub fn cover(&self, other: &Self) -> bool {
        other.parameters.is_subset(&self.parameters)
            && other.secrets.is_subset(&self.secrets)
            && other.keys.is_subset(&self.keys)
            && (self.tracing || !other.tracing)
            && other.statements.iter().all(|s| self.statements.contains(s))
    }

    /// As statements of a policy.
    pub fn to_statements(&self) -> Vec<Value> {
        let mut statements = Vec::new();
        let mut read = |sid: &str, action: &str, arns: &BTreeSet<String>| {
            if !arns.is_empty() {
                statements.push(json!({
                    "Sid": sid, "Effect": "Allow", "Action": action, "Resource": arns
                }));
            }
        };
        read("ReadParameters", "ssm:GetParameter", &self.parameters);
        read(
            "ReadSecrets",
            "secretsmanager:GetSecretValue",
            &self.secrets,
        );
        read("DecryptSecrets", "kms:Decrypt", &self.keys);
        if self.tracing {
            // X-Ray has no resources to name.
            statements.push(json!({
                "Sid": "SendTraces",
                "Effect": "Allow",
                "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                "Resource": "*"
            }));
        }
        statements.extend(self.statements.iter().cloned());
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_releases_need_is_one_document_whatever_the_order() {
        let mut one = Grants::default();
        one.add_statement(json!({ "Action": "b:B" }));
        one.parameters.insert("p".into());
        let mut other = Grants::default();
        other.add_statement(json!({ "Action": "a:A" }));
        other.tracing = true;
        let mut forth = one.clone();
        forth.extend(&other);
        other.extend(&one);
        assert_eq!(forth, other);
        assert_eq!(forth.to_statements().len(), 4);
    }
}
