//! `[tables.<name>]`: DynamoDB tables of the stage, and `tables` of a function: those it
//! uses. Tables may stand in both files; the stage's wins, key by key.
//!
//! What they must agree with is looked at in both files together, and reported where it
//! is said first.

use super::check::nearest;
use super::definition::{FunctionDefinition, StageDefinition};
use super::problem::Problem;
use super::rules::{self, RESERVED_VARIABLES};
use super::source::{Source, child};
use super::types::{FunctionDefaults, FunctionSettings, ServiceFile, StageFile};
use crate::names::TableId;
use crate::table::{ItemAction, KeyAttribute, KeyType, OnDown, TableKey, TableSettings};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A DynamoDB table, paid by the request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableTable {
    /// The attribute by which items are spread. It can't be changed later.
    #[schemars(length(min = 1, max = 255))]
    pub partition_key: Option<String>,
    /// Its type. Default: `string`.
    pub partition_key_type: Option<KeyType>,
    /// The attribute by which items of one partition are ordered. It can't be changed later.
    #[schemars(length(min = 1, max = 255))]
    pub sort_key: Option<String>,
    /// Its type. Default: `string`.
    pub sort_key_type: Option<KeyType>,
    /// The attribute that says when an item expires, in seconds since 1970. Default: none.
    #[schemars(length(min = 1, max = 255))]
    pub ttl: Option<String>,
    /// Whether it can be restored to any second of the last 35 days. It costs. Default: false.
    pub point_in_time_recovery: Option<bool>,
    /// What `down` does with it and its items: `remove` or `retain`. Must be said.
    pub on_down: Option<OnDown>,
    /// Whether the stage has it. Default: true.
    pub enabled: Option<bool>,
}

/// A table that a function uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableUse {
    /// Which of `[tables]`.
    pub table: String,
    /// What the function may do with its items.
    #[schemars(extend("minItems" = 1))]
    pub actions: BTreeSet<ItemAction>,
}

/// A table, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its key.
    pub key: TableKey,
    /// What can be changed.
    pub settings: TableSettings,
    /// What `down` does with it.
    pub on_down: OnDown,
}

/// A table that a function of the stage uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableGrant {
    /// Which.
    pub table: TableId,
    /// What the function may do with its items.
    pub actions: BTreeSet<ItemAction>,
}

/// Both files' word on one table, the stage's first.
#[derive(Clone, Copy)]
struct Said<'a>([Option<&'a TableTable>; 2]);

impl<'a> Said<'a> {
    fn pick<T>(self, of: impl Fn(&'a TableTable) -> Option<T>) -> Option<T> {
        self.0.into_iter().flatten().find_map(of)
    }

    fn is_on(self) -> bool {
        self.pick(|table| table.enabled).unwrap_or(true)
    }

    /// `None`: something is missing that must be said.
    fn complete(self) -> Option<TableDefinition> {
        let attribute = |name: Option<&String>, kind: Option<KeyType>| {
            name.map(|name| KeyAttribute {
                name: name.clone(),
                kind: kind.unwrap_or(KeyType::String),
            })
        };
        Some(TableDefinition {
            key: TableKey {
                partition: attribute(
                    self.pick(|it| it.partition_key.as_ref()),
                    self.pick(|it| it.partition_key_type),
                )?,
                sort: attribute(
                    self.pick(|it| it.sort_key.as_ref()),
                    self.pick(|it| it.sort_key_type),
                ),
            },
            settings: TableSettings {
                ttl: self.pick(|it| it.ttl.clone()),
                point_in_time_recovery: self
                    .pick(|it| it.point_in_time_recovery)
                    .unwrap_or_default(),
            },
            on_down: self.pick(|it| it.on_down)?,
        })
    }
}

fn all<'a>(service: &'a ServiceFile, stage: &'a StageFile) -> BTreeMap<&'a str, Said<'a>> {
    let names = service.tables.keys().chain(stage.tables.keys());
    let said = |name: &'a String| {
        let both = Said([stage.tables.get(name), service.tables.get(name)]);
        (name.as_str(), both)
    };
    names.map(said).collect()
}

/// The tables that the stage has.
pub(super) fn merge(
    service: &ServiceFile,
    stage: &StageFile,
) -> BTreeMap<TableId, TableDefinition> {
    all(service, stage)
        .into_iter()
        .filter(|(_, said)| said.is_on())
        .filter_map(|(name, said)| Some((TableId::new(name), said.complete()?)))
        .collect()
}

/// The tables that a function uses, by the variable that has their name; those that the
/// stage doesn't have are left out. `settings` and `defaults`: the stage's first.
pub(super) fn merge_uses(
    settings: [&FunctionSettings; 2],
    defaults: [&FunctionDefaults; 2],
    tables: &BTreeMap<TableId, TableDefinition>,
) -> BTreeMap<String, TableGrant> {
    let layers = [
        &defaults[1].tables,
        &defaults[0].tables,
        &settings[1].tables,
        &settings[0].tables,
    ];
    let mut uses = BTreeMap::new();
    // The most specific last, so that it wins.
    for (variable, used) in layers.into_iter().flatten() {
        let grant = TableGrant {
            table: TableId::new(&used.table),
            actions: used.actions.clone(),
        };
        uses.insert(variable.clone(), grant);
    }
    uses.retain(|_, grant| tables.contains_key(&grant.table));
    uses
}

/// Every mistake of the service's file and of the stage's.
pub(super) fn check(
    [of_service, of_stage]: [&Source; 2],
    service: &ServiceFile,
    stage: &StageFile,
    definition: &StageDefinition,
) -> [Vec<Problem>; 2] {
    let mut rules = Rules {
        files: [of_stage, of_service],
        problems: [Vec::new(), Vec::new()],
    };
    let tables = all(service, stage);
    let mut used = BTreeSet::new();
    let (d, f) = ("/defaults".to_owned(), "/functions");
    let of_files = [
        (0, &stage.defaults.tables, &stage.functions),
        (1, &service.defaults.tables, &service.functions),
    ];
    for (file, of_all, functions) in of_files {
        let of_each = functions.iter().map(|(key, s)| (child(f, key), &s.tables));
        for (at, uses) in std::iter::once((d.clone(), of_all)).chain(of_each) {
            rules.uses(file, &child(&at, "tables"), uses, &tables);
            used.extend(uses.values().map(|it| it.table.as_str()));
        }
    }
    for (name, said) in &tables {
        rules.table(name, *said, used.contains(name));
    }
    for (key, function) in &definition.functions {
        rules.function(key.as_str(), function);
    }
    let [of_stage, of_service] = rules.problems;
    [of_service, of_stage]
}

struct Rules<'a> {
    /// The stage's, then the service's.
    files: [&'a Source; 2],
    problems: [Vec<Problem>; 2],
}

impl Rules<'_> {
    fn at_key(&mut self, file: usize, pointer: &str, message: String, help: &str) {
        let problem = Problem {
            message,
            help: Some(help.to_owned()),
            span: self.files[file].key_span(pointer),
        };
        self.problems[file].push(problem);
    }

    /// At the first of the pointers that a file has.
    fn at_first(&mut self, pointers: &[String], message: String, help: &str) {
        for pointer in pointers {
            for file in 0..self.files.len() {
                if self.files[file].value.pointer(pointer).is_some() {
                    return self.at_key(file, pointer, message, help);
                }
            }
        }
    }

    fn uses(
        &mut self,
        file: usize,
        at: &str,
        uses: &BTreeMap<String, TableUse>,
        tables: &BTreeMap<&str, Said<'_>>,
    ) {
        for (variable, used) in uses {
            let at = child(at, variable);
            if RESERVED_VARIABLES.contains(&variable.as_str()) {
                let message = format!("`{variable}` is set by Lambda and can't name a table");
                self.at_key(file, &at, message, "choose another variable");
            }
            if tables.contains_key(used.table.as_str()) {
                continue;
            }
            let message = format!("there is no table `{}`", used.table);
            let help = match nearest(&used.table, tables.keys().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("define it as [tables.{}]", used.table),
            };
            self.at_key(file, &child(&at, "table"), message, &help);
        }
    }

    fn table(&mut self, name: &str, said: Said<'_>, is_used: bool) {
        let at = child("/tables", name);
        let here = [at.clone()];
        if !is_used {
            let message = format!("no function uses the table `{name}`");
            let help = "name it in a function's `tables`, or remove it";
            self.at_first(&here, message, help);
        }
        if !said.is_on() {
            return;
        }
        if said.pick(|it| it.partition_key.as_ref()).is_none() {
            let message = format!("the table `{name}` has no `partition_key`");
            let help = "name the attribute by which its items are spread";
            self.at_first(&here, message, help);
        }
        if said.pick(|it| it.on_down).is_none() {
            let message = format!("`on_down` of the table `{name}` isn't said");
            let help = "say `remove` where its items may go with the stage, else `retain`";
            self.at_first(&here, message, help);
        }
        if said.pick(|it| it.sort_key.as_ref()).is_none()
            && said.pick(|it| it.sort_key_type).is_some()
        {
            let message = format!("the table `{name}` has a type of its sort key, but no sort key");
            self.at_first(&[child(&at, "sort_key_type")], message, "add `sort_key`");
        }
        let Some(table) = said.complete() else {
            return;
        };
        let partition = &table.key.partition.name;
        if table.key.sort.is_some_and(|sort| sort.name == *partition) {
            let message = format!("`{partition}` can't be both keys of the table `{name}`");
            let help = "name another attribute";
            self.at_first(&[child(&at, "sort_key")], message, help);
        }
        let expires = table.settings.ttl.filter(|ttl| ttl == partition);
        if let Some(ttl) = expires {
            let message = format!("`{ttl}` of the table `{name}` can't be both key and `ttl`");
            let help = "name another attribute";
            self.at_first(&[child(&at, "ttl")], message, help);
        }
    }

    fn function(&mut self, key: &str, function: &FunctionDefinition) {
        let at = child("/functions", key);
        for variable in function.tables.keys() {
            if function.environment.contains_key(variable)
                || function.secrets.contains_key(variable)
            {
                let message = format!(
                    "`{variable}` of `{key}` is both in `tables` and a variable of another kind"
                );
                let pointers = [at.as_str(), "/defaults"]
                    .map(|place| child(&child(place, "tables"), variable));
                self.at_first(&pointers, message, "keep one of them");
            }
        }
        if function.role_arn.is_none() {
            return;
        }
        let given = [
            ("tables", !function.tables.is_empty()),
            ("invokes_itself", function.invokes_itself),
        ];
        for (setting, _) in given.into_iter().filter(|(_, is_there)| *is_there) {
            let message = rules::needs_own_role(setting, key);
            let pointers = [child(&at, setting), child("/defaults", setting)];
            self.at_first(&pointers, message, rules::PERMIT_THERE);
        }
    }
}
