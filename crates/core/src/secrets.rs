//! Secrets of functions: references to where the values are kept. The values
//! themselves never pass through the deployer; a function resolves them when it
//! starts, with the permissions of its role.

use crate::account::Account;
use serde::Serialize;

/// What the names of the environment variables begin with that hold references.
/// The rest of the name is the secret's; `functions/secrets` reads them.
pub const VARIABLE_PREFIX: &str = "DEPLOYER_SECRET_";

/// What a reference may look like, for messages.
pub const FORMS: &str = "`ssm:/path`, a parameter's ARN (arn:aws:ssm:…:parameter/…) or a secret's complete ARN (arn:aws:secretsmanager:…:secret:name-AbCdEf)";

/// Characters of a parameter's path (SSM's guide: 1,011 with the ARN's prefix).
const PATH_LIMIT: usize = 900;
/// Random characters that Secrets Manager appends to a secret's name in its ARN.
const SUFFIX: usize = 6;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum SecretReference {
    /// A parameter of the stage's own account and region, by its path with the
    /// leading slash.
    ParameterPath(String),
    /// A parameter of SSM's Parameter Store, by its ARN.
    ParameterArn(String),
    /// A secret of Secrets Manager, by its complete ARN.
    SecretArn(String),
}

impl SecretReference {
    /// Reads a reference of a stage file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("ssm:") {
            return match is_path(path) {
                true => Ok(Self::ParameterPath(path.to_owned())),
                false => Err("after `ssm:` comes the parameter's path: `/`, then letters, digits, `_`, `.`, `-` and single `/`".to_owned()),
            };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return Err("it is neither a path nor an ARN".to_owned());
        };
        let account_is_one = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !partition.starts_with("aws") || region.is_empty() || !account_is_one {
            return Err("the ARN lacks partition, region or account".to_owned());
        }
        match *service {
            "ssm" => match resource.strip_prefix("parameter") {
                Some(path) if is_path(path) => Ok(Self::ParameterArn(text.to_owned())),
                _ => Err("the ARN isn't a parameter's".to_owned()),
            },
            "secretsmanager" => match resource.strip_prefix("secret:") {
                Some(name) if has_suffix(name) => Ok(Self::SecretArn(text.to_owned())),
                Some(_) => Err(format!(
                    "a secret's ARN ends in `-` and {SUFFIX} random characters, which permissions must name: copy all of it"
                )),
                None => Err("the ARN isn't a secret's".to_owned()),
            },
            other => Err(format!("the ARN is of the service `{other}`")),
        }
    }

    /// As stage files have it.
    pub fn as_written(&self) -> String {
        match self {
            Self::ParameterPath(path) => format!("ssm:{path}"),
            Self::ParameterArn(arn) | Self::SecretArn(arn) => arn.clone(),
        }
    }

    /// The ARN in the stage's account.
    pub fn arn(&self, account: &Account) -> String {
        match self {
            Self::ParameterPath(path) => format!(
                "arn:{}:ssm:{}:{}:parameter{path}",
                account.partition, account.region, account.account_id
            ),
            Self::ParameterArn(arn) | Self::SecretArn(arn) => arn.clone(),
        }
    }

    /// Whether Secrets Manager keeps it, rather than the Parameter Store.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::SecretArn(_))
    }
}

/// The variable that holds the reference of the secret `name`.
pub fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{name}")
}

fn is_path(path: &str) -> bool {
    path.len() > 1
        && path.len() <= PATH_LIMIT
        && path.starts_with('/')
        && !path.ends_with('/')
        && !path.contains("//")
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-/".contains(&b))
}

fn has_suffix(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b);
    name.bytes().all(legal)
        && name.rsplit_once('-').is_some_and(|(name, suffix)| {
            !name.is_empty()
                && suffix.len() == SUFFIX
                && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_the_arn_of_the_stages_own_account() {
        let account = Account {
            caller_arn: String::new(),
            partition: "aws-cn".into(),
            account_id: "123456789012".into(),
            region: "cn-north-1".into(),
        };
        let reference = SecretReference::parse("ssm:/chat/key").unwrap();
        assert_eq!(
            reference.arn(&account),
            "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/chat/key"
        );
    }

    #[test]
    fn arns_of_parameters_and_secrets_are_kept_as_they_are() {
        let parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/chat/key";
        let parsed = SecretReference::parse(parameter).unwrap();
        assert_eq!(parsed, SecretReference::ParameterArn(parameter.into()));
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:chat/key-AbCdEf";
        let parsed = SecretReference::parse(secret).unwrap();
        assert!(parsed.is_secret());
    }

    #[test]
    fn what_is_no_reference_says_why() {
        let why = |text: &str| SecretReference::parse(text).unwrap_err();
        assert!(why("ssm:key").starts_with("after `ssm:`"));
        assert!(why("ssm:/a//b").starts_with("after `ssm:`"));
        assert_eq!(why("hunter2"), "it is neither a path nor an ARN");
        assert!(why("arn:aws:ssm:eu-central-1::parameter/x").contains("account"));
        assert!(
            why("arn:aws:secretsmanager:eu-central-1:123456789012:secret:key").contains("random")
        );
        assert!(why("arn:aws:s3:eu-central-1:123456789012:x").contains("`s3`"));
    }
}
