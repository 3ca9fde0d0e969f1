//! Progress on stderr: on a terminal one line that says what is in flight, above
//! it what is done; elsewhere plain lines, calm enough for a CI log.

use super::text;
use deployer_core::plan::StepId;
use deployer_engine::events::Event;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The display.
pub struct Progress {
    /// `None` where nobody watches.
    bar: Option<ProgressBar>,
    in_flight: Mutex<BTreeMap<StepId, String>>,
    said_waiting: AtomicBool,
}

impl Progress {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}")
                .expect("the template is a constant");
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self {
            bar,
            in_flight: Mutex::default(),
            said_waiting: AtomicBool::default(),
        }
    }

    /// A line that stays.
    pub fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| text::progress(line)),
            None => text::progress(line),
        }
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn event(&self, event: Event) {
        match event {
            Event::Observing => self.moving("reading the account"),
            Event::WaitingForLease { holder } => {
                let line = format!("waiting: {holder} is deploying this stage");
                // Once where nobody watches: the log would fill.
                if self.bar.is_none() && !self.said_waiting.swap(true, Ordering::Relaxed) {
                    self.line(&line);
                }
                self.moving(&line);
            }
            Event::Planned { .. } => {}
            Event::StepStarted { step, what } => self.track(step, Some(what)),
            Event::StepWaiting { step, what, reason } => {
                let line = format!("{what}: waiting for {reason}");
                if self.bar.is_none() {
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
                self.line(&format!("  {what} ({})", seconds(elapsed)));
            }
            Event::StepFailed { step, what, error } => {
                self.track(step, None);
                self.line(&format!("  failed: {what}\n    {error}"));
            }
            Event::Verifying { url } => self.moving(&format!("waiting until {url} answers")),
            Event::Verified { .. } => self.moving(""),
        }
    }

    fn moving(&self, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
        }
    }

    fn track(&self, step: StepId, what: Option<String>) {
        let mut in_flight = self.in_flight.lock().expect("no holder of the lock panics");
        match what {
            Some(what) => in_flight.insert(step, what),
            None => in_flight.remove(&step),
        };
        let all: Vec<&str> = in_flight.values().map(String::as_str).collect();
        self.moving(&all.join("; "));
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
