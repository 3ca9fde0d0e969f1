//! Rules of functions' production settings that a schema can't express: what
//! each value must be, and what must not be said together, wherever it is said.

use super::api_rules;
use super::definition::{FunctionDefinition, STATE_VARIABLE, StageDefinition};
use super::iam::{IamStatement, action_mistake, resource_mistake};
use super::merge_settings::Layers;
use super::problem::Problem;
use super::rules::{PERMIT_THERE, needs_own_role};
use super::source::{Source, child};
use super::types::{FunctionSettings, ServiceFile, StageFile, StateKept};
use crate::facilities::{LogFormat, Logging};
use crate::secrets::{FORMS, SecretReference, VARIABLE_PREFIX};
use std::collections::{BTreeMap, BTreeSet};

/// The two files.
pub(super) struct Sources<'a> {
    pub service: &'a Source,
    pub stage: &'a Source,
}

/// All mistakes, those of the service's file and those of the stage's.
pub(super) fn check(
    sources: &Sources<'_>,
    service: &ServiceFile,
    stage: &StageFile,
    definition: &StageDefinition,
) -> (Vec<Problem>, Vec<Problem>) {
    let defaults = |source, secrets, tags, environment| {
        let mut file = OneFile::new(source);
        file.secrets("/defaults", secrets);
        file.tags("/defaults", tags);
        file.environment("/defaults", environment);
        file
    };
    let d = &service.defaults;
    let mut of_service = defaults(sources.service, &d.secrets, &d.tags, &d.environment);
    of_service.functions(&service.functions);
    let d = &stage.defaults;
    let mut of_stage = defaults(sources.stage, &d.secrets, &d.tags, &d.environment);
    of_stage.functions(&stage.functions);

    let mut merged = Merged {
        sources,
        of_service: of_service.problems,
        of_stage: of_stage.problems,
    };
    let nothing = FunctionSettings::default();
    for (key, of_service) in &service.functions {
        let layers = Layers {
            settings: [stage.functions.get(key).unwrap_or(&nothing), of_service],
            defaults: [&stage.defaults, &service.defaults],
        };
        let Some(function) = definition.functions.get(&key.as_str().into()) else {
            continue;
        };
        merged.function(key, function, &layers);
        merged.tags(key, function, definition);
    }
    (merged.of_service, merged.of_stage)
}

/// What one file says, by itself.
struct OneFile<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl<'a> OneFile<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            source,
            problems: Vec::new(),
        }
    }

    fn at_key(&mut self, pointer: &str, message: String, help: Option<String>) {
        let span = self.source.key_span(pointer);
        self.problems.push(Problem {
            message,
            help,
            span,
        });
    }

    fn at_value(&mut self, pointer: &str, message: String, help: Option<String>) {
        let span = self.source.value_span(pointer);
        self.problems.push(Problem {
            message,
            help,
            span,
        });
    }

    fn functions(&mut self, functions: &BTreeMap<String, FunctionSettings>) {
        for (key, settings) in functions {
            let table = child("/functions", key);
            self.secrets(&table, &settings.secrets);
            self.tags(&table, &settings.tags);
            self.environment(&table, &settings.environment);
            let iam = child(&table, "iam");
            for (index, statement) in settings.iam.iter().enumerate() {
                self.statement(&child(&iam, &index.to_string()), statement);
            }
        }
    }

    fn secrets(&mut self, table: &str, secrets: &BTreeMap<String, String>) {
        let table = child(table, "secrets");
        for (name, reference) in secrets {
            if let Err(why) = SecretReference::parse(reference) {
                // Whoever wrote the value itself must not find it in a log.
                let message = format!("the secret `{name}` isn't a reference: {why}");
                let help = format!("write {FORMS}");
                self.at_value(&child(&table, name), message, Some(help));
            }
        }
    }

    fn environment(&mut self, table: &str, variables: &BTreeMap<String, String>) {
        let table = child(table, "environment");
        for name in variables.keys().filter(|n| n.starts_with(VARIABLE_PREFIX)) {
            let message =
                format!("variables that begin with `{VARIABLE_PREFIX}` hold references to secrets");
            let help = Some("name it under `secrets`".to_owned());
            self.at_key(&child(&table, name), message, help);
        }
        if variables.contains_key(STATE_VARIABLE) {
            let message = format!("`{STATE_VARIABLE}` says where a function's state is kept");
            let help = Some("say it by the function's `state`".to_owned());
            self.at_key(&child(&table, STATE_VARIABLE), message, help);
        }
    }

    fn tags(&mut self, table: &str, tags: &BTreeMap<String, String>) {
        self.problems
            .extend(api_rules::tags(self.source, table, tags));
    }

    fn statement(&mut self, pointer: &str, statement: &IamStatement) {
        let lists = [
            (
                "actions",
                &statement.actions,
                action_mistake as fn(&str) -> _,
            ),
            ("resources", &statement.resources, resource_mistake),
        ];
        for (list, items, mistake) in lists {
            let list = child(pointer, list);
            for (index, item) in items.iter().enumerate() {
                if let Some(rule) = mistake(item) {
                    let message = format!("`{item}`: {rule}");
                    self.at_value(&child(&list, &index.to_string()), message, None);
                }
            }
        }
    }
}

/// What all places say together.
struct Merged<'a> {
    sources: &'a Sources<'a>,
    of_service: Vec<Problem>,
    of_stage: Vec<Problem>,
}

impl Merged<'_> {
    /// At the most specific of the settings' places that is there.
    fn at(&mut self, key: &str, setting: &[&str], message: String, help: &str) {
        let path = |table: String| setting.iter().fold(table, |at, part| child(&at, part));
        let pointers = [path(child("/functions", key)), path("/defaults".to_owned())];
        for pointer in &pointers {
            for (source, problems) in [
                (self.sources.stage, &mut self.of_stage),
                (self.sources.service, &mut self.of_service),
            ] {
                if source.value.pointer(pointer).is_some() {
                    problems.push(Problem {
                        message,
                        help: Some(help.to_owned()),
                        span: source.key_span(pointer),
                    });
                    return;
                }
            }
        }
    }

    /// Those of everything count, too.
    fn tags(&mut self, key: &str, function: &FunctionDefinition, definition: &StageDefinition) {
        let names: BTreeSet<&String> = definition.tags.keys().chain(function.tags.keys()).collect();
        let (count, limit) = (names.len(), api_rules::TAGS_LIMIT);
        if count > limit && !function.tags.is_empty() {
            let message = format!("{count} tags of `{key}` are too many: there may be {limit}");
            self.at(key, &["tags"], message, "those in [tags] count, too");
        }
        for tag in function.tags.keys() {
            let lower = tag.to_lowercase();
            let mut others = names.iter().filter(|name| **name != tag);
            if let Some(other) = others.find(|name| name.to_lowercase() == lower) {
                let message = format!(
                    "the tags `{tag}` and `{other}` of `{key}` differ in upper and lower case only, which IAM doesn't tell apart"
                );
                self.at(key, &["tags", tag.as_str()], message, "keep one of them");
            }
        }
    }

    fn function(&mut self, key: &str, function: &FunctionDefinition, layers: &Layers<'_>) {
        for name in function.secrets.keys() {
            if function.environment.contains_key(name) {
                let message = format!("`{name}` of `{key}` is both a secret and in `environment`");
                self.at(key, &["secrets", name], message, "keep one of them");
            }
        }
        let one_environment = function.reserved_concurrency == Some(1);
        if function.state == Some(StateKept::Memory) && !one_environment {
            let message = format!(
                "`{key}` keeps its state in memory, and without `reserved_concurrency = 1` Lambda starts further environments, which know nothing of each other's"
            );
            let help = "add `reserved_concurrency = 1`, or keep the state elsewhere";
            self.at(key, &["state"], message, help);
        }
        if function.secrets_kms_key.is_some() && function.secrets.is_empty() {
            let message = format!("`{key}` has a key for its secrets, but no secrets");
            // Keys of all functions are for those that have secrets.
            if layers.settings.iter().any(|s| s.secrets_kms_key.is_some()) {
                self.at(key, &["secrets_kms_key"], message, "remove it");
            }
        }
        if function.role_arn.is_some() {
            let given = [
                ("iam", !function.statements.is_empty()),
                ("secrets", !function.secrets.is_empty()),
                (
                    "permissions_boundary",
                    layers
                        .settings
                        .iter()
                        .any(|s| s.permissions_boundary.is_some()),
                ),
            ];
            for (setting, _) in given.into_iter().filter(|(_, is_there)| *is_there) {
                let message = needs_own_role(setting, key);
                self.at(key, &[setting], message, PERMIT_THERE);
            }
        }
        if function.facilities.logging == Logging::Text {
            let (application, system) = layers.log_levels();
            let levels = [
                ("application_log_level", application.is_some()),
                ("system_log_level", system.is_some()),
            ];
            for (setting, _) in levels.into_iter().filter(|(_, is_there)| *is_there) {
                let message = format!(
                    "`{setting}` of `{key}` needs log_format = \"{}\": text has no levels",
                    LogFormat::Json
                );
                self.at(key, &[setting], message, "set log_format, or remove it");
            }
        }
    }
}
