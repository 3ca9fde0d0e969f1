//! APIs. Their names are not unique, as in AWS: creating is not idempotent.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorizers::Authorizer;
use super::deployments::Deployment;
use super::integrations::Integration;
use super::routes::Route;
use super::stages::Stage;
use super::tags::add_tags;
use super::{Gateway, bad_request, read};
use crate::Effect;
use crate::call::{Call, iso_seconds};
use crate::error::{Failure, unsupported};
use crate::ids::free_id;
use crate::limits::APIS;
use crate::tags::TagMap;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

const ID_CHARS: usize = 10;
const DEFAULT_API_KEY_SELECTION: &str = "$request.header.x-api-key";

/// One WebSocket API with all that belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Api {
    pub(super) id: String,
    pub(super) name: String,
    description: Option<String>,
    version: Option<String>,
    pub(super) route_selection_expression: String,
    api_key_selection_expression: String,
    disable_schema_validation: bool,
    pub(super) disable_execute_api_endpoint: bool,
    ip_address_type: String,
    created: Timestamp,
    pub(super) tags: TagMap,
    /// By id, as all below but stages.
    pub(super) routes: BTreeMap<String, Route>,
    pub(super) integrations: BTreeMap<String, Integration>,
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    pub(super) deployments: BTreeMap<String, Deployment>,
    /// By name.
    pub(super) stages: BTreeMap<String, Stage>,
}

impl Gateway {
    pub(super) fn create_api(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let name = read::required(&members, "name", 128)?;
        match read::required(&members, "protocolType", 64)?.as_str() {
            "WEBSOCKET" => {}
            "HTTP" => return Err(bad_request(unsupported("protocolType HTTP"))),
            other => {
                return Err(bad_request(format!(
                    "Invalid protocolType specified: {other}"
                )));
            }
        }
        refuse_what_is_absent(&members)?;
        let route_selection_expression = members
            .text("routeSelectionExpression")?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                bad_request("Route selection expression is required for WEBSOCKET protocol")
            })?;
        check_selection(&route_selection_expression)?;
        let mut tags = TagMap::new();
        add_tags(&mut tags, members.text_map("tags")?.unwrap_or_default())?;
        read::text(&members, "target", 1, 1024)?;
        let description = read::text(&members, "description", 0, 1024)?;
        let version = read::text(&members, "version", 1, 64)?;
        let api_key_selection_expression = members.text("apiKeySelectionExpression")?;
        let disable_schema_validation = members.boolean("disableSchemaValidation")?;
        let disable_endpoint = members.boolean("disableExecuteApiEndpoint")?;
        let ip_address_type = ip_address_type(&members)?;
        if self.apis.len() >= APIS {
            return Err(bad_request(format!(
                "Maximum number of APIs ({APIS}) has been reached"
            )));
        }
        let id = free_id(call.ids, ID_CHARS, |id| self.apis.contains_key(id));
        let api = Api {
            id: id.clone(),
            name,
            description: description.filter(|text| !text.is_empty()),
            version,
            route_selection_expression,
            api_key_selection_expression: api_key_selection_expression
                .unwrap_or_else(|| DEFAULT_API_KEY_SELECTION.to_owned()),
            disable_schema_validation: disable_schema_validation.unwrap_or(false),
            disable_execute_api_endpoint: disable_endpoint.unwrap_or(false),
            ip_address_type: ip_address_type.unwrap_or_else(|| "ipv4".to_owned()),
            created: call.now,
            tags,
            routes: BTreeMap::new(),
            integrations: BTreeMap::new(),
            authorizers: BTreeMap::new(),
            deployments: BTreeMap::new(),
            stages: BTreeMap::new(),
        };
        let shown = api.show(call);
        self.apis.insert(id, Arc::new(api));
        Ok(Reply::created(shown))
    }

    pub(super) fn get_apis(
        &self,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        read::list(
            request,
            self.apis
                .iter()
                .map(|(id, api)| (id.clone(), api.show(call))),
        )
    }

    /// Takes routes, integrations, stages and deployments along.
    pub(super) fn delete_api(
        &mut self,
        api_id: &str,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        self.api(api_id, call)?;
        self.apis.remove(api_id);
        call.effects.push(Effect::ApiDeleted {
            api_id: api_id.to_owned(),
        });
        Ok(Reply::empty(204))
    }
}

impl Api {
    pub(super) fn update(
        &mut self,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        refuse_what_is_absent(&members)?;
        let name = read::text(&members, "name", 1, 128)?;
        let description = read::text(&members, "description", 0, 1024)?;
        let version = read::text(&members, "version", 0, 64)?;
        let selection = members.text("routeSelectionExpression")?;
        if let Some(selection) = &selection {
            check_selection(selection)?;
        }
        let key_selection = members.text("apiKeySelectionExpression")?;
        let disable_schema_validation = members.boolean("disableSchemaValidation")?;
        let disable_endpoint = members.boolean("disableExecuteApiEndpoint")?;
        let ip_address_type = ip_address_type(&members)?;
        // All checks are behind us: nothing changes by halves.
        if let Some(name) = name {
            self.name = name;
        }
        read::merge(&mut self.description, description);
        read::merge(&mut self.version, version);
        if let Some(selection) = selection {
            self.route_selection_expression = selection;
        }
        if let Some(key_selection) = key_selection.filter(|text| !text.is_empty()) {
            self.api_key_selection_expression = key_selection;
        }
        if let Some(disable) = disable_schema_validation {
            self.disable_schema_validation = disable;
        }
        if let Some(disable) = disable_endpoint {
            self.disable_execute_api_endpoint = disable;
        }
        if let Some(kind) = ip_address_type {
            self.ip_address_type = kind;
        }
        Ok(Reply::ok(self.show(call)))
    }

    pub(super) fn show(&self, call: &Call<'_>) -> Value {
        present(json!({
            "apiEndpoint": format!("{}/{}", call.settings.websocket_base, self.id),
            "apiId": self.id,
            "apiKeySelectionExpression": self.api_key_selection_expression,
            "createdDate": iso_seconds(self.created),
            "description": self.description,
            "disableExecuteApiEndpoint": self.disable_execute_api_endpoint,
            "disableSchemaValidation": self.disable_schema_validation,
            "ipAddressType": self.ip_address_type,
            "name": self.name,
            "protocolType": "WEBSOCKET",
            "routeSelectionExpression": self.route_selection_expression,
            "tags": self.tags,
            "version": self.version,
        }))
    }
}

fn refuse_what_is_absent(members: &Members) -> Result<(), Failure> {
    // Quick create is of HTTP APIs.
    read::refuse(
        members,
        &["corsConfiguration", "credentialsArn", "routeKey", "target"],
    )
}

/// Which addresses clients may have; here they only ever have IPv4's.
fn ip_address_type(members: &Members) -> Result<Option<String>, Failure> {
    match members.text("ipAddressType")? {
        Some(other) if !["ipv4", "dualstack"].contains(&other.as_str()) => Err(bad_request(
            format!("Invalid ipAddressType specified: {other}"),
        )),
        known => Ok(known),
    }
}

/// Only the body can select a route of a WebSocket API; static text is allowed.
fn check_selection(expression: &str) -> Result<(), Failure> {
    let invalid = || {
        bad_request(format!(
            "Invalid route selection expression specified: {expression}"
        ))
    };
    if expression.is_empty() {
        return Err(invalid());
    }
    let mut rest = expression;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        let variable = &rest[at + 1..];
        let known = variable.starts_with("request.body") || variable.starts_with("{request.body");
        if !escaped && !known {
            return Err(invalid());
        }
        rest = variable;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_selection;

    #[test]
    fn route_selection_reads_the_body_or_static_text() {
        for valid in [
            "$request.body.action",
            "${request.body.a}/${request.body.b}",
            "action",
            "\\$default",
        ] {
            assert!(check_selection(valid).is_ok(), "{valid}");
        }
        for invalid in [
            "",
            "$request.header.x",
            "$context.routeKey",
            "${request.querystring.a}",
        ] {
            assert_eq!(
                check_selection(invalid).unwrap_err().message,
                format!("Invalid route selection expression specified: {invalid}")
            );
        }
    }
}
