//! Policy documents as IAM keeps them: the text that was given, and what it
//! means, read once when it is stored.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::policy::{Policy, Statement};
use super::{limit_exceeded, validation};
use crate::assumptions::{
    ACTION_WITHOUT_VENDOR, POLICY_SYNTAX, POLICY_WITH_PRINCIPAL, POLICY_WITHOUT_ACTION,
    POLICY_WITHOUT_RESOURCE, TRUST_ACTIONS, TRUST_WITH_RESOURCE, TRUST_WITHOUT_PRINCIPAL,
};
use crate::constraints;
use crate::error::Failure;
use crate::limits::{POLICY_DOCUMENT_CHARS, TRUST_POLICY_CHARS};

/// A valid policy with its text.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(super) text: String,
    pub(super) document: Policy,
}

/// The text alone, which was checked when it was given.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = serde_json::from_str(&text).map_err(D::Error::custom)?;
        let document = Policy::read(&value).ok_or_else(|| D::Error::custom(POLICY_SYNTAX))?;
        Ok(Self { text, document })
    }
}

impl Document {
    /// Reads a trust policy.
    pub(super) fn trust(text: &str) -> Result<Self, Failure> {
        let document = parse(text, "assumeRolePolicyDocument")?;
        for statement in &document.statements {
            if statement.has_resource {
                return Err(malformed(TRUST_WITH_RESOURCE));
            }
            if !statement.has_principal {
                return Err(malformed(TRUST_WITHOUT_PRINCIPAL));
            }
            let foreign = |action: &String| {
                let action = action.to_ascii_lowercase();
                !(action.starts_with("sts:") || action == "*")
            };
            if statement.actions.items().iter().any(foreign) {
                return Err(malformed(TRUST_ACTIONS));
            }
        }
        if chars_without_space(text) > TRUST_POLICY_CHARS {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_CHARS}"
            )));
        }
        Ok(Self {
            text: text.to_owned(),
            document,
        })
    }

    /// Reads an inline policy.
    pub(super) fn identity(text: &str) -> Result<Self, Failure> {
        let document = parse(text, "policyDocument")?;
        for statement in &document.statements {
            if statement.has_principal {
                return Err(malformed(POLICY_WITH_PRINCIPAL));
            }
            check_resources(statement)?;
        }
        Ok(Self {
            text: text.to_owned(),
            document,
        })
    }

    /// What counts towards quotas.
    pub(super) fn chars(&self) -> usize {
        chars_without_space(&self.text)
    }
}

fn chars_without_space(text: &str) -> usize {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .count()
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(400, "MalformedPolicyDocument", message)
}

fn parse(text: &str, member: &str) -> Result<Policy, Failure> {
    constraints::length(text, member, 1, POLICY_DOCUMENT_CHARS).map_err(validation)?;
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    let policy = Policy::read(&value).ok_or_else(|| malformed(POLICY_SYNTAX))?;
    for statement in &policy.statements {
        let actions = statement.actions.items();
        if actions.is_empty() {
            return Err(malformed(POLICY_WITHOUT_ACTION));
        }
        if actions
            .iter()
            .any(|action| action != "*" && !has_vendor(action))
        {
            return Err(malformed(ACTION_WITHOUT_VENDOR));
        }
    }
    Ok(policy)
}

fn has_vendor(action: &str) -> bool {
    action
        .split_once(':')
        .is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty())
}

fn check_resources(statement: &Statement) -> Result<(), Failure> {
    let resources = statement.resources.items();
    if resources.is_empty() {
        return Err(malformed(POLICY_WITHOUT_RESOURCE));
    }
    match resources
        .iter()
        .find(|resource| *resource != "*" && resource.split(':').count() < 6)
    {
        None => Ok(()),
        Some(resource) => Err(malformed(format!(
            "Resource {resource} must be in ARN format or \"*\"."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    fn trust_error(text: &str) -> (u16, &'static str, String) {
        let failure = Document::trust(text).unwrap_err();
        (failure.status, failure.code, failure.message)
    }

    fn identity_error(statement: &str) -> String {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        let failure = Document::identity(&text).unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (400, "MalformedPolicyDocument")
        );
        failure.message
    }

    #[test]
    fn a_document_that_is_no_json_or_no_policy_is_malformed() {
        let malformed = |message: &str| (400, "MalformedPolicyDocument", message.to_owned());
        assert_eq!(
            trust_error("{"),
            malformed("This policy contains invalid Json")
        );
        assert_eq!(trust_error("{}"), malformed("Syntax errors in policy."));
        assert_eq!(
            trust_error(r#"{"Version":"2012-10-17","Statement":[]}"#),
            malformed("Syntax errors in policy.")
        );
        assert_eq!(
            trust_error(r#"{"Version":"2020-01-01","Statement":[]}"#),
            malformed("Syntax errors in policy.")
        );
    }

    #[test]
    fn trust_policies_name_principals_and_sts_actions_only() {
        let with = |inner: &str| {
            trust_error(&format!(r#"{{"Statement":{{"Effect":"Allow",{inner}}}}}"#)).2
        };
        let principal = r#""Principal":{"Service":"lambda.amazonaws.com"}"#;
        assert_eq!(
            with(r#""Action":"sts:AssumeRole""#),
            "Missing required field Principal"
        );
        assert_eq!(
            with(&format!(
                r#"{principal},"Action":"sts:AssumeRole","Resource":"*""#
            )),
            "Has prohibited field Resource"
        );
        assert_eq!(
            with(&format!(r#"{principal},"Action":"s3:GetObject""#)),
            "AssumeRole policy may only specify STS AssumeRole actions."
        );
    }

    #[test]
    fn identity_policies_name_resources_as_arns_and_no_principal() {
        assert_eq!(
            identity_error(r#"{"Effect":"Allow","Action":"s3:Get*"}"#),
            "Policy statement must contain resources."
        );
        assert_eq!(
            identity_error(r#"{"Effect":"Allow","Resource":"*"}"#),
            "Policy statement must contain actions."
        );
        assert_eq!(
            identity_error(r#"{"Effect":"Allow","Action":"Get","Resource":"*"}"#),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        );
        assert_eq!(
            identity_error(r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"bucket"}"#),
            "Resource bucket must be in ARN format or \"*\"."
        );
        assert_eq!(
            identity_error(
                r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*","Principal":"*"}"#
            ),
            "Policy document should not specify a principal."
        );
        assert_eq!(
            identity_error(r#"{"Effect":"Maybe","Action":"s3:Get*","Resource":"*"}"#),
            "Syntax errors in policy."
        );
    }

    #[test]
    fn a_trust_policy_has_2048_characters_without_white_space() {
        let text = |sid: usize| {
            format!(
                r#"{{"Statement":{{"Sid":"{}","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}}} {}"#,
                "s".repeat(sid),
                " ".repeat(5000)
            )
        };
        assert!(Document::trust(&text(1900)).is_ok());
        assert_eq!(
            trust_error(&text(2048)),
            (
                409,
                "LimitExceeded",
                "Cannot exceed quota for ACLSizePerRole: 2048".to_owned()
            )
        );
    }
}
