//! API stages: names under which a deployment is live.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tags::add_tags;
use super::{Api, bad_request, conflict, not_found, read, settings, unknown_stage};
use crate::assumptions::{
    EMPTY_STAGE_VARIABLE_REMOVES, LOGS_ROLE_MISSING, ROUTE_SETTINGS_UNKNOWN, STAGE_EXISTS,
    STAGE_NAME_RULE, UPDATE_STAGE_IGNORES_EMPTY_DESCRIPTION, gateway_quota, unknown_deployment,
};
use crate::call::{Call, iso_seconds};
use crate::dataplane::{LiveAccessLog, LiveSettings, LoggingLevel};
use crate::error::Failure;
use crate::limits::{STAGE_VARIABLES, STAGES_PER_API};
use crate::tags::TagMap;
use crate::wire::members::{Members, present};
use crate::wire::rest_json::{Reply, RestRequest};
use crate::{Effect, LiveStage};

/// One stage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stage {
    name: String,
    pub(super) deployment_id: Option<String>,
    #[serde(default)]
    pub(super) auto_deploy: bool,
    /// How the last automatic deployment went.
    #[serde(default)]
    pub(super) last_deployment_status: Option<String>,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    default_settings: LiveSettings,
    /// By route key.
    route_settings: BTreeMap<String, LiveSettings>,
    access_log: Option<LiveAccessLog>,
    created: Timestamp,
    updated: Timestamp,
    pub(super) tags: TagMap,
}

impl Stage {
    pub(super) fn show(&self) -> Value {
        let route_settings: BTreeMap<&str, Value> = self
            .route_settings
            .iter()
            .map(|(key, of_route)| (key.as_str(), settings::show(of_route)))
            .collect();
        let access_log = self
            .access_log
            .as_ref()
            .map(|log| json!({ "destinationArn": log.destination_arn, "format": log.format }));
        present(json!({
            "accessLogSettings": access_log,
            "autoDeploy": self.auto_deploy,
            "createdDate": iso_seconds(self.created),
            "defaultRouteSettings": settings::show(&self.default_settings),
            "deploymentId": self.deployment_id,
            "description": self.description,
            "lastDeploymentStatusMessage": self.last_deployment_status,
            "lastUpdatedDate": iso_seconds(self.updated),
            "routeSettings": route_settings,
            "stageName": self.name,
            "stageVariables": self.variables,
            "tags": self.tags,
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub(super) fn updated(&self) -> Timestamp {
        self.updated
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
    auto_deploy: bool,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    default_settings: LiveSettings,
    route_settings: BTreeMap<String, LiveSettings>,
    access_log: Option<LiveAccessLog>,
}

impl Input {
    /// `before` is the stage that is to change.
    fn read(
        members: &Members,
        api: &Api,
        before: Option<&Stage>,
        may_log: bool,
    ) -> Result<Self, Failure> {
        read::refuse(members, &["clientCertificateId"])?;
        let deployment_id = members.text("deploymentId")?;
        if let Some(id) = deployment_id.as_deref()
            && !api.deployments.contains_key(id)
        {
            return Err(unknown_deployment(id));
        }
        let auto_deploy = api.read_auto_deploy(members, before, deployment_id.as_deref())?;
        let was = before.map_or(&settings::DEFAULTS, |stage| &stage.default_settings);
        let default_settings = match members.object("defaultRouteSettings")? {
            Some(given) => settings::merge(was, &given)?,
            None => was.clone(),
        };
        let mut route_settings = BTreeMap::new();
        for (key, given) in members.object_map("routeSettings")?.unwrap_or_default() {
            if !api.routes.values().any(|route| route.key == key) {
                return Err(not_found(format!(
                    "Unable to find Route by key {key} within the provided RouteSettings"
                )));
            }
            let was = before.and_then(|stage| stage.route_settings.get(&key));
            let of_route = settings::merge(was.unwrap_or(&settings::DEFAULTS), &given)?;
            route_settings.insert(key, of_route);
        }
        let was = before.and_then(|stage| stage.access_log.as_ref());
        let access_log = match members.object("accessLogSettings")? {
            Some(given) => Some(settings::access_log(&given, was)?),
            None => was.cloned(),
        };
        let logs = std::iter::once(&default_settings)
            .chain(route_settings.values())
            .any(|settings| settings.level != LoggingLevel::Off);
        if (logs || access_log.is_some()) && !may_log {
            return Err(bad_request(LOGS_ROLE_MISSING));
        }
        let variables = members.text_map("stageVariables")?.unwrap_or_default();
        check_variables(&variables)?;
        Ok(Self {
            deployment_id,
            auto_deploy,
            description: read::text(members, "description", 0, 1024)?,
            variables,
            default_settings,
            route_settings,
            access_log,
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
        may_log: bool,
    ) -> Result<Reply, Failure> {
        let members = request.members()?;
        let name = read::required(&members, "stageName", 128)?;
        if !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(bad_request(STAGE_NAME_RULE));
        }
        let input = Input::read(&members, self, None, may_log)?;
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
            auto_deploy: input.auto_deploy,
            last_deployment_status: None,
            description: input.description.filter(|text| !text.is_empty()),
            variables: input.variables,
            default_settings: input.default_settings,
            route_settings: input.route_settings,
            access_log: input.access_log,
            created: call.now,
            updated: call.now,
            tags,
        };
        self.stages.insert(name.clone(), stage);
        if input.auto_deploy {
            self.auto_deploy(call);
        }
        Ok(Reply::created(self.stage(&name)?.show()))
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
        call: &mut Call<'_>,
        may_log: bool,
    ) -> Result<Reply, Failure> {
        let before = self.stage(name)?;
        let input = Input::read(&request.members()?, self, Some(before), may_log)?;
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
        stage.default_settings = input.default_settings;
        stage.route_settings.extend(input.route_settings);
        stage.access_log = input.access_log;
        stage.updated = call.now;
        let begins = input.auto_deploy && !stage.auto_deploy;
        stage.auto_deploy = input.auto_deploy;
        if begins {
            self.auto_deploy(call);
        }
        Ok(Reply::ok(self.stage(name)?.show()))
    }

    /// Deleting what is not set is no mistake.
    pub(super) fn delete_access_log_settings(
        &mut self,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let stage = self.stage_mut(name)?;
        stage.access_log = None;
        stage.updated = call.now;
        Ok(Reply::empty(204))
    }

    /// The route's settings are the stage's again.
    pub(super) fn delete_route_settings(
        &mut self,
        name: &str,
        key: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        let stage = self.stage_mut(name)?;
        let removed = stage.route_settings.remove(key);
        removed.ok_or_else(|| not_found(format!("{ROUTE_SETTINGS_UNKNOWN} {key}")))?;
        stage.updated = call.now;
        Ok(Reply::empty(204))
    }

    fn stage_mut(&mut self, name: &str) -> Result<&mut Stage, Failure> {
        self.stages.get_mut(name).ok_or_else(|| unknown_stage(name))
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
            endpoint_disabled: snapshot.endpoint_disabled,
            default_settings: stage.default_settings.clone(),
            route_settings: stage.route_settings.clone(),
            access_log: stage.access_log.clone(),
            may_log: false,
        })
    }
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
