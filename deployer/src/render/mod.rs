//! Everything that is printed: results on stdout, progress and errors on stderr.
//!
//! Deliberately absent: decisions. What is shown comes as plain values and as
//! the engine's events.

pub mod begun;
mod colours;
pub mod dev;
mod doctor;
mod effective;
mod exported;
mod in_flight;
mod invoked;
mod json;
mod listing;
mod logs;
mod markdown;
mod progress;
pub mod report;
mod results;
pub mod script;
mod status;
mod stopped;
mod stream;
pub mod talk;
pub mod text;
mod timing;

pub use colours::Colours;
#[cfg(test)]
pub use doctor::Status;
pub use doctor::{DoctorScreen, Finding};
pub use effective::EffectiveResult;
pub use exported::ExportResult;
pub use invoked::InvokeResult;
pub use logs::LogScreen;
pub use results::{
    DownResult, HistoryResult, PackageResult, ReleaseStatus, RollbackResult, UpResult,
};

pub use listing::{ListResult, Listed};
pub use script::{ScriptFailure, ScriptResult};
pub use status::{DriftStatus, ErrorStatus, FunctionStatus, StatusResult};
pub use stopped::StoppedResult;
pub use talk::Talk;

use crate::failure::Failure;
use deployer_core::plan::{Plan, StepId};
use deployer_engine::events::{Event, EventSink};
use deployer_package::{Said, Speech};
use indicatif::MultiProgress;
use markdown::Section;
use progress::Progress;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use stream::Line;
use timing::Timing;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// One line of JSON a stage.
    Json,
    /// Lines of JSON: events, and of each stage one result at its end.
    Stream,
    /// One Markdown document of all stages' plans.
    Markdown,
    /// What goes well moves by and isn't printed: somebody else says how it ended.
    Calm,
}

impl Output {
    /// Of a verb that only reads.
    pub fn result(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Of a verb that writes.
    pub fn stream(json: bool) -> Self {
        if json { Self::Stream } else { Self::Text }
    }
}

/// The screens of all stages that are worked on at once.
pub struct Console {
    output: Output,
    several: bool,
    bars: Option<MultiProgress>,
    sections: Arc<Mutex<BTreeMap<String, Section>>>,
}

impl Console {
    /// A console for so many stages.
    pub fn new(output: Output, stages: usize) -> Self {
        Self {
            output,
            several: stages > 1,
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            sections: Arc::default(),
        }
    }

    /// The lines that move, where somebody watches.
    fn moving(&self) -> Option<MultiProgress> {
        self.bars.clone()
    }

    /// The screen of one stage. Where there are several, it says which.
    pub fn screen(&self, stage: &str) -> Screen {
        let label = self.several.then(|| stage.to_owned());
        Screen {
            output: self.output,
            stage: stage.to_owned(),
            progress: Progress::new(self.bars.clone(), label).calm(self.output == Output::Calm),
            stopped: Mutex::default(),
            timing: Mutex::new(Timing::new(Instant::now())),
            sections: Arc::clone(&self.sections),
        }
    }

    /// What is said of all stages together, in this order, once all have ended.
    pub fn end<'a>(&self, stages: impl Iterator<Item = &'a str>) {
        if self.output != Output::Markdown {
            return;
        }
        let mut sections = locked(&self.sections);
        let in_order: Vec<(String, Section)> = stages
            .filter_map(|stage| sections.remove_entry(stage))
            .collect();
        text::result(markdown::document(&in_order).trim_end());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One stage's screen.
pub struct Screen {
    output: Output,
    stage: String,
    progress: Progress,
    /// How far it came, once it has stopped.
    stopped: Mutex<Option<Value>>,
    timing: Mutex<Timing>,
    sections: Arc<Mutex<BTreeMap<String, Section>>>,
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
        locked(&self.timing).building(true, Instant::now());
        let line = format!("building {}", packages.join(", "));
        match self.output {
            Output::Calm => self.progress.say(&line),
            _ => self.progress.line(&line),
        }
        self.progress.build_begins();
        self.line(|stage| Line::building(stage, packages));
    }

    /// A line of cargo's, or how far it is.
    pub fn cargo_says(&self, said: Said<'_>) {
        match said {
            Said::Line(line) if self.output == Output::Calm && dev::is_cargos_own(line) => {
                self.progress.say(line.trim_start());
            }
            Said::Line(line) => self.progress.foreign_line(line),
            Said::Progress(text) => self.progress.build_is_at(text.trim_start()),
            Said::LastTook(last) => self.progress.last_build_took(last),
            Said::Built => locked(&self.timing).built(Instant::now()),
        }
    }

    /// Cargo has ended.
    pub fn built(&self) {
        locked(&self.timing).building(false, Instant::now());
        self.progress.build_ends();
    }

    /// Whether nothing but a build goes on.
    pub fn is_building(&self) -> bool {
        locked(&self.timing).is_building()
    }

    /// How long cargo took, once all is built.
    pub fn cargo_took(&self) -> Option<Duration> {
        locked(&self.timing).cargo_took()
    }

    /// The verb failed, and why.
    pub fn failed(&self, failure: &Failure) {
        self.progress.finish();
        let label = self.progress.label();
        self.progress
            .undisturbed(|| report::failure_of(label, failure));
        let stopped = locked(&self.stopped).take();
        self.line(|stage| Line::failed(stage, failure, stopped));
        self.section(|| Section::failed(failure));
    }

    /// Ctrl-C came before its turn.
    pub fn not_begun(&self) {
        let message = "interrupted before it was begun".to_owned();
        let failure = Failure::Interrupted { message };
        self.finish();
        self.line(|stage| Line::failed(stage, &failure, None));
        self.section(|| Section::failed(&failure));
    }

    /// Ends the progress display.
    pub fn finish(&self) {
        self.progress.finish();
    }

    /// How `up` ended.
    pub fn up(&self, result: &UpResult<'_>) {
        self.result_of_write(result, || results::up(result));
    }

    /// How `down` ended.
    pub fn down(&self, result: &DownResult<'_>) {
        self.result_of_write(result, || results::down(result));
    }

    /// How far a verb came that stopped midway: it is told with the failure.
    pub fn stopped(&self, result: &StoppedResult<'_>) {
        *locked(&self.stopped) = Some(as_value(result));
    }

    /// What `up` would do. `drift`: its steps that put right what was changed by hand.
    pub fn plan(&self, plan: Plan, drift: BTreeSet<StepId>, notice: Option<&str>) {
        if self.output != Output::Markdown {
            return self.result(&plan, || match notice {
                Some(notice) => format!("{plan}\nnote: {notice}"),
                None => plan.to_string(),
            });
        }
        self.progress.finish();
        self.section(|| Section::Planned {
            plan: Box::new(plan),
            drift,
            notice: notice.map(str::to_owned),
        });
    }

    /// What is live.
    pub fn status(&self, result: &StatusResult<'_>) {
        self.result(result, || status::text(result));
    }

    /// The releases that are kept.
    pub fn history(&self, result: &HistoryResult<'_>) {
        self.result(result, || results::history(result));
    }

    /// The stages that live somewhere: as JSON, one line each.
    pub fn list(&self, result: &ListResult) {
        if self.output != Output::Json {
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
        self.result_of_write(result, || results::rollback(result));
    }

    /// What a stage's files come to.
    pub fn effective(&self, result: &EffectiveResult<'_>) {
        self.result(result, || effective::text(result));
    }

    /// A stage that was written down.
    pub fn export(&self, result: &ExportResult<'_>) {
        self.result(result, || exported::text(result));
    }

    /// What was packaged.
    pub fn package(&self, result: &PackageResult) {
        self.result(result, || results::package(result));
    }

    fn result<T: Serialize>(&self, value: &T, as_text: impl FnOnce() -> String) {
        self.progress.finish();
        let text = match self.output {
            Output::Json | Output::Stream => as_value(value).to_string(),
            Output::Calm => return,
            Output::Text | Output::Markdown => as_text(),
        };
        self.progress.undisturbed(|| text::result(&text));
    }

    /// Of a verb that writes, with where its time went.
    fn result_of_write<T: Serialize>(&self, value: &T, as_text: impl FnOnce() -> String) {
        let mut timing = locked(&self.timing);
        let now = Instant::now();
        if self.output == Output::Stream {
            self.progress.finish();
            return self.line(|stage| Line::done(stage, as_value(value), timing.fields(now)));
        }
        self.result(value, as_text);
        if self.output != Output::Calm {
            self.progress.line(&timing.line(now));
        }
    }

    /// A line of the stream, where there is one.
    fn line<'a>(&'a self, line: impl FnOnce(&'a str) -> Line<'a>) {
        if self.output == Output::Stream {
            let text = serde_json::to_string(&line(&self.stage));
            let text = text.expect("lines are maps of text and numbers");
            self.progress.undisturbed(|| text::result(&text));
        }
    }

    /// The stage's part of the document, where there is one.
    fn section(&self, section: impl FnOnce() -> Section) {
        if self.output == Output::Markdown {
            locked(&self.sections).insert(self.stage.clone(), section());
        }
    }
}

fn as_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("results are maps of text and numbers")
}

impl EventSink for Screen {
    fn event(&self, event: Event) {
        locked(&self.timing).event(&event, Instant::now());
        self.line(|stage| Line::event(stage, &event));
        self.progress.event(event);
    }
}
