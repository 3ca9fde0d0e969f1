//! What is kept to roll back to, and what goes.
//!
//! A kept release is one that can be made live again by one write: its manifest
//! is known, and the stage file still names all its functions. A release that
//! needs a function which was removed from the file goes with it.

use super::{Action, Bindings, Builder, StepId};
use crate::desired::Desired;
use crate::manifest::{Manifest, journal, stream_name};
use crate::names::{DeploymentId, FunctionName, FunctionVersion};
use crate::observed::{ApiState, DeploymentState, Observed};
use crate::release::ReleaseHash;
use std::collections::BTreeSet;

/// Which releases are kept beside the one that is live after this plan.
#[derive(Default)]
pub(super) struct Pruning<'a> {
    kept: Vec<Former<'a>>,
    gone: Vec<Former<'a>>,
}

impl<'a> Pruning<'a> {
    pub(super) fn of(desired: &Desired, observed: &'a Observed, api: Option<&'a ApiState>) -> Self {
        let mut pruning = Self::default();
        let Some(api) = api else { return pruning };
        let live = api.live_deployment(&desired.names.api_stage);
        // The live one stays live unless a new release takes its place.
        let stays = live.filter(|live| {
            let release = ReleaseHash::from_description(&live.description);
            release == Some(ReleaseHash::of(desired))
        });
        // The one that is live (or goes live) is one of those kept.
        let room = desired.keep_releases.saturating_sub(1);
        for release in former_releases(api, observed, stays.map(|live| &live.deployment_id)) {
            if pruning.kept.len() < room && release.can_return(desired) {
                pruning.kept.push(release);
            } else {
                pruning.gone.push(release);
            }
        }
        pruning
    }

    /// What the kept ones consist of, as far as that can be read.
    pub(super) fn kept_manifests(&self) -> impl Iterator<Item = &'a Manifest> {
        self.kept.iter().filter_map(|release| release.manifest)
    }

    /// What those consist of that are there now, beside the one that stays live.
    /// A manifest may outlive its deployment.
    pub(super) fn present_manifests(&self) -> impl Iterator<Item = &'a Manifest> {
        let all = self.kept.iter().chain(&self.gone);
        all.filter_map(|release| release.manifest)
    }

    /// A kept one may need anything.
    pub(super) fn keeps_unreadable(&self) -> bool {
        self.kept.iter().any(|release| release.manifest.is_none())
    }

    /// One that is there now may need anything.
    pub(super) fn has_unreadable(&self) -> bool {
        let all = self.kept.iter().chain(&self.gone);
        all.into_iter().any(|release| release.manifest.is_none())
    }
}

/// Deletes, `after` the cut-over, releases beyond those kept, and versions that
/// none of the kept ones invokes. The steps that delete.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    pruning: &Pruning<'_>,
    bindings: &Bindings,
    after: &[StepId],
) -> Vec<StepId> {
    let mut steps: Vec<StepId> = Vec::new();
    for release in &pruning.gone {
        let deployment_id = release.deployment.deployment_id.clone();
        let name = release.deployment.description.clone();
        let action = Action::DeleteDeployment {
            deployment_id: deployment_id.clone(),
            name,
        };
        let deleted = builder.add(action, after.iter().copied());
        steps.push(deleted);
        if observed.releases.contains_key(&deployment_id) {
            let log_stream = stream_name(&deployment_id);
            let log_group = journal(&desired.names);
            builder.add(
                Action::DeleteLogStream {
                    log_group,
                    log_stream,
                },
                [deleted],
            );
        }
    }
    if pruning.keeps_unreadable() {
        // It may invoke any version.
        return steps;
    }
    let before: Vec<StepId> = after.iter().chain(&steps).copied().collect();
    let needed = needed_versions(desired, bindings, pruning);
    for function in desired.functions.values() {
        let versions = observed
            .functions
            .get(&function.name)
            .map(|state| state.versions.as_slice());
        for version in versions.unwrap_or_default() {
            if !needed.contains(&(&function.name, &version.version)) {
                let action = Action::DeleteVersion {
                    name: function.name.clone(),
                    version: version.version.clone(),
                };
                steps.push(builder.add(action, before.iter().copied()));
            }
        }
    }
    steps
}

/// A deployment that isn't live after this plan.
struct Former<'a> {
    deployment: &'a DeploymentState,
    manifest: Option<&'a Manifest>,
}

impl Former<'_> {
    /// Deployments whose manifest can't be read are kept for a while: it may only
    /// not be readable yet.
    fn can_return(&self, desired: &Desired) -> bool {
        let ours = ReleaseHash::from_description(&self.deployment.description).is_some();
        ours && self.manifest.is_none_or(|manifest| {
            manifest.functions.iter().all(|(key, function)| {
                desired
                    .functions
                    .get(key)
                    .is_some_and(|desired| desired.name == function.name)
            })
        })
    }
}

/// Newest first; without the one that stays live.
fn former_releases<'a>(
    api: &'a ApiState,
    observed: &'a Observed,
    stays_live: Option<&DeploymentId>,
) -> Vec<Former<'a>> {
    observed
        .newest_first(api)
        .into_iter()
        .filter(|deployment| Some(&deployment.deployment_id) != stays_live)
        .map(|deployment| Former {
            deployment,
            manifest: observed.releases.get(&deployment.deployment_id),
        })
        .collect()
}

fn needed_versions<'a>(
    desired: &'a Desired,
    bindings: &'a Bindings,
    pruning: &'a Pruning<'_>,
) -> BTreeSet<(&'a FunctionName, &'a FunctionVersion)> {
    let now = bindings
        .versions
        .iter()
        .map(|(key, version)| (&desired.functions[key].name, version));
    let before = pruning
        .kept_manifests()
        .flat_map(|manifest| manifest.functions.values())
        .map(|function| (&function.name, &function.version));
    now.chain(before).collect()
}
