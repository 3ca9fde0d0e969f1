//! Promotion: what one stage has released, with the settings of another one's file.
//!
//! A release is its functions' bytes, which function serves which route, and how a
//! message finds its route. Of routes, only what the other stage's own file says must
//! agree: what all stages share may have gone on. Everything else (memory, variables, permissions, tables,
//! who may connect, limits, logs) differs from stage to stage and comes from the file of
//! the stage that is promoted to.
//!
//! Deliberately absent: fetching the bytes, and planning. What comes out of here is a
//! [`StageDefinition`] like any other.

use crate::authorizer::CONNECT;
use crate::desired::FunctionCode;
use crate::manifest::Manifest;
use crate::names::{FunctionKey, StageIdentity};
use crate::observed::{ApiState, DeploymentState};
use crate::release::ReleaseHash;
use crate::stage_file::{Architecture, Place, StageDefinition};
use crate::tags::{Ownership, ownership_of};
use std::collections::BTreeMap;
use std::fmt;

/// A release that is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRelease {
    /// Whose.
    pub identity: StageIdentity,
    /// What it consists of.
    pub manifest: Manifest,
    /// How a message finds its route.
    pub route_selection_expression: String,
}

/// Why a release can't be promoted. Nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromotionRefusal {
    /// Nothing is live on the stage.
    NotLive(StageIdentity),
    /// Something is live, and nobody wrote down what.
    NotOurs(StageIdentity),
    /// Its manifest can't be read.
    NotRecorded(StageIdentity, ReleaseHash),
    /// A version that it invokes is no longer there.
    Gone {
        /// Whose release.
        identity: StageIdentity,
        /// Functions, with version.
        missing: Vec<String>,
    },
    /// The release and the file of the stage that it is promoted to contradict each
    /// other.
    Misfits(Box<Misfits>),
}

/// A release and a file that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfits {
    /// Whose release.
    pub from: StageIdentity,
    /// The stage that it is promoted to.
    pub to: StageIdentity,
    /// The source's revision, if it is known.
    pub git_revision: Option<String>,
    /// Every contradiction.
    pub all: Vec<String>,
}

impl fmt::Display for PromotionRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive(identity) => {
                write!(
                    f,
                    "nothing is live on {identity}, so there is nothing to promote"
                )
            }
            Self::NotOurs(identity) => write!(
                f,
                "what is live on {identity} wasn't released by the deployer: nobody knows what it consists of"
            ),
            Self::NotRecorded(identity, release) => write!(
                f,
                "the manifest of {identity}'s release {release} can't be read (yet)"
            ),
            Self::Gone { identity, missing } => write!(
                f,
                "{identity}'s live release needs {}, which is gone",
                missing.join(", ")
            ),
            Self::Misfits(misfits) => {
                let Misfits { from, to, all, .. } = &**misfits;
                write!(f, "the release of {from} doesn't fit the file of {to}:")?;
                all.iter().try_for_each(|misfit| write!(f, "\n  {misfit}"))
            }
        }
    }
}

impl std::error::Error for PromotionRefusal {}

impl PromotionRefusal {
    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::NotLive(StageIdentity { stage, .. })
            | Self::NotOurs(StageIdentity { stage, .. })
            | Self::Gone {
                identity: StageIdentity { stage, .. },
                ..
            } => format!("run: deployer up {stage}"),
            Self::NotRecorded(..) => "run the command again in a minute".to_owned(),
            Self::Misfits(misfits) => {
                let Misfits {
                    from,
                    to,
                    git_revision,
                    ..
                } = &**misfits;
                let revision = match git_revision {
                    Some(revision) => format!(" ({revision})"),
                    None => String::new(),
                };
                format!(
                    "promote with the `stages` folder of the revision that {}'s release was built from{revision}, or mend stages/{}.toml",
                    from.stage, to.stage
                )
            }
        }
    }
}

/// The release that is live on a stage, by the stage's APIs.
///
/// # Errors
/// When none is, or what is live isn't ours.
pub fn live<'a>(
    identity: &StageIdentity,
    api_stage: &str,
    apis: &'a [ApiState],
) -> Result<(&'a ApiState, &'a DeploymentState, ReleaseHash), PromotionRefusal> {
    let mut ours = apis
        .iter()
        .filter(|api| ownership_of(&api.tags, identity) == Ownership::Ours);
    let (api, live) = ours
        .find_map(|api| Some((api, api.live_deployment(api_stage)?)))
        .ok_or_else(|| PromotionRefusal::NotLive(identity.clone()))?;
    match ReleaseHash::from_description(&live.description) {
        Some(release) => Ok((api, live, release)),
        None => Err(PromotionRefusal::NotOurs(identity.clone())),
    }
}

/// What `target` becomes: the release's functions and routes, and its own settings of
/// them. Settings of routes and functions that the release doesn't have are left out.
/// `code` is what each function of the release runs; `host` the processor of this
/// machine, which the local cloud has.
///
/// # Errors
/// Every contradiction between the release and the file.
pub fn promote(
    release: &LiveRelease,
    code: &BTreeMap<FunctionKey, FunctionCode>,
    target: &StageDefinition,
    host: Option<Architecture>,
) -> Result<StageDefinition, PromotionRefusal> {
    let all = misfits(release, code, target, host);
    if !all.is_empty() {
        return Err(PromotionRefusal::Misfits(Box::new(Misfits {
            from: release.identity.clone(),
            to: target.identity.clone(),
            git_revision: release.manifest.provenance.git_revision.clone(),
            all,
        })));
    }
    let manifest = &release.manifest;
    let mut promoted = target.clone();
    promoted
        .functions
        .retain(|key, _| manifest.functions.contains_key(key));
    let released = |key: &FunctionKey| {
        manifest.functions.contains_key(key) || manifest.existing.contains_key(key)
    };
    promoted.existing.retain(|key, _| released(key));
    promoted.routes = manifest.routes.clone();
    promoted
        .api
        .route_settings
        .retain(|route, _| manifest.routes.contains_key(route));
    promoted.route_selection_expression = release.route_selection_expression.clone();
    Ok(promoted)
}

fn misfits(
    release: &LiveRelease,
    code: &BTreeMap<FunctionKey, FunctionCode>,
    target: &StageDefinition,
    host: Option<Architecture>,
) -> Vec<String> {
    let manifest = &release.manifest;
    let mut misfits = Vec::new();
    for (key, arn) in &manifest.existing {
        if !target.existing.contains_key(key) {
            misfits.push(format!(
                "the release invokes {arn} as `{key}`, which the deployer didn't build: the stage's own file must say which function that is here, by `existing`"
            ));
        }
    }
    for key in manifest.functions.keys() {
        // The stage has one already, and goes on with it.
        if target.existing.contains_key(key) {
            continue;
        }
        let Some(function) = target.functions.get(key) else {
            misfits.push(format!(
                "the release has the function `{key}`, and by the files the stage has none of that name"
            ));
            continue;
        };
        let wanted = match target.place {
            Place::Aws { .. } => Some(function.architecture),
            Place::Local { .. } => host,
        };
        let wanted = wanted.map_or("another processor", Architecture::as_str);
        match code.get(key) {
            Some(code) if code.architecture != wanted => misfits.push(format!(
                "`{key}` was built for {}, and is to run on {wanted}",
                code.architecture
            )),
            _ => {}
        }
    }
    for (route, function) in &target.own_routes {
        let released = match manifest.routes.get(route) {
            Some(released) if released == function => continue,
            Some(released) => format!("the release sends it to `{released}`"),
            None => "the release doesn't have it".to_owned(),
        };
        misfits.push(format!(
            "the stage's own file sends the route `{route}` to `{function}`, and {released}"
        ));
    }
    if let Some(authorizer) = &target.api.authorizer {
        let function = &authorizer.function;
        if !manifest.functions.contains_key(function) && !manifest.existing.contains_key(function) {
            misfits.push(format!(
                "[authorizer] names the function `{function}`, which the release doesn't have"
            ));
        }
        let mut routes = manifest.routes.iter();
        if let Some((route, _)) = routes.find(|(_, target)| *target == function) {
            misfits.push(format!(
                "[authorizer] names the function `{function}`, which serves the route `{route}` in the release"
            ));
        }
    }
    let asks = target.api.authorizer.is_some() || !target.api.iam_routes.is_empty();
    if asks && !manifest.routes.keys().any(|it| it.as_str() == CONNECT) {
        misfits.push(format!(
            "who may connect is decided at `{CONNECT}`, a route that the release doesn't have"
        ));
    }
    misfits
}

#[cfg(test)]
mod tests;
