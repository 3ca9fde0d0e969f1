//! Stage files: from the text of `stages/*.toml` to a [`StageDefinition`], or to
//! every mistake in them at once, with line and column.
//!
//! Deliberately absent: reading files. Sources come in as text.

mod api;
mod api_definition;
mod api_rules;
mod authorizer;
mod check;
mod context_variables;
mod definition;
mod effective;
mod existing;
mod function_rules;
mod iam;
mod legal;
mod merge_settings;
mod problem;
mod routes;
mod rules;
mod schema;
mod source;
mod tables;
mod types;

pub use api_definition::{AccessLogsDefinition, ApiDefinition, DEFAULT_ACCESS_LOG_FORMAT};
pub use check::nearest;
pub use definition::{
    DEFAULT_LOCAL_PORT, FunctionDefinition, Guards, Place, STATE_VARIABLE, StageDefinition,
};
pub use effective::{Origin, Setting, effective};
pub use problem::{FileProblems, Problem, line_and_column};
pub use rules::{PROTECTED_EXPIRES, is_function_name, service_name_mistake, stage_name_mistake};
pub use schema::{service_schema, stage_schema};
pub use tables::{TableDefinition, TableGrant};
pub use types::{Architecture, Retained, StateKept, Target};

use source::Source;
use types::{ServiceFile, StageFile};

/// The file name of the shared definition, without `.toml`. No stage may be
/// called so.
pub const SERVICE_FILE_STEM: &str = "service";

/// A file's path as the user knows it, and its text.
#[derive(Debug, Clone, Copy)]
pub struct FileText<'a> {
    /// E.g. `stages/alpha.toml`.
    pub path: &'a str,
    /// The content.
    pub text: &'a str,
}

/// Reads the shared definition and one stage's file.
///
/// # Errors
/// All mistakes of both files; one entry for each file that has any.
pub fn read(
    stage_name: &str,
    service: FileText<'_>,
    stage: FileText<'_>,
) -> Result<StageDefinition, Vec<FileProblems>> {
    let service_read = read_one::<ServiceFile>(service.text, &schema::service_schema());
    let stage_read = read_one::<StageFile>(stage.text, &schema::stage_schema());
    let (service_problems, stage_problems) = match (service_read, stage_read) {
        (Ok((service_source, service_file)), Ok((stage_source, stage_file))) => {
            let mut service_problems =
                rules::of_service(&service_source, &service_file, &stage_file);
            let mut stage_problems =
                rules::of_stage(&stage_source, stage_name, &stage_file, &service_file);
            let definition = definition::merge(stage_name, &service_file, &stage_file);
            let sources = function_rules::Sources {
                service: &service_source,
                stage: &stage_source,
            };
            let (of_service, of_stage) =
                function_rules::check(&sources, &service_file, &stage_file, &definition);
            service_problems.extend(of_service);
            stage_problems.extend(of_stage);
            let both = [&service_source, &stage_source];
            let [of_service, of_stage] =
                authorizer::check(both, &service_file, &stage_file, &definition);
            service_problems.extend(of_service);
            stage_problems.extend(of_stage);
            let [of_service, of_stage] =
                tables::check(both, &service_file, &stage_file, &definition);
            service_problems.extend(of_service);
            stage_problems.extend(of_stage);
            let [of_service, of_stage] = existing::check(both, &service_file, &stage_file);
            service_problems.extend(of_service);
            stage_problems.extend(of_stage);
            if service_problems.is_empty() && stage_problems.is_empty() {
                stage_problems = rules::of_definition(&stage_source, &definition);
                if stage_problems.is_empty() {
                    return Ok(definition);
                }
            }
            (service_problems, stage_problems)
        }
        (service_read, stage_read) => (
            service_read.err().unwrap_or_default(),
            stage_read.err().unwrap_or_default(),
        ),
    };
    Err([(service, service_problems), (stage, stage_problems)]
        .into_iter()
        .filter(|(_, problems)| !problems.is_empty())
        .map(|(file, problems)| FileProblems::new(file.path, file.text, problems))
        .collect())
}

/// The service's name, from the shared definition alone.
///
/// # Errors
/// All mistakes of the file.
pub fn service_name(service: FileText<'_>) -> Result<String, Vec<FileProblems>> {
    let read = read_one::<ServiceFile>(service.text, &schema::service_schema());
    read.map(|(_, file)| file.service)
        .map_err(|problems| vec![FileProblems::new(service.path, service.text, problems)])
}

fn read_one<T: serde::de::DeserializeOwned>(
    text: &str,
    schema: &serde_json::Value,
) -> Result<(Source, T), Vec<Problem>> {
    let source = Source::parse(text)?;
    let problems = check::check(&source, schema);
    if !problems.is_empty() {
        return Err(problems);
    }
    // The schema comes from the type, so this can only fail where the schema is
    // laxer than the type; it is a mistake in the file all the same.
    serde_json::from_value(source.value.clone())
        .map(|file| (source, file))
        .map_err(|error| {
            vec![Problem {
                message: error.to_string(),
                help: None,
                span: 0..0,
            }]
        })
}

#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod authorizer_tests;
#[cfg(test)]
mod effective_tests;
#[cfg(test)]
mod existing_tests;
#[cfg(test)]
mod function_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
