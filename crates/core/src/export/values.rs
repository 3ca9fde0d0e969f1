//! Values as both formats leave them out: what isn't set isn't written.

use serde_json::Value;

/// A text that says something.
pub(super) fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// What isn't set isn't written.
pub(super) fn without_nulls(arguments: Value) -> Value {
    match arguments {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.collect())
        }
        other => other,
    }
}
