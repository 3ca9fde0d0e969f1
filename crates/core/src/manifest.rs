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

/// A manifest whose versions are not all known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestDraft {
    release: ReleaseHash,
    routes: BTreeMap<RouteKey, FunctionKey>,
    functions: BTreeMap<FunctionKey, (FunctionName, String)>,
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
            provenance: self.provenance.clone(),
        })
    }
}
