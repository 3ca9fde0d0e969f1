//! Checks a file against its schema and says every mistake in the words of a
//! stage file rather than in those of JSON Schema.

use super::problem::Problem;
use super::source::{Source, child};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// Every mistake of `source` against `schema`.
pub(super) fn check(source: &Source, schema: &Value) -> Vec<Problem> {
    let validator: Validator =
        jsonschema::validator_for(schema).expect("the generated schema is legal; a test checks it");
    validator
        .iter_errors(&source.value)
        .flat_map(|error| explain(&error, source, schema))
        .collect()
}

fn explain(error: &ValidationError<'_>, source: &Source, schema: &Value) -> Vec<Problem> {
    let pointer = error.instance_path().as_str().to_owned();
    let name = readable(&pointer);
    let at_value = |message: String| {
        vec![Problem {
            message,
            help: None,
            span: source.value_span(&pointer),
        }]
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|key| unknown_key(key, error, source, schema))
            .collect(),
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            vec![Problem {
                message: format!("`{}` is missing", readable(&child(&pointer, property))),
                help: None,
                span: source.key_span(&pointer),
            }]
        }
        ValidationErrorKind::PropertyNames { error: cause } => {
            let key = cause.instance().as_str().unwrap_or_default().to_owned();
            let rule = match cause.kind() {
                ValidationErrorKind::Pattern { pattern } => format!("match {pattern}"),
                _ => "be 1 to 128 characters long".to_owned(),
            };
            vec![Problem {
                message: format!("`{key}` can't be a name here: it must {rule}"),
                help: None,
                span: source.key_span(&child(&pointer, &key)),
            }]
        }
        ValidationErrorKind::Minimum { limit } => {
            at_value(format!("`{name}` must be at least {limit}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            at_value(format!("`{name}` must be at most {limit}"))
        }
        ValidationErrorKind::MinLength { .. } => at_value(format!("`{name}` must not be empty")),
        ValidationErrorKind::MaxLength { limit } => {
            at_value(format!("`{name}` must be at most {limit} characters long"))
        }
        ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MinItems { .. } => {
            at_value(format!("`{name}` must not be empty"))
        }
        ValidationErrorKind::MaxProperties { limit } => {
            at_value(format!("`{name}` must have at most {limit} entries"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            at_value(format!("`{name}` must match {pattern}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            at_value(format!("`{name}` must be one of {}", options.join(", ")))
        }
        ValidationErrorKind::Type {
            kind: TypeKind::Single(kind),
        } => at_value(format!("`{name}` must be {}", article(&kind.to_string()))),
        _ => at_value(format!("`{name}`: {error}")),
    }
}

fn unknown_key(key: &str, error: &ValidationError<'_>, source: &Source, schema: &Value) -> Problem {
    let parent = error.instance_path().as_str();
    let table = error
        .schema_path()
        .as_str()
        .rsplit_once('/')
        .map_or("", |(table, _)| table);
    let known: Vec<&str> = schema
        .pointer(&format!("{table}/properties"))
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let help = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Problem {
        message: format!("unknown key `{}`", readable(&child(parent, key))),
        help: Some(help),
        span: source.key_span(&child(parent, key)),
    }
}

/// The candidate that a slip of the fingers may have meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this similarity a suggestion confuses more than it helps.
    const SIMILAR: f64 = 0.8;
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// `/functions/room/memory_mb` as a user writes it: `functions.room.memory_mb`.
fn readable(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~")
}

fn article(kind: &str) -> String {
    match kind {
        "integer" => "a whole number".to_owned(),
        "object" => "a table".to_owned(),
        "array" => "an array".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => format!("a {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_is_recognised_and_another_word_is_not() {
        let known = ["memory_mb", "timeout_seconds"];
        assert_eq!(nearest("memmory_mb", known.into_iter()), Some("memory_mb"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }
}
