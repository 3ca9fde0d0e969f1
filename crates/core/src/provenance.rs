//! Where a release comes from.

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
}
