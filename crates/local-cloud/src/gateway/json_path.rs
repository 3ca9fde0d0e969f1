//! The part of JSONPath that route selection expressions use: names, quoted
//! names in brackets and array indexes, and Java's way of printing the result.
//!
//! Deliberately absent: wildcards, slices, filters and recursive descent. A
//! path with one of those parses and finds nothing.

use serde_json::Value;

use crate::assumptions::NULL_SELECTS;

/// A parsed path, relative to `$request.body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(Option<Vec<Segment>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    Index(usize),
}

impl JsonPath {
    /// Reads what follows `request.body`, e.g. `.a.b[0]['c d']`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let Some((segment, after)) = next_segment(rest) else {
                return Self(None);
            };
            segments.push(segment);
            rest = after;
        }
        Self(Some(segments))
    }

    /// What the path leads to, as the text that takes part in the route key;
    /// nothing there is the empty text.
    pub(crate) fn select(&self, body: &Value) -> String {
        let Some(segments) = &self.0 else {
            return String::new();
        };
        let found = segments
            .iter()
            .try_fold(body, |value, segment| match segment {
                Segment::Name(name) => value.as_object()?.get(name),
                Segment::Index(index) => value.as_array()?.get(*index),
            });
        match found {
            None => String::new(),
            Some(Value::Null) => NULL_SELECTS.to_owned(),
            Some(value) => java_text(value),
        }
    }
}

fn next_segment(rest: &str) -> Option<(Segment, &str)> {
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let legal = !name.is_empty() && name != "*";
        return legal.then(|| (Segment::Name(name.to_owned()), after));
    }
    let inside = rest.strip_prefix('[')?;
    if let Some(quote) = inside.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (name, after) = inside[1..].split_once(quote)?;
        return Some((Segment::Name(name.to_owned()), after.strip_prefix(']')?));
    }
    let (index, after) = inside.split_once(']')?;
    Some((Segment::Index(index.parse().ok()?), after))
}

/// Prints a value as Java's `toString` does: no quotes anywhere.
fn java_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(java_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{name}={}", java_text(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(path: &str, body: Value) -> String {
        JsonPath::parse(path).select(&body)
    }

    #[test]
    fn names_brackets_and_indexes_lead_to_values() {
        let body = json!({"a": {"b": [{"c d": "deep"}]}});
        assert_eq!(select(".a.b[0]['c d']", body.clone()), "deep");
        assert_eq!(select("['a'].b[0][\"c d\"]", body.clone()), "deep");
        assert_eq!(select(".a.b[1]", body.clone()), "");
        assert_eq!(select(".a.x", body), "");
    }

    #[test]
    fn values_print_as_java_prints_them() {
        assert_eq!(select(".v", json!({"v": 1})), "1");
        assert_eq!(select(".v", json!({"v": true})), "true");
        assert_eq!(select(".v", json!({"v": ["a", 1, ["b"]]})), "[a, 1, [b]]");
        assert_eq!(select(".v", json!({"v": {"k": "x"}})), "{k=x}");
        assert_eq!(select(".v", json!({"v": null})), "");
    }

    #[test]
    fn paths_beyond_the_supported_part_find_nothing() {
        for path in [
            "..a",
            ".*",
            "[*]",
            "[0",
            "['a",
            ".a[?(@.b)]",
            "[-1]",
            "x",
            "['a'x",
        ] {
            assert_eq!(select(path, json!({"a": ["b"]})), "", "{path}");
        }
    }

    #[test]
    fn a_scalar_or_array_body_has_no_names() {
        assert_eq!(select(".action", json!("join")), "");
        assert_eq!(select(".action", json!([1])), "");
        assert_eq!(select("[0]", json!(["join"])), "join");
    }
}
