//! Stages with `autoDeploy`: whatever changes the draft is deployed to them.
//!
//! Deliberately absent: a delay. On AWS a write is answered before it is deployed; here
//! both happen at once, so that nobody has to wait for what they test.

use super::stages::Stage;
use super::{Api, bad_request};
use crate::assumptions::{
    AUTO_DEPLOY_DESCRIPTION, AUTO_DEPLOY_EXCLUDES_DEPLOYMENT, auto_deploy_failed,
    auto_deploy_succeeded,
};
use crate::call::Call;
use crate::error::Failure;
use crate::wire::members::Members;
use crate::wire::rest_json::RestRequest;

/// Whether the request, once it has succeeded, has changed what a deployment freezes.
pub(super) fn changes_draft(request: &RestRequest) -> bool {
    if request.method == http::Method::GET {
        return false;
    }
    match request.path().as_slice() {
        ["v2", "apis", _] => request.method == http::Method::PATCH,
        ["v2", "apis", _, collection, ..] => {
            matches!(*collection, "routes" | "integrations" | "authorizers")
        }
        _ => false,
    }
}

impl Api {
    /// Whether a stage is to deploy by itself: then it chooses its deployment itself,
    /// and at first needs something to deploy.
    pub(super) fn read_auto_deploy(
        &self,
        members: &Members,
        before: Option<&Stage>,
        deployment_id: Option<&str>,
    ) -> Result<bool, Failure> {
        let had = before.is_some_and(|stage| stage.auto_deploy);
        let wanted = members.boolean("autoDeploy")?.unwrap_or(had);
        if wanted && deployment_id.is_some() {
            return Err(bad_request(AUTO_DEPLOY_EXCLUDES_DEPLOYMENT));
        }
        if wanted && !had {
            self.check_deployable()?;
        }
        Ok(wanted)
    }

    /// Deploys the draft to every stage that has `autoDeploy`. Where that fails, the
    /// stage says why and goes on with what it serves.
    pub(super) fn auto_deploy(&mut self, call: &mut Call<'_>) {
        let mut stages = self.stages.values();
        if !stages.any(|stage| stage.auto_deploy) {
            return;
        }
        let description = Some(AUTO_DEPLOY_DESCRIPTION.to_owned());
        let made = self
            .check_deployable()
            .map(|()| self.deploy(description, true, call));
        for stage in self.stages.values_mut().filter(|stage| stage.auto_deploy) {
            stage.last_deployment_status = Some(match &made {
                Ok(id) => auto_deploy_succeeded(id),
                Err(failure) => auto_deploy_failed(&failure.message),
            });
            if let Ok(id) = &made {
                stage.serve(id.clone(), call.now);
            }
        }
    }
}
