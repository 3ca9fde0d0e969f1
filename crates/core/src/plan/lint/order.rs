//! What comes before what, over any number of steps.

use crate::plan::{Step, StepId};

/// For each step, all that must be done before it.
pub(super) struct Order {
    /// One bit a step, a row for each.
    before: Vec<Vec<u64>>,
}

impl Order {
    /// Of steps each of which refers only to earlier ones; others are passed over.
    pub fn of(steps: &[Step]) -> Self {
        let words = steps.len().div_ceil(64);
        let mut before: Vec<Vec<u64>> = Vec::with_capacity(steps.len());
        for (id, step) in steps.iter().enumerate() {
            let mut row = vec![0_u64; words];
            for earlier in step.after.iter().copied().filter(|earlier| *earlier < id) {
                for (word, inherited) in row.iter_mut().zip(&before[earlier]) {
                    *word |= inherited;
                }
                row[earlier / 64] |= 1 << (earlier % 64);
            }
            before.push(row);
        }
        Self { before }
    }

    /// Whether `earlier` is done whenever `later` begins.
    pub fn is_before(&self, earlier: StepId, later: StepId) -> bool {
        self.before[later][earlier / 64] & (1 << (earlier % 64)) != 0
    }
}
