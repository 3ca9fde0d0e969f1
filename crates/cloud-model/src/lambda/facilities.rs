//! Disk, traces and the form of logs: kept, shown and checked as Lambda does.
//!
//! Deliberately absent: what they do. The disk is the machine's, nobody takes
//! traces, and what the data plane writes into a log is text.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{invalid_parameter, validation};
use crate::constraints;
use crate::error::Failure;
use crate::wire::members::{Members, present};

const MODES: [&str; 2] = ["Active", "PassThrough"];
const FORMATS: [&str; 2] = ["JSON", "Text"];
const APPLICATION_LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const SYSTEM_LEVELS: [&str; 3] = ["DEBUG", "INFO", "WARN"];
/// Observed.
const LEVELS_NEED_JSON: &str = "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change \
     the LogFormat to \"Json\" and try again.";
const DEFAULT_LEVEL: &str = "INFO";

/// As they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facilities {
    pub(super) ephemeral_mb: u32,
    pub(super) tracing: String,
    pub(super) log_format: String,
    /// With JSON only, and then always.
    pub(super) application_level: Option<String>,
    pub(super) system_level: Option<String>,
}

impl Default for Facilities {
    fn default() -> Self {
        Self {
            ephemeral_mb: 512,
            tracing: "PassThrough".to_owned(),
            log_format: "Text".to_owned(),
            application_level: None,
            system_level: None,
        }
    }
}

/// What a request says of them; `None`: nothing.
pub(super) struct FacilitiesChange {
    ephemeral_mb: Option<u32>,
    tracing: Option<String>,
    log_format: Option<String>,
    application_level: Option<String>,
    system_level: Option<String>,
}

impl FacilitiesChange {
    pub(super) fn read(members: &Members) -> Result<Self, Failure> {
        let mut change = Self {
            ephemeral_mb: None,
            tracing: None,
            log_format: None,
            application_level: None,
            system_level: None,
        };
        if let Some(storage) = members.object("EphemeralStorage")? {
            let member = "ephemeralStorage.size";
            let size = storage
                .integer("Size")?
                .ok_or_else(|| validation(constraints::missing(member)))?;
            constraints::range(size, member, 512, 10_240).map_err(validation)?;
            change.ephemeral_mb = Some(size as u32);
        }
        if let Some(tracing) = members.object("TracingConfig")? {
            change.tracing = one_of(&tracing, "Mode", "tracingConfig.mode", &MODES)?;
        }
        if let Some(logging) = members.object("LoggingConfig")? {
            let level = |name, member, levels: &[&str]| one_of(&logging, name, member, levels);
            change.log_format = level("LogFormat", "loggingConfig.logFormat", &FORMATS)?;
            change.application_level = level(
                "ApplicationLogLevel",
                "loggingConfig.applicationLogLevel",
                &APPLICATION_LEVELS,
            )?;
            change.system_level = level(
                "SystemLogLevel",
                "loggingConfig.systemLogLevel",
                &SYSTEM_LEVELS,
            )?;
        }
        Ok(change)
    }

    /// Applies the change to what is there.
    pub(super) fn apply(self, to: &Facilities) -> Result<Facilities, Failure> {
        let log_format = self.log_format.unwrap_or_else(|| to.log_format.clone());
        let is_json = log_format == "JSON";
        if !is_json && (self.application_level.is_some() || self.system_level.is_some()) {
            return Err(invalid_parameter(LEVELS_NEED_JSON));
        }
        let level = |given: Option<String>, before: &Option<String>| {
            let level = given.or_else(|| before.clone());
            is_json.then(|| level.unwrap_or_else(|| DEFAULT_LEVEL.to_owned()))
        };
        Ok(Facilities {
            ephemeral_mb: self.ephemeral_mb.unwrap_or(to.ephemeral_mb),
            tracing: self.tracing.unwrap_or_else(|| to.tracing.clone()),
            application_level: level(self.application_level, &to.application_level),
            system_level: level(self.system_level, &to.system_level),
            log_format,
        })
    }
}

impl Facilities {
    /// `LoggingConfig`.
    pub(super) fn show_logging(&self, log_group: &str) -> Value {
        present(json!({
            "ApplicationLogLevel": self.application_level,
            "LogFormat": self.log_format,
            "LogGroup": log_group,
            "SystemLogLevel": self.system_level,
        }))
    }
}

fn one_of(
    members: &Members,
    name: &str,
    member: &str,
    known: &[&str],
) -> Result<Option<String>, Failure> {
    match members.text(name)? {
        Some(word) if !known.contains(&word.as_str()) => {
            let rule = format!("Member must satisfy enum value set: [{}]", known.join(", "));
            Err(validation(constraints::violation(word, member, &rule)))
        }
        word => Ok(word),
    }
}
