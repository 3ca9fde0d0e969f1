//! A TOML file as JSON value, with every key's and value's place in the text.
//!
//! Reading goes on after a syntax error, so that all of them are reported.

use super::problem::Problem;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is syntactically TOML.
#[derive(Debug)]
pub(super) struct Source {
    /// The content.
    pub value: Value,
    /// Places by JSON pointer; the empty pointer is the whole file.
    places: BTreeMap<String, Place>,
}

#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl Source {
    /// Reads `text`, or says everything that isn't TOML in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors
                .into_iter()
                .map(|error| Problem {
                    message: error.message().to_owned(),
                    help: None,
                    span: error.span().unwrap_or(0..text.len().min(1)),
                })
                .collect());
        }
        let mut places = BTreeMap::from([(
            String::new(),
            Place {
                key: 0..0,
                value: 0..0,
            },
        )]);
        let mut problems = Vec::new();
        let value = convert_table(table.get_ref(), "", &mut places, &mut problems);
        if problems.is_empty() {
            Ok(Self { value, places })
        } else {
            Err(problems)
        }
    }

    /// Where the value at `pointer` stands; what doesn't stand there points to
    /// the nearest table that does.
    pub fn value_span(&self, pointer: &str) -> Range<usize> {
        self.nearest(pointer).value.clone()
    }

    /// Where the key at `pointer` stands.
    pub fn key_span(&self, pointer: &str) -> Range<usize> {
        self.nearest(pointer).key.clone()
    }

    fn nearest(&self, pointer: &str) -> &Place {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return place;
            }
            pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
}

/// `parent` and one more segment, escaped as RFC 6901 wants it.
pub(super) fn child(parent: &str, segment: &str) -> String {
    format!("{parent}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

fn convert_table(
    table: &DeTable<'_>,
    pointer: &str,
    places: &mut BTreeMap<String, Place>,
    problems: &mut Vec<Problem>,
) -> Value {
    let mut object = serde_json::Map::new();
    for (key, value) in table {
        let pointer = child(pointer, key.get_ref());
        places.insert(
            pointer.clone(),
            Place {
                key: key.span(),
                value: place_of(value, key.span()),
            },
        );
        let value = convert(value, &pointer, places, problems);
        object.insert(key.get_ref().to_string(), value);
    }
    Value::Object(object)
}

/// A table's own span is its header's, or empty where only keys imply it.
fn place_of(value: &Spanned<DeValue<'_>>, key: Range<usize>) -> Range<usize> {
    if value.get_ref().is_table() {
        key
    } else {
        value.span()
    }
}

fn convert(
    value: &Spanned<DeValue<'_>>,
    pointer: &str,
    places: &mut BTreeMap<String, Place>,
    problems: &mut Vec<Problem>,
) -> Value {
    let mut refuse = |message: String| {
        problems.push(Problem {
            message,
            help: None,
            span: value.span(),
        });
        Value::Null
    };
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => refuse("this number is too large".to_owned()),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::from(number),
            _ => refuse("no setting is infinite or not a number".to_owned()),
        },
        DeValue::Datetime(_) => refuse("no setting is a date or time".to_owned()),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let pointer = child(pointer, &index.to_string());
                    places.insert(
                        pointer.clone(),
                        Place {
                            key: item.span(),
                            value: item.span(),
                        },
                    );
                    convert(item, &pointer, places, problems)
                })
                .collect(),
        ),
        DeValue::Table(table) => convert_table(table, pointer, places, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_place() {
        let text = "a = 1\n[b.c]\nd = \"x\"\n";
        let source = Source::parse(text).unwrap();
        assert_eq!(&text[source.value_span("/a")], "1");
        assert_eq!(&text[source.key_span("/b/c/d")], "d");
        assert_eq!(&text[source.value_span("/b/c/d")], "\"x\"");
        assert_eq!(source.value["b"]["c"]["d"], "x");
    }

    #[test]
    fn what_is_missing_points_to_the_nearest_table_that_is_there() {
        let text = "[b.c]\nd = 1\n";
        let source = Source::parse(text).unwrap();
        assert_eq!(&text[source.key_span("/b/c/nothing")], "c");
        assert_eq!(source.key_span("/nothing"), 0..0);
    }

    #[test]
    fn all_syntax_errors_are_reported() {
        let problems = Source::parse("a = \nb = 1\nc = ]\n").unwrap_err();
        assert!(problems.len() >= 2, "{problems:?}");
    }

    #[test]
    fn hexadecimal_numbers_are_numbers() {
        assert_eq!(Source::parse("a = 0x10").unwrap().value["a"], 16);
    }
}
