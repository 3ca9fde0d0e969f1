//! Rules a schema can't express: what must agree within a file, between the two
//! files, and with AWS's limits.

use super::SERVICE_FILE_STEM;
use super::api_rules::{self, Tables};
use super::check::nearest;
use super::definition::{FunctionDefinition, StageDefinition};
use super::problem::Problem;
use super::routes;
use super::source::{Source, child};
use super::types::{ServiceFile, StageFile, Target};
use crate::account::Account;
use crate::names::{Names, SERVICE_NAME_LIMIT, STAGE_NAME_LIMIT, StageIdentity};
use crate::secrets;
use crate::ttl::Ttl;
use std::collections::BTreeMap;

/// Lambda's limit for all environment variables of a function as JSON, in bytes.
const ENVIRONMENT_LIMIT: usize = 4096;

/// Why a stage can't be both.
pub const PROTECTED_EXPIRES: &str =
    "a stage that is `protected` can't have a time to live: nobody would be asked when it ends";

/// Environment variables Lambda sets itself and refuses to be given.
pub(super) const RESERVED_VARIABLES: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

pub(super) fn of_service(source: &Source, file: &ServiceFile, stage: &StageFile) -> Vec<Problem> {
    let mut problems = routes::of_service(source, file, stage);
    problems.extend(environment(source, "/defaults", &file.defaults.environment));
    for (key, settings) in &file.functions {
        problems.extend(environment(
            source,
            &child("/functions", key),
            &settings.environment,
        ));
    }
    let tables = Tables {
        api_stage: &file.api_stage,
        route_settings: &file.route_settings,
        tags: &file.tags,
    };
    let routes = file.routes.keys().map(String::as_str).collect();
    problems.extend(api_rules::check(source, &tables, &routes));
    problems
}

pub(super) fn of_stage(
    source: &Source,
    stage_name: &str,
    file: &StageFile,
    service: &ServiceFile,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(message) = stage_name_mistake(stage_name) {
        problems.push(Problem {
            message,
            help: None,
            span: 0..0,
        });
    }
    for key in file
        .functions
        .keys()
        .filter(|key| !service.functions.contains_key(*key))
    {
        problems.push(Problem {
            message: format!("the service has no function `{key}`"),
            help: Some(suggest(key, service)),
            span: source.key_span(&child("/functions", key)),
        });
    }
    problems.extend(routes::of_stage(source, file, service));
    if let Some(ttl) = &file.ttl {
        let mistake = match ttl.parse::<Ttl>() {
            Err(error) => Some(error.to_string()),
            Ok(_) => (file.protected == Some(true)).then(|| PROTECTED_EXPIRES.to_owned()),
        };
        problems.extend(mistake.map(|message| Problem {
            message,
            help: None,
            span: source.value_span(&child("", "ttl")),
        }));
    }
    let misplaced: &[(&str, bool)] = match file.target {
        Target::Local => &[
            ("region", file.region.is_some()),
            ("aws_profile", file.aws_profile.is_some()),
            ("account_id", file.account_id.is_some()),
        ],
        Target::Aws => &[("port", file.port.is_some())],
    };
    for (key, _) in misplaced.iter().filter(|(_, present)| *present) {
        let target = match file.target {
            Target::Local => "local",
            Target::Aws => "aws",
        };
        problems.push(Problem {
            message: format!("`{key}` means nothing where target = \"{target}\""),
            help: Some("remove it".to_owned()),
            span: source.key_span(&child("", key)),
        });
    }
    problems.extend(environment(source, "/defaults", &file.defaults.environment));
    for (key, settings) in &file.functions {
        problems.extend(environment(
            source,
            &child("/functions", key),
            &settings.environment,
        ));
    }
    let tables = Tables {
        api_stage: &file.api_stage,
        route_settings: &file.route_settings,
        tags: &file.tags,
    };
    let routes = routes::merge(service, file).into_keys().collect();
    problems.extend(api_rules::check(source, &tables, &routes));
    problems
}

pub(super) fn of_definition(source: &Source, definition: &StageDefinition) -> Vec<Problem> {
    let mut problems: Vec<Problem> = api_rules::too_many_tags(source, &definition.tags)
        .into_iter()
        .collect();
    for (key, function) in &definition.functions {
        let measured = measure(function, &definition.identity);
        if measured > ENVIRONMENT_LIMIT {
            problems.push(Problem {
                message: format!(
                    "the environment of `{key}` measures {measured} bytes as JSON; Lambda's limit is {ENVIRONMENT_LIMIT}"
                ),
                help: None,
                span: source.key_span(&child("/functions", key.as_str())),
            });
        }
    }
    problems
}

/// Bytes of a function's variables as JSON, references to secrets included.
fn measure(function: &FunctionDefinition, identity: &StageIdentity) -> usize {
    // The file doesn't tell the account; these measure as nearly all do.
    let account = Account {
        caller_arn: String::new(),
        partition: "aws".to_owned(),
        account_id: "000000000000".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    let names = Names::new(identity.clone(), &account.region);
    let mut variables = function.environment.clone();
    for (variable, used) in &function.tables {
        variables.insert(variable.clone(), names.table(&used.table).to_string());
    }
    for (name, reference) in &function.secrets {
        variables.insert(secrets::variable(name), reference.arn(&account));
    }
    serde_json::to_string(&variables).map_or(0, |json| json.len())
}

/// What to do about [`needs_own_role`].
pub(super) const PERMIT_THERE: &str =
    "permit it in that role and remove this, or remove `role_arn`";

/// What is wrong with a setting of a function whose role is given.
pub(super) fn needs_own_role(setting: &str, function: &str) -> String {
    format!(
        "`{setting}` of `{function}` needs a role that the deployer makes, but `role_arn` names an existing one, which it never changes"
    )
}

/// Why a stage can't be called so, if it can't.
pub fn stage_name_mistake(name: &str) -> Option<String> {
    let legal = name.len() <= STAGE_NAME_LIMIT
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if name.eq_ignore_ascii_case(SERVICE_FILE_STEM) {
        Some(format!(
            "`{name}` is the file all stages share, not a stage"
        ))
    } else if legal {
        None
    } else {
        Some(format!(
            "`{name}` can't be a stage's name: up to {STAGE_NAME_LIMIT} of a-z, A-Z, 0-9, - and _, beginning with a letter"
        ))
    }
}

/// Why a service can't be called so, if it can't.
pub fn service_name_mistake(name: &str) -> Option<String> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let legal = (2..=SERVICE_NAME_LIMIT).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && edge(name.chars().next_back())
        && name.chars().all(|c| edge(Some(c)) || c == '-');
    match legal {
        true => None,
        false => Some(format!(
            "`{name}` can't be a service's name: 2 to {SERVICE_NAME_LIMIT} of a-z, 0-9 and -, beginning with a letter and not ending with -"
        )),
    }
}

/// Whether a stage file may call a function so.
pub fn is_function_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

pub(super) fn suggest(function: &str, service: &ServiceFile) -> String {
    match nearest(function, service.functions.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = service.functions.keys().map(String::as_str).collect();
            format!("the functions are {}", known.join(", "))
        }
    }
}

fn environment(source: &Source, table: &str, variables: &BTreeMap<String, String>) -> Vec<Problem> {
    let table = child(table, "environment");
    let legal = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() > 1
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    variables
        .keys()
        .filter_map(|name| {
            let message = if RESERVED_VARIABLES.contains(&name.as_str()) {
                format!("`{name}` is set by Lambda and can't be given")
            } else if !legal(name) {
                format!("`{name}` can't be an environment variable: two or more letters, digits and _, beginning with a letter")
            } else {
                return None;
            };
            Some(Problem { message, help: None, span: source.key_span(&child(&table, name)) })
        })
        .collect()
}
