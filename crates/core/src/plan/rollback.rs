//! Back to a release that is kept: one write, which needs neither the source nor
//! a build.

use super::changes::change;
use super::up::choose_api;
use super::{Action, Bindings, Builder, Plan, auto_deploy};
use crate::manifest::Manifest;
use crate::names::Names;
use crate::observed::{ApiState, DeploymentState, Observed};
use crate::release::ReleaseHash;
use crate::stage_settings::StageUpdate;
use std::fmt;

/// Why there is nothing to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackRefusal {
    /// Nothing is live.
    NotLive,
    /// No kept release is called so.
    Unknown {
        /// What was asked for; `None`: the one before.
        asked: Option<String>,
        /// The kept ones, newest first.
        kept: Vec<String>,
    },
    /// It is live already.
    AlreadyLive(ReleaseHash),
    /// Its manifest can't be read.
    NotRecorded(ReleaseHash),
    /// What it invokes is no longer there.
    Incomplete {
        /// The release.
        release: ReleaseHash,
        /// Functions, with version.
        missing: Vec<String>,
    },
}

impl fmt::Display for RollbackRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive => write!(f, "nothing is live, so there is nothing to roll back"),
            Self::Unknown { asked: None, .. } => {
                write!(f, "no release before the live one is kept")
            }
            Self::Unknown {
                asked: Some(asked),
                kept,
            } => {
                write!(
                    f,
                    "no kept release is called `{asked}`; kept are {}",
                    kept.join(", ")
                )
            }
            Self::AlreadyLive(release) => write!(f, "release {release} is live already"),
            Self::NotRecorded(release) => {
                write!(f, "the manifest of release {release} can't be read (yet)")
            }
            Self::Incomplete { release, missing } => {
                write!(
                    f,
                    "release {release} needs {}, which is gone",
                    missing.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for RollbackRefusal {}

/// The one write that makes `asked` (a release's hash or its beginning; `None`:
/// the release before the live one) live again.
///
/// # Errors
/// When there is no such release, or it couldn't serve.
pub fn rollback(
    names: &Names,
    observed: &Observed,
    asked: Option<&str>,
) -> Result<Plan, RollbackRefusal> {
    let (api, _) = choose_api(observed, &names.identity, &names.api_stage);
    let live = api.and_then(|api| Some((api, api.live_deployment(&names.api_stage)?)));
    let (api, live) = live.ok_or(RollbackRefusal::NotLive)?;
    let kept = releases(api, observed);
    let target = find(&kept, live, asked)?;
    let (deployment, release) = target;
    let manifest = observed
        .manifest_of(deployment)
        .ok_or_else(|| RollbackRefusal::NotRecorded(release.clone()))?;
    let missing: Vec<String> = manifest
        .functions
        .values()
        .filter(|function| {
            let state = observed.functions.get(&function.name);
            !state.is_some_and(|s| s.versions.iter().any(|v| v.version == function.version))
        })
        .map(|function| format!("{}:{}", function.name, function.version))
        .chain(missing_roles(names, observed, manifest))
        .collect();
    if !missing.is_empty() {
        return Err(RollbackRefusal::Incomplete {
            release: release.clone(),
            missing,
        });
    }
    let now = ReleaseHash::from_description(&live.description)
        .map_or_else(|| "none of ours".to_owned(), |hash| hash.to_string());
    let mut builder = Builder::default();
    let changes = change("release", now, release.to_string())
        .into_iter()
        .collect();
    let action = Action::UpdateStage {
        stage_name: names.api_stage.clone(),
        // They are the stage's, not a release's.
        settings: StageUpdate::default(),
    };
    builder.add_change(action, [], changes);
    let bindings = Bindings {
        api_id: Some(api.api_id.clone()),
        deployment_id: Some(deployment.deployment_id.clone()),
        ..Bindings::default()
    };
    let plan = Plan {
        identity: names.identity.clone(),
        bindings,
        steps: builder.steps,
        unnamed_tables: Vec::new(),
    };
    Ok(auto_deploy::off_first(names, Some(api), plan))
}

/// The API's releases, newest first.
pub fn releases<'a>(
    api: &'a ApiState,
    observed: &Observed,
) -> Vec<(&'a DeploymentState, ReleaseHash)> {
    observed
        .newest_first(api)
        .into_iter()
        .filter_map(|d| Some((d, ReleaseHash::from_description(&d.description)?)))
        .collect()
}

/// Own roles that are gone. Of others' roles nothing is known here.
fn missing_roles(names: &Names, observed: &Observed, manifest: &Manifest) -> Vec<String> {
    manifest
        .functions
        .values()
        .filter_map(|function| {
            let role = names.own_role(&function.name);
            let arn = function.role_arn.as_ref()?;
            let is_own = arn.rsplit('/').next() == Some(role.as_str());
            (is_own && !observed.roles.contains_key(&role)).then(|| format!("the role {role}"))
        })
        .collect()
}

fn find<'a, 'k>(
    kept: &'k [(&'a DeploymentState, ReleaseHash)],
    live: &DeploymentState,
    asked: Option<&str>,
) -> Result<&'k (&'a DeploymentState, ReleaseHash), RollbackRefusal> {
    let unknown = || RollbackRefusal::Unknown {
        asked: asked.map(str::to_owned),
        kept: kept
            .iter()
            .map(|(_, release)| release.to_string())
            .collect(),
    };
    // Two deployments of one release differ in nothing that serves.
    let live_release = ReleaseHash::from_description(&live.description);
    let found = match asked {
        Some(asked) => kept
            .iter()
            .find(|(_, release)| release.to_string().starts_with(asked)),
        None => {
            let older = kept
                .iter()
                .skip_while(|(d, _)| d.deployment_id != live.deployment_id);
            older
                .skip(1)
                .find(|(_, release)| Some(release) != live_release.as_ref())
        }
    };
    let found = found.ok_or_else(unknown)?;
    match Some(&found.1) == live_release.as_ref() {
        true => Err(RollbackRefusal::AlreadyLive(found.1.clone())),
        false => Ok(found),
    }
}
