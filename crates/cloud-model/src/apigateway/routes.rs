//! Routes: the draft of an API. What clients reach is a deployment's snapshot.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, bad_request, conflict, not_found, read};
use crate::assumptions::{
    AUTHORIZATION_ELSEWHERE, ROUTE_KEY_RESERVED, gateway_quota, unknown_target,
};
use crate::call::Call;
use crate::error::{Failure, unsupported};
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
    /// Whether callers must sign.
    pub(super) iam: bool,
    /// The integration's id.
    pub(super) target: Option<String>,
}

impl Route {
    pub(super) fn show(&self) -> Value {
        present(json!({
            "apiKeyRequired": false,
            "authorizationType": if self.iam { "AWS_IAM" } else { "NONE" },
            "operationName": self.operation_name,
            "routeId": self.id,
            "routeKey": self.key,
            "target": self.target.as_ref().map(|id| format!("{TARGET_PREFIX}{id}")),
        }))
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
        let iam = self::iam(&members, &key)?.unwrap_or(false);
        let operation_name = read::text(&members, "operationName", 1, 64)?;
        let target = match members.text("target")? {
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
            iam,
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
        let former = self.route(id)?.key.clone();
        let members = request.members()?;
        refuse_what_is_absent(&members)?;
        let key = read::text(&members, "routeKey", 1, 128)?;
        if let Some(key) = &key {
            self.check_key(key, Some(id))?;
        }
        let iam = self::iam(&members, key.as_ref().unwrap_or(&former))?;
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
        if let Some(iam) = iam {
            route.iam = iam;
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

fn unknown_route(id: &str) -> Failure {
    not_found(format!("Invalid Route identifier specified {id}"))
}

fn refuse_what_is_absent(members: &Members) -> Result<(), Failure> {
    read::refuse(
        members,
        &[
            "authorizationScopes",
            "authorizerId",
            "modelSelectionExpression",
            "requestModels",
            "requestParameters",
            "routeResponseSelectionExpression",
        ],
    )?;
    read::refuse_true(members, &["apiKeyRequired"])
}

/// Whether callers must sign, when it is said. Who a client is is asked when it
/// connects, and at no other route.
fn iam(members: &Members, key: &str) -> Result<Option<bool>, Failure> {
    match members.text("authorizationType")?.as_deref() {
        None => Ok(None),
        Some("NONE") => Ok(Some(false)),
        Some("AWS_IAM") if key == "$connect" => Ok(Some(true)),
        Some("AWS_IAM") => Err(bad_request(AUTHORIZATION_ELSEWHERE)),
        Some(known @ ("CUSTOM" | "JWT")) => Err(bad_request(unsupported(&format!(
            "authorizationType {known}"
        )))),
        Some(other) => Err(bad_request(format!(
            "Invalid authorizationType specified: {other}"
        ))),
    }
}
