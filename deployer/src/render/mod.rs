//! Everything that is printed: results on stdout, progress and errors on stderr.
//!
//! Deliberately absent: decisions. What is shown comes as plain values and as
//! the engine's events.

mod colours;
mod effective;
mod json;
mod listing;
mod logs;
mod progress;
pub mod report;
mod results;
pub mod script;
mod stopped;
pub mod talk;
pub mod text;

pub use colours::Colours;
pub use effective::EffectiveResult;
pub use logs::LogScreen;
pub use results::{
    DownResult, FunctionStatus, HistoryResult, PackageResult, ReleaseStatus, RollbackResult,
    StatusResult, UpResult,
};

pub use listing::{ListResult, Listed};
pub use script::{ScriptFailure, ScriptResult};
pub use stopped::StoppedResult;
pub use talk::Talk;

use crate::failure::Failure;
use deployer_core::plan::Plan;
use deployer_engine::events::{Event, EventSink};
use deployer_package::{Said, Speech};
use indicatif::MultiProgress;
use progress::Progress;
use serde::Serialize;
use std::io::IsTerminal;

/// The screens of all stages that are worked on at once.
pub struct Console {
    json: bool,
    several: bool,
    bars: Option<MultiProgress>,
}

impl Console {
    /// A console for so many stages; `json` prints results as JSON lines.
    pub fn new(json: bool, stages: usize) -> Self {
        Self {
            json,
            several: stages > 1,
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// The screen of one stage. Where there are several, it says which.
    pub fn screen(&self, stage: &str) -> Screen {
        let label = self.several.then(|| stage.to_owned());
        Screen {
            json: self.json,
            progress: Progress::new(self.bars.clone(), label),
        }
    }
}

/// One stage's screen.
pub struct Screen {
    json: bool,
    progress: Progress,
}

impl Screen {
    /// How cargo shall speak: with colours and progress where somebody watches.
    pub fn speech(&self) -> Speech {
        let watched = std::io::stderr().is_terminal();
        Speech {
            colour: watched && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            progress: watched,
        }
    }

    /// Cargo begins.
    pub fn building(&self, packages: &[String]) {
        self.progress
            .line(&format!("building {}", packages.join(", ")));
    }

    /// A line of cargo's, or how far it is.
    pub fn cargo_says(&self, said: Said<'_>) {
        match said {
            Said::Line(line) => self.progress.foreign_line(line),
            Said::Progress(text) => self.progress.say(text.trim_start()),
        }
    }

    /// Cargo has ended.
    pub fn built(&self) {
        self.progress.say("");
    }

    /// The verb failed, and why.
    pub fn failed(&self, failure: &Failure) {
        self.progress.finish();
        let label = self.progress.label();
        self.progress
            .undisturbed(|| report::failure_of(label, failure));
    }

    /// Ends the progress display.
    pub fn finish(&self) {
        self.progress.finish();
    }

    /// How `up` ended.
    pub fn up(&self, result: &UpResult<'_>) {
        self.result(result, || results::up(result));
    }

    /// How `down` ended.
    pub fn down(&self, result: &DownResult<'_>) {
        self.result(result, || results::down(result));
    }

    /// How far a verb came that stopped midway: JSON here, text with the failure.
    pub fn stopped(&self, result: &StoppedResult<'_>) {
        if self.json {
            self.result(result, String::new);
        }
    }

    /// What `up` would do.
    pub fn plan(&self, plan: &Plan, notice: Option<&str>) {
        self.result(plan, || match notice {
            Some(notice) => format!("{plan}\nnote: {notice}"),
            None => plan.to_string(),
        });
    }

    /// What is live.
    pub fn status(&self, result: &StatusResult<'_>) {
        self.result(result, || results::status(result));
    }

    /// The releases that are kept.
    pub fn history(&self, result: &HistoryResult<'_>) {
        self.result(result, || results::history(result));
    }

    /// The stages that live somewhere: as JSON, one line each.
    pub fn list(&self, result: &ListResult) {
        if !self.json {
            return self
                .progress
                .undisturbed(|| text::result(&listing::list(result)));
        }
        for stage in &result.stages {
            self.result(stage, String::new);
        }
    }

    /// How `rollback` ended.
    pub fn rollback(&self, result: &RollbackResult<'_>) {
        self.result(result, || results::rollback(result));
    }

    /// What a stage's files come to.
    pub fn effective(&self, result: &EffectiveResult<'_>) {
        self.result(result, || effective::text(result));
    }

    /// What was packaged.
    pub fn package(&self, result: &PackageResult) {
        self.result(result, || results::package(result));
    }

    fn result<T: Serialize>(&self, value: &T, as_text: impl FnOnce() -> String) {
        self.progress.finish();
        let text = match self.json {
            true => serde_json::to_string(value).expect("results are maps of text and numbers"),
            false => as_text(),
        };
        self.progress.undisturbed(|| text::result(&text));
    }
}

impl EventSink for Screen {
    fn event(&self, event: Event) {
        self.progress.event(event);
    }
}
