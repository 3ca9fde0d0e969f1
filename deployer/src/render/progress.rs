//! Progress on stderr: on a terminal one line a stage that says what is in flight,
//! above it what is done; elsewhere plain lines, calm enough for a CI log.

use super::text;
use deployer_core::plan::StepId;
use deployer_engine::events::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A wait that a log should explain.
const LONG: Duration = Duration::from_secs(5);

/// The display of one stage.
pub struct Progress {
    /// `None` where nobody watches.
    moving: Option<Moving>,
    /// The stage, where there are several.
    label: Option<String>,
    /// Steps that go well leave no line.
    calm: bool,
    in_flight: Mutex<BTreeMap<StepId, String>>,
    said_waiting: AtomicBool,
}

/// The line that moves, among those of other stages.
struct Moving {
    all: MultiProgress,
    bar: ProgressBar,
}

impl Progress {
    pub fn new(bars: Option<MultiProgress>, label: Option<String>) -> Self {
        let moving = bars.map(|all| {
            let style = ProgressStyle::with_template("{spinner} {prefix}{wide_msg}")
                .expect("the template is a constant");
            let bar = all.add(ProgressBar::new_spinner().with_style(style));
            if let Some(label) = &label {
                bar.set_prefix(format!("{label}: "));
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            Moving { all, bar }
        });
        Self {
            moving,
            label,
            calm: false,
            in_flight: Mutex::default(),
            said_waiting: AtomicBool::default(),
        }
    }

    /// The same; steps that go well leave no line, if it is `calm`.
    pub fn calm(self, calm: bool) -> Self {
        Self { calm, ..self }
    }

    /// The stage, where there are several.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// A line that stays.
    pub fn line(&self, line: &str) {
        match &self.label {
            Some(label) => self.foreign_line(&format!("{label}: {line}")),
            None => self.foreign_line(line),
        }
    }

    /// A line that is no stage's own.
    pub fn foreign_line(&self, line: &str) {
        self.undisturbed(|| text::progress(line));
    }

    /// Prints while no line moves.
    pub fn undisturbed(&self, print: impl FnOnce()) {
        match &self.moving {
            Some(moving) => moving.all.suspend(print),
            None => print(),
        }
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(moving) = &self.moving {
            moving.bar.finish_and_clear();
        }
    }

    pub fn event(&self, event: Event) {
        match event {
            Event::Observing => self.say("reading the account"),
            Event::WaitingForLease { holder } => {
                let line = format!("waiting: {holder} is deploying this stage");
                // Once where nobody watches: the log would fill.
                if self.moving.is_none() && !self.said_waiting.swap(true, Ordering::Relaxed) {
                    self.line(&line);
                }
                self.say(&line);
            }
            Event::Settling { wait } => {
                let line = format!(
                    "waiting {:.0} s: what the deploy before did last may not be done or seen yet",
                    wait.as_secs_f64().ceil()
                );
                // Where nobody watches, short waits need no line.
                if self.moving.is_none() && wait > LONG {
                    self.line(&line);
                }
                self.say(&line);
            }
            Event::Planned { .. } => {}
            Event::StepStarted { step, what } => self.track(step, Some(what)),
            Event::StepWaiting { step, what, reason } => {
                let line = format!("{what}: waiting for {reason}");
                if self.moving.is_none() {
                    self.line(&format!("  {line}"));
                }
                self.track(step, Some(line));
            }
            Event::StepDone {
                step,
                what,
                elapsed,
            } => {
                self.track(step, None);
                if !self.calm {
                    self.line(&format!("  {what} ({})", seconds(elapsed)));
                }
            }
            Event::StepFailed { step, what, error } => {
                self.track(step, None);
                self.line(&format!("  failed: {what}\n    {error}"));
            }
            Event::Verifying { url } => self.say(&format!("waiting until {url} answers")),
            Event::Verified { .. } => self.say(""),
        }
    }

    /// What the moving line says.
    pub fn say(&self, message: &str) {
        if let Some(moving) = &self.moving {
            moving.bar.set_message(message.to_owned());
        }
    }

    fn track(&self, step: StepId, what: Option<String>) {
        let mut in_flight = self.in_flight.lock().expect("no holder of the lock panics");
        match what {
            Some(what) => in_flight.insert(step, what),
            None => in_flight.remove(&step),
        };
        let all: Vec<&str> = in_flight.values().map(String::as_str).collect();
        self.say(&all.join("; "));
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.2} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_seconds() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.23 s");
    }
}
