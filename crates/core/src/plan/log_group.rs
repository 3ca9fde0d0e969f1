//! A log group and its retention: of a function, of access logs, of execution
//! logs. Which actions make and change it depends on who names it.

use super::changes::{change, or_none};
use super::{Action, Builder, StepId};
use crate::observed::LogGroupState;

/// What prepares a log group.
pub(super) struct LogGroupSteps {
    /// It is there.
    pub created: Option<StepId>,
    /// It is there and has its retention.
    pub all: Vec<StepId>,
}

/// A log group as it should be.
pub(super) struct LogGroup<'a> {
    pub state: Option<&'a LogGroupState>,
    pub retention_days: u32,
    /// Makes it.
    pub create: Action,
    /// What must be there before it.
    pub after: Option<StepId>,
    /// Sets its retention.
    pub put_retention: Action,
}

impl LogGroup<'_> {
    pub(super) fn plan(self, builder: &mut Builder) -> LogGroupSteps {
        let created = match self.state {
            None => Some(builder.add(self.create, self.after)),
            Some(_) => None,
        };
        let days = self.state.and_then(|state| state.retention_days);
        let retention = change("days", or_none(days), self.retention_days.to_string());
        let put = retention
            .map(|retention| builder.add_change(self.put_retention, created, vec![retention]));
        LogGroupSteps {
            created,
            all: created.into_iter().chain(put).collect(),
        }
    }
}
