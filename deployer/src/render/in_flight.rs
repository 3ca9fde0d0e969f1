//! The writes in flight, on a terminal: a line each with what it waits for and since when,
//! up to a few; of several stages at once none of their own.

use super::progress::TICK;
use deployer_core::plan::StepId;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;

/// More at once than this would push away what is done.
const LINES: usize = 8;

/// One write.
struct Flight {
    what: String,
    reason: Option<String>,
    line: Option<ProgressBar>,
}

impl Flight {
    fn text(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: waiting for {reason}", self.what),
            None => self.what.clone(),
        }
    }
}

/// All of one stage.
pub struct InFlight {
    /// Where the lines stand; `None`: there are none, the summary has all.
    lines: Option<MultiProgress>,
    flights: BTreeMap<StepId, Flight>,
}

impl InFlight {
    pub fn new(lines: Option<MultiProgress>) -> Self {
        Self {
            lines,
            flights: BTreeMap::new(),
        }
    }

    /// A write begins.
    pub fn begins(&mut self, step: StepId, what: String) {
        let shown = self.flights.values().filter(|it| it.line.is_some()).count();
        let line = match &self.lines {
            Some(lines) if shown < LINES => Some(line(lines)),
            _ => None,
        };
        let flight = Flight {
            what,
            reason: None,
            line,
        };
        if let Some(line) = &flight.line {
            line.set_message(flight.text());
        }
        self.flights.insert(step, flight);
    }

    /// It isn't through yet.
    pub fn waits(&mut self, step: StepId, what: String, reason: String) {
        if !self.flights.contains_key(&step) {
            self.begins(step, what);
        }
        if let Some(flight) = self.flights.get_mut(&step) {
            flight.reason = Some(reason);
            if let Some(line) = &flight.line {
                line.set_message(flight.text());
            }
        }
    }

    /// It is done, or has failed.
    pub fn ends(&mut self, step: StepId) {
        if let Some(Flight {
            line: Some(line), ..
        }) = self.flights.remove(&step)
        {
            line.finish_and_clear();
        }
    }

    /// Takes all lines away.
    pub fn clear(&mut self) {
        let steps: Vec<StepId> = self.flights.keys().copied().collect();
        steps.into_iter().for_each(|step| self.ends(step));
    }

    /// What the stage's own line says: what has no line itself.
    pub fn summary(&self) -> String {
        let without_line = self.flights.values().filter(|it| it.line.is_none());
        match &self.lines {
            None => without_line
                .map(Flight::text)
                .collect::<Vec<_>>()
                .join("; "),
            Some(_) => match (self.flights.len(), without_line.count()) {
                (0, _) => String::new(),
                (all, 0) => format!("{all} in flight"),
                (all, more) => format!("{all} in flight, {more} of them not shown"),
            },
        }
    }
}

fn line(lines: &MultiProgress) -> ProgressBar {
    let style = ProgressStyle::with_template("  {elapsed:>4}  {wide_msg}");
    let style = style.expect("the template is a constant");
    let line = lines.add(ProgressBar::new_spinner().with_style(style));
    line.enable_steady_tick(TICK);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    fn on(term: &InMemoryTerm) -> InFlight {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), 200);
        InFlight::new(Some(MultiProgress::with_draw_target(target)))
    }

    fn redrawn(all: &InFlight) {
        for flight in all.flights.values() {
            if let Some(line) = &flight.line {
                line.disable_steady_tick();
                line.tick();
            }
        }
    }

    #[test]
    fn each_write_has_a_line_with_what_it_waits_for_until_it_ends() {
        let term = InMemoryTerm::new(12, 80);
        let mut all = on(&term);
        all.begins(1, "create role r".into());
        all.begins(2, "create function f".into());
        all.waits(2, "create function f".into(), "the role to be known".into());
        redrawn(&all);
        let shown = term.contents();
        assert!(shown.contains("create role r"), "{shown}");
        assert!(
            shown.contains("create function f: waiting for the role to be known"),
            "{shown}"
        );
        assert!(shown.contains("0s"), "{shown}");
        assert_eq!(all.summary(), "2 in flight");
        all.ends(1);
        all.clear();
        assert_eq!(term.contents().trim(), "");
        assert_eq!(all.summary(), "");
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted() {
        let mut all = on(&InMemoryTerm::new(24, 80));
        for step in 0..LINES + 3 {
            all.begins(step, format!("step {step}"));
        }
        assert_eq!(all.summary(), "11 in flight, 3 of them not shown");
    }

    #[test]
    fn of_several_stages_each_has_one_line_with_all() {
        let mut all = InFlight::new(None);
        all.begins(1, "create role r".into());
        all.waits(2, "create function f".into(), "the role".into());
        assert_eq!(
            all.summary(),
            "create role r; create function f: waiting for the role"
        );
    }
}
