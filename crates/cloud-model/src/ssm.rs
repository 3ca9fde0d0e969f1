//! SSM's Parameter Store: single parameters, by name or ARN, in the standard tier.
//!
//! Values are kept as they are given: a SecureString is not encrypted, only
//! shown as ciphertext to whoever doesn't ask for decryption. Deliberately
//! absent: paths, histories, labels, policies, the advanced tier, KMS.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Settings;
use crate::assumptions::{PARAMETER_NAME, PARAMETER_TYPE_MISSING, PARAMETER_VALUE_SIZE};
use crate::call::Call;
use crate::caller::Permissions;
use crate::constraints;
use crate::error::{Failure, unsupported};
use crate::limits::{PARAMETER_BYTES, PARAMETERS};
use crate::wire::members::Members;

const NAME_CHARS: usize = 1_011;
const TYPES: [&str; 3] = ["String", "StringList", "SecureString"];
/// The key that AWS keeps for SSM; everybody in the account may use it.
const AWS_KEY: &str = "alias/aws/ssm";

/// All parameters of the account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ssm {
    /// By name.
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Parameter {
    kind: String,
    value: String,
    version: u64,
    modified: Timestamp,
    /// ARN of the key a SecureString is encrypted with, unless it is AWS's own.
    key: Option<String>,
}

impl Ssm {
    /// Serves one call.
    pub(crate) fn handle(
        &mut self,
        operation: &str,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        match operation {
            "PutParameter" => self.put(members, permissions, call).map(Some),
            "GetParameter" => self.get(members, permissions, call).map(Some),
            "DeleteParameter" => self.delete(members, permissions, call).map(Some),
            other => Err(Failure::not_served(&format!("SSM's {other}"))),
        }
    }

    /// Names of all parameters.
    pub(crate) fn names(&self) -> Vec<String> {
        self.parameters.keys().cloned().collect()
    }

    fn put(
        &mut self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let name = read_name(members, call.settings)?;
        permissions.check("ssm:PutParameter", &arn(&name, call.settings))?;
        for absent in ["AllowedPattern", "Policies", "Tags"] {
            if members.says_something(absent) {
                return Err(validation(unsupported(absent)));
            }
        }
        for (member, only) in [("Tier", "Standard"), ("DataType", "text")] {
            if members.text(member)?.is_some_and(|given| given != only) {
                return Err(validation(unsupported(&format!(
                    "{member} other than {only}"
                ))));
            }
        }
        let value = required(members, "Value")?;
        if value.is_empty() || value.len() > PARAMETER_BYTES {
            return Err(validation(PARAMETER_VALUE_SIZE));
        }
        let kind = members.text("Type")?;
        if let Some(kind) = &kind
            && !TYPES.contains(&kind.as_str())
        {
            let rule = "Member must satisfy enum value set: [SecureString, StringList, String]";
            return Err(validation(constraints::violation(kind, "type", rule)));
        }
        let overwrite = members.boolean("Overwrite")?.unwrap_or(false);
        let key = members
            .text("KeyId")?
            .filter(|key| key != AWS_KEY)
            .map(|key| key_arn(&key, call.settings))
            .transpose()?;
        let former = self.parameters.get(&name);
        if former.is_some() && !overwrite {
            return Err(Failure::new(
                400,
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option \
                 in the request to true.",
            ));
        }
        if former.is_none() && self.parameters.len() >= PARAMETERS {
            let text = "You have exceeded the number of parameters for this AWS account.";
            return Err(Failure::new(400, "ParameterLimitExceeded", text));
        }
        let kind = match (kind, former) {
            (Some(kind), _) => kind,
            (None, Some(former)) => former.kind.clone(),
            (None, None) => return Err(validation(PARAMETER_TYPE_MISSING)),
        };
        let version = former.map_or(1, |former| former.version + 1);
        let parameter = Parameter {
            key: key.filter(|_| kind == "SecureString"),
            kind,
            value,
            version,
            modified: call.now,
        };
        self.parameters.insert(name, parameter);
        Ok(json!({ "Tier": "Standard", "Version": version }))
    }

    fn get(
        &self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let name = read_name(members, call.settings)?;
        let arn = arn(&name, call.settings);
        permissions.check("ssm:GetParameter", &arn)?;
        let parameter = self.parameters.get(&name).ok_or_else(not_found)?;
        let decrypt = members.boolean("WithDecryption")?.unwrap_or(false);
        let value = match (parameter.kind.as_str(), decrypt) {
            ("SecureString", false) => STANDARD.encode(Sha256::digest(&parameter.value)),
            ("SecureString", true) => {
                if let Some(key) = &parameter.key {
                    permissions.check("kms:Decrypt", key)?;
                }
                parameter.value.clone()
            }
            _ => parameter.value.clone(),
        };
        Ok(json!({ "Parameter": {
            "ARN": arn,
            "DataType": "text",
            "LastModifiedDate": parameter.modified.as_millisecond() as f64 / 1000.0,
            "Name": name,
            "Type": parameter.kind,
            "Value": value,
            "Version": parameter.version,
        }}))
    }

    fn delete(
        &mut self,
        members: &Members,
        permissions: &Permissions<'_>,
        call: &Call<'_>,
    ) -> Result<Value, Failure> {
        let name = read_name(members, call.settings)?;
        permissions.check("ssm:DeleteParameter", &arn(&name, call.settings))?;
        self.parameters.remove(&name).ok_or_else(not_found)?;
        Ok(json!({}))
    }
}

/// `Name`: a name, or the ARN of one of this account and region.
fn read_name(members: &Members, settings: &Settings) -> Result<String, Failure> {
    let name = required(members, "Name")?;
    constraints::length(&name, "name", 1, 2_048).map_err(validation)?;
    if name.starts_with("arn:") {
        let of_this_account = arn("/", settings);
        let name = name.strip_prefix(&of_this_account).ok_or_else(not_found)?;
        // An ARN doesn't tell `/name` from `name`; a path has its slash.
        return Ok(format!("/{name}"));
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_.-/".contains(&b);
    if name.len() > NAME_CHARS || !name.bytes().all(legal) || name.ends_with('/') {
        return Err(validation(PARAMETER_NAME));
    }
    if !name.starts_with('/') {
        if name.contains('/') {
            return Err(validation("Parameter name must be a fully qualified name."));
        }
        return Err(validation(unsupported(
            "parameter names without a leading slash",
        )));
    }
    Ok(name)
}

fn arn(name: &str, settings: &Settings) -> String {
    format!(
        "arn:aws:ssm:{}:{}:parameter{name}",
        settings.region, settings.account_id
    )
}

/// A key's ARN, from its ARN or id. That it exists is not asked.
pub(crate) fn key_arn(key: &str, settings: &Settings) -> Result<String, Failure> {
    if key.starts_with("alias/") || key.contains(":alias/") {
        return Err(validation(unsupported("aliases of keys")));
    }
    if key.starts_with("arn:") {
        return Ok(key.to_owned());
    }
    let (region, account) = (&settings.region, &settings.account_id);
    Ok(format!("arn:aws:kms:{region}:{account}:key/{key}"))
}

fn required(members: &Members, name: &str) -> Result<String, Failure> {
    let mut member = name.to_owned();
    member[..1].make_ascii_lowercase();
    members
        .text(name)?
        .ok_or_else(|| validation(constraints::missing(&member)))
}

fn validation(message: impl Into<String>) -> Failure {
    Failure::new(400, "ValidationException", message)
}

/// AWS says no more.
fn not_found() -> Failure {
    Failure::new(400, "ParameterNotFound", "")
}
