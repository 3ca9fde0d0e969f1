//! A release: what becomes live at once. Its hash stands in the description of
//! the deployment that froze it, because AWS shows an API's draft but never what
//! a deployment froze.

use crate::desired::Desired;
use crate::manifest_key::ManifestKey;
use crate::stage_settings::ApiSettings;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

const DESCRIPTION_PREFIX: &str = "deployer release ";
const MANIFEST_INFIX: &str = " manifest ";
const HASH_DIGITS: usize = 16;

/// The hash of everything that is live together: route selection, routes and who
/// may call them, the API's own settings, and each function's code and
/// configuration. An API stage's settings are not among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseHash(String);

impl ReleaseHash {
    /// The hash of `desired`.
    pub fn of(desired: &Desired) -> Self {
        let functions: Vec<_> = desired
            .functions
            .values()
            .map(|function| (&function.name, &function.code, &function.configuration))
            .collect();
        // Permissions belong to a release: one that is kept must find them.
        let grants: BTreeMap<_, _> = desired
            .functions
            .values()
            .filter(|function| !function.grants.is_empty())
            .map(|function| (&function.name, &function.grants))
            .collect();
        // Maps are sorted and fields are in order, so equal content is equal text.
        let mut content = json!({
            "route_selection_expression": desired.route_selection_expression,
            "routes": desired.routes,
            "functions": functions,
            "invoke_role": desired.names.invoke_role,
        });
        // Only what differs from AWS's defaults, so that a release that was made
        // before these settings existed keeps its hash.
        let gateway = &desired.gateway;
        if !gateway.iam_routes.is_empty() {
            content["iam_routes"] = json!(gateway.iam_routes);
        }
        if let Some(authorizer) = &gateway.authorizer {
            content["authorizer"] = json!(authorizer);
        }
        if gateway.api != ApiSettings::default() {
            content["api"] = json!(gateway.api);
        }
        if !desired.existing.is_empty() {
            content["existing"] = json!(desired.existing_arns());
        }
        if !grants.is_empty() {
            content["grants"] = json!(grants);
        }
        let digest = Sha256::digest(content.to_string().as_bytes());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(digits[..HASH_DIGITS].to_owned())
    }

    /// The description of a deployment that freezes this release.
    pub fn description(&self, manifest: &ManifestKey) -> String {
        format!("{DESCRIPTION_PREFIX}{self}{MANIFEST_INFIX}{manifest}")
    }

    /// The release a deployment says it froze; `None` if we didn't make it.
    pub fn from_description(description: &str) -> Option<Self> {
        let rest = description.strip_prefix(DESCRIPTION_PREFIX)?;
        let hash = rest.split(MANIFEST_INFIX).next()?;
        let legal = hash.len() == HASH_DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit());
        legal.then(|| Self(hash.to_owned()))
    }
}

/// The key of the manifest that a deployment's description names.
pub fn manifest_key(description: &str) -> Option<ManifestKey> {
    let rest = description.strip_prefix(DESCRIPTION_PREFIX)?;
    ManifestKey::parse(rest.split_once(MANIFEST_INFIX)?.1)
}

impl fmt::Display for ReleaseHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_again_in_its_deployment() {
        let hash = ReleaseHash("0123456789abcdef".into());
        let key = ManifestKey::parse("0123456789ab").unwrap();
        let description = hash.description(&key);
        assert_eq!(
            ReleaseHash::from_description(&description),
            Some(hash.clone())
        );
        assert_eq!(manifest_key(&description), Some(key));
        let without_key = "deployer release 0123456789abcdef";
        assert_eq!(ReleaseHash::from_description(without_key), Some(hash));
        assert_eq!(manifest_key(without_key), None);
        assert_eq!(ReleaseHash::from_description("deployed by hand"), None);
        assert_eq!(ReleaseHash::from_description("deployer release zz"), None);
    }
}
