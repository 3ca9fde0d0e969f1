//! What a release consists of, kept in the account beside it: AWS shows an API's
//! draft, but never what a deployment froze.
//!
//! A manifest is one event in a log stream named after the deployment, in the
//! stage's journal (a log group). It is written before its release goes live.

use crate::desired::Desired;
use crate::names::{
    DeploymentId, FunctionKey, FunctionName, FunctionVersion, LogGroupName, Names, RouteKey,
};
use crate::provenance::Provenance;
use crate::release::ReleaseHash;
use crate::stage_settings::ApiSettings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Routes whose callers must sign. Older manifests lack it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub iam_routes: BTreeSet<RouteKey>,
    /// The API's own settings, where they aren't AWS's. Older manifests lack it.
    #[serde(default, skip_serializing_if = "ApiSettings::is_default")]
    pub api: ApiSettings,
    /// Who, when, from what.
    pub provenance: Provenance,
}

/// A manifest whose versions are not all known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestDraft {
    release: ReleaseHash,
    routes: BTreeMap<RouteKey, FunctionKey>,
    functions: BTreeMap<FunctionKey, (FunctionName, String)>,
    iam_routes: BTreeSet<RouteKey>,
    api: ApiSettings,
    provenance: Provenance,
}

impl ManifestDraft {
    /// Of the release that `desired` describes.
    pub fn of(desired: &Desired) -> Self {
        let functions = desired.functions.iter().map(|(key, function)| {
            let code = function.code.sha256.to_string();
            (key.clone(), (function.name.clone(), code))
        });
        Self {
            release: ReleaseHash::of(desired),
            routes: desired.routes.clone(),
            functions: functions.collect(),
            iam_routes: desired.gateway.iam_routes.clone(),
            api: desired.gateway.api.clone(),
            provenance: desired.provenance.clone(),
        }
    }

    /// With the versions filled in; `None` when one is missing.
    pub fn complete(&self, versions: &BTreeMap<FunctionKey, FunctionVersion>) -> Option<Manifest> {
        let functions = self
            .functions
            .iter()
            .map(|(key, (name, code_sha256))| {
                let function = ReleasedFunction {
                    name: name.clone(),
                    version: versions.get(key)?.clone(),
                    code_sha256: code_sha256.clone(),
                };
                Some((key.clone(), function))
            })
            .collect::<Option<_>>()?;
        Some(Manifest {
            release: self.release.clone(),
            routes: self.routes.clone(),
            functions,
            iam_routes: self.iam_routes.clone(),
            api: self.api.clone(),
            provenance: self.provenance.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_of_before_there_were_settings_of_routes_is_readable() {
        let old = r#"{"release":"0123456789abcdef","routes":{"join":"room"},"functions":{"room":{"name":"chat-alpha-room","version":"1","code_sha256":"x"}},"provenance":{"by":"me","at":"2026-01-01T00:00:00Z","git_revision":null}}"#;
        let manifest: Manifest = serde_json::from_str(old).unwrap();
        assert!(manifest.iam_routes.is_empty() && manifest.api.is_default());
        assert_eq!(serde_json::to_string(&manifest).unwrap(), old);
    }
}
