//! Many seeds, on several threads; each run has its thread, runtime and account
//! to itself.

use crate::counts::Counts;
use crate::run::{Outcome, run};
use crate::sabotage::Sabotage;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Failing seeds that are kept; the rest is only counted.
const MOST_FAILURES: usize = 100;

/// What became of many seeds.
#[derive(Debug, Default)]
pub struct Report {
    /// How many were run.
    pub runs: u64,
    /// What was reached, in all of them.
    pub counts: Counts,
    /// How many of them failed.
    pub failed: u64,
    /// The first failures: seed and violations, in the order of the seeds.
    pub failures: Vec<(u64, Vec<String>)>,
}

/// Runs all of `seeds` on `threads` threads; `stop_at` failures end it early.
pub fn run_many(seeds: Range<u64>, threads: usize, mistake: Sabotage, stop_at: u64) -> Report {
    let next = AtomicU64::new(seeds.start);
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = run_caught(seed, mistake, false);
                    let mut report = report.lock().expect("nobody panics with it");
                    report.take(outcome);
                    if report.failed >= stop_at {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut report = report.into_inner().expect("nobody panics with it");
    report.failures.sort();
    report
}

/// As [`run`]; a panic is a violation.
pub fn run_caught(seed: u64, mistake: Sabotage, keep: bool) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| run(seed, mistake, keep))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
        Outcome {
            seed,
            violations: vec![format!("panic: {}", text.unwrap_or_default())],
            counts: Counts::default(),
            hash: 0,
            trace: Vec::new(),
        }
    })
}

impl Report {
    fn take(&mut self, outcome: Outcome) {
        self.runs += 1;
        self.counts.merge(&outcome.counts);
        if outcome.violations.is_empty() {
            return;
        }
        self.failed += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push((outcome.seed, outcome.violations));
        }
    }
}
