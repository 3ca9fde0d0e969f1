//! What a release consists of, kept in the account beside it: AWS shows an API's
//! draft, but never what a deployment froze.
//!
//! A manifest is one event in a log stream named after the deployment, in the
//! stage's journal (a log group). It is written before its release goes live.

use crate::desired::{Desired, FunctionRole};
use crate::grants::Grants;
use crate::names::{
    DeploymentId, FunctionKey, FunctionName, FunctionVersion, LogGroupName, Names, RouteKey,
};
use crate::provenance::Provenance;
use crate::release::ReleaseHash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the names of the streams that hold manifests begin with.
pub const STREAM_PREFIX: &str = "release/";

/// The stage's journal.
pub fn journal(names: &Names) -> LogGroupName {
    LogGroupName::new(format!("/deployer/{}", names.api))
}

/// The stream that holds a deployment's manifest.
pub fn stream_name(deployment: &DeploymentId) -> String {
    format!("{STREAM_PREFIX}{deployment}")
}

/// A function as a release invokes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedFunction {
    /// Its name in the account.
    pub name: FunctionName,
    /// Its published version.
    pub version: FunctionVersion,
    /// Of that version's zip.
    pub code_sha256: String,
    /// The role it runs as. `None`: the one all functions share, also in
    /// manifests from before there were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// What it may do beside logging and posting to connections.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
}

/// What a release consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Names everything that is live together.
    pub release: ReleaseHash,
    /// Which function serves which route.
    pub routes: BTreeMap<RouteKey, FunctionKey>,
    /// What each function was.
    pub functions: BTreeMap<FunctionKey, ReleasedFunction>,
    /// Who, when, from what.
    pub provenance: Provenance,
}

/// A function of a release whose version isn't known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DraftedFunction {
    name: FunctionName,
    code_sha256: String,
    role_arn: Option<String>,
    grants: Grants,
}

/// A manifest whose versions are not all known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestDraft {
    release: ReleaseHash,
    routes: BTreeMap<RouteKey, FunctionKey>,
    functions: BTreeMap<FunctionKey, DraftedFunction>,
    provenance: Provenance,
}

impl ManifestDraft {
    /// Of the release that `desired` describes.
    pub fn of(desired: &Desired) -> Self {
        let functions = desired.functions.iter().map(|(key, function)| {
            let role_arn = match function.role {
                FunctionRole::Shared => None,
                _ => Some(function.configuration.role_arn.clone()),
            };
            let drafted = DraftedFunction {
                name: function.name.clone(),
                code_sha256: function.code.sha256.to_string(),
                role_arn,
                grants: function.grants.clone(),
            };
            (key.clone(), drafted)
        });
        Self {
            release: ReleaseHash::of(desired),
            routes: desired.routes.clone(),
            functions: functions.collect(),
            provenance: desired.provenance.clone(),
        }
    }

    /// With the versions filled in; `None` when one is missing.
    pub fn complete(&self, versions: &BTreeMap<FunctionKey, FunctionVersion>) -> Option<Manifest> {
        let functions = self
            .functions
            .iter()
            .map(|(key, drafted)| {
                let function = ReleasedFunction {
                    name: drafted.name.clone(),
                    version: versions.get(key)?.clone(),
                    code_sha256: drafted.code_sha256.clone(),
                    role_arn: drafted.role_arn.clone(),
                    grants: drafted.grants.clone(),
                };
                Some((key.clone(), function))
            })
            .collect::<Option<_>>()?;
        Some(Manifest {
            release: self.release.clone(),
            routes: self.routes.clone(),
            functions,
            provenance: self.provenance.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_of_an_earlier_version_is_read_as_one_without_own_roles() {
        let text = r#"{"release":"0123456789abcdef","routes":{"join":"room"},"functions":{"room":{"name":"chat-alpha-room","version":"3","code_sha256":"x"}},"provenance":{"by":"me","at":"2026-11-22T00:00:00Z","git_revision":null}}"#;
        let manifest: Manifest = serde_json::from_str(text).unwrap();
        let room = &manifest.functions[&"room".into()];
        assert_eq!((&room.role_arn, room.grants.is_empty()), (&None, true));
        // What has nothing new is written as that version wrote it.
        assert_eq!(serde_json::to_string(&manifest).unwrap(), text);
    }
}
