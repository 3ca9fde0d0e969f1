//! Rules of the API's settings that a schema can't express.

use super::check::nearest;
use super::context_variables;
use super::problem::Problem;
use super::source::{Source, child};
use crate::assumptions::ACCESS_LOG_FORMAT_LIMIT;
use std::collections::{BTreeMap, BTreeSet};

use super::api::{ApiStageTable, Authorization, RouteTable};

/// Characters of a stage variable's value (service model).
const VARIABLE_VALUE_LIMIT: usize = 2048;
/// Characters of a tag's key, in every service.
const TAG_KEY_LIMIT: usize = 128;
/// Characters of a tag's value, in every service.
const TAG_VALUE_LIMIT: usize = 256;
/// AWS allows 50; up to four are the deployer's own.
pub(super) const TAGS_LIMIT: usize = 43;

/// The tables that both files may have.
pub(super) struct Tables<'a> {
    pub api_stage: &'a ApiStageTable,
    pub route_settings: &'a BTreeMap<String, RouteTable>,
    pub tags: &'a BTreeMap<String, String>,
}

/// Every mistake in them, where there are these routes.
pub(super) fn check(source: &Source, tables: &Tables<'_>, routes: &BTreeSet<&str>) -> Vec<Problem> {
    let mut problems = variables(source, &tables.api_stage.variables);
    let format = tables.api_stage.access_logs.as_ref();
    if let Some(format) = format.and_then(|logs| logs.format.as_deref()) {
        problems.extend(access_log_format(source, format));
    }
    for (key, settings) in tables.route_settings {
        problems.extend(route(source, key, settings, routes));
    }
    problems.extend(tags(source, "", tables.tags));
    problems
}

fn variables(source: &Source, variables: &BTreeMap<String, String>) -> Vec<Problem> {
    let name_holds = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let value_holds = |value: &str| {
        (1..=VARIABLE_VALUE_LIMIT).contains(&value.len())
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b))
    };
    let mut problems = Vec::new();
    for (name, value) in variables {
        let at = child("/api_stage/variables", name);
        if !name_holds(name) {
            problems.push(Problem {
                message: format!("`{name}` can't be a stage variable: letters, digits and _"),
                help: None,
                span: source.key_span(&at),
            });
        }
        if !value_holds(value) {
            problems.push(Problem {
                message: format!(
                    "the stage variable `{name}` must have 1 to {VARIABLE_VALUE_LIMIT} of the characters A-Z, a-z, 0-9 and -._~:/?#&=,"
                ),
                help: None,
                span: source.value_span(&at),
            });
        }
    }
    problems
}

fn access_log_format(source: &Source, format: &str) -> Vec<Problem> {
    let span = source.value_span("/api_stage/access_logs/format");
    let mut problems = Vec::new();
    let mut say = |message: String, help: Option<String>| {
        problems.push(Problem {
            message,
            help,
            span: span.clone(),
        });
    };
    if format.trim_end_matches('\n').contains(['\n', '\r']) {
        say("an access log's format must be one line".to_owned(), None);
    }
    if format.len() > ACCESS_LOG_FORMAT_LIMIT {
        say(
            format!("an access log's format has at most {ACCESS_LOG_FORMAT_LIMIT} bytes"),
            None,
        );
    }
    let used = context_variables::of(format);
    if !used
        .iter()
        .any(|name| ["requestId", "extendedRequestId"].contains(name))
    {
        say(
            "an access log's format must contain $context.requestId".to_owned(),
            None,
        );
    }
    for name in used
        .iter()
        .filter(|name| !context_variables::is_known(name))
    {
        let near = nearest(name, context_variables::KNOWN.iter().copied());
        say(
            format!("API Gateway knows no $context.{name}"),
            near.map(|near| format!("did you mean `$context.{near}`?")),
        );
    }
    let text = format.trim();
    if text.starts_with('{')
        && let Err(error) =
            serde_json::from_str::<serde_json::Value>(&context_variables::filled_in(text))
    {
        say(
            format!("an access log's format begins like JSON, but isn't: {error}"),
            None,
        );
    }
    problems
}

fn route(
    source: &Source,
    key: &str,
    settings: &RouteTable,
    routes: &BTreeSet<&str>,
) -> Vec<Problem> {
    let at = child("/route_settings", key);
    if !routes.contains(key) {
        let routes = || routes.iter().copied();
        let help = match nearest(key, routes()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the routes are {}", routes().collect::<Vec<_>>().join(", ")),
        };
        return vec![Problem {
            message: format!("the service has no route `{key}`"),
            help: Some(help),
            span: source.key_span(&at),
        }];
    }
    let asks = settings
        .authorization
        .is_some_and(|it| it != Authorization::None);
    if asks && key != "$connect" {
        return vec![Problem {
            message: format!(
                "API Gateway asks who a client is when it connects, not at the route `{key}`"
            ),
            help: Some("set `authorization` in [route_settings.\"$connect\"]".to_owned()),
            span: source.value_span(&child(&at, "authorization")),
        }];
    }
    Vec::new()
}

/// The tags at `tags` in a table.
pub(super) fn tags(source: &Source, table: &str, tags: &BTreeMap<String, String>) -> Vec<Problem> {
    let table = child(table, "tags");
    let legal = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
    };
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, value) in tags {
        let at = child(&table, key);
        let lower = key.to_lowercase();
        let mistake = if lower.starts_with("aws:") || lower.starts_with("deployer:") {
            let prefix = &key[..=key.find(':').unwrap_or_default()];
            Some(format!("tags that begin with `{prefix}` are reserved"))
        } else if key.is_empty() || key.chars().count() > TAG_KEY_LIMIT || !legal(key) {
            Some(format!(
                "`{key}` can't be a tag's key: 1 to {TAG_KEY_LIMIT} letters, digits, spaces and _.:/=+-@"
            ))
        } else if !seen.insert(lower) {
            Some(format!(
                "another tag is called `{key}` but for upper and lower case, which IAM doesn't tell apart"
            ))
        } else {
            None
        };
        if let Some(message) = mistake {
            problems.push(Problem {
                message,
                help: None,
                span: source.key_span(&at),
            });
        }
        if value.is_empty() || value.chars().count() > TAG_VALUE_LIMIT || !legal(value) {
            problems.push(Problem {
                message: format!(
                    "the tag `{key}` must have 1 to {TAG_VALUE_LIMIT} letters, digits, spaces and _.:/=+-@"
                ),
                help: None,
                span: source.value_span(&at),
            });
        }
    }
    problems
}

/// Too many tags, of both files together.
pub(super) fn too_many_tags(source: &Source, tags: &BTreeMap<String, String>) -> Option<Problem> {
    (tags.len() > TAGS_LIMIT).then(|| Problem {
        message: format!(
            "{} tags are too many: AWS allows 50, and seven are the deployer's own",
            tags.len()
        ),
        help: None,
        span: source.key_span("/tags"),
    })
}
