//! Tags of APIs and stages, the two resources that have them.

use serde_json::json;

use super::{Gateway, bad_request, not_found, unknown_stage};
use crate::call::Call;
use crate::error::Failure;
use crate::tags::{self, TagMap};
use crate::wire::rest_json::{Reply, RestRequest};

impl Gateway {
    pub(super) fn tags(
        &mut self,
        arn: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let tags = self.tags_of(arn, call)?;
        match request.method.as_str() {
            "GET" => Ok(Reply::ok(json!({ "tags": tags }))),
            "POST" => {
                add_tags(
                    tags,
                    request.members()?.text_map("tags")?.unwrap_or_default(),
                )?;
                Ok(Reply::empty(201))
            }
            "DELETE" => {
                let keys = request.query_all("tagKeys");
                if keys.is_empty() {
                    return Err(bad_request("tagKeys is required"));
                }
                tags::remove(tags, keys);
                Ok(Reply::empty(204))
            }
            _ => Err(Failure::not_served(&request.title())),
        }
    }

    fn tags_of(&mut self, arn: &str, call: &Call<'_>) -> Result<&mut TagMap, Failure> {
        let prefix = format!("arn:aws:apigateway:{}::/apis/", call.settings.region);
        let invalid = || bad_request(format!("Invalid resource ARN specified: {arn}"));
        let rest = arn.strip_prefix(&prefix).ok_or_else(invalid)?;
        match rest.split('/').collect::<Vec<_>>().as_slice() {
            [api_id] => Ok(&mut self.api_mut(api_id, call)?.tags),
            [api_id, "stages", name] => {
                let api = self.api_mut(api_id, call)?;
                let stage = api
                    .stages
                    .get_mut(*name)
                    .ok_or_else(|| unknown_stage(name))?;
                Ok(&mut stage.tags)
            }
            _ => Err(not_found(format!("Resource not found: {arn}"))),
        }
    }
}

/// Adds tags, or says which rule they break.
pub(super) fn add_tags(tags: &mut TagMap, new: TagMap) -> Result<(), Failure> {
    tags::add(tags, new).map_err(|fault| bad_request(fault.to_string()))
}
