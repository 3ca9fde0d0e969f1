//! `[routes]`: which function serves which route key. The service's file has them; a
//! stage's may send some elsewhere, and add its own.
//!
//! A function that none of a stage's routes leads to isn't part of that stage.
//! Deliberately absent: taking a route away. Clients of all stages find the same ones.

use super::authorizer;
use super::problem::Problem;
use super::rules::suggest;
use super::source::{Source, child};
use super::types::{ServiceFile, StageFile};
use std::collections::{BTreeMap, BTreeSet};

/// The stage's routes: those of the service, but for what the stage says differently.
pub(super) fn merge<'f>(
    service: &'f ServiceFile,
    stage: &'f StageFile,
) -> BTreeMap<&'f str, &'f str> {
    let both = service.routes.iter().chain(&stage.routes);
    both.map(|(route, function)| (route.as_str(), function.as_str()))
        .collect()
}

/// The functions that the stage has: those its routes lead to, and the authorizer.
pub(super) fn functions<'f>(service: &'f ServiceFile, stage: &'f StageFile) -> BTreeSet<&'f str> {
    let routed = merge(service, stage).into_values();
    routed
        .chain(authorizer::functions(service, stage))
        .collect()
}

/// Every mistake in the service's own table.
pub(super) fn of_service(source: &Source, file: &ServiceFile, stage: &StageFile) -> Vec<Problem> {
    let mut problems = undefined(source, &file.routes, file);
    let authorizers = authorizer::functions(file, stage);
    let routed = file.routes.values().map(String::as_str);
    let used: BTreeSet<&str> = routed.chain(authorizers).collect();
    for key in file
        .functions
        .keys()
        .filter(|key| !used.contains(key.as_str()))
    {
        problems.push(Problem {
            message: format!("no route leads to the function `{key}`"),
            help: Some(format!(
                "add a route for it under [routes], name it in [authorizer], or remove [functions.{key}]"
            )),
            span: source.key_span(&child("/functions", key)),
        });
    }
    problems
}

/// Every mistake in a stage's table, and settings of functions that its table leaves out.
pub(super) fn of_stage(source: &Source, file: &StageFile, service: &ServiceFile) -> Vec<Problem> {
    let mut problems = undefined(source, &file.routes, service);
    let used = functions(service, file);
    let left_out = file.functions.keys().filter(|key| {
        service.functions.contains_key(*key)
            && service.routes.values().any(|function| function == *key)
            && !used.contains(key.as_str())
    });
    for key in left_out {
        problems.push(Problem {
            message: format!("no route of this stage leads to the function `{key}`"),
            help: Some(format!(
                "remove [functions.{key}] here, or what [routes] says differently"
            )),
            span: source.key_span(&child("/functions", key)),
        });
    }
    problems
}

fn undefined(
    source: &Source,
    routes: &BTreeMap<String, String>,
    service: &ServiceFile,
) -> Vec<Problem> {
    let undefined = routes
        .iter()
        .filter(|(_, function)| !service.functions.contains_key(*function));
    undefined
        .map(|(route, function)| Problem {
            message: format!(
                "route `{route}` names the function `{function}`, which isn't defined"
            ),
            help: Some(suggest(function, service)),
            span: source.value_span(&child("/routes", route)),
        })
        .collect()
}
