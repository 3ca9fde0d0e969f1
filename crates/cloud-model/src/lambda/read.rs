//! Reading what several Lambda operations share.

use serde_json::{Value, json};

use super::function::Function;
use super::{conflict, validation};
use crate::assumptions::{LAMBDA_BAD_MARKER, LAMBDA_PAGE};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::lambda::invalid_parameter;
use crate::limits::CODE_REQUEST_BYTES;
use crate::paging;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

/// Refuses requests with code that are too large as a whole.
pub(super) fn check_size(request: &RestRequest, operation: &str) -> Result<(), Failure> {
    if request.body_len() < CODE_REQUEST_BYTES {
        return Ok(());
    }
    Err(Failure::new(
        413,
        "RequestEntityTooLargeException",
        format!(
            "Request must be smaller than {CODE_REQUEST_BYTES} bytes for the {operation} operation"
        ),
    ))
}

/// Refuses to change a function whose last change has not settled.
pub(super) fn check_settled(function: &Function, call: &Call<'_>) -> Result<(), Failure> {
    if function.latest.is_pending(call.now) {
        return Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the \
             following state: Pending"
                .to_owned(),
        ));
    }
    if !function.latest.is_settled(call.now) {
        return Err(conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            function.arn(call.settings)
        )));
    }
    Ok(())
}

/// Refuses when `RevisionId` is given and is not the latest.
pub(super) fn check_revision(
    members: &Members,
    function: &Function,
    call: &Call<'_>,
) -> Result<(), Failure> {
    check_revision_id(members, function.latest.revision_id(call.now))
}

/// Refuses when `RevisionId` is given and is not `current`.
pub(super) fn check_revision_id(members: &Members, current: &str) -> Result<(), Failure> {
    match members.text("RevisionId")? {
        Some(id) if id != current => Err(Failure::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the \
             GetFunction/GetAlias API to retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

/// One page of a list by `Marker` and `MaxItems`.
pub(super) fn list(
    request: &RestRequest,
    name: &str,
    items: impl Iterator<Item = (String, Value)>,
) -> Result<Reply, Failure> {
    let limit = match request.query("MaxItems") {
        None => LAMBDA_PAGE,
        Some(text) => {
            let limit: i64 = text.parse().map_err(|_| {
                Failure::serialization(format!(
                    "{text} can not be converted to an Integer: MaxItems"
                ))
            })?;
            constraints::range(limit, "maxItems", 1, 10_000).map_err(validation)?;
            // Larger pages are allowed to be asked for, and are cut to 50.
            (limit as usize).min(LAMBDA_PAGE)
        }
    };
    let page = paging::page(items, request.query("Marker"), limit)
        .map_err(|_| invalid_parameter(LAMBDA_BAD_MARKER))?;
    Ok(Reply::ok(present(
        json!({ name: page.items, "NextMarker": page.next }),
    )))
}
