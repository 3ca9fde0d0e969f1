//! A stage as it is deployed, written down for other tools: a CloudFormation template, or a
//! Terraform configuration whose `import` blocks take over what is there.
//!
//! What goes in is what was observed, not the stage files. What belongs to the deployer
//! itself stays behind: the stage's journal, and the account's role for API Gateway's logs,
//! which other stages use. Deliberately absent: files and zips, which are the caller's; and
//! what is kept of former releases, which nothing serves.

mod cloudformation;
mod label;
mod references;
mod terraform;
mod values;

pub use cloudformation::{CloudFormation, cloudformation};
pub use terraform::terraform;

use crate::account::Account;
use crate::api_details::{ApiDetails, StageDetails};
use crate::manifest::Manifest;
use crate::names::{
    DeploymentId, FunctionKey, FunctionName, LogGroupName, Names, RoleName, StageIdentity,
    TableName,
};
use crate::observed::{FunctionState, LogGroupState, Observed, RoleState, VersionState};
use crate::plan::function_of_uri;
use crate::table::TableState;
use crate::tags::{Ownership, Tags, ownership_of};
use std::collections::{BTreeMap, BTreeSet};

/// A stage with a live release, and all that belongs to it.
#[derive(Debug, Clone)]
pub struct Deployed<'a> {
    account: &'a Account,
    names: &'a Names,
    api: &'a ApiDetails,
    stage: &'a StageDetails,
    deployment: &'a DeploymentId,
    functions: BTreeMap<FunctionKey, LiveFunction<'a>>,
    roles: BTreeMap<&'a RoleName, &'a RoleState>,
    log_groups: BTreeMap<LogGroupName, &'a LogGroupState>,
    tables: BTreeMap<&'a TableName, &'a TableState>,
}

/// A function of the live release.
#[derive(Debug, Clone)]
pub struct LiveFunction<'a> {
    /// Its name in the account.
    pub name: &'a FunctionName,
    /// What the release invokes.
    pub version: &'a VersionState,
    state: &'a FunctionState,
}

impl LiveFunction<'_> {
    /// Whether no newer version was published.
    fn is_newest(&self) -> bool {
        let newest = self.state.versions.last();
        newest.is_some_and(|newest| newest.version == self.version.version)
    }

    /// Whether `$LATEST` runs something else than the version.
    fn differs_from_latest(&self) -> bool {
        self.state.code != self.version.code
            || self.state.configuration != self.version.configuration
    }
}

/// Why a stage can't be written down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExportable {
    /// Nothing is live.
    #[error("{0} has no live release")]
    NotLive(StageIdentity),
    /// What its release consists of isn't recorded.
    #[error("the live release of {0} isn't recorded in the stage's journal")]
    NotRecorded(StageIdentity),
    /// A version is gone.
    #[error("the live release of {0} invokes {1}, which is gone")]
    Gone(StageIdentity, String),
}

impl<'a> Deployed<'a> {
    /// What of a stage was found. `api` is the one that serves it.
    ///
    /// # Errors
    /// When nothing is live, or isn't what the release says.
    pub fn of(
        account: &'a Account,
        names: &'a Names,
        observed: &'a Observed,
        api: &'a ApiDetails,
    ) -> Result<Self, NotExportable> {
        let identity = &names.identity;
        let not_live = || NotExportable::NotLive(identity.clone());
        let stage = api.stage(&names.api_stage).ok_or_else(not_live)?;
        let deployment = stage.state.deployment_id.as_ref().ok_or_else(not_live)?;
        let manifest = live_manifest(observed, names)
            .ok_or_else(|| NotExportable::NotRecorded(identity.clone()))?;
        let mut functions = BTreeMap::new();
        for (key, released) in &manifest.functions {
            let gone = || {
                let what = format!("{}:{}", released.name, released.version);
                NotExportable::Gone(identity.clone(), what)
            };
            let found = observed.functions.get_key_value(&released.name);
            let (name, state) = found.ok_or_else(gone)?;
            let mut versions = state.versions.iter();
            let version = versions.find(|it| it.version == released.version);
            let version = version.ok_or_else(gone)?;
            let function = LiveFunction {
                name,
                version,
                state,
            };
            functions.insert(key.clone(), function);
        }
        let ours = |tags: &Tags| ownership_of(tags, identity) == Ownership::Ours;
        let kept = |name: &LogGroupName| {
            let mut names = functions.values();
            names.any(|function| format!("/aws/lambda/{}", function.name) == name.as_str())
        };
        let of_functions = observed.log_groups.iter().filter(|(name, _)| kept(name));
        let access = observed
            .access_log_group
            .as_ref()
            .map(|state| (names.access_log_group(), state));
        let execution = names.execution_log_group(&api.id());
        let execution = observed.execution_log_groups.get_key_value(&execution);
        let log_groups = of_functions
            .chain(execution)
            .map(|(name, state)| (name.clone(), state))
            .chain(access)
            .filter(|(_, state)| ours(&state.tags))
            .collect();
        let roles = observed.roles.iter().filter(|(_, it)| ours(&it.tags));
        let tables = observed.tables.iter();
        let tables = tables.filter(|(_, it)| it.is_there() && ours(&it.tags));
        Ok(Self {
            account,
            names,
            api,
            stage,
            deployment,
            roles: roles.collect(),
            log_groups,
            tables: tables.collect(),
            functions,
        })
    }

    /// The functions of the live release. The zip of each is expected as `<key>.zip`.
    pub fn functions(&self) -> &BTreeMap<FunctionKey, LiveFunction<'a>> {
        &self.functions
    }

    /// What whoever goes on with it must know.
    pub fn notes(&self, observed: &Observed) -> Vec<String> {
        let mut notes = Vec::new();
        for function in self.functions.values() {
            let (name, version) = (function.name, &function.version.version);
            if function.differs_from_latest() {
                notes.push(format!(
                    "{name}: $LATEST differs from version {version}, which is live; the live one was written down"
                ));
            }
        }
        let unknown = |role: &RoleState| {
            let inline = role.inline_policies.iter();
            let unknown = inline.filter(|(_, document)| document.is_null());
            unknown.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        for (name, role) in &self.roles {
            for policy in unknown(role) {
                notes.push(format!(
                    "role {name}: the inline policy {policy} isn't the deployer's, and wasn't written down"
                ));
            }
        }
        for table in self.tables.iter().filter(|(_, it)| it.key.is_none()) {
            notes.push(format!(
                "table {}: its key has a form that isn't the deployer's, so it wasn't written down",
                table.0
            ));
        }
        if self.draft_differs(observed) {
            notes.push(
                "the draft of the API differs from what is live, and the draft was written down: `deployer up` puts it right first"
                    .to_owned(),
            );
        }
        notes
    }

    /// Whether routes lead elsewhere than the live release's do.
    fn draft_differs(&self, observed: &Observed) -> bool {
        let Some(manifest) = live_manifest(observed, self.names) else {
            return false;
        };
        let live: BTreeSet<(String, String)> = manifest
            .routes
            .iter()
            .filter_map(|(route, key)| {
                let function = manifest.functions.get(key)?;
                let arn = self.account.function_arn(&function.name);
                let uri = self
                    .account
                    .invocation_uri(&format!("{arn}:{}", function.version));
                Some((route.to_string(), uri))
            })
            .collect();
        let draft = self.api.routes.iter().map(|route| {
            let integration = self.api.integration_of(route);
            let uri = integration.and_then(|it| it.uri.clone());
            (route.route_key.clone(), uri.unwrap_or_default())
        });
        let draft: BTreeSet<(String, String)> = draft.collect();
        // Routes to functions that aren't the stage's are in no list of its functions.
        let ours = |uri: &String| {
            let name = function_of_uri(uri);
            name.is_none_or(|name| self.functions.values().any(|it| *it.name == name))
        };
        live != draft.into_iter().filter(|(_, uri)| ours(uri)).collect()
    }

    /// The role's name without what all of the stage's begin with.
    fn purpose<'n>(&self, role: &'n RoleName) -> &'n str {
        let prefix = format!("{}-{}-", self.names.api, self.account.region);
        let name = role.as_str();
        name.strip_prefix(&prefix).unwrap_or(name)
    }

    /// What a log group is of.
    fn of_log_group<'n>(&self, name: &'n LogGroupName) -> &'n str {
        let prefix = self.names.log_group_prefix();
        match name.as_str().strip_prefix(&prefix) {
            Some(function) => function,
            None if *name == self.names.access_log_group() => "access",
            None => "execution",
        }
    }

    /// The table's name without what all of the stage's begin with.
    fn of_table<'n>(&self, table: &'n TableName) -> &'n str {
        let name = table.as_str();
        name.strip_prefix(self.names.table_prefix()).unwrap_or(name)
    }

    /// ARN of the version that a function's release invokes.
    fn version_arn(&self, function: &LiveFunction<'_>) -> String {
        let arn = self.account.function_arn(function.name);
        format!("{arn}:{}", function.version.version)
    }
}

fn live_manifest<'a>(observed: &'a Observed, names: &Names) -> Option<&'a Manifest> {
    let mut apis = observed.apis.iter();
    let live = apis.find_map(|api| api.live_deployment(&names.api_stage))?;
    observed.manifest_of(live)
}

#[cfg(test)]
mod tests;
