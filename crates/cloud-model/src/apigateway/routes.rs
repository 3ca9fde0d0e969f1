//! Routes: the draft of an API. What clients reach is a deployment's snapshot.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorization::Authorization;
use super::route_responses::{self, RouteResponse};
use super::{Api, bad_request, conflict, not_found, read};
use crate::assumptions::{
    ROUTE_KEY_RESERVED, ROUTE_RESPONSE_SELECTION, gateway_quota, unknown_target,
};
use crate::call::Call;
use crate::error::Failure;
use crate::ids::free_id;
use crate::limits::ROUTES_PER_API;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};

const ID_CHARS: usize = 7;
const TARGET_PREFIX: &str = "integrations/";

/// One route of the draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Route {
    id: String,
    pub(super) key: String,
    operation_name: Option<String>,
    pub(super) authorization: Authorization,
    /// `None`: what the function answers goes nowhere.
    response_selection: Option<String>,
    pub(super) response: Option<RouteResponse>,
    /// The integration's id.
    pub(super) target: Option<String>,
}

impl Route {
    pub(super) fn show(&self) -> Value {
        present(json!({
            "apiKeyRequired": false,
            "authorizationType": self.authorization.word(),
            "authorizerId": self.authorization.authorizer_id(),
            "operationName": self.operation_name,
            "routeId": self.id,
            "routeKey": self.key,
            "routeResponseSelectionExpression": self.response_selection,
            "target": self.target.as_ref().map(|id| format!("{TARGET_PREFIX}{id}")),
        }))
    }
}

impl Route {
    /// Whether what the function answers goes back to the client.
    pub(super) fn responds(&self) -> bool {
        self.response.is_some() && self.response_selection.is_some()
    }
}

impl Api {
    pub(super) fn route(&self, id: &str) -> Result<&Route, Failure> {
        self.routes.get(id).ok_or_else(|| unknown_route(id))
    }

    pub(super) fn create_route(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        refuse_what_is_absent(&members)?;
        let key = read::required(&members, "routeKey", 128)?;
        self.check_key(&key, None)?;
        let authorization = self.read_authorization(&members, &key, &Authorization::None)?;
        let response_selection = read_response_selection(&members)?;
        let operation_name = read::text(&members, "operationName", 1, 64)?;
        let target = match read::text(&members, "target", 1, 128)? {
            Some(target) => self.read_target(&target)?,
            None => None,
        };
        if self.routes.len() >= ROUTES_PER_API {
            return Err(gateway_quota("Routes"));
        }
        let id = free_id(call.ids, ID_CHARS, |id| self.routes.contains_key(id));
        let route = Route {
            id: id.clone(),
            key,
            operation_name,
            authorization: authorization.unwrap_or_default(),
            response_selection: response_selection.filter(|text| !text.is_empty()),
            response: None,
            target,
        };
        let shown = route.show();
        self.routes.insert(id, route);
        Ok(Reply::created(shown))
    }

    pub(super) fn get_routes(&self, request: &RestRequest) -> Result<Reply, Failure> {
        read::list(
            request,
            self.routes
                .iter()
                .map(|(id, route)| (id.clone(), route.show())),
        )
    }

    pub(super) fn update_route(
        &mut self,
        id: &str,
        request: &RestRequest,
    ) -> Result<Reply, Failure> {
        let former = self.route(id)?;
        let (former_key, former) = (former.key.clone(), former.authorization.clone());
        let members = request.members()?;
        refuse_what_is_absent(&members)?;
        let key = read::text(&members, "routeKey", 1, 128)?;
        if let Some(key) = &key {
            self.check_key(key, Some(id))?;
        }
        let new_key = key.as_ref().unwrap_or(&former_key);
        let authorization = self.read_authorization(&members, new_key, &former)?;
        let response_selection = read_response_selection(&members)?;
        let operation_name = read::text(&members, "operationName", 0, 64)?;
        let target = match members.text("target")? {
            Some(target) => Some(self.read_target(&target)?),
            None => None,
        };
        let route = self.routes.get_mut(id).ok_or_else(|| unknown_route(id))?;
        if let Some(key) = key {
            route.key = key;
        }
        read::merge(&mut route.operation_name, operation_name);
        read::merge(&mut route.response_selection, response_selection);
        if let Some(authorization) = authorization {
            route.authorization = authorization;
        }
        if let Some(target) = target {
            route.target = target;
        }
        Ok(Reply::ok(route.show()))
    }

    pub(super) fn delete_route(&mut self, id: &str) -> Result<Reply, Failure> {
        self.routes.remove(id).ok_or_else(|| unknown_route(id))?;
        Ok(Reply::empty(204))
    }

    /// `own` is the route that may have the key already.
    fn check_key(&self, key: &str, own: Option<&str>) -> Result<(), Failure> {
        if key.starts_with('$') && !matches!(key, "$connect" | "$disconnect" | "$default") {
            return Err(bad_request(ROUTE_KEY_RESERVED));
        }
        let taken = self
            .routes
            .values()
            .any(|route| route.key == key && Some(route.id.as_str()) != own);
        if taken {
            return Err(conflict(format!(
                "Route with key {key} already exists for this API"
            )));
        }
        Ok(())
    }

    /// The integration's id out of `integrations/{id}`; `""` means none.
    fn read_target(&self, target: &str) -> Result<Option<String>, Failure> {
        if target.is_empty() {
            return Ok(None);
        }
        let Some(id) = target
            .strip_prefix(TARGET_PREFIX)
            .filter(|id| !id.is_empty())
        else {
            return Err(bad_request(format!(
                "Invalid target specified: {target}. It must have the form {TARGET_PREFIX}{{integrationId}}"
            )));
        };
        if !self.integrations.contains_key(id) {
            return Err(unknown_target(id));
        }
        Ok(Some(id.to_owned()))
    }
}

pub(super) fn unknown_route(id: &str) -> Failure {
    not_found(format!("Invalid Route identifier specified {id}"))
}

fn refuse_what_is_absent(members: &Members) -> Result<(), Failure> {
    read::refuse(
        members,
        &[
            "authorizationScopes",
            "modelSelectionExpression",
            "requestModels",
            "requestParameters",
        ],
    )?;
    read::refuse_true(members, &["apiKeyRequired"])
}

/// The expression that chooses a response; `""` clears it.
fn read_response_selection(members: &Members) -> Result<Option<String>, Failure> {
    match members.text("routeResponseSelectionExpression")? {
        Some(text) if !text.is_empty() && text != route_responses::DEFAULT => {
            Err(bad_request(ROUTE_RESPONSE_SELECTION))
        }
        other => Ok(other),
    }
}
