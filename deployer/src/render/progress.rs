//! Progress on stderr: on a terminal a line that says what the stage is at and, of one
//! stage, a line a resource below it with what it waits for and since when; above them what
//! is done. Elsewhere plain lines, calm enough for a CI log.

use super::in_flight::InFlight;
use super::text;
use super::timing::seconds;
use deployer_engine::events::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A wait that a log should explain.
const LONG: Duration = Duration::from_secs(5);
/// Between two pictures of what moves.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// The display of one stage.
pub struct Progress {
    /// `None` where nobody watches.
    moving: Option<Moving>,
    /// The stage, where there are several.
    label: Option<String>,
    /// Steps that go well leave no line.
    calm: bool,
    said_waiting: AtomicBool,
}

/// The lines that move, among those of other stages.
struct Moving {
    all: MultiProgress,
    bar: ProgressBar,
    in_flight: Mutex<InFlight>,
    /// What is known of how long the build will take.
    estimate: Mutex<String>,
}

impl Moving {
    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn plain() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix}{wide_msg}")
        .expect("the template is a constant")
}

fn with_time() -> ProgressStyle {
    let template = "{spinner} {prefix}{elapsed}  {wide_msg}";
    ProgressStyle::with_template(template).expect("the template is a constant")
}

impl Progress {
    pub fn new(bars: Option<MultiProgress>, label: Option<String>) -> Self {
        let moving = bars.map(|all| {
            let bar = all.add(ProgressBar::new_spinner().with_style(plain()));
            if let Some(label) = &label {
                bar.set_prefix(format!("{label}: "));
            }
            bar.enable_steady_tick(TICK);
            // Several stages share the screen: each has its one line.
            let lines = label.is_none().then(|| all.clone());
            Moving {
                all,
                bar,
                in_flight: Mutex::new(InFlight::new(lines)),
                estimate: Mutex::default(),
            }
        });
        Self {
            moving,
            label,
            calm: false,
            said_waiting: AtomicBool::default(),
        }
    }

    /// The same; steps that go well leave no line, if it is `calm`.
    pub fn calm(self, calm: bool) -> Self {
        if let (true, Some(moving)) = (calm, &self.moving) {
            *moving.in_flight() = InFlight::new(None);
        }
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

    /// Takes the moving lines away.
    pub fn finish(&self) {
        if let Some(moving) = &self.moving {
            moving.in_flight().clear();
            moving.bar.finish_and_clear();
        }
    }

    /// Cargo begins: from now on the line says for how long.
    pub fn build_begins(&self) {
        if let Some(moving) = &self.moving {
            moving.bar.set_style(with_time());
            moving.bar.reset_elapsed();
        }
    }

    /// What cargo is at.
    pub fn build_is_at(&self, text: &str) {
        if let Some(moving) = &self.moving {
            let estimate = moving.estimate.lock();
            let estimate = estimate.unwrap_or_else(PoisonError::into_inner);
            moving.bar.set_message(format!("{estimate}{text}"));
        }
    }

    /// How long the last build of the same took: somebody who watches wants to know.
    pub fn last_build_took(&self, last: Duration) {
        if let Some(moving) = &self.moving {
            let estimate = format!("(the last one took {:.0} s)  ", last.as_secs_f64());
            moving.bar.set_message(estimate.clone());
            *moving
                .estimate
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = estimate;
        }
    }

    /// Cargo has ended.
    pub fn build_ends(&self) {
        if let Some(moving) = &self.moving {
            moving.bar.set_style(plain());
            moving.bar.set_message("");
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
            Event::StepStarted { step, what } => self.track(|all| all.begins(step, what)),
            Event::StepWaiting { step, what, reason } => {
                if self.moving.is_none() {
                    self.line(&format!("  {what}: waiting for {reason}"));
                }
                self.track(|all| all.waits(step, what, reason));
            }
            Event::StepDone {
                step,
                what,
                elapsed,
            } => {
                self.track(|all| all.ends(step));
                if !self.calm {
                    self.line(&format!("  {what} ({})", seconds(elapsed)));
                }
            }
            Event::StepFailed { step, what, error } => {
                self.track(|all| all.ends(step));
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

    fn track(&self, change: impl FnOnce(&mut InFlight)) {
        if let Some(moving) = &self.moving {
            let mut in_flight = moving.in_flight();
            change(&mut in_flight);
            moving.bar.set_message(in_flight.summary());
        }
    }
}
