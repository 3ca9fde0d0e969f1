//! `[authorizer]`: the function that decides whom `$connect` lets in. The table may
//! stand in both files; the stage's wins, key by key.
//!
//! What it must agree with (the functions, the routes, `authorization`, the stage
//! variables) is looked at in both files together, and reported where it is said.

use super::api::{Authorization, AuthorizerTable};
use super::definition::StageDefinition;
use super::problem::Problem;
use super::routes;
use super::rules::suggest;
use super::source::{Source, child};
use super::types::{ServiceFile, StageFile};
use crate::authorizer::{Authorizer, CONNECT, IdentitySource};
use std::ops::Range;

const FUNCTION: &str = "/authorizer/function";
const SOURCES: &str = "/authorizer/identity_sources";

/// The authorizer of both files together; `None`: there is none, or it is off.
pub(super) fn merge(service: &ServiceFile, stage: &StageFile) -> Option<Authorizer> {
    let tables = [&stage.authorizer, &service.authorizer];
    let function = tables
        .into_iter()
        .find_map(|table| table.function.clone())?;
    is_on(tables).then(|| Authorizer {
        function: function.as_str().into(),
        identity_sources: tables
            .into_iter()
            .find_map(|table| table.identity_sources.clone())
            .unwrap_or_default(),
    })
}

fn is_on(tables: [&AuthorizerTable; 2]) -> bool {
    tables
        .into_iter()
        .find_map(|table| table.enabled)
        .unwrap_or(true)
}

/// The functions that either file names, whether or not the authorizer is on: where a
/// stage turns it off, its function stays, and with it the releases that need it.
pub(super) fn functions<'a>(
    service: &'a ServiceFile,
    stage: &'a StageFile,
) -> impl Iterator<Item = &'a str> {
    let tables = [&stage.authorizer, &service.authorizer];
    tables
        .into_iter()
        .filter_map(|table| table.function.as_deref())
}

/// Every mistake of the service's file and of the stage's.
pub(super) fn check(
    sources: [&Source; 2],
    service: &ServiceFile,
    stage: &StageFile,
    definition: &StageDefinition,
) -> [Vec<Problem>; 2] {
    let [of_service, of_stage] = sources;
    let mut rules = Rules {
        files: [of_stage, of_service],
        problems: [Vec::new(), Vec::new()],
        service,
        stage,
    };
    let tables = [&stage.authorizer, &service.authorizer];
    for (file, table) in tables.into_iter().enumerate() {
        rules.function(file, table);
        rules.sources(file, table);
    }
    let said = tables
        .iter()
        .any(|table| **table != AuthorizerTable::default());
    match (&definition.api.authorizer, said) {
        (Some(authorizer), _) => rules.together(authorizer, definition),
        (None, true) if is_on(tables) => rules.at_key(
            "/authorizer",
            "`authorizer.function` is missing".to_owned(),
            "name the function that decides who may connect".to_owned(),
        ),
        _ => {}
    }
    rules.authorization(definition, stage);
    let [of_stage, of_service] = rules.problems;
    [of_service, of_stage]
}

struct Rules<'a> {
    /// The stage's, then the service's.
    files: [&'a Source; 2],
    problems: [Vec<Problem>; 2],
    service: &'a ServiceFile,
    stage: &'a StageFile,
}

impl Rules<'_> {
    fn problem(&mut self, file: usize, message: String, help: String, span: Range<usize>) {
        self.problems[file].push(Problem {
            message,
            help: Some(help),
            span,
        });
    }

    /// The first of the files that says this.
    fn file_of(&self, pointer: &str) -> usize {
        let says = |file: &Source| file.value.pointer(pointer).is_some();
        usize::from(!says(self.files[0]))
    }

    fn at_key(&mut self, pointer: &str, message: String, help: String) {
        let file = self.file_of(pointer);
        let span = self.files[file].key_span(pointer);
        self.problem(file, message, help, span);
    }

    fn at_value(&mut self, pointer: &str, message: String, help: String) {
        let file = self.file_of(pointer);
        let span = self.files[file].value_span(pointer);
        self.problem(file, message, help, span);
    }

    fn function(&mut self, file: usize, table: &AuthorizerTable) {
        let Some(function) = &table.function else {
            return;
        };
        let span = self.files[file].value_span(FUNCTION);
        if !self.service.functions.contains_key(function) {
            let message =
                format!("[authorizer] names the function `{function}`, which isn't defined");
            let help = suggest(function, self.service);
            return self.problem(file, message, help, span);
        }
        let mut routes = routes::merge(self.service, self.stage).into_iter();
        if let Some((route, _)) = routes.find(|(_, target)| target == function) {
            let message = format!(
                "`{function}` is the authorizer and serves the route `{route}`, too: the two are asked and answer differently"
            );
            let help = "let another function decide who may connect".to_owned();
            self.problem(file, message, help, span);
        }
    }

    fn sources(&mut self, file: usize, table: &AuthorizerTable) {
        for (index, source) in table.identity_sources.iter().flatten().enumerate() {
            if IdentitySource::parse(source).is_some() {
                continue;
            }
            // Places go by the file's order, which the set doesn't keep.
            let listed = self.files[file].value.pointer(SOURCES);
            let listed = listed.and_then(|list| list.as_array());
            let at = listed.and_then(|list| list.iter().position(|it| it == source));
            let span =
                self.files[file].value_span(&child(SOURCES, &at.unwrap_or(index).to_string()));
            let message = format!("`{source}` is no identity source of a WebSocket API");
            let help = format!("write {}", IdentitySource::FORMS);
            self.problem(file, message, help, span);
        }
    }

    /// What an authorizer that is on needs.
    fn together(&mut self, authorizer: &Authorizer, definition: &StageDefinition) {
        if !definition.routes.contains_key(&CONNECT.into()) {
            let message =
                format!("an authorizer is asked at `{CONNECT}`, and no function serves that route");
            let help = format!("add \"{CONNECT}\" under [routes]");
            self.at_key("/authorizer", message, help);
        }
        for source in &authorizer.identity_sources {
            let Some(IdentitySource::StageVariable(name)) = IdentitySource::parse(source) else {
                continue;
            };
            if !definition.api.variables.contains_key(name) {
                let message = format!(
                    "nobody could connect: the stage has no variable `{name}`, which is an identity source"
                );
                let help = "set it under [api_stage] variables, or remove the source".to_owned();
                self.at_value(SOURCES, message, help);
            }
        }
    }

    /// `authorization` of `$connect` says nothing else than `[authorizer]`.
    fn authorization(&mut self, definition: &StageDefinition, stage: &StageFile) {
        let tables = [&stage.route_settings, &self.service.route_settings];
        let mut said = tables.into_iter().filter_map(|all| all.get(CONNECT));
        let Some(said) = said.find_map(|table| table.authorization) else {
            return;
        };
        let (message, help) = match (&definition.api.authorizer, said) {
            (Some(_), Authorization::Iam | Authorization::None) => (
                format!("`{CONNECT}` has an authorizer, so its authorization is `custom`"),
                "leave it out, or turn the authorizer off with `enabled = false`",
            ),
            (None, Authorization::Custom) => (
                format!("the authorization of `{CONNECT}` is `custom`, but no authorizer is on"),
                "set up [authorizer], or leave it out",
            ),
            _ => return,
        };
        let at = child(&child("/route_settings", CONNECT), "authorization");
        self.at_value(&at, message, help.to_owned());
    }
}
