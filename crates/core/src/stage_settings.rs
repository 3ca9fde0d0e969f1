//! Settings of an API and of its API stage, as they are wanted and as they are
//! found, and what leads from one to the other.
//!
//! An API stage's settings take effect at once. They are no part of a release:
//! whoever rolls back keeps them.

use crate::assumptions::{
    BURST_LIMIT_OF_A_NEW_STAGE, RATE_LIMIT_OF_A_NEW_STAGE, STATUS_OF_DISABLED_ENDPOINT,
    STATUS_OF_PLAIN_GET_ON_LIVE_STAGE,
};
use crate::names::RouteKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Settings of the API as a whole. A deployment makes them take effect, so they
/// are a part of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiSettings {
    /// Whether clients must come by another name than the API's own.
    pub disable_execute_api_endpoint: bool,
    /// AWS's word: `ipv4` or `dualstack`.
    pub ip_address_type: String,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            disable_execute_api_endpoint: false,
            ip_address_type: "ipv4".to_owned(),
        }
    }
}

impl ApiSettings {
    /// Whether they are as AWS makes a new API.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The status with which the stage's endpoint answers a plain GET once it is
    /// live. A disabled one tells no more than that.
    pub fn status_of_plain_get(&self) -> u16 {
        match self.disable_execute_api_endpoint {
            true => STATUS_OF_DISABLED_ENDPOINT,
            false => STATUS_OF_PLAIN_GET_ON_LIVE_STAGE,
        }
    }
}

/// Requests a second; finite.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct Rate(pub f64);

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0).is_eq()
    }
}

impl Eq for Rate {}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What API Gateway writes of its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum LoggingLevel {
    Off,
    Error,
    Info,
}

impl LoggingLevel {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Error => "ERROR",
            Self::Info => "INFO",
        }
    }

    /// What AWS says; a word that isn't known yet is a level of its own kind,
    /// nearest to the most talkative.
    pub fn from_aws(word: &str) -> Self {
        match word {
            "" | "OFF" => Self::Off,
            "ERROR" => Self::Error,
            _ => Self::Info,
        }
    }
}

/// How one route is treated, or every route that has no settings of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteSettings {
    /// Requests at once.
    pub burst_limit: u32,
    /// Requests a second in the long run.
    pub rate_limit: Rate,
    /// Metrics of each route.
    pub metrics: bool,
    /// Execution logs.
    pub level: LoggingLevel,
    /// Whether they contain whole messages.
    pub data_trace: bool,
}

/// As AWS treats routes that nobody set anything for.
impl Default for RouteSettings {
    fn default() -> Self {
        Self {
            burst_limit: BURST_LIMIT_OF_A_NEW_STAGE,
            rate_limit: Rate(RATE_LIMIT_OF_A_NEW_STAGE),
            metrics: false,
            level: LoggingLevel::Off,
            data_trace: false,
        }
    }
}

impl fmt::Display for RouteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "burst {}, rate {}, metrics {}, logs {}, data trace {}",
            self.burst_limit,
            self.rate_limit,
            self.metrics,
            self.level.as_str(),
            self.data_trace
        )
    }
}

/// Where a line for each request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessLog {
    /// Of the log group, without `:*`.
    pub destination_arn: String,
    /// With `$context` variables.
    pub format: String,
}

/// Settings of an API stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StageSettings {
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Of routes without settings of their own.
    pub default_route: RouteSettings,
    /// Of single routes. Complete: nothing is inherited.
    pub routes: BTreeMap<RouteKey, RouteSettings>,
    /// `None`: no access log.
    pub access_log: Option<AccessLog>,
}

impl StageSettings {
    /// Whether API Gateway writes logs, for which the account must have given it
    /// a role.
    pub fn write_logs(&self) -> bool {
        self.access_log.is_some() || self.write_execution_logs()
    }

    /// Whether API Gateway logs its own work.
    pub fn write_execution_logs(&self) -> bool {
        std::iter::once(&self.default_route)
            .chain(self.routes.values())
            .any(|route| route.level != LoggingLevel::Off)
    }

    /// Route settings that `wanted` no longer has: updating merges, so that they
    /// need a call each.
    pub fn surplus_routes(&self, wanted: &Self) -> Vec<RouteKey> {
        let gone = |key: &&RouteKey| !wanted.routes.contains_key(*key);
        self.routes.keys().filter(gone).cloned().collect()
    }
}

/// What one UpdateStage (or CreateStage) changes of the settings. What isn't here
/// stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StageUpdate {
    /// An empty value removes the variable.
    pub variables: BTreeMap<String, String>,
    /// Complete.
    pub default_route: Option<RouteSettings>,
    /// Complete.
    pub routes: BTreeMap<RouteKey, RouteSettings>,
    /// Replaces.
    pub access_log: Option<AccessLog>,
}

impl StageUpdate {
    /// What leads from `now` to `wanted`, but for what can't be cleared by an
    /// update.
    pub fn between(now: &StageSettings, wanted: &StageSettings) -> Self {
        let gone = now
            .variables
            .keys()
            .filter(|name| !wanted.variables.contains_key(*name))
            .map(|name| (name.clone(), String::new()));
        let set = wanted
            .variables
            .iter()
            .filter(|(name, value)| now.variables.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()));
        let routes = wanted
            .routes
            .iter()
            .filter(|(key, settings)| now.routes.get(*key) != Some(*settings))
            .map(|(key, settings)| (key.clone(), settings.clone()));
        Self {
            variables: gone.chain(set).collect(),
            default_route: (now.default_route != wanted.default_route)
                .then(|| wanted.default_route.clone()),
            routes: routes.collect(),
            access_log: wanted
                .access_log
                .clone()
                .filter(|wanted| now.access_log.as_ref() != Some(wanted)),
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_no_longer_wanted_is_emptied_and_others_are_left_alone() {
        let settings = |pairs: &[(&str, &str)]| StageSettings {
            variables: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..StageSettings::default()
        };
        let update = StageUpdate::between(
            &settings(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &settings(&[("a", "1"), ("b", "4"), ("d", "5")]),
        );
        let expected = [("b", "4"), ("c", ""), ("d", "5")];
        assert_eq!(update.variables, settings(&expected).variables);
        assert_eq!(update.default_route, None);
    }

    #[test]
    fn equal_settings_need_no_update_and_a_cleared_log_none_either() {
        let mut now = StageSettings::default();
        assert!(StageUpdate::between(&now, &now).is_empty());
        now.access_log = Some(AccessLog {
            destination_arn: "arn".into(),
            format: "$context.requestId".into(),
        });
        assert!(StageUpdate::between(&now, &StageSettings::default()).is_empty());
        assert!(now.write_logs() && !now.write_execution_logs());
    }
}
