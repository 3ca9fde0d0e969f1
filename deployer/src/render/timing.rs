//! Where a verb's time went: by phase, and the step that took longest. Told by the engine's
//! events; what happens while cargo builds is part of the build.
//!
//! Deliberately absent: a clock. Whoever calls says what time it is.

use deployer_core::plan::StepId;
use deployer_engine::events::Event;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What a verb is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Cargo builds; the account may be read meanwhile.
    Building,
    /// Finds credentials, reads the account, plans.
    Reading,
    /// For another who deploys the stage, or until reads show what that one did.
    Waiting,
    /// Makes the calls of the plan.
    Writing,
    /// Until the endpoint answers.
    Verifying,
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Reading => "reading",
            Self::Waiting => "waiting",
            Self::Writing => "writing",
            Self::Verifying => "verifying",
        }
    }
}

/// The step that took longest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slowest {
    what: String,
    took: Duration,
    /// What it last waited for.
    reason: Option<String>,
}

/// The time of one verb on one stage.
#[derive(Debug)]
pub struct Timing {
    phases: BTreeMap<Phase, Duration>,
    /// What the engine is at, build or no build.
    phase: Phase,
    building: bool,
    /// When cargo first began, and how long after that it last had built everything.
    build_began: Option<Instant>,
    cargo: Option<Duration>,
    since: Instant,
    reasons: BTreeMap<StepId, String>,
    slowest: Option<Slowest>,
}

impl Timing {
    /// Begins now.
    pub fn new(now: Instant) -> Self {
        Self {
            phases: BTreeMap::new(),
            phase: Phase::Reading,
            building: false,
            build_began: None,
            cargo: None,
            since: now,
            reasons: BTreeMap::new(),
            slowest: None,
        }
    }

    /// Cargo begins, or has ended.
    pub fn building(&mut self, building: bool, now: Instant) {
        self.lapse(now);
        self.building = building;
        if building {
            self.build_began.get_or_insert(now);
        }
    }

    /// Cargo has built everything; what follows of the build is ours.
    pub fn built(&mut self, now: Instant) {
        let began = self.build_began;
        self.cargo = began.map(|began| now.saturating_duration_since(began));
    }

    /// Whether a build goes on.
    pub fn is_building(&self) -> bool {
        self.building
    }

    /// How long cargo took, once all is built.
    pub fn cargo_took(&self) -> Option<Duration> {
        self.cargo
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event, now: Instant) {
        self.lapse(now);
        self.phase = match event {
            Event::Observing | Event::Verified { .. } => Phase::Reading,
            Event::WaitingForLease { .. } | Event::Settling { .. } => Phase::Waiting,
            Event::Planned { .. }
            | Event::StepStarted { .. }
            | Event::StepWaiting { .. }
            | Event::StepDone { .. }
            | Event::StepFailed { .. } => Phase::Writing,
            Event::Verifying { .. } => Phase::Verifying,
        };
        match event {
            Event::StepWaiting { step, reason, .. } => {
                self.reasons.insert(*step, reason.clone());
            }
            Event::StepDone {
                step,
                what,
                elapsed,
            } => {
                let reason = self.reasons.remove(step);
                if self.slowest.as_ref().is_none_or(|it| it.took < *elapsed) {
                    self.slowest = Some(Slowest {
                        what: what.clone(),
                        took: *elapsed,
                        reason,
                    });
                }
            }
            _ => {}
        }
    }

    fn lapse(&mut self, now: Instant) {
        let phase = match self.building {
            true => Phase::Building,
            false => self.phase,
        };
        *self.phases.entry(phase).or_default() += now.saturating_duration_since(self.since);
        self.since = now;
    }

    /// As one line, up to now. What took no time isn't named.
    pub fn line(&mut self, now: Instant) -> String {
        self.lapse(now);
        let mut line = format!("took {}", seconds(self.total()));
        let mut before = ": ";
        for (phase, time) in &self.phases {
            if *time >= SHOWN {
                let _ = write!(line, "{before}{} {}", phase.as_str(), seconds(*time));
                before = ", ";
            }
        }
        if let Some(Slowest { what, took, reason }) = &self.slowest {
            let _ = write!(line, "; slowest: {what}, {}", seconds(*took));
            if let Some(reason) = reason {
                let _ = write!(line, ", waiting for {reason}");
            }
        }
        line
    }

    /// As fields of a result, up to now: `seconds` by phase, and `slowest`.
    pub fn fields(&mut self, now: Instant) -> [(&'static str, Value); 2] {
        self.lapse(now);
        let phases = self.phases.iter();
        let mut all: serde_json::Map<String, Value> = phases
            .map(|(phase, time)| (phase.as_str().to_owned(), rounded(*time).into()))
            .collect();
        all.insert("total".to_owned(), rounded(self.total()).into());
        let slowest = self.slowest.as_ref().map(|it| {
            serde_json::json!({
                "what": it.what,
                "seconds": rounded(it.took),
                "waiting_for": it.reason,
            })
        });
        [
            ("seconds", Value::Object(all)),
            ("slowest", slowest.unwrap_or(Value::Null)),
        ]
    }

    fn total(&self) -> Duration {
        self.phases.values().sum()
    }
}

/// What is shorter rounds to nothing.
const SHOWN: Duration = Duration::from_millis(5);

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// As people read it.
pub fn seconds(elapsed: Duration) -> String {
    format!("{:.2} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(begin: Instant, ms: u64) -> Instant {
        begin + Duration::from_millis(ms)
    }

    fn done(step: StepId, what: &str, ms: u64) -> Event {
        Event::StepDone {
            step,
            what: what.into(),
            elapsed: Duration::from_millis(ms),
        }
    }

    /// An `up` that builds for 2 s while it reads, waits, writes and verifies.
    fn up(begin: Instant) -> Timing {
        let mut timing = Timing::new(begin);
        timing.building(true, after(begin, 100));
        timing.event(&Event::Observing, after(begin, 300));
        assert!(timing.is_building());
        timing.built(after(begin, 1_900));
        timing.building(false, after(begin, 2_100));
        assert!(!timing.is_building());
        assert_eq!(timing.cargo_took(), Some(Duration::from_millis(1_800)));
        let wait = Duration::from_secs(1);
        timing.event(&Event::Settling { wait }, after(begin, 2_300));
        timing.event(&Event::Planned { steps: 2 }, after(begin, 3_300));
        let waiting = Event::StepWaiting {
            step: 1,
            what: "create function f".into(),
            reason: "the new role to be known to Lambda".into(),
        };
        timing.event(&waiting, after(begin, 3_400));
        timing.event(&done(0, "create log group g", 40), after(begin, 3_500));
        timing.event(&done(1, "create function f", 4_000), after(begin, 7_300));
        let url = "wss://x".to_owned();
        timing.event(&Event::Verifying { url }, after(begin, 7_300));
        let elapsed = Duration::from_millis(700);
        timing.event(&Event::Verified { elapsed }, after(begin, 8_000));
        timing
    }

    #[test]
    fn the_line_says_where_the_time_went_and_what_took_longest() {
        let begin = Instant::now();
        assert_eq!(
            up(begin).line(after(begin, 8_001)),
            "took 8.00 s: building 2.00 s, reading 0.30 s, waiting 1.00 s, writing 4.00 s, verifying 0.70 s; slowest: create function f, 4.00 s, waiting for the new role to be known to Lambda"
        );
    }

    #[test]
    fn the_phases_are_all_of_the_time() {
        let begin = Instant::now();
        let [(_, seconds), (_, slowest)] = up(begin).fields(after(begin, 9_000));
        assert_eq!(seconds["total"], 9.0);
        let phases = seconds.as_object().expect("a map").iter();
        let sum: f64 = phases
            .filter(|(name, _)| *name != "total")
            .map(|(_, value)| value.as_f64().expect("a number"))
            .sum();
        assert!((sum - 9.0).abs() < 0.001, "{sum}");
        assert_eq!(slowest["what"], "create function f");
        assert_eq!(slowest["seconds"], 4.0);
    }

    #[test]
    fn with_nothing_to_do_there_is_no_slowest_step() {
        let begin = Instant::now();
        let mut timing = Timing::new(begin);
        assert_eq!(
            timing.line(after(begin, 120)),
            "took 0.12 s: reading 0.12 s"
        );
        let [_, (_, slowest)] = timing.fields(after(begin, 130));
        assert_eq!(slowest, Value::Null);
    }

    #[test]
    fn durations_are_shown_in_seconds() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.23 s");
    }
}
