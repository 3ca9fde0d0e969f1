//! What the API invokes and writes to: log groups, roles, tables, functions.

use super::kinds::{ATTACHMENT, FUNCTION, LOG_GROUP, ROLE, ROLE_POLICY, TABLE};
use super::{Writer, escaped};
use crate::desired::HANDLER;
use crate::export::LiveFunction;
use crate::export::label::Labels;
use crate::export::values::said;
use crate::facilities::Logging;
use crate::table::TableState;
use serde_json::{Map, Value, json};

impl Writer<'_> {
    pub(super) fn log_groups(&mut self) {
        for (name, state) in &self.deployed.log_groups {
            let label = self.label(LOG_GROUP, name.as_str());
            let arguments = json!({
                "name": self.text(name.as_str()),
                "retention_in_days": state.retention_days,
                "tags": self.tags(&state.tags),
            });
            self.add(LOG_GROUP, label, name.as_str(), arguments);
        }
    }

    pub(super) fn roles(&mut self) {
        for (name, role) in &self.deployed.roles {
            let label = self.label(ROLE, name.as_str());
            let arguments = json!({
                "name": name,
                "description": said(&role.description),
                "assume_role_policy": escaped(&role.trust.to_string()),
                "permissions_boundary": role.permissions_boundary,
                "tags": self.tags(&role.tags),
            });
            self.add(ROLE, label.clone(), name.as_str(), arguments);
            let role_name = self.attribute(ROLE, name.as_str(), "name");
            let mut labels = Labels::default();
            for (policy, document) in &role.inline_policies {
                if document.is_null() {
                    continue;
                }
                let arguments = json!({
                    "name": policy,
                    "role": role_name,
                    "policy": self.text(&document.to_string()),
                });
                let label = labels.snake(&[&label, policy]);
                self.add(ROLE_POLICY, label, &format!("{name}:{policy}"), arguments);
            }
            for arn in &role.attached_policies {
                let arguments = json!({ "role": role_name, "policy_arn": arn });
                let policy = arn.rsplit('/').next().unwrap_or_default();
                let label = labels.snake(&[&label, policy]);
                self.add(ATTACHMENT, label, &format!("{name}/{arn}"), arguments);
            }
        }
    }

    pub(super) fn tables(&mut self) {
        for (name, table) in &self.deployed.tables {
            if let Some(arguments) = self.table(name.as_str(), table) {
                let label = self.label(TABLE, name.as_str());
                self.add(TABLE, label, name.as_str(), arguments);
            }
        }
    }

    /// `None`: its key has another form than those that the deployer knows.
    fn table(&self, name: &str, table: &TableState) -> Option<Value> {
        let key = table.key.as_ref()?;
        let attributes = key
            .attributes()
            .map(|it| json!({ "name": it.name, "type": it.kind.as_str() }));
        let settings = table.settings.as_ref();
        let ttl = settings.and_then(|it| it.ttl.as_ref());
        let recovery = settings.is_some_and(|it| it.point_in_time_recovery);
        Some(json!({
            "name": name,
            "billing_mode": "PAY_PER_REQUEST",
            "hash_key": key.partition.name,
            "range_key": key.sort.as_ref().map(|it| it.name.clone()),
            "attribute": attributes.collect::<Vec<_>>(),
            "ttl": ttl.map(|attribute| json!({ "attribute_name": attribute, "enabled": true })),
            "point_in_time_recovery": recovery.then(|| json!({ "enabled": true })),
            "tags": self.tags(&table.tags),
            "lifecycle": { "prevent_destroy": true },
        }))
    }

    pub(super) fn functions(&mut self) {
        for (key, function) in &self.deployed.functions {
            let name = function.name.as_str();
            let label = self.label(FUNCTION, name);
            let arguments = self.function(key.as_str(), function);
            self.add(FUNCTION, label, name, arguments);
        }
    }

    fn function(&self, key: &str, function: &LiveFunction<'_>) -> Value {
        let configuration = &function.version.configuration;
        let facilities = &configuration.facilities;
        let logging = match facilities.logging {
            Logging::Text => Value::Null,
            Logging::Json {
                application,
                system,
            } => json!({
                "log_format": "JSON",
                "application_log_level": application.as_aws(),
                "system_log_level": system.as_aws(),
            }),
        };
        // A variable is the user's: only the name of a table as a whole is a reference.
        let variables = configuration.environment.iter().map(|(name, value)| {
            let value = match self.labels.contains_key(&(TABLE, value.clone())) {
                true => self.attribute(TABLE, value, "name"),
                false => escaped(value),
            };
            (name.clone(), json!(value))
        });
        let variables: Map<String, Value> = variables.collect();
        let log_group = format!("/aws/lambda/{}", function.name);
        let log_group = self.labels.get(&(LOG_GROUP, log_group));
        // The provider reads none of them, so that each would be a change.
        let mut ignored = vec!["filename", "source_code_hash", "publish"];
        if variables.is_empty() {
            // Set, but empty: the provider can't say that.
            ignored.push("environment");
        }
        json!({
            "function_name": function.name,
            "description": said(&configuration.description).map(escaped),
            "runtime": configuration.runtime,
            "handler": HANDLER,
            "architectures": [function.version.code.architecture],
            "role": self.text(&configuration.role_arn),
            "filename": format!("${{path.module}}/{key}.zip"),
            "source_code_hash": function.version.code.sha256,
            "publish": true,
            "memory_size": configuration.memory_mb,
            "timeout": configuration.timeout_seconds,
            "ephemeral_storage": { "size": facilities.ephemeral_storage_mb },
            "tracing_config": { "mode": facilities.tracing.as_aws() },
            "logging_config": logging,
            "environment": match variables.is_empty() {
                true => Value::Null,
                false => json!({ "variables": variables }),
            },
            "reserved_concurrent_executions": function.state.reserved_concurrency,
            "tags": self.tags(&function.state.tags),
            "depends_on": log_group.map(|label| vec![format!("{LOG_GROUP}.{label}")]),
            "lifecycle": { "ignore_changes": ignored },
        })
    }
}
