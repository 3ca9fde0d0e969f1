//! The settings of a function that were said at several places, as one.
//!
//! Single values: the most specific place wins. Tables: merged name by name.
//! Statements of `iam`: the stage's are added to the service's.

use super::types::{FunctionDefaults, FunctionSettings};
use crate::facilities::{
    ApplicationLogLevel, DEFAULT_STORAGE_MB, Facilities, LogFormat, Logging, SystemLogLevel,
    Tracing,
};
use crate::secrets::SecretReference;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a function's settings stand; the stage's first, then the service's.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub settings: [&'a FunctionSettings; 2],
    pub defaults: [&'a FunctionDefaults; 2],
}

impl Layers<'_> {
    fn pick<T>(
        &self,
        of_one: impl Fn(&FunctionSettings) -> Option<T>,
        of_all: impl Fn(&FunctionDefaults) -> Option<T>,
    ) -> Option<T> {
        let one = self.settings.into_iter().find_map(of_one);
        one.or_else(|| self.defaults.into_iter().find_map(of_all))
    }

    fn table(
        &self,
        of_one: impl Fn(&FunctionSettings) -> &BTreeMap<String, String>,
        of_all: impl Fn(&FunctionDefaults) -> &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut merged = BTreeMap::new();
        // The most specific last, so that it wins.
        for layer in self.defaults.into_iter().rev().map(of_all) {
            merged.extend(layer.clone());
        }
        for layer in self.settings.into_iter().rev().map(of_one) {
            merged.extend(layer.clone());
        }
        merged
    }

    /// Those that can be read; the others are reported as mistakes.
    pub fn secrets(&self) -> BTreeMap<String, SecretReference> {
        self.table(|s| &s.secrets, |d| &d.secrets)
            .into_iter()
            .filter_map(|(name, text)| Some((name, SecretReference::parse(&text).ok()?)))
            .collect()
    }

    pub fn secrets_kms_key(&self) -> Option<String> {
        self.pick(|s| s.secrets_kms_key.clone(), |d| d.secrets_kms_key.clone())
    }

    pub fn statements(&self) -> Vec<Value> {
        let all = self.settings.into_iter().rev().flat_map(|s| &s.iam);
        all.map(super::iam::IamStatement::to_value).collect()
    }

    pub fn role_arn(&self) -> Option<String> {
        self.settings.into_iter().find_map(|s| s.role_arn.clone())
    }

    pub fn permissions_boundary(&self) -> Option<String> {
        self.pick(
            |s| s.permissions_boundary.clone(),
            |d| d.permissions_boundary.clone(),
        )
    }

    pub fn tags(&self) -> BTreeMap<String, String> {
        self.table(|s| &s.tags, |d| &d.tags)
    }

    pub fn log_levels(&self) -> (Option<ApplicationLogLevel>, Option<SystemLogLevel>) {
        (
            self.pick(|s| s.application_log_level, |d| d.application_log_level),
            self.pick(|s| s.system_log_level, |d| d.system_log_level),
        )
    }

    pub fn facilities(&self) -> Facilities {
        let format = self.pick(|s| s.log_format, |d| d.log_format);
        let (application, system) = self.log_levels();
        Facilities {
            ephemeral_storage_mb: self
                .pick(|s| s.ephemeral_storage_mb, |d| d.ephemeral_storage_mb)
                .unwrap_or(DEFAULT_STORAGE_MB),
            tracing: self
                .pick(|s| s.tracing, |d| d.tracing)
                .unwrap_or(Tracing::PassThrough),
            logging: match format.unwrap_or(LogFormat::Text) {
                LogFormat::Text => Logging::Text,
                LogFormat::Json => Logging::Json {
                    application: application.unwrap_or(ApplicationLogLevel::Info),
                    system: system.unwrap_or(SystemLogLevel::Info),
                },
            },
        }
    }
}
