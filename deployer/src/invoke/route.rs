//! Which route an event is of, when nobody says.
//!
//! Deliberately absent: selection expressions of other forms than `$request.body.x.y`; where
//! a stage has one, `--route` says it.

use deployer_core::names::{FunctionKey, RouteKey};
use serde_json::Value;
use std::collections::BTreeMap;

/// What API Gateway's own routes begin with.
const OWN: char = '$';
const DEFAULT: &str = "$default";

/// The route of a message for `function`: the one that the message chooses, if it leads there.
///
/// # Errors
/// What is wrong, and what to do, in words.
pub fn of_message(
    routes: &BTreeMap<RouteKey, FunctionKey>,
    function: &FunctionKey,
    expression: &str,
    body: &str,
) -> Result<String, (String, String)> {
    let leading: Vec<&str> = routes
        .iter()
        .filter(|(_, to)| *to == function)
        .map(|(route, _)| route.as_str())
        .filter(|route| !route.starts_with(OWN) || *route == DEFAULT)
        .collect();
    let named = selected(expression, body);
    let known = |name: &String| routes.keys().any(|route| route.as_str() == name);
    let chosen = named.clone().filter(known);
    let chosen = chosen.unwrap_or_else(|| DEFAULT.to_owned());
    if leading.contains(&chosen.as_str()) {
        return Ok(chosen);
    }
    let said = match named {
        Some(name) => format!("the message chooses `{name}`"),
        None => format!("the message chooses no route by {expression}"),
    };
    let message = match leading.as_slice() {
        [] => {
            return Err((
                format!("no message leads to `{function}`"),
                "name another --event, or the route by --route".to_owned(),
            ));
        }
        leading => format!(
            "{said}, which doesn't lead to `{function}`; to it lead {}",
            leading.join(", ")
        ),
    };
    Err((
        message,
        "write another --body, or name the route by --route".to_owned(),
    ))
}

/// What the message names, by an expression of the plain form.
fn selected(expression: &str, body: &str) -> Option<String> {
    let path = expression.strip_prefix("$request.body.")?;
    let body: Value = serde_json::from_str(body).ok()?;
    let found = path
        .split('.')
        .try_fold(&body, |value, member| value.get(member))?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(found.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_ACTION: &str = "$request.body.action";

    fn route(function: &str, body: &str) -> Result<String, (String, String)> {
        let routes = [
            ("$connect", "connect"),
            ("$default", "default"),
            ("join", "room"),
            ("send", "room"),
        ];
        let routes = routes.map(|(route, to)| (RouteKey::new(route), FunctionKey::new(to)));
        of_message(&routes.into(), &FunctionKey::new(function), BY_ACTION, body)
    }

    #[test]
    fn the_message_chooses_its_route() {
        assert_eq!(route("room", r#"{"action":"send"}"#).as_deref(), Ok("send"));
        for body in ["hi", r#"{"action":"other"}"#, r#"{"action":{}}"#, "[]"] {
            assert_eq!(route("default", body).as_deref(), Ok("$default"), "{body}");
        }
    }

    #[test]
    fn a_message_that_leads_elsewhere_is_told_what_would_lead_there() {
        let (message, _) = route("room", r#"{"action":"jion"}"#).unwrap_err();
        assert_eq!(
            message,
            "the message chooses `jion`, which doesn't lead to `room`; to it lead join, send"
        );
    }

    #[test]
    fn a_function_that_no_message_reaches_is_told_so() {
        let (message, _) = route("connect", "hi").unwrap_err();
        assert_eq!(message, "no message leads to `connect`");
    }

    #[test]
    fn numbers_and_deep_members_are_found() {
        assert_eq!(
            selected("$request.body.a.b", r#"{"a":{"b":1}}"#).as_deref(),
            Some("1")
        );
        assert_eq!(selected("${request.body.a}", r#"{"a":"x"}"#), None);
    }
}
