//! Which route a message takes: evaluates the API's route selection expression
//! and matches the result with the route keys. Pure.

use cloud_model::{LiveRoute, LiveStage};
use serde_json::Value;

use super::json_path::JsonPath;
use crate::assumptions::NOT_JSON_SELECTS_DEFAULT;

/// The route taken when no key matches.
pub(crate) const DEFAULT: &str = "$default";
/// The route before the handshake is answered.
pub(crate) const CONNECT: &str = "$connect";
/// The route after a connection has ended.
pub(crate) const DISCONNECT: &str = "$disconnect";

/// The route for a message with this text; `None`: no route matches and there
/// is no `$default`.
pub(crate) fn select<'a>(stage: &'a LiveStage, text: &str) -> Option<&'a LiveRoute> {
    route_key(&stage.route_selection_expression, text)
        // A message must not reach the routes of the connection's own life.
        .filter(|key| key != CONNECT && key != DISCONNECT)
        .and_then(|key| stage.routes.get(&key))
        .or_else(|| stage.routes.get(DEFAULT))
}

/// Evaluates the expression over a message; `None`: the message is not JSON.
fn route_key(expression: &str, text: &str) -> Option<String> {
    let body = match serde_json::from_str(text) {
        Ok(body) => body,
        Err(_) if NOT_JSON_SELECTS_DEFAULT => return None,
        Err(_) => Value::Null,
    };
    let mut key = String::new();
    let mut rest = expression;
    while let Some(part) = next_part(&mut rest) {
        match part {
            Part::Literal(literal) => key.push_str(literal),
            Part::Variable(path) => key.push_str(&JsonPath::parse(path).select(&body)),
        }
    }
    Some(key)
}

enum Part<'a> {
    Literal(&'a str),
    /// What follows `request.body`.
    Variable(&'a str),
}

/// Takes the next literal or variable off the expression. A value that itself
/// looks like an expression is never evaluated again.
fn next_part<'a>(rest: &mut &'a str) -> Option<Part<'a>> {
    if rest.is_empty() {
        return None;
    }
    if let Some(after) = rest.strip_prefix("\\$") {
        // An escaped dollar is a literal one.
        *rest = after;
        return Some(Part::Literal("$"));
    }
    if let Some((path, after)) = rest
        .strip_prefix("${request.body")
        .and_then(|inside| inside.split_once('}'))
    {
        *rest = after;
        return Some(Part::Variable(path));
    }
    if let Some(path) = rest.strip_prefix("$request.body") {
        // The bare form has no end of its own: it is the rest.
        *rest = "";
        return Some(Part::Variable(path));
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let end = rest[first..]
        .find(['$', '\\'])
        .map_or(rest.len(), |at| at + first);
    let (literal, after) = rest.split_at(end);
    *rest = after;
    Some(Part::Literal(literal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn key(expression: &str, text: &str) -> Option<String> {
        route_key(expression, text)
    }

    fn stage(keys: &[&str]) -> LiveStage {
        let routes = keys
            .iter()
            .map(|key| {
                let route = LiveRoute {
                    route_key: (*key).to_owned(),
                    ..crate::gateway::samples::route()
                };
                ((*key).to_owned(), route)
            })
            .collect::<BTreeMap<_, _>>();
        LiveStage {
            routes,
            ..crate::gateway::samples::stage()
        }
    }

    fn selected(stage: &LiveStage, text: &str) -> Option<String> {
        select(stage, text).map(|route| route.route_key.clone())
    }

    #[test]
    fn one_variable_gives_its_value() {
        assert_eq!(
            key("$request.body.action", r#"{"action":"join"}"#).as_deref(),
            Some("join")
        );
        assert_eq!(
            key("${request.body.action}", r#"{"action":"join"}"#).as_deref(),
            Some("join")
        );
        assert_eq!(
            key("$request.body.a.b[1]", r#"{"a":{"b":[0,1]}}"#).as_deref(),
            Some("1")
        );
    }

    #[test]
    fn variables_and_literals_combine_and_missing_ones_are_empty() {
        let expression = "${request.body.service}/${request.body.action}";
        assert_eq!(
            key(expression, r#"{"service":"chat","action":"join"}"#).as_deref(),
            Some("chat/join")
        );
        assert_eq!(
            key(
                "${request.body.action}-${request.body.x}",
                r#"{"action":"join"}"#
            )
            .as_deref(),
            Some("join-")
        );
        assert_eq!(key("action", "{}").as_deref(), Some("action"));
        assert_eq!(key(r"\$default", "{}").as_deref(), Some("$default"));
        assert_eq!(key("", "{}").as_deref(), Some(""));
    }

    #[test]
    fn values_are_not_evaluated_again() {
        let text = r#"{"action":"${request.body.x}","x":"join"}"#;
        assert_eq!(
            key("$request.body.action", text).as_deref(),
            Some("${request.body.x}")
        );
    }

    #[test]
    fn an_unfinished_variable_is_literal_text() {
        assert_eq!(
            key("${request.body.a", "{}").as_deref(),
            Some("${request.body.a")
        );
        assert_eq!(key("ä$", "{}").as_deref(), Some("ä$"));
    }

    #[test]
    fn text_that_is_not_json_takes_the_default_route() {
        let stage = stage(&["$default", "join"]);
        assert_eq!(selected(&stage, "join").as_deref(), Some("$default"));
        assert_eq!(selected(&stage, "").as_deref(), Some("$default"));
        assert_eq!(selected(&stage, "[1]").as_deref(), Some("$default"));
    }

    #[test]
    fn keys_match_exactly_or_not_at_all() {
        let stage = stage(&["join"]);
        assert_eq!(
            selected(&stage, r#"{"action":"join"}"#).as_deref(),
            Some("join")
        );
        assert_eq!(selected(&stage, r#"{"action":"Join"}"#), None);
        assert_eq!(selected(&stage, "{}"), None);
    }

    #[test]
    fn reserved_values_never_reach_the_routes_of_the_connections_life() {
        let with_default = stage(&["$connect", "$disconnect", "$default"]);
        let without = stage(&["$connect", "$disconnect"]);
        for reserved in ["$connect", "$disconnect"] {
            let text = format!(r#"{{"action":"{reserved}"}}"#);
            assert_eq!(selected(&with_default, &text).as_deref(), Some("$default"));
            assert_eq!(selected(&without, &text), None);
        }
        assert_eq!(
            selected(&with_default, r#"{"action":"$default"}"#).as_deref(),
            Some("$default")
        );
    }
}
