//! What a script expects to hear, and whether it is what was heard.
//!
//! Deliberately absent: order and time, which are the run's.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was caught so far, by name.
pub type Variables = BTreeMap<String, String>;

/// A text with `${name}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
}

impl Template {
    /// The text as the script has it.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// The names in it, with where each begins.
    pub fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        names(&self.text)
    }

    /// The text with their values.
    pub fn filled(&self, variables: &Variables) -> String {
        fill(&self.text, variables, str::to_owned)
    }
}

fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begins = text.match_indices("${");
    begins.filter_map(|(at, _)| {
        let rest = &text[at + 2..];
        let name = &rest[..rest.find('}')?];
        is_name(name).then_some((at, name))
    })
}

/// Letters, digits and `_`, a letter first.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

fn fill(text: &str, variables: &Variables, put: impl Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut done = 0;
    for (at, name) in names(text) {
        let Some(value) = variables.get(name) else {
            continue;
        };
        filled.push_str(&text[done..at]);
        filled.push_str(&put(value));
        done = at + "${}".len() + name.len();
    }
    filled.push_str(&text[done..]);
    filled
}

/// What must be heard.
#[derive(Debug, Clone)]
pub enum Expected {
    /// This text.
    Exactly(Template),
    /// A text in which the pattern is found.
    Matching(Template),
    /// JSON that has at least this.
    Json(Value),
}

impl Expected {
    /// As a script has it: `/pattern/`, a JSON object or array, or the text itself.
    ///
    /// # Errors
    /// What is wrong, and the byte at which.
    pub fn read(text: &str) -> Result<Self, (String, usize)> {
        if let Some(pattern) = in_slashes(text) {
            compiled(pattern, &Variables::new()).map_err(|error| (error, 1))?;
            return Ok(Self::Matching(Template::new(pattern)));
        }
        match serde_json::from_str(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => {
                let mut wrong = None;
                each_text(&value, &mut |text| {
                    if let Some(pattern) = in_slashes(text)
                        && let Err(error) = compiled(pattern, &Variables::new())
                    {
                        wrong.get_or_insert(error);
                    }
                });
                match wrong {
                    None => Ok(Self::Json(value)),
                    Some(error) => Err((error, 0)),
                }
            }
            Err(error) if text.starts_with('{') => {
                let said = error.to_string();
                let said = said.split(" at line").next().unwrap_or_default();
                let message = format!("this is no JSON: {said}");
                Err((message, error.column().saturating_sub(1)))
            }
            _ => Ok(Self::Exactly(Template::new(text))),
        }
    }

    /// The names that it needs.
    pub fn needs(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |text: &str| found.extend(names(text).map(|(_, name)| name.to_owned()));
        match self {
            Self::Exactly(template) | Self::Matching(template) => note(&template.text),
            Self::Json(value) => each_text(value, &mut note),
        }
        found
    }

    /// The names that it catches.
    pub fn catches(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |pattern: &str| {
            let pattern = compiled(pattern, &Variables::new());
            let names = pattern.iter().flat_map(Regex::capture_names).flatten();
            found.extend(names.map(str::to_owned));
        };
        match self {
            Self::Exactly(_) => {}
            Self::Matching(template) => note(&template.text),
            Self::Json(value) => each_text(value, &mut |text| {
                if let Some(pattern) = in_slashes(text) {
                    note(pattern);
                }
            }),
        }
        found
    }

    /// What was caught, if this is what was heard.
    ///
    /// # Errors
    /// How it differs.
    pub fn check(&self, heard: &str, variables: &Variables) -> Result<Variables, String> {
        let mut caught = Variables::new();
        match self {
            Self::Exactly(template) => {
                if template.filled(variables) != heard {
                    return Err("another text".to_owned());
                }
            }
            Self::Matching(template) => catch(&template.text, heard, variables, &mut caught)?,
            Self::Json(expected) => {
                let heard: Value = serde_json::from_str(heard).map_err(|_| "no JSON".to_owned())?;
                differ(expected, &heard, "", variables, &mut caught)?;
            }
        }
        Ok(caught)
    }

    /// What it amounts to by now.
    pub fn shown(&self, variables: &Variables) -> String {
        match self {
            Self::Exactly(template) => template.filled(variables),
            Self::Matching(template) => format!("/{}/", template.filled(variables)),
            Self::Json(value) => fill(&value.to_string(), variables, str::to_owned),
        }
    }
}

fn in_slashes(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('/')?.strip_suffix('/')?;
    (!inner.is_empty()).then_some(inner)
}

/// Values stand for themselves in a pattern; what has none yet, for anything.
fn compiled(pattern: &str, variables: &Variables) -> Result<Regex, String> {
    let mut known = variables.clone();
    for (_, name) in names(pattern) {
        known.entry(name.to_owned()).or_default();
    }
    let pattern = fill(pattern, &known, regex::escape);
    Regex::new(&pattern).map_err(|error| {
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default();
        let last = last.trim().trim_start_matches("error: ");
        format!("this is no regular expression: {last}")
    })
}

fn catch(
    pattern: &str,
    heard: &str,
    variables: &Variables,
    caught: &mut Variables,
) -> Result<(), String> {
    let pattern = compiled(pattern, variables)?;
    let groups = pattern
        .captures(heard)
        .ok_or_else(|| "a text without this pattern".to_owned())?;
    for name in pattern.capture_names().flatten() {
        if let Some(group) = groups.name(name) {
            caught.insert(name.to_owned(), group.as_str().to_owned());
        }
    }
    Ok(())
}

fn each_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, see)),
        Value::Object(members) => members.values().for_each(|item| each_text(item, see)),
        _ => {}
    }
}

/// Members that aren't expected don't count; arrays must be as long as expected.
fn differ(
    expected: &Value,
    heard: &Value,
    at: &str,
    variables: &Variables,
    caught: &mut Variables,
) -> Result<(), String> {
    let place = || match at {
        "" => "it".to_owned(),
        at => format!("`{}`", &at[1..]),
    };
    match (expected, heard) {
        (Value::Object(expected), Value::Object(heard)) => {
            for (name, expected) in expected {
                let inner = format!("{at}.{name}");
                match heard.get(name) {
                    Some(heard) => differ(expected, heard, &inner, variables, caught)?,
                    None => return Err(format!("JSON without `{}`", &inner[1..])),
                }
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(heard)) => {
            if expected.len() != heard.len() {
                return Err(format!("{} with {} items", place(), heard.len()));
            }
            for (index, (expected, heard)) in expected.iter().zip(heard).enumerate() {
                differ(expected, heard, &format!("{at}.{index}"), variables, caught)?;
            }
            Ok(())
        }
        (Value::String(expected), Value::String(heard)) => {
            let same = match in_slashes(expected) {
                Some(pattern) => catch(pattern, heard, variables, caught).is_ok(),
                None => fill(expected, variables, str::to_owned) == *heard,
            };
            match same {
                true => Ok(()),
                false => Err(format!("{} is {}", place(), Value::from(heard.as_str()))),
            }
        }
        _ if expected == heard => Ok(()),
        _ => Err(format!("{} is {heard}", place())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn check(expected: &str, heard: &str) -> Result<Variables, String> {
        let expected = Expected::read(expected).expect("it can be read");
        expected.check(heard, &variables(&[("id", "a+b=")]))
    }

    #[test]
    fn a_text_must_be_the_same_and_may_begin_like_json() {
        assert!(check("hi there", "hi there").is_ok());
        assert_eq!(check("hi", "hi there"), Err("another text".into()));
        assert!(check("[${id}]: hello", "[a+b=]: hello").is_ok());
        assert!(check("[<x>]: hello ${nobody}", "[<x>]: hello ${nobody}").is_ok());
    }

    #[test]
    fn a_pattern_catches_by_name_and_takes_values_as_they_are() {
        let caught = check(
            "/^(?<who>.+) has joined to Room (?<room>\\w+)$/",
            "x= has joined to Room r1",
        );
        assert_eq!(caught, Ok(variables(&[("who", "x="), ("room", "r1")])));
        assert!(check("/^\\[${id}\\]: /", "[a+b=]: x").is_ok());
        assert!(check("/^\\[${id}\\]: /", "[aab=]: x").is_err());
    }

    #[test]
    fn json_must_have_at_least_what_is_expected_and_says_where_it_has_not() {
        let heard = r#"{"type":"joined","member":{"connection":"c1"},"list":[1,{"a":2}],"n":null}"#;
        for right in [
            r#"{}"#,
            r#"{"type":"joined"}"#,
            r#"{"member":{"connection":"/^(?<c>..)$/"}}"#,
            r#"{"list":[1,{}],"n":null}"#,
        ] {
            assert!(check(right, heard).is_ok(), "{right}");
        }
        for (wrong, how) in [
            (r#"{"type":"left"}"#, r#"`type` is "joined""#),
            (r#"{"member":{"name":"x"}}"#, "JSON without `member.name`"),
            (r#"{"list":[1]}"#, "`list` with 2 items"),
            (r#"{"list":[1,{"a":3}]}"#, "`list.1.a` is 2"),
            (r#"{"n":1}"#, "`n` is null"),
            ("[]", "it is {"),
        ] {
            let error = check(wrong, heard).expect_err(wrong);
            assert!(error.starts_with(how), "{wrong}: {error}");
        }
        assert_eq!(check("{}", "hello"), Err("no JSON".into()));
        let same = r#"{"from":"${id}"}"#;
        assert!(check(same, r#"{"from":"a+b="}"#).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_said_with_its_place() {
        let error = |text: &str| Expected::read(text).expect_err(text);
        assert_eq!(error("/(/").1, 1);
        assert!(
            error("/(/")
                .0
                .starts_with("this is no regular expression: unclosed group")
        );
        assert_eq!(
            error(r#"{"a":}"#),
            ("this is no JSON: expected value".into(), 5)
        );
        assert!(error(r#"{"a":"/[/"}"#).0.contains("regular expression"));
    }

    #[test]
    fn names_are_needed_and_caught() {
        let expected = Expected::read(r#"{"a":["${x}","/(?<y>.)${z}/"]}"#).expect("it can be read");
        assert_eq!(expected.needs(), ["x", "z"]);
        assert_eq!(expected.catches(), ["y"]);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z ]{0,5}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_what_it_expects_and_stays_so_with_more_members(mut value in any_json()) {
            let expected = Expected::Json(value.clone());
            prop_assert!(expected.check(&value.to_string(), &Variables::new()).is_ok());
            if let Value::Object(members) = &mut value {
                members.insert("more than that".into(), json!([1]));
                prop_assert!(expected.check(&value.to_string(), &Variables::new()).is_ok());
            }
        }

        #[test]
        fn a_text_without_names_is_filled_with_itself(text in "[^$]{0,40}") {
            prop_assert_eq!(Template::new(&text).filled(&variables(&[("id", "x")])), text);
        }
    }
}
