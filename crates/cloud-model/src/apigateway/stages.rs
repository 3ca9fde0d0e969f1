//! API stages: names under which a deployment is live.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tags::add_tags;
use super::{Api, bad_request, conflict, not_found, read, unknown_stage};
use crate::assumptions::{
    DEFAULT_BURST_LIMIT, DEFAULT_LOGGING_LEVEL, DEFAULT_RATE_LIMIT, EMPTY_STAGE_VARIABLE_REMOVES,
    STAGE_EXISTS, STAGE_NAME_RULE, UPDATE_STAGE_IGNORES_EMPTY_DESCRIPTION, gateway_quota,
    unknown_deployment,
};
use crate::call::{Call, iso_seconds};
use crate::error::{Failure, unsupported};
use crate::limits::{STAGE_VARIABLES, STAGES_PER_API};
use crate::tags::TagMap;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};
use crate::{Effect, LiveStage};

/// One stage.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    name: String,
    pub(super) deployment_id: Option<String>,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    /// Route keys that were given settings; the settings equal the defaults.
    route_settings: Vec<String>,
    created: Timestamp,
    updated: Timestamp,
    pub(super) tags: TagMap,
}

impl Stage {
    pub(super) fn show(&self) -> Value {
        let route_settings: BTreeMap<&str, Value> = self
            .route_settings
            .iter()
            .map(|key| (key.as_str(), default_settings()))
            .collect();
        present(json!({
            "autoDeploy": false,
            "createdDate": iso_seconds(self.created),
            "defaultRouteSettings": default_settings(),
            "deploymentId": self.deployment_id,
            "description": self.description,
            "lastUpdatedDate": iso_seconds(self.updated),
            "routeSettings": route_settings,
            "stageName": self.name,
            "stageVariables": self.variables,
            "tags": self.tags,
        }))
    }

    /// Points the stage at a deployment.
    pub(super) fn serve(&mut self, deployment_id: String, now: Timestamp) {
        self.deployment_id = Some(deployment_id);
        self.updated = now;
    }
}

/// What create and update have in common, checked.
struct Input {
    deployment_id: Option<String>,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    route_settings: Vec<String>,
}

impl Input {
    fn read(members: &Members, api: &Api) -> Result<Self, Failure> {
        read::refuse(members, &["accessLogSettings", "clientCertificateId"])?;
        read::refuse_true(members, &["autoDeploy"])?;
        let deployment_id = members.text("deploymentId")?;
        if let Some(id) = deployment_id.as_deref()
            && !api.deployments.contains_key(id)
        {
            return Err(unknown_deployment(id));
        }
        if let Some(settings) = members.object("defaultRouteSettings")? {
            check_settings(&settings)?;
        }
        let mut route_settings = Vec::new();
        for (key, settings) in members.object_map("routeSettings")?.unwrap_or_default() {
            if !api.routes.values().any(|route| route.key == key) {
                return Err(not_found(format!(
                    "Unable to find Route by key {key} within the provided RouteSettings"
                )));
            }
            check_settings(&settings)?;
            route_settings.push(key);
        }
        let variables = members.text_map("stageVariables")?.unwrap_or_default();
        check_variables(&variables)?;
        Ok(Self {
            deployment_id,
            description: read::text(members, "description", 0, 1024)?,
            variables,
            route_settings,
        })
    }
}

impl Api {
    pub(super) fn stage(&self, name: &str) -> Result<&Stage, Failure> {
        self.stages.get(name).ok_or_else(|| unknown_stage(name))
    }

    pub(super) fn create_stage(
        &mut self,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let name = read::required(&members, "stageName", 128)?;
        if !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(bad_request(STAGE_NAME_RULE));
        }
        let input = Input::read(&members, self)?;
        let mut tags = TagMap::new();
        add_tags(&mut tags, members.text_map("tags")?.unwrap_or_default())?;
        if self.stages.contains_key(&name) {
            return Err(conflict(STAGE_EXISTS));
        }
        if self.stages.len() >= STAGES_PER_API {
            return Err(gateway_quota("Stages"));
        }
        let stage = Stage {
            name: name.clone(),
            deployment_id: input.deployment_id,
            description: input.description.filter(|text| !text.is_empty()),
            variables: input.variables,
            route_settings: input.route_settings,
            created: call.now,
            updated: call.now,
            tags,
        };
        let shown = stage.show();
        self.stages.insert(name, stage);
        Ok(Reply::created(shown))
    }

    pub(super) fn get_stages(&self, request: &RestRequest) -> Result<Reply, Failure> {
        read::list(
            request,
            self.stages
                .iter()
                .map(|(name, stage)| (name.clone(), stage.show())),
        )
    }

    pub(super) fn update_stage(
        &mut self,
        name: &str,
        request: &RestRequest,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        self.stage(name)?;
        let input = Input::read(&request.members()?, self)?;
        let stage = self
            .stages
            .get_mut(name)
            .ok_or_else(|| unknown_stage(name))?;
        let mut variables = stage.variables.clone();
        for (key, value) in input.variables {
            if value.is_empty() && EMPTY_STAGE_VARIABLE_REMOVES {
                variables.remove(&key);
            } else {
                variables.insert(key, value);
            }
        }
        check_variables(&variables)?;
        stage.variables = variables;
        if let Some(id) = input.deployment_id {
            stage.deployment_id = Some(id);
        }
        let description = input
            .description
            .filter(|text| !(text.is_empty() && UPDATE_STAGE_IGNORES_EMPTY_DESCRIPTION));
        read::merge(&mut stage.description, description);
        for key in input.route_settings {
            if !stage.route_settings.contains(&key) {
                stage.route_settings.push(key);
            }
        }
        stage.updated = call.now;
        Ok(Reply::ok(stage.show()))
    }

    pub(super) fn delete_stage(
        &mut self,
        name: &str,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        self.stages
            .remove(name)
            .ok_or_else(|| unknown_stage(name))?;
        call.effects.push(Effect::StageDeleted {
            api_id: self.id.clone(),
            stage_name: name.to_owned(),
        });
        Ok(Reply::empty(204))
    }

    /// What the stage serves now.
    pub(super) fn live_stage(&self, name: &str) -> Option<LiveStage> {
        let stage = self.stages.get(name)?;
        let deployment_id = stage.deployment_id.as_ref()?;
        let snapshot = &self.deployments.get(deployment_id)?.snapshot;
        Some(LiveStage {
            api_id: self.id.clone(),
            stage_name: stage.name.clone(),
            deployment_id: deployment_id.clone(),
            route_selection_expression: snapshot.route_selection_expression.clone(),
            routes: snapshot.routes.clone(),
            stage_variables: stage.variables.clone(),
        })
    }
}

fn default_settings() -> Value {
    json!({
        "dataTraceEnabled": false,
        "detailedMetricsEnabled": false,
        "loggingLevel": DEFAULT_LOGGING_LEVEL,
        "throttlingBurstLimit": DEFAULT_BURST_LIMIT,
        "throttlingRateLimit": DEFAULT_RATE_LIMIT,
    })
}

/// Only the defaults are honoured: there is no throttling, tracing or logging
/// of routes.
fn check_settings(settings: &Members) -> Result<(), Failure> {
    read::refuse_true(settings, &["dataTraceEnabled", "detailedMetricsEnabled"])?;
    match settings.text("loggingLevel")?.as_deref() {
        None | Some(DEFAULT_LOGGING_LEVEL) => {}
        Some(level) => return Err(bad_request(unsupported(&format!("loggingLevel {level}")))),
    }
    let burst = settings.integer("throttlingBurstLimit")?;
    let rate = settings.number("throttlingRateLimit")?;
    if burst.is_some_and(|burst| burst != DEFAULT_BURST_LIMIT)
        || rate.is_some_and(|rate| rate != DEFAULT_RATE_LIMIT)
    {
        return Err(bad_request(unsupported(
            "throttling that differs from the default",
        )));
    }
    Ok(())
}

fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), Failure> {
    if variables.len() > STAGE_VARIABLES {
        return Err(gateway_quota("stage variables"));
    }
    for (name, value) in variables {
        let name_holds =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let value_holds = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b));
        if !name_holds || !value_holds {
            return Err(bad_request(format!(
                "Stage variable {name} is invalid: names have the characters A-Z, a-z, 0-9 and _, \
                 values must match the expression [A-Za-z0-9-._~:/?#&=,]+"
            )));
        }
    }
    Ok(())
}
