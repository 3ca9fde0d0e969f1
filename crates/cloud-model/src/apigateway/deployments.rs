//! Deployments: immutable snapshots of an API's routes, integrations, authorizers, route
//! selection expression, and whether its own address serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, bad_request, not_found, read, unknown_stage};
use crate::LiveRoute;
use crate::assumptions::{AUTO_DEPLOY_EXCLUDES_DEPLOYMENT, DEPLOYMENT_IN_USE, gateway_quota};
use crate::call::{Call, iso_seconds};
use crate::error::Failure;
use crate::ids::free_id;
use crate::limits::DEPLOYMENTS_PER_API;
use crate::wire::members::present;
use crate::wire::rest_json::{Reply, RestRequest};

const ID_CHARS: usize = 6;

/// What a deployment froze.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) route_selection_expression: String,
    pub(super) endpoint_disabled: bool,
    pub(super) routes: BTreeMap<String, LiveRoute>,
}

/// One deployment; only its description can change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    id: String,
    description: Option<String>,
    /// A stage's `autoDeploy` has made it.
    #[serde(default)]
    automatic: bool,
    created: Timestamp,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Deployment {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub(super) fn created(&self) -> Timestamp {
        self.created
    }

    pub(super) fn show(&self) -> Value {
        present(json!({
            "autoDeployed": self.automatic,
            "createdDate": iso_seconds(self.created),
            "deploymentId": self.id,
            "deploymentStatus": "DEPLOYED",
            "description": self.description,
        }))
    }
}

impl Api {
    pub(super) fn deployment(&self, id: &str) -> Result<&Deployment, Failure> {
        self.deployments
            .get(id)
            .ok_or_else(|| unknown_deployment(id))
    }

    /// With a stage name, that stage serves the new deployment at once.
    pub(super) fn create_deployment(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let description = read::text(&members, "description", 0, 1024)?;
        let stage_name = read::text(&members, "stageName", 1, 128)?;
        if let Some(name) = stage_name.as_deref()
            && self.stage(name)?.auto_deploy
        {
            return Err(bad_request(AUTO_DEPLOY_EXCLUDES_DEPLOYMENT));
        }
        self.check_deployable()?;
        let id = self.deploy(description.filter(|text| !text.is_empty()), false, call);
        let shown = self.deployment(&id)?.show();
        if let Some(name) = stage_name {
            let stage = self
                .stages
                .get_mut(&name)
                .ok_or_else(|| unknown_stage(&name))?;
            stage.serve(id, call.now);
        }
        Ok(Reply::created(shown))
    }

    /// Whether there is something to deploy, and room for it.
    pub(super) fn check_deployable(&self) -> Result<(), Failure> {
        if self.routes.is_empty() {
            return Err(bad_request(
                "At least one route is required before deploying the Api",
            ));
        }
        if self.deployments.len() >= DEPLOYMENTS_PER_API {
            return Err(gateway_quota("Deployments"));
        }
        Ok(())
    }

    /// Freezes the draft; answers the deployment's id.
    pub(super) fn deploy(
        &mut self,
        description: Option<String>,
        automatic: bool,
        call: &mut Call<'_>,
    ) -> String {
        let id = free_id(call.ids, ID_CHARS, |id| self.deployments.contains_key(id));
        let deployment = Deployment {
            id: id.clone(),
            description,
            automatic,
            created: call.now,
            snapshot: Arc::new(self.freeze()),
        };
        self.deployments.insert(id.clone(), deployment);
        id
    }

    pub(super) fn get_deployments(&self, request: &RestRequest) -> Result<Reply, Failure> {
        read::list(
            request,
            self.deployments
                .iter()
                .map(|(id, it)| (id.clone(), it.show())),
        )
    }

    pub(super) fn update_deployment(
        &mut self,
        id: &str,
        request: &RestRequest,
    ) -> Result<Reply, Failure> {
        let deployment = self
            .deployments
            .get_mut(id)
            .ok_or_else(|| unknown_deployment(id))?;
        let description = read::text(&request.members()?, "description", 0, 1024)?;
        read::merge(&mut deployment.description, description);
        Ok(Reply::ok(deployment.show()))
    }

    pub(super) fn delete_deployment(&mut self, id: &str) -> Result<Reply, Failure> {
        self.deployment(id)?;
        if self
            .stages
            .values()
            .any(|stage| stage.deployment_id.as_deref() == Some(id))
        {
            return Err(bad_request(DEPLOYMENT_IN_USE));
        }
        self.deployments.remove(id);
        Ok(Reply::empty(204))
    }

    fn freeze(&self) -> Snapshot {
        let live = |(_, route): (&String, &super::routes::Route)| {
            let integration = route
                .target
                .as_ref()
                .and_then(|id| self.integrations.get(id));
            let live = LiveRoute {
                route_key: route.key.clone(),
                authorization: self.freeze_authorization(&route.authorization),
                responds: route.responds(),
                integration: integration.map(super::integrations::Integration::freeze),
            };
            (route.key.clone(), live)
        };
        Snapshot {
            route_selection_expression: self.route_selection_expression.clone(),
            endpoint_disabled: self.disable_execute_api_endpoint,
            routes: self.routes.iter().map(live).collect(),
        }
    }
}

fn unknown_deployment(id: &str) -> Failure {
    not_found(format!("Invalid deployment identifier specified {id}"))
}
