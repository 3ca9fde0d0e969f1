//! The account as somebody looks at it: APIs with what is live on their stages, deployments
//! with what they froze, functions with their versions. Beside AWS's own operations, because
//! none of those shows what a deployment froze.
//!
//! Deliberately absent: the values of functions' variables. Who looks sees their names.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::LiveRoute;

/// An API.
#[derive(Debug, Clone)]
pub struct ShownApi {
    /// Its id.
    pub api_id: String,
    /// Its name; names aren't unique.
    pub name: String,
    /// As the draft has it.
    pub route_selection_expression: String,
    /// By name.
    pub stages: Vec<ShownStage>,
}

/// An API stage.
#[derive(Debug, Clone)]
pub struct ShownStage {
    /// Its name.
    pub stage_name: String,
    /// What is live. `None`: nothing is.
    pub deployment: Option<ShownDeployment>,
    /// Whether each change of the draft goes live by itself.
    pub auto_deploy: bool,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// A deployment.
#[derive(Debug, Clone)]
pub struct ShownDeployment {
    /// Its id.
    pub deployment_id: String,
    /// When the draft was frozen.
    pub created: Timestamp,
    /// As whoever made it says.
    pub description: Option<String>,
    /// The stages that serve it.
    pub live_on: Vec<String>,
    /// What it froze, by route key.
    pub routes: Vec<LiveRoute>,
    /// Of the stage that serves it; where several do or none does, of the API's first one
    /// that might.
    pub stage_variables: BTreeMap<String, String>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct ShownFunction {
    /// Its name.
    pub function_name: String,
    /// The unpublished one.
    pub latest: ShownVersion,
    /// Numbers of the published ones, oldest first.
    pub versions: Vec<String>,
    /// Aliases, and the version that each names first.
    pub aliases: BTreeMap<String, String>,
}

/// One version of a function.
#[derive(Debug, Clone)]
pub struct ShownVersion {
    /// The function's name.
    pub function_name: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// base64(sha256(zip)).
    pub code_sha256: String,
    /// E.g. `provided.al2023`.
    pub runtime: &'static str,
    /// 128 to 10,240 MB.
    pub memory_mb: u32,
    /// 1 to 900 s.
    pub timeout_seconds: u32,
    /// Names of its variables, sorted.
    pub environment_names: Vec<String>,
}
