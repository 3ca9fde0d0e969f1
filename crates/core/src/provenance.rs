//! Where a release comes from.

use crate::release::ReleaseHash;
use serde::{Deserialize, Serialize};

/// Who made a release, when, and from what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The caller's ARN.
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// The source's revision; `+` marks uncommitted changes. `None`: no git.
    pub git_revision: Option<String>,
    /// The release whose functions and routes it has; `None`: it was built for this
    /// stage. Older releases lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<PromotedFrom>,
}

/// A release of another stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotedFrom {
    /// The deploy stage's name.
    pub stage: String,
    /// What was live there.
    pub release: ReleaseHash,
}
