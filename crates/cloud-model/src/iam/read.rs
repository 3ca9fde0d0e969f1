//! Reading IAM's parameters.

use super::validation;
use crate::assumptions::{IAM_BAD_MARKER, IAM_PAGE_DEFAULT, IAM_PAGE_MAX};
use crate::constraints;
use crate::error::Failure;
use crate::paging::{self, Page};
use crate::wire::query_xml::{Form, Xml};

/// A parameter that must be given; `member` is its name in messages.
pub(super) fn required<'a>(form: &'a Form, name: &str, member: &str) -> Result<&'a str, Failure> {
    form.text(name)
        .ok_or_else(|| validation(constraints::missing(member)))
}

/// A name of `[\w+=,.@-]`.
pub(super) fn name<'a>(
    form: &'a Form,
    parameter: &str,
    member: &str,
    max: usize,
) -> Result<&'a str, Failure> {
    let value = required(form, parameter, member)?;
    constraints::length(value, member, 1, max).map_err(validation)?;
    let holds = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    constraints::pattern(value, member, r"[\w+=,.@-]+", holds)
        .map_err(|_| validation(format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )))?;
    Ok(value)
}

/// `RoleName`.
pub(super) fn role_name(form: &Form) -> Result<&str, Failure> {
    name(form, "RoleName", "roleName", 64)
}

/// A number, when it is given.
pub(super) fn integer(
    form: &Form,
    parameter: &str,
    member: &str,
    min: i64,
    max: i64,
) -> Result<Option<i64>, Failure> {
    let Some(text) = form.text(parameter) else {
        return Ok(None);
    };
    let value = text
        .parse()
        .map_err(|_| validation(format!("Value '{text}' at '{member}' is not an integer")))?;
    constraints::range(value, member, min, max).map_err(validation)?;
    Ok(Some(value))
}

/// A page of `items` by `Marker` and `MaxItems`.
pub(super) fn page<T>(
    form: &Form,
    items: impl Iterator<Item = (String, T)>,
) -> Result<Page<T>, Failure> {
    let limit = integer(form, "MaxItems", "maxItems", 1, IAM_PAGE_MAX as i64)?;
    let limit = limit.map_or(IAM_PAGE_DEFAULT, |limit| limit as usize);
    paging::page(items, form.text("Marker"), limit)
        .map_err(|_| validation(IAM_BAD_MARKER.to_owned()))
}

/// `IsTruncated` and, when there is more, `Marker`.
pub(super) fn page_end(xml: Xml, next: Option<&str>) -> Xml {
    xml.text("IsTruncated", if next.is_some() { "true" } else { "false" })
        .maybe("Marker", next)
}
