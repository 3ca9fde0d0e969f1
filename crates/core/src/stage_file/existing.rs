//! What is there already: functions that a stage only invokes (`existing`), and the API that
//! it takes over (`[api] adopt`).
//!
//! Deliberately absent: looking whether they are there. That is for the plan.

use super::problem::Problem;
use super::source::{Source, child};
use super::types::{FunctionSettings, ServiceFile, StageFile};
use crate::existing::ExistingFunction;
use crate::names::FunctionKey;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "existing";

/// The functions of a stage that aren't its own; the stage's word wins. Of them only those
/// that are `used`.
pub(super) fn merge(
    service: &ServiceFile,
    stage: &StageFile,
    used: &BTreeSet<&str>,
) -> BTreeMap<FunctionKey, ExistingFunction> {
    let keys = service.functions.keys();
    keys.filter(|key| used.contains(key.as_str()))
        .filter_map(|key| {
            // The rules have looked at it.
            let (_, existing) = said(service, stage, key)?;
            Some((FunctionKey::new(key.as_str()), existing))
        })
        .collect()
}

/// Which function exists under that name, and whether the stage's own file says so.
fn said(service: &ServiceFile, stage: &StageFile, key: &str) -> Option<(bool, ExistingFunction)> {
    let of = |functions: &BTreeMap<String, FunctionSettings>| {
        ExistingFunction::parse(functions.get(key)?.existing.as_deref()?)
    };
    let of_stage = of(&stage.functions).map(|it| (true, it));
    of_stage.or_else(|| of(&service.functions).map(|it| (false, it)))
}

/// Every mistake of the service's file and of the stage's.
pub(super) fn check(
    sources: [&Source; 2],
    service: &ServiceFile,
    stage: &StageFile,
) -> [Vec<Problem>; 2] {
    let [of_service, of_stage] = sources;
    let mut service_problems = functions(of_service, &service.functions);
    let mut stage_problems = functions(of_stage, &stage.functions);
    let at = child("/api", "adopt");
    if service.api.adopt.is_some() {
        service_problems.push(Problem {
            message: "`api.adopt` names one API, and this file is every stage's".to_owned(),
            help: Some("write it in the stage's own file".to_owned()),
            span: of_service.key_span(&at),
        });
    }
    if stage.api.adopt.is_some() && stage.template == Some(true) {
        stage_problems.push(Problem {
            message: "`api.adopt` names one API, and a template makes many stages".to_owned(),
            help: Some("write it in the file of a stage that is no template".to_owned()),
            span: of_stage.key_span(&at),
        });
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for key in service.functions.keys() {
        let Some((by_stage, existing)) = said(service, stage, key) else {
            continue;
        };
        // An integration tells which function it invokes, not under which name.
        if let Some(other) = seen.insert(existing.to_string(), key) {
            let (source, problems) = match by_stage {
                true => (of_stage, &mut stage_problems),
                false => (of_service, &mut service_problems),
            };
            problems.push(Problem {
                message: format!("`{other}` and `{key}` are the same function, {existing}"),
                help: Some(format!("lead the routes of `{key}` to `{other}`")),
                span: source.value_span(&child(&child("/functions", key), KEY)),
            });
        }
    }
    // What the service says of all stages is of the function that is built.
    for (key, settings) in &stage.functions {
        let of_service = service.functions.get(key);
        let exists = of_service.is_some_and(|settings| settings.existing.is_some());
        if exists && settings.existing.is_none() {
            let table = child("/functions", key);
            for other in others(of_stage, &table) {
                stage_problems.push(Problem {
                    message: format!(
                        "`{key}` is a function that exists, by the service's file: `{other}` can't be said of it"
                    ),
                    help: Some("remove it, or `existing` there".to_owned()),
                    span: of_stage.key_span(&child(&table, &other)),
                });
            }
        }
    }
    [service_problems, stage_problems]
}

fn functions(source: &Source, functions: &BTreeMap<String, FunctionSettings>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, settings) in functions {
        let Some(existing) = &settings.existing else {
            continue;
        };
        let table = child("/functions", key);
        if ExistingFunction::parse(existing).is_none() {
            problems.push(Problem {
                message: format!("`{existing}` is no function's name or ARN"),
                help: Some(format!("write {}", ExistingFunction::FORMS)),
                span: source.value_span(&child(&table, KEY)),
            });
        }
        for other in others(source, &table) {
            problems.push(Problem {
                message: format!(
                    "`{other}` stands beside `existing`, and a function that exists is never changed"
                ),
                help: Some(format!("remove `{other}`, or `existing`")),
                span: source.key_span(&child(&table, &other)),
            });
        }
    }
    problems
}

/// What a function's table says beside.
fn others(source: &Source, table: &str) -> Vec<String> {
    let said = source.value.pointer(table).and_then(|it| it.as_object());
    let keys = said.into_iter().flat_map(|table| table.keys());
    keys.filter(|key| *key != KEY).cloned().collect()
}
