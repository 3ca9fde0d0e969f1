//! What a deployment and its manifest know each other by.

use crate::names::DeploymentId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the names of the streams that hold manifests begin with.
pub const STREAM_PREFIX: &str = "release/";

const KEY_DIGITS: usize = 12;

/// What a deployment and its manifest know each other by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ManifestKey(String);

impl ManifestKey {
    /// The key in a deployment's description, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = text.len() == KEY_DIGITS && text.chars().all(|c| c.is_ascii_hexdigit());
        legal.then(|| Self(text.to_owned()))
    }

    /// The beginning of a digest in hexadecimal digits.
    pub(crate) fn of_digest(digits: &str) -> Self {
        Self(digits.chars().take(KEY_DIGITS).collect())
    }

    /// Where a deployment's description has no key, its id is one: so it was
    /// before manifests had keys of their own.
    pub fn of_deployment(deployment: &DeploymentId) -> Self {
        Self(deployment.to_string())
    }

    /// The key of the manifest in a stream, if the stream holds one.
    pub fn of_stream(stream: &str) -> Option<Self> {
        Some(Self(stream.strip_prefix(STREAM_PREFIX)?.to_owned()))
    }

    /// The stream that holds the manifest.
    pub fn stream(&self) -> String {
        format!("{STREAM_PREFIX}{self}")
    }
}

impl fmt::Display for ManifestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
