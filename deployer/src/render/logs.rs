//! What `deployer logs` shows: one line an event, or more where the message has more.
//!
//! Deliberately absent: the order, which is the engine's.

use super::colours::Colours;
use super::text;
use anstyle::{AnsiColor, Style};
use deployer_engine::logs::LogEvent;
use jiff::Timestamp;
use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::IsTerminal;
use std::sync::LazyLock;

/// What tells sources apart.
const HUES: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// The screen of events.
pub struct LogScreen {
    json: bool,
    for_people: bool,
    colours: Colours,
    /// Of the longest source's name.
    width: usize,
    /// The day that was shown last.
    day: String,
}

/// An event for scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Untouched<'a> {
    source: &'a str,
    timestamp: i64,
    ingestion_time: i64,
    log_group_name: &'a str,
    log_stream_name: &'a str,
    event_id: &'a str,
    message: &'a str,
}

impl LogScreen {
    /// For stdout as it is, and these sources.
    pub fn new<'a>(json: bool, sources: impl Iterator<Item = &'a str>) -> Self {
        let mut screen = Self {
            json,
            for_people: !json && std::io::stdout().is_terminal(),
            colours: Colours::of_stdout(),
            width: 0,
            day: String::new(),
        };
        screen.widen(sources);
        screen
    }

    /// There are these sources, too.
    pub fn widen<'a>(&mut self, sources: impl Iterator<Item = &'a str>) {
        let longest = sources.map(|source| source.chars().count()).max();
        self.width = self.width.max(longest.unwrap_or_default());
    }

    /// Shows an event. `false`: nobody reads any more.
    pub fn event(&mut self, source: &str, event: &LogEvent) -> bool {
        let line = match (self.json, self.for_people) {
            (true, _) => untouched(source, event),
            (false, people) => self.line(source, event.timestamp_ms, &event.message, people),
        };
        text::result_if_read(&line)
    }

    /// An event, laid out. `for_people`: the day stands on a line of its own, once.
    pub(super) fn line(
        &mut self,
        source: &str,
        timestamp_ms: i64,
        text: &str,
        for_people: bool,
    ) -> String {
        let at = Timestamp::from_millisecond(timestamp_ms).unwrap_or_default();
        let day = at.strftime("%Y-%m-%d").to_string();
        let clock = match for_people {
            true => at.strftime("%H:%M:%S%.3f").to_string(),
            false => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        };
        let mut shown = String::new();
        if for_people && self.day != day {
            shown = format!("{}\n", self.colours.paint(self.colours.dim, &day));
            self.day = day;
        }
        let width = self.width;
        let source = self
            .colours
            .paint(hue(source), &format!("{source:<width$}"));
        let margin = clock.len() + width + 4;
        let message = message(text, &self.colours);
        let message = message.replace('\n', &format!("\n{}", " ".repeat(margin)));
        let clock = self.colours.paint(self.colours.dim, &clock);
        format!("{shown}{clock}  {source}  {message}")
    }
}

fn untouched(source: &str, event: &LogEvent) -> String {
    let line = Untouched {
        source,
        timestamp: event.timestamp_ms,
        ingestion_time: event.ingested_ms,
        log_group_name: event.log_group.as_str(),
        log_stream_name: &event.log_stream,
        event_id: &event.event_id,
        message: &event.message,
    };
    serde_json::to_string(&line).expect("texts and numbers")
}

/// A source's colour.
pub(super) fn hue(source: &str) -> Style {
    HUES[hash(source) % HUES.len()].on_default()
}

/// Whether Lambda itself has written this of an invocation that came to its end.
pub(super) fn is_platforms(text: &str) -> bool {
    let plain = [
        "START RequestId: ",
        "END RequestId: ",
        "REPORT RequestId: ",
        "INIT_START ",
    ];
    let json = "\"type\":\"platform.";
    plain.iter().any(|begin| text.starts_with(begin))
        || (text.starts_with('{') && text.contains(json))
}

/// The same for equal texts, on every machine.
fn hash(text: &str) -> usize {
    let sum = text
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte));
    usize::try_from(sum % 1_000_003).unwrap_or_default()
}

/// A message, laid out.
pub fn message(text: &str, colours: &Colours) -> String {
    let text = text.trim_end();
    if let Some(condensed) = of_platform(text) {
        return colours.paint(colours.dim, &condensed);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => of_members(&members, colours),
        _ => text.to_owned(),
    }
}

/// Lambda's own lines, which are as long as they are frequent.
fn of_platform(text: &str) -> Option<String> {
    static REPORT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(START|END|REPORT) RequestId: (\S+)").ok());
    let groups = REPORT.as_ref()?.captures(text)?;
    let (kind, id) = (groups.get(1)?.as_str(), groups.get(2)?.as_str());
    let field = |name: &str| {
        let begin = format!("{name}: ");
        let fields = text.split(['\t', '\n']);
        let mut values = fields.filter_map(|field| field.trim().strip_prefix(begin.as_str()));
        values.next().map(str::to_owned)
    };
    match kind {
        "START" => {
            let version = text.rsplit("Version: ").next()?;
            Some(format!("start {id}, version {version}"))
        }
        "END" => Some(format!("end {id}")),
        _ => {
            let memory = match (field("Max Memory Used"), field("Memory Size")) {
                (Some(used), Some(size)) => {
                    let used = used.trim_end_matches(" MB").to_owned();
                    format!(", {used} of {size}")
                }
                _ => String::new(),
            };
            let init = field("Init Duration").map(|init| format!(", init {init}"));
            let status = field("Status").map(|status| format!(", {status}"));
            Some(format!(
                "report {id}: {}, billed {}{memory}{}{}",
                field("Duration")?,
                field("Billed Duration")?,
                init.unwrap_or_default(),
                status.unwrap_or_default()
            ))
        }
    }
}

/// Level and words first, then what else there is. The time stands in front already, and
/// metrics (`_aws`) repeat what the other members say.
fn of_members(members: &Map<String, Value>, colours: &Colours) -> String {
    if let (Some(kind), Some(Value::Object(record))) = (
        members.get("type").and_then(Value::as_str),
        members.get("record"),
    ) {
        let record: Vec<String> = record
            .iter()
            .map(|(name, value)| format!("{name}={}", plain(value)))
            .collect();
        return colours.paint(colours.dim, &format!("{kind} {}", record.join(" ")));
    }
    let mut parts = Vec::new();
    if let Some(level) = members.get("level").and_then(Value::as_str) {
        parts.push(colours.paint(style_of(level, colours), level));
    }
    let words = ["message", "msg"]
        .into_iter()
        .find(|name| members.get(*name).is_some_and(Value::is_string));
    if let Some(name) = words {
        parts.push(plain(&members[name]));
    }
    for (name, value) in members {
        let is_shown = Some(name.as_str()) == words
            || matches!(name.as_str(), "level" | "timestamp" | "time" | "_aws");
        if !is_shown {
            let value = plain(value);
            parts.push(format!("{}={value}", colours.paint(colours.key, name)));
        }
    }
    parts.join(" ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn style_of(level: &str, colours: &Colours) -> Style {
    match level.to_ascii_uppercase().as_str() {
        "ERROR" | "FATAL" | "CRITICAL" => colours.bad,
        "WARN" | "WARNING" => colours.warning,
        "DEBUG" | "TRACE" => colours.dim,
        _ => colours.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(timestamp_ms: i64, message: &str) -> LogEvent {
        LogEvent {
            event_id: "3912".into(),
            log_group: "/aws/lambda/chat-alpha-room".into(),
            log_stream: "2026/11/23/[3]5b0e".into(),
            timestamp_ms,
            ingested_ms: timestamp_ms + 5,
            message: message.into(),
        }
    }

    fn screen(colours: Colours) -> LogScreen {
        LogScreen {
            json: false,
            for_people: true,
            colours,
            width: 7,
            day: String::new(),
        }
    }

    const MESSAGES: [&str; 8] = [
        "START RequestId: 5b0e Version: 3",
        "hello\nto all\n",
        r#"{"level":"INFO","message":"served","requestId":"5b0e","timestamp":"2026"}"#,
        r#"{"level":"ERROR","message":"not served","n":[1,{"a":null}]}"#,
        r#"{"requestId":"5b0e","routeKey":"join","room":"r","_aws":{"Timestamp":1}}"#,
        "END RequestId: 5b0e",
        "REPORT RequestId: 5b0e\tDuration: 10.25 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 5.12 ms\t\n",
        r#"{"time":"2026-11-23T10:00:00.000Z","type":"platform.start","record":{"requestId":"5b0e","version":"3"}}"#,
    ];

    #[test]
    fn people_see_a_line_an_event_below_its_day() {
        let mut screen = screen(Colours::none());
        let lines: Vec<String> = MESSAGES
            .iter()
            .zip(0_i64..)
            .map(|(message, index)| {
                let at = 1_795_391_999_000 + index * 400;
                screen.line("room", at, message, true)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn elsewhere_a_line_begins_with_the_whole_time_and_the_source() {
        let mut screen = screen(Colours::none());
        let line = screen.line("room", 1_795_391_999_000, "hello", false);
        assert_eq!(line, "2026-11-22T23:59:59.000Z  room     hello");
    }

    #[test]
    fn a_report_of_what_went_wrong_says_so() {
        let text = "REPORT RequestId: 5b0e\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout";
        assert_eq!(
            message(text, &Colours::none()),
            "report 5b0e: 3000.00 ms, billed 3000 ms, 30 of 128 MB, timeout"
        );
    }

    #[test]
    fn a_source_has_its_colour_everywhere() {
        let mut screen = screen(Colours::all());
        let line = screen.line("room", 1_795_391_999_000, MESSAGES[3], true);
        insta::assert_snapshot!(line.replace('\u{1b}', "^"));
    }

    #[test]
    fn scripts_get_the_fields_untouched() {
        insta::assert_snapshot!(untouched("room", &event(1_795_391_999_000, "hello\n")));
    }
}
