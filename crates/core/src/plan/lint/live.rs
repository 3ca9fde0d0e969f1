//! What serves now, and so must stay as it is until something else does.

use crate::grants::Grants;
use crate::manifest;
use crate::names::{FunctionName, FunctionVersion, LogGroupName, Names, RoleName};
use crate::observed::{ApiState, DeploymentState, Observed};
use crate::plan::{Action, PolicyTemplate};
use crate::policy::INLINE_POLICY_NAME;
use crate::tags::{Ownership, ownership_of};
use std::collections::{BTreeMap, BTreeSet};

/// The live release.
pub(super) struct Live<'a> {
    pub api: &'a ApiState,
    deployment: &'a DeploymentState,
    functions: BTreeSet<FunctionName>,
    /// ARNs of what it invokes that isn't the stage's.
    existing: BTreeSet<String>,
    /// What runs as which role of ours, and may do.
    roles: BTreeMap<RoleName, Need>,
    versions: BTreeSet<(FunctionName, FunctionVersion)>,
    names: &'a Names,
}

/// What the live release needs of a role.
#[derive(Default)]
struct Need {
    log_groups: BTreeSet<LogGroupName>,
    /// Of functions whose manifest can be read.
    grants: Grants,
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
            // One that was deleted, by hand or by a call that came too late, needs
            // nothing any more.
            Some(manifest) => manifest
                .functions
                .values()
                .filter(|function| observed.functions.contains_key(&function.name))
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
            roles: roles(observed, names, deployment, &versions),
            api,
            deployment,
            existing: observed
                .manifest_of(deployment)
                .map(|manifest| manifest.existing.values().cloned().collect())
                .unwrap_or_default(),
            functions: versions.iter().map(|(name, _)| name.clone()).collect(),
            versions,
            names,
        })
    }

    /// What the action takes from the live release, in words, if it does.
    pub fn loses(&self, action: &Action, api_of_plan: Option<&str>) -> Option<&'static str> {
        let is_role =
            |role: &RoleName| *role == self.names.invoke_role || self.roles.contains_key(role);
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
            Action::DeleteTable { .. } => Some("deletes a table, which only a `down` may"),
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
            Action::PutRolePolicy { role, policy } => self
                .is_narrowed_by(role, policy, api_of_plan)
                .then_some("takes a permission that the live release needs"),
            _ => None,
        }
    }

    fn writes_to(&self, log_group: &LogGroupName) -> bool {
        let mut groups = self.functions.iter().map(|name| self.names.log_group(name));
        *log_group == manifest::journal(self.names) || groups.any(|group| group == *log_group)
    }

    fn is_narrowed_by(
        &self,
        role: &RoleName,
        policy: &PolicyTemplate,
        api_of_plan: Option<&str>,
    ) -> bool {
        match policy {
            PolicyTemplate::Invocation {
                functions,
                existing,
            } => {
                self.functions.iter().any(|name| !functions.contains(name))
                    || self.existing.iter().any(|arn| !existing.contains(arn))
            }
            PolicyTemplate::Execution { log_groups, grants } => {
                self.roles.get(role).is_some_and(|need| {
                    let mut needed = need.log_groups.iter();
                    needed.any(|group| !log_groups.contains(group))
                        || !grants.cover(&need.grants)
                        || api_of_plan != Some(self.api.api_id.as_str())
                })
            }
        }
    }
}

/// The stage's roles that the release runs as: by its manifest, or as its versions
/// were published.
fn roles(
    observed: &Observed,
    names: &Names,
    deployment: &DeploymentState,
    versions: &BTreeSet<(FunctionName, FunctionVersion)>,
) -> BTreeMap<RoleName, Need> {
    let mut roles: BTreeMap<RoleName, Need> = BTreeMap::new();
    let mut add = |function: &FunctionName, role_arn: Option<&str>, grants: &Grants| {
        let own = names.own_role(function);
        let name = role_arn.map(|arn| arn.rsplit('/').next().unwrap_or(arn));
        let role = match name {
            None => names.execution_role.clone(),
            Some(name) if name == names.execution_role.as_str() => names.execution_role.clone(),
            Some(name) if name == own.as_str() => own,
            // Somebody else's, which no plan touches.
            Some(_) => return,
        };
        let need = roles.entry(role).or_default();
        need.log_groups.insert(names.log_group(function));
        need.grants.extend(grants);
    };
    if let Some(manifest) = observed.manifest_of(deployment) {
        for function in manifest.functions.values() {
            if observed.functions.contains_key(&function.name) {
                let role_arn = function.role_arn.as_deref();
                add(&function.name, role_arn, &function.grants);
            }
        }
        return roles;
    }
    for (name, state) in &observed.functions {
        for version in &state.versions {
            if versions.contains(&(name.clone(), version.version.clone())) {
                let role_arn = version.configuration.role_arn.as_str();
                add(name, Some(role_arn), &Grants::default());
            }
        }
    }
    roles
}
