//! How far a verb came that stopped midway, as text and (by `serde`) as JSON.

use deployer_core::plan::{Plan, StepId};
use deployer_engine::apply::Outcome;
use deployer_engine::up::Serving;
use serde::Serialize;
use std::fmt;

/// What is done of a plan and what is left.
#[derive(Debug, Serialize)]
pub struct StoppedResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// Whether by Ctrl-C; else by a step that failed.
    pub interrupted: bool,
    /// What users of the service reach now; `None` where nobody is served any more.
    pub serving: Option<&'static str>,
    /// Steps that are done.
    pub done: Vec<String>,
    /// Steps that failed or were not begun.
    pub left: Vec<String>,
}

impl<'a> StoppedResult<'a> {
    /// Of a plan that was carried out in part.
    pub fn new(stage: &'a str, plan: &Plan, outcome: &Outcome, serving: Option<Serving>) -> Self {
        let is_done = |id: &StepId| outcome.done.contains(id);
        let (done, left): (Vec<StepId>, Vec<StepId>) = (0..plan.steps.len()).partition(is_done);
        let words = |ids: Vec<StepId>| {
            let actions = ids.into_iter().map(|id| plan.steps[id].action.to_string());
            actions.collect()
        };
        Self {
            stage,
            interrupted: outcome.interrupted,
            serving: serving.map(Serving::as_str),
            done: words(done),
            left: words(left),
        }
    }
}

impl fmt::Display for StoppedResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            write!(f, "interrupted: ")?;
        }
        write!(
            f,
            "{} steps done, {} left",
            self.done.len(),
            self.left.len()
        )?;
        if let Some(serving) = self.serving {
            write!(f, "; {serving}")?;
        }
        for (title, steps) in [("done", &self.done), ("left", &self.left)] {
            if !steps.is_empty() {
                write!(f, "\n  {title}:")?;
            }
            for step in steps {
                write!(f, "\n    {step}")?;
            }
        }
        Ok(())
    }
}
