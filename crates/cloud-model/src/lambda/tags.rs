//! Tags of functions. They belong to the function as a whole.

use serde_json::json;

use super::reference::Reference;
use super::{Lambda, invalid_parameter, validation};
use crate::call::Call;
use crate::constraints;
use crate::error::Failure;
use crate::ids::uuid;
use crate::tags::{self, TagMap};
use crate::wire::rest_json::{Reply, RestRequest};

const PATTERN: &str = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)";

impl Lambda {
    pub(super) fn tags(
        &mut self,
        arn: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let is_function =
            arn.starts_with("arn:aws:lambda:") && arn.split(':').nth(5) == Some("function");
        constraints::pattern(arn, "resource", PATTERN, is_function).map_err(validation)?;
        let reference = Reference::read(arn, None, call.settings)?;
        if reference.qualifier.is_some() {
            return Err(invalid_parameter(
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            ));
        }
        let function = self.find_mut(&reference, call.settings)?;
        match request.method.as_str() {
            "GET" => return Ok(Reply::ok(json!({ "Tags": function.tags }))),
            "POST" => {
                let new = request
                    .members()?
                    .text_map("Tags")?
                    .ok_or_else(|| validation(constraints::missing("tags")))?;
                if new.is_empty() {
                    return Err(invalid_parameter(
                        "An error occurred and the request cannot be processed.",
                    ));
                }
                add_tags(&mut function.tags, new)?;
            }
            "DELETE" => {
                let keys = request.query_all("tagKeys");
                if keys.is_empty() {
                    return Err(validation(constraints::missing("tagKeys")));
                }
                tags::remove(&mut function.tags, keys);
            }
            _ => return Err(Failure::not_served(&request.title())),
        }
        function.latest.renew_revision_id(uuid(call.ids));
        Ok(Reply::empty(204))
    }
}

/// Adds tags, or says which rule they break.
pub(super) fn add_tags(tags: &mut TagMap, new: TagMap) -> Result<(), Failure> {
    tags::add(tags, new).map_err(|fault| invalid_parameter(fault.to_string()))
}
