//! Messages to begin with: one for each route, with the fields that were sent with it last.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a selection expression over a message's body begins with.
const BODY: &str = "$request.body.";

/// What can be completed.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// The members that lead to the route's name; empty: it isn't in the body.
    path: Vec<String>,
    /// By route.
    frames: BTreeMap<String, String>,
}

/// A message to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its route.
    pub route: String,
    /// The message.
    pub frame: String,
}

impl Templates {
    /// The barest message of each route.
    pub fn new(selection: Option<&str>, routes: &[String]) -> Self {
        let path: Vec<String> = selection
            .and_then(|text| text.strip_prefix(BODY))
            .filter(|path| !path.contains(['{', '}', '[', '$']))
            .map(|path| path.split('.').map(str::to_owned).collect())
            .unwrap_or_default();
        let mut templates = Self {
            path,
            frames: BTreeMap::new(),
        };
        if !templates.path.is_empty() {
            for route in routes {
                let frame = templates.bare(route);
                templates.frames.insert(route.clone(), frame);
            }
        }
        templates
    }

    fn bare(&self, route: &str) -> String {
        let mut value = Value::from(route);
        for member in self.path.iter().rev() {
            value = Value::Object(Map::from_iter([(member.clone(), value)]));
        }
        value.to_string()
    }

    /// Notes what was sent: the next message of its route begins with it.
    pub fn learn(&mut self, frame: &str) {
        if self.path.is_empty() {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(frame) else {
            return;
        };
        let mut at = &value;
        for member in &self.path {
            at = &at[member];
        }
        if let Some(route) = at.as_str() {
            self.frames
                .insert(route.to_owned(), frame.trim().to_owned());
        }
    }

    /// What a line that is begun so may become: the routes whose name begins with it, and the
    /// messages that do.
    pub fn begun(&self, line: &str) -> Vec<Candidate> {
        let fits = |(route, frame): &(&String, &String)| {
            route.starts_with(line) || (frame.starts_with(line) && *frame != line)
        };
        self.frames
            .iter()
            .filter(fits)
            .map(|(route, frame)| Candidate {
                route: route.clone(),
                frame: frame.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates() -> Templates {
        let routes = ["join".to_owned(), "send".to_owned()];
        Templates::new(Some("$request.body.action"), &routes)
    }

    fn frames(templates: &Templates, line: &str) -> Vec<String> {
        let begun = templates.begun(line).into_iter();
        begun.map(|candidate| candidate.frame).collect()
    }

    #[test]
    fn routes_become_messages_by_the_selection_expression() {
        assert_eq!(frames(&templates(), "jo"), [r#"{"action":"join"}"#]);
        assert_eq!(frames(&templates(), "").len(), 2);
        assert_eq!(
            frames(&templates(), r#"{"action":"s"#),
            [r#"{"action":"send"}"#]
        );
        assert!(frames(&templates(), "leave").is_empty());
        let nested = Templates::new(Some("$request.body.a.b"), &["x".to_owned()]);
        assert_eq!(frames(&nested, "x"), [r#"{"a":{"b":"x"}}"#]);
    }

    #[test]
    fn a_message_that_was_sent_is_what_its_route_begins_with() {
        let mut templates = templates();
        let sent = r#"{"action":"join","room":"r"}"#;
        templates.learn(sent);
        templates.learn("no JSON");
        templates.learn(r#"{"other":1}"#);
        assert_eq!(frames(&templates, "join"), [sent]);
        templates.learn(r#"{"action":"unheard-of"}"#);
        assert_eq!(frames(&templates, "un").len(), 1);
    }

    #[test]
    fn without_an_expression_over_the_body_there_are_none() {
        for expression in [None, Some("$request.header.x"), Some("${request.body.a}")] {
            let templates = Templates::new(expression, &["join".to_owned()]);
            assert!(frames(&templates, "").is_empty(), "{expression:?}");
        }
    }
}
