//! Secrets Manager: secrets with a current and a previous value.
//!
//! Deliberately absent: rotation, replication, resource policies, staging labels
//! other than AWSCURRENT and AWSPREVIOUS, KMS.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Settings;
use crate::assumptions::{SECRET_NAME, SECRET_WITHOUT_VALUE};
use crate::call::Call;
use crate::caller::Permissions;
use crate::constraints;
use crate::error::{Failure, unsupported};
use crate::ids::{secret_suffix, uuid};
use crate::limits::{SECRET_BYTES, SECRETS};
use crate::ssm::key_arn;
use crate::wire::members::{Members, present};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// The key that AWS keeps for the service; everybody in the account may use it.
const AWS_KEY: &str = "alias/aws/secretsmanager";
const RECOVERY_DAYS: i64 = 30;

/// All secrets of the account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SecretsManager {
    /// By name.
    secrets: BTreeMap<String, Secret>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Secret {
    arn: String,
    /// `None`: none was put yet.
    current: Option<Version>,
    previous: Option<Version>,
    /// When it goes, once it was deleted.
    goes_at: Option<Timestamp>,
    /// ARN of its key, unless it is AWS's own.
    key: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    created: Timestamp,
    /// `SecretString` or `SecretBinary`, as it came.
    member: String,
    value: String,
}

impl SecretsManager {
    /// Serves one call.
    pub(crate) fn handle(
        &mut self,
        operation: &str,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &mut Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let now = call.now;
        self.secrets
            .retain(|_, secret| secret.goes_at.is_none_or(|at| at > now));
        match operation {
            "CreateSecret" => self.create(members, permissions, call).map(Some),
            "GetSecretValue" => self.get(members, permissions, call.settings).map(Some),
            "PutSecretValue" => self.put(members, permissions, call).map(Some),
            "DeleteSecret" => self.delete(members, permissions, call).map(Some),
            other => Err(Failure::not_served(&format!("Secrets Manager's {other}"))),
        }
    }

    /// Names of all secrets.
    pub(crate) fn names(&self) -> Vec<String> {
        self.secrets.keys().cloned().collect()
    }

    fn create(
        &mut self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &mut Call<'_>,
    ) -> Result<Value, Failure> {
        let name = required(members, "Name")?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b);
        if name.is_empty() || name.len() > 512 || !name.bytes().all(legal) {
            return Err(Failure::new(400, "ValidationException", SECRET_NAME));
        }
        for absent in ["AddReplicaRegions", "Tags", "Type"] {
            if members.says_something(absent) {
                return Err(invalid_parameter(unsupported(absent)));
            }
        }
        let base = format!("{}{name}", arn_prefix(call.settings));
        let arn = format!("{base}-{}", secret_suffix(call.ids));
        permissions.check("secretsmanager:CreateSecret", &arn)?;
        let key = members
            .text("KmsKeyId")?
            .filter(|key| key != AWS_KEY)
            .map(|key| key_arn(&key, call.settings))
            .transpose()?;
        match self.secrets.get(&name) {
            Some(secret) if secret.goes_at.is_some() => {
                return Err(invalid_request(
                    "You can't create this secret because a secret with this name is already \
                     scheduled for deletion.",
                ));
            }
            Some(_) => {
                return Err(Failure::new(
                    400,
                    "ResourceExistsException",
                    format!("The operation failed because the secret {name} already exists."),
                ));
            }
            None if self.secrets.len() >= SECRETS => {
                let text = "You have exceeded the limit of secrets for this account.";
                return Err(Failure::new(400, "LimitExceededException", text));
            }
            None => {}
        }
        let current = read_value(members, call)?;
        let version = current.as_ref().map(|version| version.id.clone());
        let answer = present(json!({ "ARN": arn, "Name": name, "VersionId": version }));
        let secret = Secret {
            arn,
            current,
            previous: None,
            goes_at: None,
            key,
        };
        self.secrets.insert(name, secret);
        Ok(answer)
    }

    fn get(
        &self,
        members: &Members,
        permissions: &Permissions<'_>,
        settings: &Settings,
    ) -> Result<Value, Failure> {
        let id = required(members, "SecretId")?;
        let found = self.find(&id, settings);
        // Who may not ask learns nothing: permission comes before existence.
        let resource = found.map_or_else(|| resource_of(&id, settings), |(_, it)| it.arn.clone());
        permissions.check("secretsmanager:GetSecretValue", &resource)?;
        let (name, secret) = found.ok_or_else(not_found)?;
        check_alive(secret)?;
        let stage = members.text("VersionStage")?;
        let (version, label) = match stage.as_deref().unwrap_or(CURRENT) {
            PREVIOUS => (&secret.previous, PREVIOUS),
            CURRENT => (&secret.current, CURRENT),
            other => return Err(no_version(other)),
        };
        let version = version.as_ref().ok_or_else(|| no_version(label))?;
        if let Some(id) = members.text("VersionId")?
            && id != version.id
        {
            return Err(invalid_parameter(unsupported(
                "VersionId of another version than the one of VersionStage",
            )));
        }
        if let Some(key) = &secret.key {
            permissions.check("kms:Decrypt", key)?;
        }
        Ok(json!({
            "ARN": secret.arn,
            "CreatedDate": seconds(version.created),
            "Name": name,
            version.member.as_str(): version.value,
            "VersionId": version.id,
            "VersionStages": [label],
        }))
    }

    fn put(
        &mut self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &mut Call<'_>,
    ) -> Result<Value, Failure> {
        if members.says_something("VersionStages") {
            return Err(invalid_parameter(unsupported("VersionStages")));
        }
        let (name, secret) =
            self.writable("secretsmanager:PutSecretValue", members, permissions, call)?;
        check_alive(secret)?;
        let version =
            read_value(members, call)?.ok_or_else(|| invalid_request(SECRET_WITHOUT_VALUE))?;
        let id = version.id.clone();
        secret.previous = secret.current.replace(version);
        Ok(json!({
            "ARN": secret.arn,
            "Name": name,
            "VersionId": id,
            "VersionStages": [CURRENT],
        }))
    }

    fn delete(
        &mut self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let force = members
            .boolean("ForceDeleteWithoutRecovery")?
            .unwrap_or(false);
        let days = members.integer("RecoveryWindowInDays")?;
        if force && days.is_some() {
            return Err(invalid_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with \
                 RecoveryWindowInDays.",
            ));
        }
        let days = days.unwrap_or(RECOVERY_DAYS);
        if !(7..=30).contains(&days) {
            return Err(invalid_parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        let (name, secret) =
            self.writable("secretsmanager:DeleteSecret", members, permissions, call)?;
        // Who can't wait any longer may say so later.
        if !force {
            check_alive(secret)?;
        }
        let window = SignedDuration::from_hours(if force { 0 } else { days * 24 });
        let goes_at = call.now.saturating_add(window).unwrap_or(Timestamp::MAX);
        secret.goes_at = Some(goes_at);
        let arn = secret.arn.clone();
        if force {
            self.secrets.remove(&name);
        }
        Ok(json!({ "ARN": arn, "DeletionDate": seconds(goes_at), "Name": name }))
    }

    fn writable(
        &mut self,
        action: &str,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<(String, &mut Secret), Failure> {
        let id = required(members, "SecretId")?;
        let found = self.find(&id, call.settings);
        let resource =
            found.map_or_else(|| resource_of(&id, call.settings), |(_, it)| it.arn.clone());
        permissions.check(action, &resource)?;
        let name = found.ok_or_else(not_found)?.0.to_owned();
        let secret = self.secrets.get_mut(&name).ok_or_else(not_found)?;
        Ok((name, secret))
    }

    /// By name, by ARN, or by ARN without its random end.
    fn find(&self, id: &str, settings: &Settings) -> Option<(&str, &Secret)> {
        let prefix = arn_prefix(settings);
        let of_arn = || {
            let partial = id.strip_prefix(&prefix)?;
            let mut all = self.secrets.iter();
            all.find(|(name, secret)| secret.arn == id || name.as_str() == partial)
        };
        let found = self.secrets.get_key_value(id).or_else(of_arn)?;
        Some((found.0, found.1))
    }
}

fn arn_prefix(settings: &Settings) -> String {
    format!(
        "arn:aws:secretsmanager:{}:{}:secret:",
        settings.region, settings.account_id
    )
}

/// What a secret that isn't there is called where permissions are checked.
fn resource_of(id: &str, settings: &Settings) -> String {
    match id.starts_with("arn:") {
        true => id.to_owned(),
        false => format!("{}{id}", arn_prefix(settings)),
    }
}

fn read_value(members: &Members, call: &mut Call<'_>) -> Result<Option<Version>, Failure> {
    let (text, binary) = (members.text("SecretString")?, members.text("SecretBinary")?);
    let (member, value) = match (text, binary) {
        (Some(_), Some(_)) => {
            return Err(invalid_parameter(
                "You can't specify both a binary secret value and a string secret value in the \
                 same secret.",
            ));
        }
        (Some(text), None) => ("SecretString", text),
        (None, Some(binary)) => ("SecretBinary", binary),
        (None, None) => return Ok(None),
    };
    constraints::length(&value, "secretString", 1, SECRET_BYTES)
        .map_err(|text| Failure::new(400, "ValidationException", text))?;
    let id = match members.text("ClientRequestToken")? {
        Some(token) => token,
        None => uuid(call.ids),
    };
    Ok(Some(Version {
        id,
        created: call.now,
        member: member.to_owned(),
        value,
    }))
}

fn check_alive(secret: &Secret) -> Result<(), Failure> {
    match secret.goes_at {
        None => Ok(()),
        Some(_) => Err(invalid_request(
            "You can't perform this operation on the secret because it was marked for deletion.",
        )),
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn required(members: &Members, name: &str) -> Result<String, Failure> {
    members.text(name)?.ok_or_else(|| {
        let mut member = name.to_owned();
        member[..1].make_ascii_lowercase();
        Failure::new(400, "ValidationException", constraints::missing(&member))
    })
}

fn not_found() -> Failure {
    let text = "Secrets Manager can't find the specified secret.";
    Failure::new(400, "ResourceNotFoundException", text)
}

fn no_version(label: &str) -> Failure {
    let text =
        format!("Secrets Manager can't find the specified secret value for staging label: {label}");
    Failure::new(400, "ResourceNotFoundException", text)
}

fn invalid_parameter(message: impl Into<String>) -> Failure {
    Failure::new(400, "InvalidParameterException", message)
}

fn invalid_request(message: impl Into<String>) -> Failure {
    Failure::new(400, "InvalidRequestException", message)
}
