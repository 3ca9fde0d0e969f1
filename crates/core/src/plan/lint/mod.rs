//! Rules that every plan must keep, looked at apart from how plans are made: a
//! mistake in the planner ends in a plan that isn't carried out, not in an
//! account that lost something.
//!
//! 1. A step comes after earlier steps only: there is no circle.
//! 2. What a step refers to exists, or is made by a step it comes after; nothing
//!    that exists is made again.
//! 3. What isn't ours is neither changed nor deleted, unless it was nobody's and a
//!    step before adopts it.
//! 4. At most one step releases, when its manifest is recorded, and all changes of
//!    the draft come before the deployment that freezes it.
//! 5. Deletions, and what takes permissions, come after the release.
//! 6. What the live release uses stays until another is live, unless the plan
//!    removes its API.
//!
//! Deliberately absent: whether the plan leads to what is desired. Tests apply it.

mod footprint;
mod live;
mod order;

use super::{Action, Plan, StepId, Verb};
use crate::account_logging::is_shared;
use crate::manifest::journal;
use crate::names::{ApiId, LogGroupName, Names, StageIdentity};
use crate::observed::{ApiState, Observed};
use crate::tags::{Ownership, Tags, claimant, ownership_of};
pub(super) use footprint::changes_draft;
use footprint::{Footprint, Thing};
use live::Live;
use order::Order;
use std::fmt;

/// A rule that a step breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which step of the plan.
    pub step: StepId,
    /// The step in words.
    pub what: String,
    /// What it does that no step may.
    pub rule: String,
}

/// A plan that breaks the planner's own rules, and is therefore none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsoundPlan {
    /// Whose.
    pub identity: StageIdentity,
    /// At least one.
    pub violations: Vec<Violation>,
}

impl fmt::Display for UnsoundPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the plan for {} breaks the deployer's own rules, so it isn't carried out; this is a mistake in the deployer:",
            self.identity
        )?;
        for violation in &self.violations {
            let Violation { step, what, rule } = violation;
            write!(f, "\n  step {step}, {what}: it {rule}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnsoundPlan {}

/// The plan, if it keeps all rules.
///
/// # Errors
/// Every violation, when it doesn't.
pub fn sound(plan: Plan, observed: &Observed, names: &Names) -> Result<Plan, UnsoundPlan> {
    let violations = lint(&plan, observed, names);
    if violations.is_empty() {
        return Ok(plan);
    }
    Err(UnsoundPlan {
        identity: plan.identity,
        violations,
    })
}

/// Every rule that a plan made from `observed` breaks.
pub fn lint(plan: &Plan, observed: &Observed, names: &Names) -> Vec<Violation> {
    let mut linter = Linter {
        plan,
        observed,
        names,
        order: Order::of(&plan.steps),
        footprints: plan
            .steps
            .iter()
            .map(|s| footprint::of(&s.action))
            .collect(),
        violations: Vec::new(),
    };
    for id in 0..plan.steps.len() {
        linter.order(id);
        linter.references(id);
        linter.ownership(id);
    }
    linter.release();
    linter.live();
    linter.violations
}

struct Linter<'a> {
    plan: &'a Plan,
    observed: &'a Observed,
    names: &'a Names,
    order: Order,
    footprints: Vec<Footprint>,
    violations: Vec<Violation>,
}

impl Linter<'_> {
    fn violation(&mut self, step: StepId, rule: impl Into<String>) {
        self.violations.push(Violation {
            step,
            what: self.plan.steps[step].action.to_string(),
            rule: rule.into(),
        });
    }

    fn action(&self, id: StepId) -> &Action {
        &self.plan.steps[id].action
    }

    fn order(&mut self, id: StepId) {
        if let Some(later) = self.plan.steps[id].after.iter().find(|after| **after >= id) {
            self.violation(id, format!("comes after step {later}, which isn't earlier"));
        }
    }

    fn references(&mut self, id: StepId) {
        let footprint = &self.footprints[id];
        let wanting: Vec<String> = footprint
            .needs
            .iter()
            .chain(&footprint.touches)
            .chain(&footprint.adopts)
            .filter(|thing| !self.is_there(thing, id))
            .map(|thing| format!("needs {thing:?}, which no step before it makes"))
            .collect();
        let again: Vec<String> = footprint
            .makes
            .iter()
            .filter(|thing| self.exists(thing))
            .map(|thing| format!("makes {thing:?}, which exists"))
            .collect();
        for rule in wanting.into_iter().chain(again) {
            self.violation(id, rule);
        }
    }

    /// Whether the thing is there when the step begins.
    fn is_there(&self, thing: &Thing, id: StepId) -> bool {
        let mut makers = self.makers(thing).peekable();
        match makers.peek() {
            None => self.exists(thing) || self.is_bound(thing),
            Some(_) => makers.any(|maker| self.order.is_before(maker, id)),
        }
    }

    fn makers<'a>(&'a self, thing: &'a Thing) -> impl Iterator<Item = StepId> + 'a {
        let makes = move |(_, f): &(StepId, &Footprint)| f.makes.contains(thing);
        let all = self.footprints.iter().enumerate();
        all.filter(makes).map(|(id, _)| id)
    }

    /// Whether it was observed: what the plan only binds isn't looked for.
    fn exists(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Version(_) | Thing::Integration(_) | Thing::Authorizer | Thing::Deployment => {
                false
            }
            _ => self.tags(thing).is_some(),
        }
    }

    fn is_bound(&self, thing: &Thing) -> bool {
        let bindings = &self.plan.bindings;
        match thing {
            Thing::Version(key) => {
                bindings.versions.contains_key(key) || bindings.existing.contains_key(key)
            }
            Thing::Integration(key) => bindings.integrations.contains_key(key),
            Thing::Authorizer => bindings.authorizer.is_some(),
            Thing::Deployment => bindings.deployment_id.is_some(),
            _ => false,
        }
    }

    fn tags(&self, thing: &Thing) -> Option<&Tags> {
        let observed = self.observed;
        match thing {
            Thing::LogGroup(name) if *name == journal(self.names) => {
                observed.journal.as_ref().map(|state| &state.tags)
            }
            Thing::LogGroup(name) if *name == self.names.access_log_group() => {
                observed.access_log_group.as_ref().map(|state| &state.tags)
            }
            Thing::LogGroup(name) => match observed.execution_log_groups.get(name) {
                Some(state) => Some(self.api_of_logs(name).unwrap_or(&state.tags)),
                None => observed.log_groups.get(name).map(|state| &state.tags),
            },
            Thing::ExecutionLogGroup => {
                let api_id = self.plan.bindings.api_id.as_ref()?;
                let name = self.names.execution_log_group(api_id);
                self.tags(&Thing::LogGroup(name))
            }
            Thing::SharedRole => {
                let logging = observed.account_logging.as_ref()?;
                logging.shared_role.as_ref().map(|role| &role.tags)
            }
            Thing::Role(name) => observed.roles.get(name).map(|state| &state.tags),
            Thing::Function(name) => observed.functions.get(name).map(|state| &state.tags),
            Thing::Table(name) => {
                let state = observed.tables.get(name).filter(|it| it.is_there());
                state.map(|state| &state.tags)
            }
            Thing::Api(id) => self.api(id).map(|api| &api.tags),
            Thing::ThisApi => self.this_api().map(|api| &api.tags),
            Thing::Version(_) | Thing::Integration(_) | Thing::Authorizer | Thing::Deployment => {
                None
            }
        }
    }

    /// The tags of the API whose execution logs are in a group: API Gateway itself
    /// makes such groups, without tags.
    fn api_of_logs(&self, log_group: &LogGroupName) -> Option<&Tags> {
        let mut apis = self.observed.apis.iter();
        let api = apis.find(|api| self.names.execution_log_group(&api.api_id) == *log_group)?;
        Some(&api.tags)
    }

    fn this_api(&self) -> Option<&ApiState> {
        self.api(self.plan.bindings.api_id.as_ref()?)
    }

    fn api(&self, id: &ApiId) -> Option<&ApiState> {
        let mut apis = self.observed.apis.iter().chain(&self.observed.unowned_apis);
        apis.find(|api| api.api_id == *id)
    }

    fn ownership(&mut self, id: StepId) {
        let identity = &self.names.identity;
        if let Some(adopted) = &self.footprints[id].adopts
            && let Some(owner) = self.tags(adopted).and_then(|tags| claimant(tags, identity))
        {
            self.violation(id, format!("adopts what {owner} owns"));
        }
        let Some(touched) = &self.footprints[id].touches else {
            return;
        };
        let foreign = self.tags(touched).is_some_and(|tags| match touched {
            Thing::SharedRole => !is_shared(tags),
            _ => ownership_of(tags, identity) != Ownership::Ours,
        });
        if foreign && !self.is_adopted_before(touched, id) {
            let rule = format!("touches {touched:?}, which isn't this stage's");
            self.violation(id, rule);
        }
    }

    fn is_adopted_before(&self, thing: &Thing, id: StepId) -> bool {
        let thing = match (thing, &self.plan.bindings.api_id) {
            (Thing::ThisApi, Some(api_id)) => &Thing::Api(api_id.clone()),
            _ => thing,
        };
        let mut adopters = self.footprints.iter().enumerate();
        adopters.any(|(adopter, footprint)| {
            footprint.adopts.as_ref() == Some(thing) && self.order.is_before(adopter, id)
        })
    }

    fn steps_with(&self, fits: impl Fn(&Action) -> bool) -> Vec<StepId> {
        let ids = 0..self.plan.steps.len();
        ids.filter(|id| fits(self.action(*id))).collect()
    }

    fn release(&mut self) {
        let releases = self.steps_with(|action| action.verb() == Verb::Release);
        for id in releases.iter().skip(1) {
            self.violation(*id, "releases a second time");
        }
        for freeze in self.steps_with(|action| matches!(action, Action::CreateDeployment { .. })) {
            for change in self.steps_with(changes_draft) {
                if !self.order.is_before(change, freeze) {
                    self.violation(change, "changes the draft while it may be frozen");
                }
            }
        }
        let Some(&release) = releases.first() else {
            return;
        };
        for record in self.steps_with(|action| matches!(action, Action::RecordRelease { .. })) {
            if !self.order.is_before(record, release) {
                self.violation(release, "releases what may not be recorded");
            }
        }
        let after_it = self.steps_with(|action| {
            let takes = match action {
                Action::DeleteRolePolicy { .. } | Action::DetachRolePolicy { .. } => true,
                _ => action.verb() == Verb::Delete,
            };
            takes && !changes_draft(action)
        });
        for id in after_it {
            if !self.order.is_before(release, id) {
                self.violation(id, "deletes before the release");
            }
        }
        let stage = self.this_api().is_some_and(|api| {
            let mut stages = api.stages.iter();
            stages.any(|stage| stage.name == self.names.api_stage)
        });
        match self.action(release) {
            Action::CreateStage { .. } if stage => {
                self.violation(release, "makes a stage that exists")
            }
            Action::UpdateStage { .. } if !stage => {
                self.violation(release, "moves a stage that doesn't exist");
            }
            _ => {}
        }
    }

    fn live(&mut self) {
        let Some(live) = Live::of(self.observed, self.names) else {
            return;
        };
        let api_id = &live.api.api_id;
        let api_of_plan = self.plan.bindings.api_id.as_ref();
        let releases = self.steps_with(|action| action.verb() == Verb::Release);
        let removals = self.steps_with(
            |action| matches!(action, Action::DeleteApi { api_id: gone } if gone == api_id),
        );
        if let (Some(release), true) = (releases.first(), api_of_plan != Some(api_id)) {
            self.violation(*release, "releases on another API than the one that serves");
        }
        if let (Some(removal), false) = (removals.first(), releases.is_empty()) {
            self.violation(*removal, "deletes the API that serves");
        }
        let api_of_plan = api_of_plan.map(|id| id.as_str());
        if !removals.is_empty() {
            return;
        }
        for id in 0..self.plan.steps.len() {
            let Some(loss) = live.loses(self.action(id), api_of_plan) else {
                continue;
            };
            if !releases.iter().any(|end| self.order.is_before(*end, id)) {
                self.violation(id, format!("{loss}, while it serves"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
