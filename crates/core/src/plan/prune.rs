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

/// Which releases are kept beside the one that is live after this plan.
#[derive(Default)]
pub(super) struct Pruning<'a> {
    kept: Vec<Former<'a>>,
    gone: Vec<Former<'a>>,
    /// The live one, where no new release takes its place.
    stays: Option<Former<'a>>,
    /// A release is live that isn't any more after this plan.
    replaces: bool,
    api: Option<&'a ApiState>,
}

impl<'a> Pruning<'a> {
    pub(super) fn of(desired: &Desired, observed: &'a Observed, api: Option<&'a ApiState>) -> Self {
        let mut pruning = Self {
            api,
            ..Self::default()
        };
        let Some(api) = api else { return pruning };
        let api_stage = &desired.names.api_stage;
        // The live one stays live unless a new release takes its place.
        let live = api.live_deployment(api_stage);
        let stays = live.filter(|live| {
            let release = ReleaseHash::from_description(&live.description);
            release == Some(ReleaseHash::of(desired))
        });
        pruning.replaces = live.is_some() && stays.is_none();
        pruning.stays = stays.map(|live| Former {
            deployment: live,
            manifest: observed.manifest_of(live),
        });
        let stays = stays.map(|live| &live.deployment_id);
        // The one that is live (or goes live) is one of those kept.
        let room = desired.keep_releases.saturating_sub(1);
        for release in former_releases(api, observed, stays, api_stage) {
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

    /// What the live one consists of, where it stays live.
    pub(super) fn staying_manifest(&self) -> Option<&'a Manifest> {
        self.stays.as_ref()?.manifest
    }

    /// What the versions belong to that stay: of the kept releases and of the live
    /// one, which needn't invoke the newest equal ones, unless it is deployed `again`.
    /// `None`: one of them can't be read, and may invoke any version.
    fn invoked(&self, again: bool) -> Option<Vec<&'a Manifest>> {
        let live = self.stays.iter().filter(|_| !again);
        let releases = self.kept.iter().chain(live);
        releases.map(|release| release.manifest).collect()
    }

    /// A kept one, or the one that stays live, may need anything.
    pub(super) fn keeps_unreadable(&self) -> bool {
        self.invoked(false).is_none()
    }

    /// The live one that a new deployment of the same release replaces: it is no release
    /// to roll back to.
    fn replaced(&self, desired: &Desired) -> Option<&Former<'a>> {
        let api_stage = &desired.names.api_stage;
        let api = self.api?;
        let live = self.stays.as_ref()?;
        (!serves_another(api, api_stage, live.deployment)).then_some(live)
    }

    /// Whether another release than the new one is live until the cut-over.
    pub(super) fn replaces(&self) -> bool {
        self.replaces
    }

    /// One that is there now may need anything.
    pub(super) fn has_unreadable(&self) -> bool {
        let all = self.kept.iter().chain(&self.gone);
        all.into_iter().any(|release| release.manifest.is_none())
    }
}

/// Deletes, `after` the cut-over, releases beyond those kept, and versions that
/// none of the kept ones invokes; when the release that is live is deployed `again`,
/// also its former deployment. The steps that delete.
pub(super) fn plan(
    builder: &mut Builder,
    desired: &Desired,
    observed: &Observed,
    pruning: &Pruning<'_>,
    bindings: &Bindings,
    again: bool,
    after: &[StepId],
) -> Vec<StepId> {
    let mut steps: Vec<StepId> = Vec::new();
    // Functions may have versions where there is no API (yet, or any more).
    if let Some(api) = pruning.api {
        strays(builder, desired, observed, api, after);
    }
    let replaced = pruning.replaced(desired).filter(|_| again);
    for release in pruning.gone.iter().chain(replaced) {
        let deployment_id = release.deployment.deployment_id.clone();
        let name = release.deployment.description.clone();
        let action = Action::DeleteDeployment {
            deployment_id: deployment_id.clone(),
            name,
        };
        let deleted = builder.add(action, after.iter().copied());
        steps.push(deleted);
        if pruning
            .api
            .is_some_and(|api| release.has_a_manifest_of_its_own(desired, api))
        {
            let action = Action::DeleteLogStream {
                log_group: journal(&desired.names),
                log_stream: release.deployment.manifest_key().stream(),
            };
            builder.add(action, [deleted]);
        }
    }
    let Some(invoked) = pruning.invoked(again) else {
        return steps;
    };
    let before: Vec<StepId> = after.iter().chain(&steps).copied().collect();
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
                steps.push(builder.add(action, before.iter().copied()));
            }
        }
    }
    steps
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
    observed
        .newest_first(api)
        .into_iter()
        .filter(|deployment| Some(&deployment.deployment_id) != stays_live)
        .filter(|deployment| !serves_another(api, api_stage, deployment))
        .map(|deployment| Former {
            deployment,
            manifest: observed.manifest_of(deployment),
        })
        .collect()
}

/// AWS keeps what any API stage serves; others than ours are of somebody's hand.
fn serves_another(api: &ApiState, api_stage: &str, deployment: &DeploymentState) -> bool {
    let mut others = api.stages.iter().filter(|stage| stage.name != api_stage);
    others.any(|stage| stage.deployment_id.as_ref() == Some(&deployment.deployment_id))
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
