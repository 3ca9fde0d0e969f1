//! What the two files come to in one stage, setting by setting, each with the place
//! that it comes from.
//!
//! Values are the definition's, which is what `up` works with; the files are only asked
//! who said them. Every definition is taken apart without `..`, so that a new field
//! can't be forgotten here, and a test looks for every key of the schemas.
//!
//! Deliberately absent: what the environment or a profile would say (region,
//! credentials), and the names that resources get.

use super::api_definition::{AccessLogsDefinition, ApiDefinition};
use super::definition::{FunctionDefinition, Guards, Place, STATE_VARIABLE, StageDefinition};
use super::problem::line_and_column;
use super::source::{Source, child};
use super::tables::{TableDefinition, TableGrant};
use super::{FileProblems, FileText, read};
use crate::authorizer::Authorizer;
use crate::facilities::{Facilities, Logging};
use crate::names::{FunctionKey, RouteKey};
use crate::stage_settings::{ApiSettings, LoggingLevel, Rate, RouteSettings};
use crate::table::{TableKey, TableSettings};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// One setting of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Its key with the tables around it, e.g. `functions`, `room`, `memory_mb`.
    pub key: Vec<String>,
    /// Its value, in the words of stage files.
    pub value: Value,
    /// Who says so.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File {
        /// Its path as the user knows it.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
    /// An environment variable.
    Variable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Default => f.write_str("default"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Every setting of a stage that has a value, in the order of the files' documentation.
///
/// # Errors
/// As [`read`].
pub fn effective(
    stage_name: &str,
    service: FileText<'_>,
    stage: FileText<'_>,
) -> Result<Vec<Setting>, Vec<FileProblems>> {
    let definition = read(stage_name, service, stage)?;
    let parse = |file: FileText<'_>| {
        Source::parse(file.text)
            .map_err(|problems| vec![FileProblems::new(file.path, file.text, problems)])
    };
    let mut sheet = Sheet {
        files: [(stage, parse(stage)?), (service, parse(service)?)],
        settings: Vec::new(),
    };
    sheet.stage(&definition);
    Ok(sheet.settings)
}

struct Sheet<'a> {
    /// The stage's, whose word counts first, then the service's.
    files: [(FileText<'a>, Source); 2],
    settings: Vec<Setting>,
}

fn pointer(key: &[&str]) -> String {
    key.iter()
        .fold(String::new(), |parent, segment| child(&parent, segment))
}

impl Sheet<'_> {
    /// Adds a setting that stands at its own key, or else at one of the `others`.
    fn put_or(&mut self, key: &[&str], others: &[String], value: impl Serialize) {
        let own = pointer(key);
        let places = std::iter::once(&own).chain(others);
        let origin = places
            .filter_map(|pointer| self.said_at(pointer))
            .next()
            .unwrap_or(Origin::Default);
        self.add(key, value, origin);
    }

    fn put(&mut self, key: &[&str], value: impl Serialize) {
        self.put_or(key, &[], value);
    }

    fn put_if(&mut self, key: &[&str], value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn add(&mut self, key: &[&str], value: impl Serialize, origin: Origin) {
        self.settings.push(Setting {
            key: key.iter().map(|&segment| segment.to_owned()).collect(),
            value: json!(value),
            origin,
        });
    }

    fn said_at(&self, pointer: &str) -> Option<Origin> {
        let of_file = |(file, source): &(FileText<'_>, Source)| {
            source.value.pointer(pointer)?;
            let (line, _) = line_and_column(file.text, source.key_span(pointer).start);
            let path = file.path.to_owned();
            Some(Origin::File { path, line })
        };
        self.files.iter().find_map(of_file)
    }

    /// The keys of a table, in either file.
    fn keys_of(&self, table: &str) -> BTreeSet<String> {
        let tables = self.files.iter();
        let tables = tables.filter_map(|(_, source)| source.value.get(table)?.as_object());
        tables.flat_map(|table| table.keys().cloned()).collect()
    }

    fn stage(&mut self, definition: &StageDefinition) {
        let StageDefinition {
            identity,
            notice,
            place,
            template,
            ttl,
            guards,
            description,
            route_selection_expression,
            functions,
            existing,
            tables,
            routes,
            // Some of those.
            own_routes: _,
            keep_releases,
            retain,
            api,
            tags,
            permissions_boundary,
        } = definition;
        self.put(&["service"], &identity.service);
        self.put(&["description"], description);
        self.put(&["route_selection_expression"], route_selection_expression);
        self.place(place);
        self.put_if(&["notice"], notice.as_ref());
        let Guards {
            account_id,
            protected,
            clean_git,
        } = guards;
        self.put_if(&["account_id"], account_id.as_ref());
        self.put(&["protected"], protected);
        self.put(&["clean_git"], clean_git);
        self.put(&["template"], template);
        self.put_if(&["ttl"], ttl.map(|ttl| ttl.to_string()));
        self.put(&["keep_releases"], keep_releases);
        self.put(&["retain"], retain);
        self.put_if(
            &["defaults", "permissions_boundary"],
            permissions_boundary.as_ref(),
        );
        for (key, function) in functions {
            self.function(key, function);
        }
        for (key, function) in existing {
            let said = match &function.place {
                Some(place) => format!(
                    "arn:{}:lambda:{}:{}:function:{function}",
                    place.partition, place.region, place.account_id
                ),
                None => function.to_string(),
            };
            self.put(&["functions", key.as_str(), "existing"], said);
        }
        for (route, function) in routes {
            self.put(&["routes", route.as_str()], function);
        }
        self.api(api);
        for name in self.keys_of("tables") {
            match tables.get(&name.as_str().into()) {
                Some(table) => self.table(&name, table),
                None => self.put(&["tables", &name, "enabled"], false),
            }
        }
        for (name, value) in tags {
            self.put(&["tags", name], value);
        }
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Local { port } => {
                self.put(&["target"], "local");
                self.put(&["port"], port);
            }
            Place::Aws { region, profile } => {
                self.put(&["target"], "aws");
                self.put_if(&["region"], region.as_ref());
                self.put_if(&["aws_profile"], profile.as_ref());
            }
        }
    }

    fn function(&mut self, key: &FunctionKey, function: &FunctionDefinition) {
        let FunctionDefinition {
            package,
            description,
            memory_mb,
            timeout_seconds,
            architecture,
            log_retention_days,
            environment,
            reserved_concurrency,
            state,
            secrets,
            secrets_kms_key,
            tables,
            invokes_itself,
            statements,
            role_arn,
            permissions_boundary,
            facilities,
            tags,
        } = function;
        let Facilities {
            ephemeral_storage_mb,
            tracing,
            logging,
        } = facilities;
        let mut of = OfFunction {
            sheet: self,
            name: key.as_str(),
        };
        of.put(&["package"], package);
        if !description.is_empty() {
            of.put(&["description"], description);
        }
        of.put(&["memory_mb"], memory_mb);
        of.put(&["timeout_seconds"], timeout_seconds);
        of.put(&["architecture"], architecture);
        of.put(&["log_retention_days"], log_retention_days);
        of.put(&["ephemeral_storage_mb"], ephemeral_storage_mb);
        of.put(&["tracing"], tracing);
        of.put(&["log_format"], logging.format());
        if let Logging::Json {
            application,
            system,
        } = logging
        {
            of.put(&["application_log_level"], application);
            of.put(&["system_log_level"], system);
        }
        of.put_if(&["reserved_concurrency"], reserved_concurrency.as_ref());
        of.put_if(&["state"], state.as_ref());
        of.put(&["invokes_itself"], invokes_itself);
        of.put_if(&["role_arn"], role_arn.as_ref());
        of.put_if(&["permissions_boundary"], permissions_boundary.as_ref());
        of.put_if(&["secrets_kms_key"], secrets_kms_key.as_ref());
        for (name, value) in environment {
            // What `state` says, once more.
            if name != STATE_VARIABLE || state.is_none() {
                of.put(&["environment", name], value);
            }
        }
        for (name, reference) in secrets {
            of.put(&["secrets", name], reference.as_written());
        }
        for (variable, TableGrant { table, actions }) in tables {
            let used = json!({ "table": table, "actions": actions });
            of.put(&["tables", variable], used);
        }
        for (name, value) in tags {
            of.put(&["tags", name], value);
        }
        self.statements(key.as_str(), statements);
    }

    /// The service's come first, then the stage's.
    fn statements(&mut self, function: &str, statements: &[Value]) {
        let at = pointer(&["functions", function, "iam"]);
        let [of_stage, of_service] = &self.files;
        let mut origins = Vec::new();
        for (file, source) in [of_service, of_stage] {
            let listed = source.value.pointer(&at).and_then(Value::as_array);
            for index in 0..listed.map_or(0, Vec::len) {
                let place = source.value_span(&child(&at, &index.to_string()));
                let (line, _) = line_and_column(file.text, place.start);
                let path = file.path.to_owned();
                origins.push(Origin::File { path, line });
            }
        }
        for (index, (statement, origin)) in statements.iter().zip(origins).enumerate() {
            let effect = statement["Effect"].as_str().unwrap_or_default();
            let mut value = json!({
                "effect": effect.to_lowercase(),
                "actions": statement["Action"],
                "resources": statement["Resource"],
            });
            if let Some(conditions) = statement.get("Condition") {
                value["conditions"] = conditions.clone();
            }
            let index = index.to_string();
            self.add(&["functions", function, "iam", &index], value, origin);
        }
    }

    fn api(&mut self, api: &ApiDefinition) {
        let ApiDefinition {
            adopt,
            settings,
            variables,
            default_route,
            route_settings,
            iam_routes,
            authorizer,
            access_logs,
            execution_log_retention_days,
        } = api;
        let ApiSettings {
            disable_execute_api_endpoint,
            ip_address_type,
        } = settings;
        self.put_if(&["api", "adopt"], adopt.as_ref());
        let disabled = disable_execute_api_endpoint;
        self.put(&["api", "disable_execute_api_endpoint"], disabled);
        self.put(&["api", "ip_address_type"], ip_address_type);
        for (name, value) in variables {
            self.put(&["api_stage", "variables", name], value);
        }
        self.limits(&["api_stage"], default_route);
        if let Some(AccessLogsDefinition {
            format,
            retention_days,
        }) = access_logs
        {
            self.put(&["api_stage", "access_logs", "format"], format);
            self.put(
                &["api_stage", "access_logs", "retention_days"],
                retention_days,
            );
        }
        self.execution_logs(default_route, *execution_log_retention_days);
        for name in self.keys_of("route_settings") {
            let route = RouteKey::new(&name);
            let authorization = match authorizer {
                Some(authorizer) if authorizer.guards(&route) => "custom",
                _ if iam_routes.contains(&route) => "iam",
                _ => "none",
            };
            let table = ["route_settings", &name];
            let key = [&table[..], &["authorization"]].concat();
            let others = match authorization {
                "custom" => vec!["/authorizer".to_owned()],
                _ => Vec::new(),
            };
            self.put_or(&key, &others, authorization);
            self.limits(&table, route_settings.get(&route).unwrap_or(default_route));
        }
        self.authorizer(authorizer.as_ref());
    }

    /// What a route doesn't say is the stage's.
    fn limits(&mut self, table: &[&str], settings: &RouteSettings) {
        let RouteSettings {
            burst_limit,
            rate_limit: Rate(rate_limit),
            metrics,
            // They are the stage's alone.
            level: _,
            data_trace: _,
        } = settings;
        let mut put = |key: &[&str], value: Value| {
            let of_stage = pointer(&[&["api_stage"], key].concat());
            self.put_or(&[table, key].concat(), &[of_stage], value);
        };
        put(&["throttling", "burst_limit"], json!(burst_limit));
        put(&["throttling", "rate_limit"], json!(rate_limit));
        put(&["metrics"], json!(metrics));
    }

    fn execution_logs(&mut self, settings: &RouteSettings, retention_days: Option<u32>) {
        let level = match settings.level {
            LoggingLevel::Off => "off",
            LoggingLevel::Error => "error",
            LoggingLevel::Info => "info",
        };
        let at = |key| ["api_stage", "execution_logs", key];
        self.put(&at("level"), level);
        if let Some(days) = retention_days {
            self.put(&at("data_trace"), settings.data_trace);
            self.put(&at("retention_days"), days);
        }
    }

    fn authorizer(&mut self, authorizer: Option<&Authorizer>) {
        match authorizer {
            Some(Authorizer {
                function,
                identity_sources,
            }) => {
                self.put(&["authorizer", "function"], function);
                self.put(&["authorizer", "identity_sources"], identity_sources);
                self.put(&["authorizer", "enabled"], true);
            }
            None if !self.keys_of("authorizer").is_empty() => {
                self.put(&["authorizer", "enabled"], false);
            }
            None => {}
        }
    }

    fn table(&mut self, name: &str, table: &TableDefinition) {
        let TableDefinition {
            key: TableKey { partition, sort },
            settings:
                TableSettings {
                    ttl,
                    point_in_time_recovery,
                },
            on_down,
        } = table;
        let mut put = |key: &str, value: Value| self.put(&["tables", name, key], value);
        put("partition_key", json!(partition.name));
        put("partition_key_type", json!(partition.kind));
        if let Some(sort) = sort {
            put("sort_key", json!(sort.name));
            put("sort_key_type", json!(sort.kind));
        }
        if let Some(ttl) = ttl {
            put("ttl", json!(ttl));
        }
        put("point_in_time_recovery", json!(point_in_time_recovery));
        put("on_down", json!(on_down));
        put("enabled", json!(true));
    }
}

/// A function's settings, which `[defaults]` may say, too.
struct OfFunction<'a, 'f> {
    sheet: &'a mut Sheet<'f>,
    name: &'a str,
}

impl OfFunction<'_, '_> {
    fn put(&mut self, key: &[&str], value: impl Serialize) {
        let own = [&["functions", self.name], key].concat();
        let of_all = pointer(&[&["defaults"], key].concat());
        self.sheet.put_or(&own, &[of_all], value);
    }

    fn put_if(&mut self, key: &[&str], value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }
}
