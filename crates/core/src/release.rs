//! A release: what becomes live at once. Its hash stands in the description of
//! the deployment that froze it, because AWS shows an API's draft but never what
//! a deployment froze.

use crate::desired::Desired;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

const DESCRIPTION_PREFIX: &str = "deployer release ";
const HASH_DIGITS: usize = 16;

/// The hash of everything that is live together: route selection, routes, and
/// each function's code and configuration.
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
        // Absent where there are none: hashes of earlier versions stay as they were.
        if !grants.is_empty() {
            content["grants"] = json!(grants);
        }
        let digest = Sha256::digest(content.to_string().as_bytes());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(digits[..HASH_DIGITS].to_owned())
    }

    /// The description of a deployment that freezes this release.
    pub fn description(&self) -> String {
        format!("{DESCRIPTION_PREFIX}{self}")
    }

    /// The release a deployment says it froze; `None` if we didn't make it.
    pub fn from_description(description: &str) -> Option<Self> {
        let hash = description.strip_prefix(DESCRIPTION_PREFIX)?;
        let legal = hash.len() == HASH_DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit());
        legal.then(|| Self(hash.to_owned()))
    }
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
        assert_eq!(
            ReleaseHash::from_description(&hash.description()),
            Some(hash)
        );
        assert_eq!(ReleaseHash::from_description("deployed by hand"), None);
        assert_eq!(ReleaseHash::from_description("deployer release zz"), None);
    }
}
