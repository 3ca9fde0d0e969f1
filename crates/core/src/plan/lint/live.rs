//! What serves now, and so must stay as it is until something else does.

use crate::manifest;
use crate::names::{FunctionName, FunctionVersion, LogGroupName, Names};
use crate::observed::{ApiState, DeploymentState, Observed};
use crate::plan::{Action, PolicyTemplate};
use crate::policy::INLINE_POLICY_NAME;
use crate::tags::{Ownership, ownership_of};
use std::collections::BTreeSet;

/// The live release.
pub(super) struct Live<'a> {
    pub api: &'a ApiState,
    deployment: &'a DeploymentState,
    functions: BTreeSet<FunctionName>,
    versions: BTreeSet<(FunctionName, FunctionVersion)>,
    names: &'a Names,
}

impl<'a> Live<'a> {
    /// `None`: nothing of ours serves. Where the release's manifest can't be read,
    /// it may invoke any version of any function of ours.
    pub fn of(observed: &'a Observed, names: &'a Names) -> Option<Self> {
        let ours = |tags| ownership_of(tags, &names.identity) == Ownership::Ours;
        let (api, deployment) = observed
            .apis
            .iter()
            .filter(|api| ours(&api.tags))
            .find_map(|api| Some((api, api.live_deployment(&names.api_stage)?)))?;
        let versions: BTreeSet<_> = match observed.manifest_of(deployment) {
            Some(manifest) => manifest
                .functions
                .values()
                .map(|function| (function.name.clone(), function.version.clone()))
                .collect(),
            None => observed
                .functions
                .iter()
                .filter(|(_, state)| ours(&state.tags))
                .flat_map(|(name, state)| {
                    let versions = state.versions.iter();
                    versions.map(|version| (name.clone(), version.version.clone()))
                })
                .collect(),
        };
        Some(Self {
            api,
            deployment,
            functions: versions.iter().map(|(name, _)| name.clone()).collect(),
            versions,
            names,
        })
    }

    /// What the action takes from the live release, in words, if it does.
    pub fn loses(&self, action: &Action, api_of_plan: Option<&str>) -> Option<&'static str> {
        let is_role = |role: &crate::names::RoleName| {
            *role == self.names.execution_role || *role == self.names.invoke_role
        };
        match action {
            Action::DeleteFunction { name } => self
                .functions
                .contains(name)
                .then_some("deletes a function that the live release invokes"),
            Action::DeleteVersion { name, version } => self
                .versions
                .contains(&(name.clone(), version.clone()))
                .then_some("deletes a version that the live release invokes"),
            Action::DeleteLogGroup { log_group } => self
                .writes_to(log_group)
                .then_some("deletes a log group that the live release uses"),
            Action::DeleteDeployment { deployment_id, .. } => (*deployment_id
                == self.deployment.deployment_id)
                .then_some("deletes the live deployment"),
            Action::DeleteLogStream { log_stream, .. } => (*log_stream
                == self.deployment.manifest_key().stream())
            .then_some("deletes the live release's manifest"),
            Action::DeleteRole { role } => {
                is_role(role).then_some("deletes a role of the live release")
            }
            Action::DeleteRolePolicy { role, policy_name } => (is_role(role)
                && policy_name == INLINE_POLICY_NAME)
                .then_some("takes the live release's permissions"),
            Action::PutRolePolicy { policy, .. } => self
                .is_narrowed_by(policy, api_of_plan)
                .then_some("takes a permission that the live release needs"),
            _ => None,
        }
    }

    fn writes_to(&self, log_group: &LogGroupName) -> bool {
        let mut groups = self.functions.iter().map(|name| self.names.log_group(name));
        *log_group == manifest::journal(self.names) || groups.any(|group| group == *log_group)
    }

    fn is_narrowed_by(&self, policy: &PolicyTemplate, api_of_plan: Option<&str>) -> bool {
        match policy {
            PolicyTemplate::Invocation { functions } => {
                self.functions.iter().any(|name| !functions.contains(name))
            }
            PolicyTemplate::Execution { log_groups } => {
                let mut needed = self.functions.iter().map(|name| self.names.log_group(name));
                needed.any(|group| !log_groups.contains(&group))
                    || api_of_plan != Some(self.api.api_id.as_str())
            }
        }
    }
}
