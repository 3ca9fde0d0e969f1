//! Typed reading of JSON input. Unknown members are ignored and `null` counts
//! as absent, as AWS does; a member of another type is a serialization error.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::assumptions::NOT_AN_OBJECT;
use crate::error::Failure;

/// The members of one JSON object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Reads a body; an empty one is an empty object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Failure> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ => Err(Failure::serialization(NOT_AN_OBJECT)),
        }
    }

    fn find(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn typed<'a, T>(
        &'a self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(Failure::serialization(format!(
                "{} can not be converted to {expected}: {name}",
                kind(value)
            ))),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.typed(name, "a String", |value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.typed(name, "a Boolean", Value::as_bool)
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.typed(name, "an Integer", Value::as_i64)
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Failure> {
        self.typed(name, "a Double", Value::as_f64)
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Failure> {
        self.typed(name, "an Object", |value| {
            value.as_object().cloned().map(Self)
        })
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        self.typed(name, "a List of Strings", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
    }

    pub(crate) fn text_map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Failure> {
        self.typed(name, "a Map of Strings", |value| {
            let pair =
                |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
            value.as_object()?.iter().map(pair).collect()
        })
    }

    /// A map whose values are numbers.
    pub(crate) fn number_map(&self, name: &str) -> Result<Option<BTreeMap<String, f64>>, Failure> {
        self.typed(name, "a Map of Doubles", |value| {
            let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_f64()?));
            value.as_object()?.iter().map(pair).collect()
        })
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>, Failure> {
        self.typed(name, "a List of Objects", |value| {
            let item = |item: &Value| item.as_object().cloned().map(Self);
            value.as_array()?.iter().map(item).collect()
        })
    }

    /// A map whose values are objects.
    pub(crate) fn object_map(&self, name: &str) -> Result<Option<BTreeMap<String, Self>>, Failure> {
        self.typed(name, "a Map of Objects", |value| {
            let pair = |(key, value): (&String, &Value)| {
                Some((key.clone(), Self(value.as_object()?.clone())))
            };
            value.as_object()?.iter().map(pair).collect()
        })
    }

    /// Whether the member is given, whatever it says.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether the member says anything: absent, `""`, `[]` and `{}` do not.
    pub(crate) fn says_something(&self, name: &str) -> bool {
        match self.find(name) {
            None => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(_) => true,
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// Drops the members that are `null`: AWS leaves out what is not set.
pub(crate) fn present(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::Members;

    #[test]
    fn null_is_absent_and_unknown_members_are_ignored() {
        let members = Members::parse(br#"{"name": null, "other": 1}"#).unwrap();
        assert_eq!(members.text("name"), Ok(None));
        assert!(!members.says_something("name"));
        assert!(members.says_something("other"));
    }

    #[test]
    fn a_wrong_type_is_a_serialization_exception() {
        let members = Members::parse(br#"{"name": 1, "tags": {"k": 2}}"#).unwrap();
        let failure = members.text("name").unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (400, "SerializationException")
        );
        assert_eq!(
            failure.message,
            "NUMBER_VALUE can not be converted to a String: name"
        );
        assert_eq!(
            members.text_map("tags").unwrap_err().code,
            "SerializationException"
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_a_serialization_exception() {
        assert_eq!(
            Members::parse(b"[]").unwrap_err().code,
            "SerializationException"
        );
        assert_eq!(
            Members::parse(b"{").unwrap_err().code,
            "SerializationException"
        );
        assert!(Members::parse(b"").is_ok());
    }
}
