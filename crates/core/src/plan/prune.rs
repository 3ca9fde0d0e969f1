//! What is kept to roll back to, and what goes.
//!
//! A kept release is one that can be made live again by one write: its manifest
//! is known, and the stage file still names all its functions. A release that
//! needs a function which was removed from the file goes with it.

use super::{Action, Bindings, Builder, StepId};
use crate::desired::Desired;
use crate::manifest::{Manifest, ManifestKey, journal};
use crate::names::{DeploymentId, FunctionName, FunctionVersion};
use crate::observed::{ApiState, DeploymentState, Observed};
use crate::release::ReleaseHash;
use std::collections::BTreeSet;

/// Length of `2026-01-31`, which a time in RFC 3339 begins with.
const DAY: usize = 10;

/// Deletes, `after` the cut-over, releases beyond those kept, and versions that
/// none of the kept ones invokes. `releasing`: a new release goes live.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    api: Option<&ApiState>,
    bindings: &Bindings,
    releasing: bool,
    after: &[StepId],
) {
    let Some(api) = api else { return };
    let live = api.live_deployment(&desired.names.api_stage);
    let stays = live.filter(|_| !releasing).map(|live| &live.deployment_id);
    let former = former_releases(api, observed, stays, &desired.names.api_stage);
    // The one that is live (or goes live) is one of those kept.
    let room = desired.keep_releases.saturating_sub(1);
    let mut kept: Vec<&Former<'_>> = Vec::new();
    let mut steps: Vec<StepId> = Vec::new();
    for release in &former {
        if kept.len() < room && release.can_return(desired) {
            kept.push(release);
            continue;
        }
        let deployment_id = release.deployment.deployment_id.clone();
        let name = release.deployment.description.clone();
        let action = Action::DeleteDeployment {
            deployment_id: deployment_id.clone(),
            name,
        };
        let deleted = builder.add(action, after.iter().copied());
        steps.push(deleted);
        if release.has_a_manifest_of_its_own(desired, api) {
            let action = Action::DeleteLogStream {
                log_group: journal(&desired.names),
                log_stream: release.deployment.manifest_key().stream(),
            };
            builder.add(action, [deleted]);
        }
    }
    strays(builder, desired, observed, api, after);
    // What stays live invokes the versions its manifest says, which needn't be the
    // newest equal ones.
    let stays_live = live
        .filter(|_| !releasing)
        .map(|live| observed.manifest_of(live));
    let invoked: Vec<Option<&Manifest>> = kept
        .iter()
        .map(|release| release.manifest)
        .chain(stays_live)
        .collect();
    let Some(invoked) = invoked.into_iter().collect::<Option<Vec<&Manifest>>>() else {
        // One that can't be read may invoke any version.
        return;
    };
    let before: Vec<StepId> = after.iter().copied().chain(steps).collect();
    let needed = needed_versions(desired, bindings, &invoked);
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
                builder.add(action, before.iter().copied());
            }
        }
    }
}

/// Deletes manifests of releases that never became deployments: an `up` was
/// interrupted between the two. Only those of a former day, since a deployment
/// that was made a moment ago may not be listed yet.
fn strays(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    api: &ApiState,
    after: &[StepId],
) {
    let known: BTreeSet<ManifestKey> = api
        .deployments
        .iter()
        .map(DeploymentState::manifest_key)
        .collect();
    let today = desired.provenance.at.get(..DAY);
    for (key, manifest) in &observed.releases {
        if !known.contains(key) && manifest.provenance.at.get(..DAY) < today {
            let action = Action::DeleteLogStream {
                log_group: journal(&desired.names),
                log_stream: key.stream(),
            };
            builder.add(action, after.iter().copied());
        }
    }
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

impl Former<'_> {
    /// Whether nothing else is known by its manifest: neither another deployment nor
    /// the one that this plan makes, if it is of the very same moment.
    fn has_a_manifest_of_its_own(&self, desired: &Desired, api: &ApiState) -> bool {
        let key = self.deployment.manifest_key();
        let mut others = api
            .deployments
            .iter()
            .filter(|other| other.deployment_id != self.deployment.deployment_id);
        let shared = others.any(|other| other.manifest_key() == key);
        let repeated = |manifest: &Manifest| manifest.provenance == desired.provenance;
        !shared && self.manifest.is_some_and(|manifest| !repeated(manifest))
    }
}

/// Newest first; without the one that stays live.
fn former_releases<'a>(
    api: &'a ApiState,
    observed: &'a Observed,
    stays_live: Option<&DeploymentId>,
    api_stage: &str,
) -> Vec<Former<'a>> {
    // AWS keeps what any API stage serves; others than ours are of somebody's hand.
    let serves = |deployment: &DeploymentState| {
        let mut others = api.stages.iter().filter(|stage| stage.name != api_stage);
        others.any(|stage| stage.deployment_id.as_ref() == Some(&deployment.deployment_id))
    };
    observed
        .newest_first(api)
        .into_iter()
        .filter(|deployment| Some(&deployment.deployment_id) != stays_live)
        .filter(|deployment| !serves(deployment))
        .map(|deployment| Former {
            deployment,
            manifest: observed.manifest_of(deployment),
        })
        .collect()
}

fn needed_versions<'a>(
    desired: &'a Desired,
    bindings: &'a Bindings,
    invoked: &[&'a Manifest],
) -> BTreeSet<(&'a FunctionName, &'a FunctionVersion)> {
    let now = bindings
        .versions
        .iter()
        .map(|(key, version)| (&desired.functions[key].name, version));
    let before = invoked
        .iter()
        .flat_map(|manifest| manifest.functions.values())
        .map(|function| (&function.name, &function.version));
    now.chain(before).collect()
}
