//! What a release consists of, kept in the account beside it: AWS shows an API's
//! draft, but never what a deployment froze.
//!
//! A manifest is one event in a log stream of the stage's journal (a log group).
//! The stream is named by the manifest's own key, and the deployment's description
//! carries that key: so a manifest is written beside the draft, before there is a
//! deployment, and a release is never live without one.

use crate::authorizer::Authorizer;
use crate::desired::{Desired, FunctionRole};
use crate::grants::Grants;
pub use crate::manifest_key::{ManifestKey, STREAM_PREFIX};
use crate::names::{FunctionKey, FunctionName, FunctionVersion, LogGroupName, Names, RouteKey};
use crate::provenance::Provenance;
use crate::release::ReleaseHash;
use crate::stage_settings::ApiSettings;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The stage's journal.
pub fn journal(names: &Names) -> LogGroupName {
    LogGroupName::new(format!("/deployer/{}", names.api))
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
    /// How a message finds its route. Older manifests lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_selection_expression: Option<String>,
    /// Which function serves which route.
    pub routes: BTreeMap<RouteKey, FunctionKey>,
    /// What each function was.
    pub functions: BTreeMap<FunctionKey, ReleasedFunction>,
    /// ARNs of functions that aren't the stage's. Older manifests lack it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<FunctionKey, String>,
    /// Routes whose callers must sign. Older manifests lack it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub iam_routes: BTreeSet<RouteKey>,
    /// Who decides whom `$connect` lets in. Older manifests lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer: Option<Authorizer>,
    /// The API's own settings, where they aren't AWS's. Older manifests lack it.
    #[serde(default, skip_serializing_if = "ApiSettings::is_default")]
    pub api: ApiSettings,
    /// Who, when, from what.
    pub provenance: Provenance,
}

impl Manifest {
    /// Tells it from every other, also of the same release: who deployed it when
    /// is part of it.
    pub fn key(&self) -> ManifestKey {
        // Maps are sorted and fields are in order, so equal content is equal text.
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        ManifestKey::of_digest(&digits)
    }
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
    route_selection_expression: String,
    routes: BTreeMap<RouteKey, FunctionKey>,
    functions: BTreeMap<FunctionKey, DraftedFunction>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    existing: BTreeMap<FunctionKey, String>,
    iam_routes: BTreeSet<RouteKey>,
    authorizer: Option<Authorizer>,
    api: ApiSettings,
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
            route_selection_expression: desired.route_selection_expression.clone(),
            routes: desired.routes.clone(),
            functions: functions.collect(),
            existing: desired.existing_arns(),
            iam_routes: desired.gateway.iam_routes.clone(),
            authorizer: desired.gateway.authorizer.clone(),
            api: desired.gateway.api.clone(),
            provenance: desired.provenance.clone(),
        }
    }

    /// What it is a manifest of.
    pub fn release(&self) -> &ReleaseHash {
        &self.release
    }

    /// The functions it invokes.
    pub fn functions(&self) -> impl Iterator<Item = &FunctionKey> {
        self.functions.keys()
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
            route_selection_expression: Some(self.route_selection_expression.clone()),
            routes: self.routes.clone(),
            functions,
            existing: self.existing.clone(),
            iam_routes: self.iam_routes.clone(),
            authorizer: self.authorizer.clone(),
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
        assert_eq!(manifest.authorizer, None);
        assert_eq!(manifest.route_selection_expression, None);
        assert_eq!(manifest.provenance.promoted_from, None);
        assert_eq!(serde_json::to_string(&manifest).unwrap(), old);
    }

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
