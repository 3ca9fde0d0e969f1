//! The screen of `dev`: what happens scrolls by, and below it, on a terminal, stands what
//! is live. Lines of what happens go to stdout, as those of `logs` do.
//!
//! Deliberately absent: what goes well of a deploy, but for its end.

use super::colours::Colours;
use super::logs::{LogScreen, hue, is_platforms};
use super::stream::Line;
use super::{Console, as_value, report, text};
use crate::commands::up::{Live, page_of};
use crate::duration::shown;
use crate::failure::Failure;
use crate::traffic::{Management, Ours, Request, Told, of_json};
use anstyle::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::Duration;

/// Starts of functions that are remembered until their request is told.
const STARTS: usize = 64;
const CHANGED: &str = "changed";
const LIVE: &str = "live";
const TRAFFIC: &str = "traffic";
const MISSED: &str = "missed";
const ENDED: &str = "ended";
/// What stands where no function was called.
const NONE: &str = "-";

/// The screen.
pub struct DevScreen {
    json: bool,
    stage: String,
    for_people: bool,
    colours: Colours,
    logs: LogScreen,
    bars: Option<MultiProgress>,
    /// What stands below all.
    status: Option<ProgressBar>,
    /// Of the longest route.
    width: usize,
    /// Requests of functions that were started for them, and how long that took.
    starts: VecDeque<(String, Option<f64>)>,
    unread: bool,
}

/// How a turn ended well.
pub struct LiveLine<'a> {
    pub live: &'a Live,
    pub identity: String,
    pub first: bool,
    /// Since the first change was heard of, or since the beginning.
    pub took: Duration,
    /// Of which cargo took so long.
    pub cargo: Duration,
    /// How many folders are watched.
    pub folders: usize,
}

impl LiveLine<'_> {
    /// For scripts.
    fn fields(&self) -> Value {
        json!({
            "release": self.live.release,
            "url": self.live.url,
            "changed": self.live.changed,
            "seconds": self.took.as_secs_f64(),
            "cargo_seconds": self.cargo.as_secs_f64(),
            "folders": self.folders,
        })
    }
}

impl DevScreen {
    /// For stdout as it is.
    pub fn new(console: &Console, json: bool, stage: &str) -> Self {
        let bars = console.moving();
        let status = bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{wide_msg}");
            let style = style.expect("the template is a constant");
            bars.add(ProgressBar::new_spinner().with_style(style))
        });
        Self {
            json,
            stage: stage.to_owned(),
            for_people: !json && std::io::stdout().is_terminal(),
            colours: Colours::of_stdout(),
            logs: LogScreen::new(json, std::iter::empty()),
            bars,
            status,
            width: 0,
            starts: VecDeque::new(),
            unread: false,
        }
    }

    /// Whether nobody reads any more.
    pub fn unread(&self) -> bool {
        self.unread
    }

    /// Something happened in the local cloud.
    pub fn told(&mut self, event: &Value, ours: &Ours) {
        let Some(told) = of_json(event).filter(|told| ours.has(told)) else {
            return;
        };
        if self.json {
            return match told {
                Told::Missed { count } => self.line(MISSED, json!({ "count": count })),
                Told::Listening { .. } => {}
                _ => self.line(TRAFFIC, json!({ "traffic": event })),
            };
        }
        match told {
            Told::Request(request) => self.request(&request, ours),
            Told::Management(call) if call.status >= 400 => self.refused_call(&call),
            Told::Log(log) => {
                let source = ours.source(&log).unwrap_or_default();
                let message = log
                    .message
                    .unwrap_or_else(|| "(a very long line)".to_owned());
                if !is_platforms(&message) {
                    let line = self.logs.line(source, log.at, &message, self.for_people);
                    self.print(&line);
                }
            }
            Told::Invocation(run) => {
                if self.starts.len() == STARTS {
                    self.starts.pop_front();
                }
                if run.cold {
                    self.starts.push_back((run.request_id, run.init_ms));
                }
            }
            Told::Missed { count } => {
                let line = format!("{count} events went by too fast to be shown");
                self.print(&self.colours.paint(self.colours.warning, &line));
            }
            Told::Listening { .. } | Told::Management(_) | Told::Unknown => {}
        }
    }

    fn request(&mut self, request: &Request, ours: &Ours) {
        self.width = self.width.max(request.route_key.chars().count());
        let start = self.start_of(request);
        let line = laid_out(request, start, self.width, ours, &self.colours);
        // Behind what its function has logged.
        let took = request.duration_ms.unwrap_or_default();
        let line = self.at(request.at.saturating_add(took.ceil() as i64), &line);
        self.print(&line);
    }

    /// How long its function took to start, if it had to.
    fn start_of(&mut self, request: &Request) -> Option<f64> {
        let id = request.integration.as_ref()?.request_id.as_ref()?;
        let known = self.starts.iter().position(|(known, _)| known == id)?;
        self.starts.remove(known)?.1
    }

    fn refused_call(&mut self, call: &Management) {
        let Management {
            method,
            connection_id,
            status,
            ..
        } = call;
        let arrow = self.colours.paint(self.colours.arrow, "←");
        let status = self
            .colours
            .paint(self.colours.warning, &status.to_string());
        let line = format!("{arrow} {method} @connections/{connection_id}  {status}");
        let line = self.at(call.at, &line);
        self.print(&line);
    }

    /// The line, behind its time.
    fn at(&self, at_ms: i64, line: &str) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let form = match self.for_people {
            true => "%H:%M:%S%.3f",
            false => "%Y-%m-%dT%H:%M:%S%.3fZ",
        };
        let clock = at.strftime(form).to_string();
        format!("{}  {line}", self.colours.paint(self.colours.dim, &clock))
    }

    fn now(&self, line: &str) -> String {
        self.at(Timestamp::now().as_millisecond(), line)
    }

    /// These were saved.
    pub fn changed(&mut self, paths: &[String]) {
        if self.json {
            return self.line(CHANGED, json!({ "paths": paths }));
        }
        let line = self
            .colours
            .paint(self.colours.dim, &format!("saved     {}", paths.join(", ")));
        let line = self.now(&line);
        self.print(&line);
    }

    /// A deploy goes on.
    pub fn working(&self) {
        if let Some(status) = &self.status {
            status.tick();
        }
    }

    /// A turn ended well.
    pub fn live(&mut self, line: &LiveLine<'_>, ours: &Ours) {
        self.logs.widen(ours.sources());
        let Live {
            release,
            url,
            changed,
        } = line.live;
        if self.json {
            return self.line(LIVE, line.fields());
        }
        if line.first {
            let folders = match line.folders {
                1 => "1 folder".to_owned(),
                many => format!("{many} folders"),
            };
            let page = match page_of(url) {
                Some(page) => format!("\n  look at it: {page}"),
                None => String::new(),
            };
            self.print(&format!(
                "{} is live: release {release}\n  {url}{page}\n  talk to it: deployer connect {}\n  \
                 watching {folders}; Ctrl-C ends this, and the stage stays",
                line.identity, self.stage
            ));
        } else {
            let times = format!("{} (cargo {})", shown(line.took), shown(line.cargo));
            let text = match changed {
                true => {
                    let live = self.colours.paint(self.colours.text, "live");
                    format!("{live}      release {release} after {times}")
                }
                false => format!("the same  nothing to deploy, after {times}"),
            };
            let text = self.now(&text);
            self.print(&text);
        }
        self.stands(Some(line.live));
        if let (Some(status), true) = (&self.status, *changed) {
            let built = Timestamp::now().strftime("%H:%M:%S").to_string();
            status.set_message(format!("{}, since {built}", status.message()));
        }
    }

    /// A turn came to nothing before it began.
    pub fn failed(&mut self, failure: &Failure, live: Option<&Live>) {
        self.complain(failure);
        if self.json {
            let line = Line::failed(&self.stage, failure, None);
            self.print(&as_value(&line).to_string());
        }
        self.fallen_back(live);
    }

    /// What a failed turn has left.
    pub fn fallen_back(&self, live: Option<&Live>) {
        self.stands(live);
        if let (Some(status), Some(_)) = (&self.status, live) {
            let bad = self
                .colours
                .paint(self.colours.bad, "what was saved isn't live");
            status.set_message(format!("{bad}; {}", status.message()));
        }
    }

    /// What is live now.
    fn stands(&self, live: Option<&Live>) {
        if let Some(status) = &self.status {
            status.set_message(match live {
                Some(live) => format!(
                    "{} release {}  {}",
                    self.colours.paint(self.colours.text, "live"),
                    live.release,
                    live.url
                ),
                None => "nothing is live yet".to_owned(),
            });
        }
    }

    /// Something is wrong, and it goes on.
    pub fn complain(&self, failure: &Failure) {
        self.undisturbed(|| report::failure(failure));
    }

    /// The end.
    pub fn end(&self, live: Option<&Live>) {
        if let Some(status) = &self.status {
            status.finish_and_clear();
        }
        let stage = &self.stage;
        if self.json {
            let url = live.map(|live| &live.url);
            let line = Line::of_dev(ENDED, stage, json!({ "url": url }));
            text::result(&as_value(&line).to_string());
        }
        text::progress(&match live {
            Some(live) => format!("`{stage}` stays live: {}", live.url),
            None => format!("this has deployed nothing of `{stage}`"),
        });
        text::progress(&format!("  to remove it: deployer down {stage}"));
    }

    fn line(&mut self, event: &'static str, fields: Value) {
        let line = as_value(&Line::of_dev(event, &self.stage, fields)).to_string();
        self.print(&line);
    }

    fn print(&mut self, line: &str) {
        let mut read = true;
        self.undisturbed(|| read = text::result_if_read(line));
        self.unread |= !read;
    }

    fn undisturbed(&self, print: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// Route, function, status, time, and what went wrong.
fn laid_out(
    request: &Request,
    start: Option<f64>,
    width: usize,
    ours: &Ours,
    colours: &Colours,
) -> String {
    let call = request.integration.as_ref();
    let function = call.and_then(|call| call.function_name.as_deref());
    let function = function.map_or(NONE, |name| ours.function(name));
    // What the function said; where it wasn't asked, the gateway.
    let status = match (call, request.status) {
        (Some(call), 200) => call.status,
        (_, status) => status,
    };
    let style = match status {
        ..400 => colours.text,
        400..500 => colours.warning,
        _ => colours.bad,
    };
    let functions = ours.sources().map(|name| name.chars().count());
    let name_width = functions.max().unwrap_or_default();
    let mut line = format!(
        "{} {:<width$}  {}  {}",
        colours.paint(colours.arrow, "→"),
        request.route_key,
        colours.paint(
            match function {
                NONE => Style::new(),
                name => hue(name),
            },
            &format!("{function:<name_width$}")
        ),
        colours.paint(style, &status.to_string()),
    );
    if let Some(ms) = request.duration_ms {
        line += &format!("  {}", milliseconds(ms));
    }
    if let Some(ms) = start {
        line += &colours.paint(colours.dim, &format!("  cold, start {}", milliseconds(ms)));
    }
    if let Some(code) = request.close_code {
        line += &colours.paint(colours.dim, &format!("  closed with {code}"));
    }
    let wrong = call.and_then(|call| call.error.as_ref());
    if let Some(wrong) = wrong.or(request.error.as_ref()) {
        line += &format!("  {}", colours.paint(style, wrong));
    }
    let id = colours.paint(colours.dim, &request.connection_id);
    format!("{line}  {id}")
}

fn milliseconds(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..1000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// Whether a line is cargo's about itself: `   Compiling room v0.1.0 (…)`.
pub fn is_cargos_own(line: &str) -> bool {
    const WORDS: [&str; 11] = [
        "Compiling",
        "Finished",
        "Blocking",
        "Locking",
        "Updating",
        "Downloading",
        "Downloaded",
        "Adding",
        "Removing",
        "Fresh",
        "Dirty",
    ];
    let plain = anstyle_free(line);
    let word = plain.trim_start().split(' ').next().unwrap_or_default();
    plain.starts_with(' ') && WORDS.contains(&word)
}

/// Without sequences of colours.
fn anstyle_free(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

/// One of each event, for what is said of them in documents.
#[cfg(test)]
pub fn samples() -> impl Iterator<Item = (&'static str, Value)> {
    let live = Live {
        release: String::new(),
        url: String::new(),
        changed: true,
    };
    let line = LiveLine {
        live: &live,
        identity: String::new(),
        first: false,
        took: Duration::ZERO,
        cargo: Duration::ZERO,
        folders: 1,
    };
    let all = [
        (CHANGED, json!({ "paths": [] })),
        (LIVE, line.fields()),
        (TRAFFIC, json!({ "traffic": {} })),
        (MISSED, json!({ "count": 1 })),
        (ENDED, json!({ "url": null })),
    ];
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Integration;

    fn ours() -> Ours {
        let text = "service = \"chat\"\n[functions.room]\n[functions.connect]\n[routes]\nsend = \"room\"\n\"$connect\" = \"connect\"\n";
        Ours::of_service(text)
    }

    fn request(route: &str, status: u16, error: Option<&str>) -> Request {
        Request {
            at: 0,
            api_id: "a".to_owned(),
            stage: "local".to_owned(),
            route_key: route.to_owned(),
            connection_id: "Qyi07eCbtjMCJKw=".to_owned(),
            status,
            error: error.map(str::to_owned),
            duration_ms: None,
            integration: None,
            close_code: None,
        }
    }

    fn served(route: &str, ms: f64, status: u16) -> Request {
        Request {
            duration_ms: Some(ms),
            integration: Some(Integration {
                function_name: Some("chat-local-room".to_owned()),
                request_id: None,
                status,
                error: None,
            }),
            ..request(route, 200, None)
        }
    }

    #[test]
    fn requests_are_lines_of_route_function_status_and_time() {
        let ours = ours();
        let mut failed = served("send", 12.4, 500);
        failed.status = 500;
        failed.error = Some("Internal server error".to_owned());
        if let Some(call) = &mut failed.integration {
            call.error = Some("the function failed: {\"errorType\":\"Failed\"}".to_owned());
        }
        let mut gone = request("$disconnect", 200, None);
        gone.close_code = Some(1001);
        let colours = Colours::none();
        let line = |request: &Request, start| laid_out(request, start, 11, &ours, &colours);
        let lines = [
            line(&served("$connect", 1.25, 200), Some(4.5)),
            line(&served("send", 1500.0, 200), None),
            line(&served("send", 3.0, 403), None),
            line(&failed, None),
            line(&request("$default", 403, Some("Forbidden")), None),
            line(&gone, None),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn cargos_words_about_itself_are_told_from_the_compilers() {
        for own in [
            "   Compiling room v0.1.0 (/w/room)",
            "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `dev` profile",
            "    Blocking waiting for file lock on build directory",
        ] {
            assert!(is_cargos_own(own), "{own}");
        }
        for other in [
            "error[E0425]: cannot find function",
            "   |",
            "  --> src/main.rs:1:13",
            "warning: unused",
        ] {
            assert!(!is_cargos_own(other), "{other}");
        }
    }
}
