//! What must hold in the end, and whether it does.

use serde_json::{Value, json};

use super::trend::{Sample, growth};
use crate::figures::rounded;

/// So much may memory have grown after the warm-up beyond what logs account for.
const GROWTH_MB: f64 = 8.0;
/// MB that a MB of log events takes: a short line's text, its place in a list, and the
/// allocator's own.
const MEMORY_OF_LOGS: f64 = 1.6;

/// All that the soak found.
pub(super) struct Found {
    pub(super) ledger: Value,
    pub(super) samples: Vec<Sample>,
    pub(super) kills: usize,
    pub(super) connections_left: usize,
    pub(super) invocations_left: usize,
    pub(super) processes_left: usize,
    /// Before the first client, and after the last.
    pub(super) descriptors: (usize, usize),
}

/// One condition.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) what: &'static str,
    pub(super) found: f64,
    pub(super) most: f64,
    pub(super) holds: bool,
}

impl Found {
    fn count(&self, name: &str) -> f64 {
        self.ledger[name].as_f64().unwrap_or(f64::NAN)
    }

    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let logs = growth(&self.samples, |it| it.logs_mb).max(0.0);
        let memory = growth(&self.samples, |it| it.memory_mb);
        let fates = ["answered", "failed", "cut", "closed", "silent"];
        let told: f64 = fates.into_iter().map(|fate| self.count(fate)).sum();
        let (before, after) = self.descriptors;
        [
            (
                "messages of no known fate",
                (self.count("sent") - told).abs(),
                0.0,
            ),
            ("messages without an answer", self.count("silent"), 0.0),
            (
                "connections closed by the gateway",
                self.count("closed"),
                0.0,
            ),
            ("handshakes without an answer", self.count("broken"), 0.0),
            ("texts that nobody sent", self.count("stray"), 0.0),
            // A killed function has one event at most, and may have answered it.
            ("answers too many", self.count("late"), self.kills as f64),
            (
                "MB grown after the warm-up",
                memory,
                GROWTH_MB + MEMORY_OF_LOGS * logs,
            ),
            ("connections left", self.connections_left as f64, 0.0),
            ("invocations left", self.invocations_left as f64, 0.0),
            ("processes left", self.processes_left as f64, 0.0),
            ("descriptors left", after as f64, before as f64),
        ]
        .map(|(what, found, most)| Verdict {
            what,
            found,
            most,
            holds: found <= most,
        })
        .into()
    }

    pub(super) fn figures(&self) -> Value {
        let at = |sample: Option<&Sample>| sample.map(|it| rounded(it.memory_mb));
        let most = self.samples.iter().map(|it| it.memory_mb);
        json!({
            "messages": self.ledger,
            "kills": self.kills,
            "memory_mb": {
                "first": at(self.samples.first()),
                "last": at(self.samples.last()),
                "most": rounded(most.fold(0.0, f64::max)),
                "grown": rounded(growth(&self.samples, |it| it.memory_mb)),
                "logs_grown": rounded(growth(&self.samples, |it| it.logs_mb)),
            },
            "connections_left": self.connections_left,
            "invocations_left": self.invocations_left,
            "processes_left": self.processes_left,
            "descriptors_before": self.descriptors.0,
            "descriptors_after": self.descriptors.1,
        })
    }
}

/// For people.
pub(super) fn table(found: &Found, verdicts: &[Verdict]) -> String {
    let mut lines = Vec::new();
    if let Some(counts) = found.ledger.as_object() {
        for (name, count) in counts {
            match count.as_array() {
                Some(wrongs) => lines.extend(wrongs.iter().map(|wrong| format!("  {wrong}"))),
                None => lines.push(format!("{name:<12}{count:>12}")),
            }
        }
    }
    lines.push(format!("{:<12}{:>12}", "kills", found.kills));
    lines.push(String::new());
    lines.push(format!("{:<36}{:>10}{:>10}", "", "found", "at most"));
    for verdict in verdicts {
        let Verdict {
            what,
            found,
            most,
            holds,
        } = verdict;
        let word = if *holds { "ok" } else { "FAILED" };
        lines.push(format!("{what:<36}{found:>10.1}{most:>10.1}  {word}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::ledger::Ledger;

    fn found() -> Found {
        let ledger = Ledger::default();
        ledger.sent.many(3);
        ledger.answered.one();
        ledger.failed.one();
        ledger.cut.one();
        Found {
            ledger: ledger.figures(),
            samples: Vec::new(),
            kills: 0,
            connections_left: 0,
            invocations_left: 0,
            processes_left: 0,
            descriptors: (20, 20),
        }
    }

    fn broken(found: &Found) -> Vec<&'static str> {
        let verdicts = found.verdicts();
        let broken = verdicts.iter().filter(|it| !it.holds);
        broken.map(|it| it.what).collect()
    }

    #[test]
    fn a_soak_in_which_every_message_has_a_fate_and_nothing_is_left_holds() {
        assert_eq!(broken(&found()), Vec::<&str>::new());
    }

    #[test]
    fn each_condition_fails_by_itself() {
        let mut one = found();
        one.ledger["sent"] = json!(4);
        assert_eq!(broken(&one), ["messages of no known fate"]);
        let mut one = found();
        one.ledger["late"] = json!(1);
        assert_eq!(broken(&one), ["answers too many"]);
        one.kills = 1;
        assert_eq!(broken(&one), Vec::<&str>::new());
        let mut one = found();
        one.descriptors = (20, 21);
        assert_eq!(broken(&one), ["descriptors left"]);
        let mut one = found();
        one.connections_left = 1;
        assert_eq!(broken(&one), ["connections left"]);
    }

    #[test]
    fn memory_may_grow_by_what_logs_hold_and_no_further() {
        let grown = |logs_mb: f64| {
            let sample = |at: i32| Sample {
                at_s: f64::from(at),
                memory_mb: f64::from(at),
                logs_mb: logs_mb * f64::from(at) / 100.0,
            };
            let samples = (0..101).map(sample).collect();
            broken(&Found { samples, ..found() })
        };
        assert_eq!(grown(0.0), ["MB grown after the warm-up"]);
        assert_eq!(grown(90.0), Vec::<&str>::new());
    }
}
