//! APIs as somebody looks at them ([`crate::ShownApi`]).

use super::deployments::Deployment;
use super::stages::Stage;
use super::{Api, Gateway};
use crate::{ShownApi, ShownDeployment, ShownStage};

impl Gateway {
    /// All APIs, by id.
    pub(crate) fn shown(&self) -> Vec<ShownApi> {
        self.apis.values().map(|api| api.shown()).collect()
    }

    /// The deployments of an API, newest first. `None`: there is no such API.
    pub(crate) fn shown_deployments(&self, api_id: &str) -> Option<Vec<ShownDeployment>> {
        let api = self.apis.get(api_id)?;
        let all = api.deployments.values();
        let mut all: Vec<_> = all.map(|it| api.shown_deployment(it)).collect();
        all.sort_by(|a, b| (b.created, &b.deployment_id).cmp(&(a.created, &a.deployment_id)));
        Some(all)
    }
}

impl Api {
    fn shown(&self) -> ShownApi {
        let stages = self.stages.values().map(|stage| self.shown_stage(stage));
        ShownApi {
            api_id: self.id.clone(),
            name: self.name.clone(),
            route_selection_expression: self.route_selection_expression.clone(),
            stages: stages.collect(),
        }
    }

    fn shown_stage(&self, stage: &Stage) -> ShownStage {
        let live = stage.deployment_id.as_ref();
        let live = live.and_then(|id| self.deployments.get(id));
        let deployment = live.map(|live| ShownDeployment {
            stage_variables: stage.variables().clone(),
            ..self.shown_deployment(live)
        });
        ShownStage {
            stage_name: stage.name().to_owned(),
            deployment,
            auto_deploy: stage.auto_deploy,
            updated: stage.updated(),
        }
    }

    fn shown_deployment(&self, deployment: &Deployment) -> ShownDeployment {
        let id = deployment.id();
        let serves = |stage: &&Stage| stage.deployment_id.as_deref() == Some(id);
        let first = self.stages.values().find(serves);
        let first = first.or_else(|| self.stages.values().next());
        let live_on = self.stages.values().filter(serves);
        ShownDeployment {
            deployment_id: id.to_owned(),
            created: deployment.created(),
            description: deployment.description().map(str::to_owned),
            live_on: live_on.map(|stage| stage.name().to_owned()).collect(),
            routes: deployment.snapshot.routes.values().cloned().collect(),
            stage_variables: first.map(|it| it.variables().clone()).unwrap_or_default(),
        }
    }
}
