//! Reading the members of CloudWatch Logs' calls.

use super::invalid_parameter;
use crate::assumptions::LOGS_BAD_TOKEN;
use crate::constraints;
use crate::error::Failure;
use crate::limits::{LOG_NAME_CHARS, LOG_PAGE_BYTES};
use crate::paging::{self, Page};
use crate::wire::members::Members;

const GROUP_PATTERN: &str = r"[\.\-_/#A-Za-z0-9]+";

/// A group's name that is to be valid, too: for creating.
pub(super) fn group_name(members: &Members) -> Result<String, Failure> {
    let name = required(members, "logGroupName")?;
    constraints::length(&name, "logGroupName", 1, LOG_NAME_CHARS).map_err(invalid_parameter)?;
    let holds = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b));
    constraints::pattern(&name, "logGroupName", GROUP_PATTERN, holds).map_err(invalid_parameter)?;
    Ok(name)
}

/// The group by `logGroupName` or by `logGroupIdentifier`, a name or an ARN.
pub(super) fn group_reference(members: &Members) -> Result<String, Failure> {
    match (
        members.text("logGroupName")?,
        members.text("logGroupIdentifier")?,
    ) {
        (Some(_), Some(_)) => Err(invalid_parameter(
            "Exactly one of logGroupName or logGroupIdentifier must be specified.",
        )),
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => {
            let name = identifier
                .split_once(":log-group:")
                .map_or(identifier.as_str(), |(_, name)| name);
            Ok(name.trim_end_matches(":*").to_owned())
        }
        (None, None) => Err(invalid_parameter(constraints::missing("logGroupName"))),
    }
}

/// A text that must be given.
pub(super) fn required(members: &Members, name: &str) -> Result<String, Failure> {
    members
        .text(name)?
        .ok_or_else(|| invalid_parameter(constraints::missing(name)))
}

/// `limit`, between 1 and `max`.
pub(super) fn limit(members: &Members, default: usize, max: usize) -> Result<usize, Failure> {
    let Some(limit) = members.integer("limit")? else {
        return Ok(default);
    };
    constraints::range(limit, "limit", 1, max as i64).map_err(invalid_parameter)?;
    Ok(limit as usize)
}

/// One page by `nextToken`.
pub(super) fn page<T>(
    members: &Members,
    limit: usize,
    items: impl Iterator<Item = (String, T)>,
) -> Result<Page<T>, Failure> {
    let token = members.text("nextToken")?;
    paging::page(items, token.as_deref(), limit).map_err(|_| bad_token())
}

/// One page of events by `nextToken`, bounded in bytes, too.
pub(super) fn page_of_events<T>(
    members: &Members,
    limit: usize,
    items: impl Iterator<Item = (String, T)>,
    bytes: impl Fn(&T) -> usize,
) -> Result<Page<T>, Failure> {
    let token = members.text("nextToken")?;
    paging::page_within(items, token.as_deref(), limit, LOG_PAGE_BYTES, bytes)
        .map_err(|_| bad_token())
}

/// A token that was never given.
pub(super) fn bad_token() -> Failure {
    invalid_parameter(LOGS_BAD_TOKEN)
}
