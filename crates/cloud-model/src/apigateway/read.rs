//! Reading input by API Gateway's rules, shared by its resources.

use serde_json::{Value, json};

use super::bad_request;
use crate::assumptions::{GATEWAY_BAD_TOKEN, GATEWAY_PAGE_DEFAULT, GATEWAY_PAGE_MAX};
use crate::error::{Failure, unsupported};
use crate::paging;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

/// A text between `min` and `max` characters, when it is given.
pub(super) fn text(
    members: &Members,
    name: &str,
    min: usize,
    max: usize,
) -> Result<Option<String>, Failure> {
    let value = members.text(name)?;
    if let Some(value) = &value {
        let chars = value.chars().count();
        if chars < min || chars > max {
            return Err(bad_request(format!(
                "Invalid {name} specified: it must have between {min} and {max} characters"
            )));
        }
    }
    Ok(value)
}

/// A text that must be given.
pub(super) fn required(members: &Members, name: &str, max: usize) -> Result<String, Failure> {
    text(members, name, 1, max)?
        .ok_or_else(|| bad_request(format!("Missing required member: {name}")))
}

/// Refuses members that this model would not honour.
pub(super) fn refuse(members: &Members, names: &[&str]) -> Result<(), Failure> {
    match names.iter().find(|name| members.says_something(name)) {
        None => Ok(()),
        Some(name) => Err(bad_request(unsupported(name))),
    }
}

/// Refuses switches that are turned on and that this model would not honour.
pub(super) fn refuse_true(members: &Members, names: &[&str]) -> Result<(), Failure> {
    for name in names {
        if members.boolean(name)? == Some(true) {
            return Err(bad_request(unsupported(name)));
        }
    }
    Ok(())
}

/// A text in a partial update: absent leaves it, `""` clears it.
pub(super) fn merge(current: &mut Option<String>, update: Option<String>) {
    match update {
        None => {}
        Some(text) if text.is_empty() => *current = None,
        Some(text) => *current = Some(text),
    }
}

/// One page of a list, `{ "items": […], "nextToken": … }`.
pub(super) fn list(
    request: &RestRequest,
    items: impl Iterator<Item = (String, Value)>,
) -> Result<Reply, Failure> {
    let limit = match request.query("maxResults") {
        None => GATEWAY_PAGE_DEFAULT,
        Some(text) => match text.parse() {
            Ok(limit) if (1..=GATEWAY_PAGE_MAX).contains(&limit) => limit,
            _ => {
                return Err(bad_request(format!(
                    "Invalid maxResults specified: it must be between 1 and {GATEWAY_PAGE_MAX}"
                )));
            }
        },
    };
    let page = paging::page(items, request.query("nextToken"), limit)
        .map_err(|_| bad_request(GATEWAY_BAD_TOKEN))?;
    Ok(Reply::ok(present(
        json!({ "items": page.items, "nextToken": page.next }),
    )))
}
