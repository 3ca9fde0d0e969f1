//! A function's configuration: reading it from create and update requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facilities::{Facilities, FacilitiesChange};
use super::managed_instances::ManagedInstances;
use super::reference::function_arn;
use super::{Surroundings, environment, invalid_parameter, not_supported, validation};
use crate::constraints;
use crate::error::Failure;
use crate::iam::policy::Context;
use crate::wire::members::Members;

pub(super) const RUNTIME: &str = "provided.al2023";
const ROLE_PATTERN: &str = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
const LOG_GROUP_PATTERN: &str = r"[\.\-_/#A-Za-z0-9]+";

/// AWS's other runtimes: known, and not served here.
const OTHER_RUNTIMES: [&str; 24] = [
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "provided.al2",
];

/// What one version of a function is configured to be. Equal values mean that
/// publishing again would make no new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Configuration {
    pub(super) architecture: String,
    pub(super) description: String,
    /// `None`: never given, and then not shown.
    pub(super) environment: Option<BTreeMap<String, String>>,
    pub(super) facilities: Facilities,
    pub(super) handler: String,
    pub(super) log_group: String,
    pub(super) managed_instances: Option<ManagedInstances>,
    pub(super) memory_mb: u32,
    pub(super) role_arn: String,
    pub(super) timeout_seconds: u32,
}

/// What a request says about the configuration, checked. `None`: nothing.
pub(super) struct Change {
    pub(super) description: Option<String>,
    pub(super) environment: Option<BTreeMap<String, String>>,
    pub(super) facilities: FacilitiesChange,
    pub(super) handler: Option<String>,
    pub(super) log_group: Option<String>,
    pub(super) managed_instances: Option<ManagedInstances>,
    pub(super) memory_mb: Option<u32>,
    pub(super) role_arn: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) timeout_seconds: Option<u32>,
}

impl Change {
    /// Reads and checks all but the role's trust, see [`check_role`].
    pub(super) fn read(members: &Members) -> Result<Self, Failure> {
        refuse_what_is_absent(members)?;
        let role_arn = members.text("Role")?;
        if let Some(arn) = &role_arn {
            constraints::pattern(arn, "role", ROLE_PATTERN, is_role_arn(arn))
                .map_err(validation)?;
        }
        let description = members.text("Description")?;
        if let Some(text) = &description {
            constraints::length(text, "description", 0, 256).map_err(validation)?;
        }
        let handler = members.text("Handler")?;
        if let Some(text) = &handler {
            constraints::length(text, "handler", 0, 128).map_err(validation)?;
            let holds = !text.is_empty() && !text.contains(char::is_whitespace);
            constraints::pattern(text, "handler", r"[^\s]+", holds).map_err(validation)?;
        }
        Ok(Self {
            description,
            environment: environment::read(members)?,
            facilities: FacilitiesChange::read(members)?,
            handler,
            log_group: read_log_group(members)?,
            managed_instances: ManagedInstances::read(members)?,
            memory_mb: read_number(members, "MemorySize", "memorySize", 128, 10_240)?,
            role_arn,
            runtime: read_runtime(members)?,
            timeout_seconds: read_number(members, "Timeout", "timeout", 1, 900)?,
        })
    }

    /// Applies the change to what is there.
    pub(super) fn apply(self, to: &Configuration) -> Result<Configuration, Failure> {
        let log_group = match self.log_group {
            Some(group) => group,
            None => to.log_group.clone(),
        };
        Ok(Configuration {
            architecture: to.architecture.clone(),
            description: self.description.unwrap_or_else(|| to.description.clone()),
            environment: self.environment.or_else(|| to.environment.clone()),
            facilities: self.facilities.apply(&to.facilities)?,
            handler: self.handler.unwrap_or_else(|| to.handler.clone()),
            log_group,
            managed_instances: self
                .managed_instances
                .or_else(|| to.managed_instances.clone()),
            memory_mb: self.memory_mb.unwrap_or(to.memory_mb),
            role_arn: self.role_arn.unwrap_or_else(|| to.role_arn.clone()),
            timeout_seconds: self.timeout_seconds.unwrap_or(to.timeout_seconds),
        })
    }
}

/// Where a function's output goes unless it says otherwise.
pub(super) fn default_log_group(name: &str) -> String {
    format!("/aws/lambda/{name}")
}

/// The role must exist and trust Lambda; otherwise AWS says the same for both.
pub(super) fn check_role(
    arn: &str,
    name: &str,
    around: &Surroundings<'_, '_>,
) -> Result<(), Failure> {
    let settings = around.call.settings;
    let context = Context::default()
        .with("aws:SourceAccount", settings.account_id.as_str())
        .with("aws:SourceArn", function_arn(name, settings));
    if around.iam.trusts(arn, "lambda.amazonaws.com", &context) {
        Ok(())
    } else {
        Err(invalid_parameter(
            "The role defined for the function cannot be assumed by Lambda.",
        ))
    }
}

/// Who turns tracing on must let the role send traces.
pub(super) fn check_tracing(
    facilities: &Facilities,
    role_arn: &str,
    around: &Surroundings<'_, '_>,
) -> Result<(), Failure> {
    let allowed = || {
        let action = "xray:PutTraceSegments";
        around.iam.role_allows(role_arn, action, "*")
    };
    if facilities.tracing != "Active" || allowed() {
        return Ok(());
    }
    Err(invalid_parameter(
        "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
    ))
}

/// Reads `Architectures`, of which there is one.
pub(super) fn read_architecture(members: &Members) -> Result<Option<String>, Failure> {
    let Some(list) = members.texts("Architectures")? else {
        return Ok(None);
    };
    let rule = match list.as_slice() {
        [one] if one == "x86_64" || one == "arm64" => return Ok(Some(one.clone())),
        [_] => {
            "Member must satisfy constraint: [Member must satisfy enum value set: \
             [x86_64, arm64], Member must not be null]"
        }
        [] => "Member must have length greater than or equal to 1",
        _ => "Member must have length less than or equal to 1",
    };
    let shown = format!("[{}]", list.join(", "));
    Err(validation(constraints::violation(
        shown,
        "architectures",
        rule,
    )))
}

fn read_number(
    members: &Members,
    name: &str,
    member: &str,
    min: i64,
    max: i64,
) -> Result<Option<u32>, Failure> {
    let Some(value) = members.integer(name)? else {
        return Ok(None);
    };
    constraints::range(value, member, min, max).map_err(validation)?;
    Ok(Some(value as u32))
}

fn read_runtime(members: &Members) -> Result<Option<String>, Failure> {
    match members.text("Runtime")? {
        Some(runtime) if OTHER_RUNTIMES.contains(&runtime.as_str()) => Err(not_supported(
            &format!("the runtime {runtime}; use {RUNTIME}"),
        )),
        Some(runtime) if runtime != RUNTIME => Err(invalid_parameter(format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum \
             value set: [{RUNTIME}, {}] or be a valid ARN",
            OTHER_RUNTIMES.join(", ")
        ))),
        runtime => Ok(runtime),
    }
}

fn read_log_group(members: &Members) -> Result<Option<String>, Failure> {
    let Some(logging) = members.object("LoggingConfig")? else {
        return Ok(None);
    };
    let Some(group) = logging.text("LogGroup")? else {
        return Ok(None);
    };
    let member = "loggingConfig.logGroup";
    constraints::length(&group, member, 1, 512).map_err(validation)?;
    let holds = group
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b));
    constraints::pattern(&group, member, LOG_GROUP_PATTERN, holds).map_err(validation)?;
    Ok(Some(group))
}

fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", "aws", "iam", "", account, role] = parts.as_slice() else {
        return false;
    };
    let path = role.strip_prefix("role/").unwrap_or_default();
    account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && !path.is_empty()
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b))
}

fn refuse_what_is_absent(members: &Members) -> Result<(), Failure> {
    const ABSENT: [&str; 9] = [
        "Layers",
        "FileSystemConfigs",
        "KMSKeyArn",
        "ImageConfig",
        "CodeSigningConfigArn",
        "DurableConfig",
        "TenancyConfig",
        "PublishTo",
        "RuntimeConfig",
    ];
    if let Some(name) = ABSENT.iter().find(|name| members.says_something(name)) {
        return Err(not_supported(name));
    }
    // Of these, what means "none" is accepted.
    let nested = |name: &str, inner: &[&str]| -> Result<(), Failure> {
        let Some(object) = members.object(name)? else {
            return Ok(());
        };
        match inner.iter().find(|inner| object.says_something(inner)) {
            Some(inner) => Err(not_supported(&format!("{name}.{inner}"))),
            None => Ok(()),
        }
    };
    nested(
        "VpcConfig",
        &["SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack"],
    )?;
    nested("DeadLetterConfig", &["TargetArn"])?;
    let only = |name: &str, inner: &str, honoured: &str| -> Result<(), Failure> {
        let Some(object) = members.object(name)? else {
            return Ok(());
        };
        match object.text(inner)? {
            Some(text) if text != honoured => Err(not_supported(&format!("{name}.{inner} {text}"))),
            _ => Ok(()),
        }
    };
    only("SnapStart", "ApplyOn", "None")?;
    Ok(())
}
