//! API Gateway v2's control plane, for WebSocket APIs.
//!
//! Deliberately absent: HTTP APIs, models, integration responses, custom domains, VPC
//! links. Whoever asks for one of them is told so; nothing is accepted that
//! the data plane would not honour.

mod account;
mod apis;
mod authorization;
mod authorizers;
mod auto_deploy;
mod deployments;
mod integrations;
mod read;
mod route_responses;
mod routes;
mod settings;
mod shown;
mod stages;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::LiveStage;
use crate::call::Call;
use crate::error::Failure;
use crate::wire::rest_json::{Reply, RestRequest};

pub(crate) use account::is_about_account;
pub(crate) use apis::Api;

/// All APIs of the account and region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Gateway {
    /// By id. Shared with whoever keeps what readers saw of an API earlier.
    apis: BTreeMap<String, Arc<Api>>,
    /// By which API Gateway writes logs.
    logs_role: Option<String>,
}

impl Gateway {
    /// API Gateway with these APIs.
    pub(crate) fn of(apis: BTreeMap<String, Arc<Api>>) -> Self {
        Self {
            apis,
            logs_role: None,
        }
    }

    /// All APIs by id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Arc<Api>)> {
        self.apis.iter()
    }

    /// Whether there is that API.
    pub(crate) fn has(&self, api_id: &str) -> bool {
        self.apis.contains_key(api_id)
    }

    /// Serves one request.
    pub(crate) fn handle(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let reply = self.serve(request, call)?;
        if auto_deploy::changes_draft(request)
            && let Some(api_id) = request.path().get(2)
        {
            self.api_mut(api_id, call)?.auto_deploy(call);
        }
        Ok(reply)
    }

    fn serve(&mut self, request: &RestRequest, call: &mut Call<'_>) -> Result<Reply, Failure> {
        let path = request.path();
        match path.as_slice() {
            ["v2", "apis"] => match request.method.as_str() {
                "POST" => self.create_api(request, call),
                "GET" => self.get_apis(request, call),
                _ => Err(Failure::not_served(&request.title())),
            },
            ["v2", "apis", api_id] => match request.method.as_str() {
                "GET" => Ok(Reply::ok(self.api(api_id, call)?.show(call))),
                "PATCH" => self.api_mut(api_id, call)?.update(request, call),
                "DELETE" => self.delete_api(api_id, call),
                _ => Err(Failure::not_served(&request.title())),
            },
            ["v2", "apis", api_id, collection] => {
                self.collection(api_id, collection, request, call)
            }
            ["v2", "apis", api_id, collection, id] => {
                self.item(api_id, collection, id, request, call)
            }
            ["v2", "apis", api_id, "routes", route_id, rest @ ..] => {
                let api = self.api_mut(api_id, call)?;
                api.route_responses(route_id, rest, request, call)
            }
            ["v2", "apis", api_id, "stages", name, rest @ ..]
                if request.method == http::Method::DELETE =>
            {
                let api = self.api_mut(api_id, call)?;
                match rest {
                    ["accesslogsettings"] => api.delete_access_log_settings(name, call),
                    ["routesettings", key] => api.delete_route_settings(name, key, call),
                    _ => Err(Failure::not_served(&request.title())),
                }
            }
            ["v2", "tags", first, rest @ ..] => {
                // The ARN is one encoded segment, or its slashes stand raw.
                let arn = rest
                    .iter()
                    .fold((*first).to_owned(), |arn, part| arn + "/" + part);
                self.tags(&arn, request, call)
            }
            _ => Err(Failure::not_served(&request.title())),
        }
    }

    fn collection(
        &mut self,
        api_id: &str,
        collection: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        match (request.method.as_str(), collection) {
            ("POST", "routes") => self.api_mut(api_id, call)?.create_route(request, call),
            ("GET", "routes") => self.api(api_id, call)?.get_routes(request),
            ("POST", "authorizers") => self.api_mut(api_id, call)?.create_authorizer(request, call),
            ("GET", "authorizers") => self.api(api_id, call)?.get_authorizers(request),
            ("POST", "integrations") => self
                .api_mut(api_id, call)?
                .create_integration(request, call),
            ("GET", "integrations") => self.api(api_id, call)?.get_integrations(request),
            ("POST", "deployments") => self.api_mut(api_id, call)?.create_deployment(request, call),
            ("GET", "deployments") => self.api(api_id, call)?.get_deployments(request),
            ("POST", "stages") => {
                let may_log = self.logs_role.is_some();
                let api = self.api_mut(api_id, call)?;
                api.create_stage(request, call, may_log)
            }
            ("GET", "stages") => self.api(api_id, call)?.get_stages(request),
            _ => Err(Failure::not_served(&request.title())),
        }
    }

    fn item(
        &mut self,
        api_id: &str,
        collection: &str,
        id: &str,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        match (request.method.as_str(), collection) {
            ("GET", "routes") => Ok(Reply::ok(self.api(api_id, call)?.route(id)?.show())),
            ("PATCH", "routes") => self.api_mut(api_id, call)?.update_route(id, request),
            ("DELETE", "routes") => self.api_mut(api_id, call)?.delete_route(id),
            ("GET", "authorizers") => Ok(Reply::ok(self.api(api_id, call)?.authorizer(id)?.show())),
            ("PATCH", "authorizers") => self.api_mut(api_id, call)?.update_authorizer(id, request),
            ("DELETE", "authorizers") => self.api_mut(api_id, call)?.delete_authorizer(id),
            ("GET", "integrations") => {
                Ok(Reply::ok(self.api(api_id, call)?.integration(id)?.show()))
            }
            ("PATCH", "integrations") => {
                self.api_mut(api_id, call)?.update_integration(id, request)
            }
            ("DELETE", "integrations") => self.api_mut(api_id, call)?.delete_integration(id),
            ("GET", "deployments") => Ok(Reply::ok(self.api(api_id, call)?.deployment(id)?.show())),
            ("PATCH", "deployments") => self.api_mut(api_id, call)?.update_deployment(id, request),
            ("DELETE", "deployments") => self.api_mut(api_id, call)?.delete_deployment(id),
            ("GET", "stages") => Ok(Reply::ok(self.api(api_id, call)?.stage(id)?.show())),
            ("PATCH", "stages") => {
                let may_log = self.logs_role.is_some();
                let api = self.api_mut(api_id, call)?;
                api.update_stage(id, request, call, may_log)
            }
            ("DELETE", "stages") => self.api_mut(api_id, call)?.delete_stage(id, call),
            _ => Err(Failure::not_served(&request.title())),
        }
    }

    fn api(&self, api_id: &str, call: &Call<'_>) -> Result<&Api, Failure> {
        self.apis
            .get(api_id)
            .map(Arc::as_ref)
            .ok_or_else(|| unknown_api(api_id, call))
    }

    fn api_mut(&mut self, api_id: &str, call: &Call<'_>) -> Result<&mut Api, Failure> {
        self.apis
            .get_mut(api_id)
            .map(Arc::make_mut)
            .ok_or_else(|| unknown_api(api_id, call))
    }

    /// What a stage serves; `None` without stage or deployment.
    pub(crate) fn live_stage(&self, api_id: &str, stage_name: &str) -> Option<LiveStage> {
        let may_log = self.logs_role.is_some();
        let stage = self.apis.get(api_id)?.live_stage(stage_name)?;
        Some(LiveStage { may_log, ..stage })
    }

    /// `{id} {name}` of every API: names alone are not unique.
    pub(crate) fn names(&self) -> Vec<String> {
        self.apis
            .values()
            .map(|api| format!("{} {}", api.id, api.name))
            .collect()
    }
}

fn unknown_api(api_id: &str, call: &Call<'_>) -> Failure {
    let account = &call.settings.account_id;
    not_found(format!(
        "Invalid API identifier specified {account}:{api_id}"
    ))
}

fn bad_request(message: impl Into<String>) -> Failure {
    Failure::new(400, "BadRequestException", message)
}

fn unknown_stage(name: &str) -> Failure {
    not_found(format!("Invalid stage identifier specified {name}"))
}

fn not_found(message: impl Into<String>) -> Failure {
    Failure::new(404, "NotFoundException", message)
}

fn conflict(message: impl Into<String>) -> Failure {
    Failure::new(409, "ConflictException", message)
}
