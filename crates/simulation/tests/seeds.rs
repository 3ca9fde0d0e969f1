//! Seeds: hundreds of them, those that failed once, and whether a seed says
//! everything.

use simulation::{Report, Sabotage, run, run_caught, run_many};

/// So many are run with every `cargo test`; `SIMULATION_SEEDS` says otherwise, and
/// `make simulate` runs as many as asked for, faster.
const SEEDS: u64 = 300;
/// A mistake must be found within so many.
const TO_FIND_A_MISTAKE: u64 = 300;

/// What must be reached, or the seeds prove nothing.
const REACHED: [&str; 19] = [
    "fault: reset",
    "fault: answer lost",
    "fault: arrives late",
    "fault: silence",
    "fault: silence, carried out",
    "fault: throttled",
    "fault: failed before",
    "fault: failed after",
    "fault: twice, first answer",
    "fault: twice, second answer",
    "crash: before",
    "crash: in flight",
    "crash: after",
    "pause: before",
    "pause: after",
    "command: done",
    "command: crashed",
    "command: interrupted",
    "lease: taken over",
];

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fails with each failing seed, how to replay it, and the end of the first
/// one's trace.
fn all_is_well(report: &Report) {
    let Some((first, _)) = report.failures.first() else {
        return;
    };
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|(seed, violations)| {
            let what = violations.join("\n  ");
            format!("seed {seed}: {what}\n  replay: cargo run -p simulation -- replay {seed}")
        })
        .collect();
    let trace = run_caught(*first, Sabotage::None, true).trace;
    let end = &trace[trace.len().saturating_sub(60)..];
    panic!(
        "{} of {} seeds failed\n{}\nthe end of {first}:\n{}",
        report.failed,
        report.runs,
        failures.join("\n"),
        end.join("\n")
    );
}

#[test]
fn hundreds_of_seeds_end_where_they_should_and_reach_every_fault() {
    let seeds = std::env::var("SIMULATION_SEEDS").ok();
    let seeds = seeds.map_or(SEEDS, |seeds| seeds.parse().expect("a number"));
    let mut report = run_many(0..seeds, threads(), Sabotage::None, 10);
    let open = listed(include_str!("open.txt"));
    report.failures.retain(|(seed, _)| !open.contains(seed));
    all_is_well(&report);
    for what in REACHED {
        assert!(report.counts.of(what) > 0, "never reached: {what}");
    }
}

/// The seeds of a list, one a line, with remarks after `#`.
fn listed(text: &str) -> Vec<u64> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|seed| seed.parse().expect("a seed a line"))
        .collect()
}

#[test]
fn seeds_that_failed_once_are_always_run() {
    for seed in listed(include_str!("regressions.txt")) {
        all_is_well(&run_many(seed..seed + 1, 1, Sabotage::None, 1));
    }
}

#[test]
fn equal_seeds_give_equal_runs_to_the_last_line() {
    for seed in 0..12 {
        let first = run(seed, Sabotage::None, true);
        // Another thread: nothing may come from the one it runs on.
        let again = std::thread::spawn(move || run(seed, Sabotage::None, true))
            .join()
            .expect("it runs");
        for (line, (one, other)) in first.trace.iter().zip(&again.trace).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {line}");
        }
        assert_eq!(first.trace.len(), again.trace.len(), "seed {seed}");
        assert_eq!(first.hash, again.hash, "seed {seed}");
        assert!(first.trace.len() > 100, "seed {seed} does something");
    }
}

#[test]
fn another_seed_is_another_run() {
    let hash = |seed| run(seed, Sabotage::None, false).hash;
    assert_ne!(hash(1), hash(2));
}

/// The first violation that a mistake leads to.
fn found(mistake: Sabotage) -> String {
    let report = run_many(0..TO_FIND_A_MISTAKE, threads(), mistake, 1);
    let (_, violations) = report
        .failures
        .first()
        .unwrap_or_else(|| panic!("{mistake:?} isn't found in {TO_FIND_A_MISTAKE} seeds"));
    violations.join("; ")
}

#[test]
fn a_lease_that_everybody_holds_is_found() {
    found(Sabotage::LeaseOfEverybody);
}

#[test]
fn an_api_lost_with_its_answer_and_forgotten_is_found() {
    let violation = found(Sabotage::LostApiForgotten);
    assert!(violation.contains("apis"), "{violation}");
}

#[test]
fn a_release_that_is_not_recorded_is_found() {
    found(Sabotage::ReleaseUnrecorded);
}
