//! The plan: which writes, in which order, lead from what was observed to what
//! is desired. A value that can be printed and serialised; whoever applies it
//! has nothing left to decide.
//!
//! Deliberately absent: retries, waiting, parallelism — how a step is carried
//! out is the engine's business.

mod account_logging;
mod action;
mod adopt;
mod api;
mod authorizer;
mod auto_deploy;
mod bindings;
mod changes;
mod down;
mod drift;
mod execution_roles;
mod functions;
mod lint;
mod log_group;
mod prune;
mod refusal;
mod roles;
mod rollback;
mod stage_settings;
mod tables;
mod tags;
mod up;

pub use action::{Action, Adopted, Taggable, Verb};
pub use api::function_of_uri;
pub use bindings::{Bindings, PolicyTemplate};
pub use changes::FieldChange;
pub use down::{down, retained, retained_tables};
pub use drift::drift;
pub use lint::{UnsoundPlan, Violation, lint, sound};
pub use refusal::{Obstacle, Refusal, RefusedResource, check_journal};
pub use rollback::{RollbackRefusal, releases, rollback};
pub use up::up;

use crate::names::{StageIdentity, TableName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Which step, by its place in the plan.
pub type StepId = usize;

/// One write and what must be done before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The write.
    pub action: Action,
    /// Earlier steps that must have succeeded.
    pub after: Vec<StepId>,
    /// What changes in the resource, where it existed before.
    pub changes: Vec<FieldChange>,
}

/// Steps in an order that respects what each must come after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Whose plan.
    pub identity: StageIdentity,
    /// What the account already provides.
    pub bindings: Bindings,
    /// The writes; each refers only to earlier ones.
    pub steps: Vec<Step>,
    /// Tables that the files no longer name. They stay until a `down`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unnamed_tables: Vec<TableName>,
}

impl Plan {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The same after other steps, which wait for nothing.
    fn preceded_by(self, mut steps: Vec<Step>) -> Self {
        let count = steps.len();
        for mut step in self.steps {
            step.after.iter_mut().for_each(|earlier| *earlier += count);
            if step.after.is_empty() {
                step.after = (0..count).collect();
            }
            steps.push(step);
        }
        Self { steps, ..self }
    }

    fn write_untouched(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, arn) in &self.bindings.existing {
            let name = arn
                .rsplit_once(":function:")
                .map_or(arn.as_str(), |it| it.1);
            let stays = "exists: invoked as it is, never changed";
            write!(f, "\n  = {:<15} {key} → {name} {stays}", "function")?;
        }
        for name in &self.unnamed_tables {
            let stays = "stays with its items, though the files don't name it: `down` asks its tag";
            write!(f, "\n  = {:<15} {name} {stays}", "table")?;
        }
        Ok(())
    }

    /// How many steps of each kind there are.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for step in &self.steps {
            let word = match step.action.verb() {
                Verb::Create => "create",
                Verb::Change => "change",
                Verb::Delete => "delete",
                Verb::Release => "release",
                Verb::Adopt => "adopt",
            };
            *counts.entry(word).or_default() += 1;
        }
        counts
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            write!(f, "{}: nothing to do", self.identity)?;
            return self.write_untouched(f);
        }
        write!(f, "{}:", self.identity)?;
        for step in &self.steps {
            let sign = match step.action.verb() {
                Verb::Create => '+',
                Verb::Change => '~',
                Verb::Delete => '-',
                Verb::Release => '>',
                Verb::Adopt => '*',
            };
            let (kind, name) = step.action.resource();
            write!(f, "\n  {sign} {kind:<15} {name}")?;
            for change in &step.changes {
                write!(f, "\n      {change}")?;
            }
        }
        let counts: Vec<String> = self
            .counts()
            .iter()
            .map(|(word, count)| format!("{count} to {word}"))
            .collect();
        self.write_untouched(f)?;
        write!(f, "\n{}", counts.join(", "))
    }
}

/// Collects steps; the ids it gives out are what later steps come after.
#[derive(Debug, Default)]
struct Builder {
    steps: Vec<Step>,
}

impl Builder {
    fn add(&mut self, action: Action, after: impl IntoIterator<Item = StepId>) -> StepId {
        self.add_change(action, after, Vec::new())
    }

    fn add_change(
        &mut self,
        action: Action,
        after: impl IntoIterator<Item = StepId>,
        changes: Vec<FieldChange>,
    ) -> StepId {
        let id = self.steps.len();
        let mut after: Vec<StepId> = after.into_iter().collect();
        after.sort_unstable();
        after.dedup();
        debug_assert!(
            after.iter().all(|earlier| *earlier < id),
            "a step comes after earlier ones"
        );
        self.steps.push(Step {
            action,
            after,
            changes,
        });
        id
    }
}

#[cfg(test)]
pub(crate) mod tests;
