//! What `deployer connect` shows of a connection by hand: on a terminal with times, latencies
//! and colours, elsewhere each message as it came, or JSON.
//!
//! Deliberately absent: the line that is being edited, above which this is printed.

use super::colours::Colours;
use super::json::laid_out;
use super::text;
use crate::duration::shown;
use jiff::Timestamp;
use serde::Serialize;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Prints above the line that is being edited.
type Above = Box<dyn FnMut(String) + Send>;

/// The screen of a connection.
pub struct Talk {
    json: bool,
    for_people: bool,
    colours: Colours,
    above: Mutex<Option<Above>>,
}

/// What happens, for scripts: one line of JSON each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Line<'a> {
    /// The connection is open.
    Opened {
        url: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        subprotocol: Option<&'a str>,
        ms: f64,
    },
    /// A text message came.
    Message {
        text: &'a str,
        /// Since the last one was sent; of the first that comes then.
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<f64>,
    },
    /// A binary message came.
    Binary {
        hex: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<f64>,
    },
    /// A PING was answered.
    Pong { ms: f64 },
    /// The connection has ended.
    Lost {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        reason: &'a str,
        /// Until the next attempt.
        #[serde(skip_serializing_if = "Option::is_none")]
        again_in_ms: Option<f64>,
    },
    /// An attempt to connect has failed.
    Failed { reason: &'a str, again_in_ms: f64 },
}

#[derive(Serialize)]
struct Stamped<'a> {
    at: String,
    #[serde(flatten)]
    line: &'a Line<'a>,
}

/// Milliseconds with microseconds behind the point.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl Talk {
    /// For stdout as it is.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            for_people: !json && std::io::stdout().is_terminal(),
            colours: Colours::of_stdout(),
            above: Mutex::new(None),
        }
    }

    /// From now on a line is being edited, and this prints above it.
    pub fn print_above(&self, above: Above) {
        *self.above.lock().unwrap_or_else(PoisonError::into_inner) = Some(above);
    }

    /// Something has happened.
    pub fn line(&self, line: &Line<'_>) {
        let now = Timestamp::now();
        if self.json {
            let stamped = Stamped {
                at: format!("{now:.3}"),
                line,
            };
            let text = serde_json::to_string(&stamped).expect("texts and numbers");
            return self.result(text);
        }
        match (self.for_people, line) {
            (false, Line::Message { text, .. } | Line::Binary { hex: text, .. }) => {
                self.result((*text).to_owned());
            }
            (false, line) => text::progress(&notice(line)),
            (true, line) => self.result(for_people(now, line, &self.colours)),
        }
    }

    /// A word to the user, which is no result.
    pub fn note(&self, note: &str) {
        match self.for_people {
            true => self.result(self.colours.paint(self.colours.dim, note)),
            false => text::progress(note),
        }
    }

    fn result(&self, line: String) {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *above {
            Some(above) => above(format!("{line}\n")),
            None => text::result(&line),
        }
    }
}

fn notice(line: &Line<'_>) -> String {
    match line {
        Line::Opened {
            url,
            subprotocol,
            ms,
        } => {
            let chosen = subprotocol.map(|it| format!(", subprotocol {it}"));
            format!(
                "connected to {url}{} ({})",
                chosen.unwrap_or_default(),
                time(*ms)
            )
        }
        Line::Pong { ms } => format!("answered in {}", time(*ms)),
        Line::Lost {
            code,
            reason,
            again_in_ms,
        } => {
            let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
            let reason = match reason.is_empty() {
                true => String::new(),
                false => format!(": {reason}"),
            };
            let again = again_in_ms.map(|ms| format!("; connecting again in {}", time(ms)));
            format!(
                "the connection has ended{code}{reason}{}",
                again.unwrap_or_default()
            )
        }
        Line::Failed {
            reason,
            again_in_ms,
        } => format!("can't connect: {reason}; again in {}", time(*again_in_ms)),
        Line::Message { text, .. } | Line::Binary { hex: text, .. } => (*text).to_owned(),
    }
}

fn time(milliseconds: f64) -> String {
    shown(Duration::from_secs_f64(milliseconds / 1e3))
}

fn for_people(now: Timestamp, line: &Line<'_>, colours: &Colours) -> String {
    let clock = now.strftime("%H:%M:%S%.3f").to_string();
    let margin = clock.len() + " < ".len();
    let at = colours.paint(colours.dim, &clock);
    let (body, ms) = match line {
        Line::Message { text, ms } => {
            let body = laid_out(text, margin, colours);
            (body.unwrap_or_else(|| (*text).to_owned()), ms)
        }
        Line::Binary { hex, ms } => (format!("0x{hex}"), ms),
        other => return format!("{at} {}", colours.paint(colours.dim, &notice(other))),
    };
    let arrow = colours.paint(colours.arrow, "<");
    let latency = ms.map(|ms| colours.paint(colours.dim, &format!("  {}", time(ms))));
    format!("{at} {arrow} {body}{}", latency.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_to_people(line: &Line<'_>) -> String {
        let now = Timestamp::from_millisecond(1_780_000_000_123).expect("a time");
        for_people(now, line, &Colours::none())
    }

    #[test]
    fn people_see_times_arrows_and_latencies() {
        let lines = [
            Line::Opened {
                url: "ws://127.0.0.1:9100/a/local",
                subprotocol: Some("chat.json"),
                ms: 12.3,
            },
            Line::Message {
                text: r#"{"type":"echo","text":"hi"}"#,
                ms: Some(3.0),
            },
            Line::Message {
                text: "[idA]: hello",
                ms: None,
            },
            Line::Binary {
                hex: "00ff",
                ms: None,
            },
            Line::Pong { ms: 1.0 },
            Line::Lost {
                code: Some(1001),
                reason: "Going away",
                again_in_ms: Some(150.0),
            },
            Line::Failed {
                reason: "Connection refused",
                again_in_ms: 1_500.0,
            },
        ];
        let text: Vec<String> = lines.iter().map(shown_to_people).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn scripts_get_one_line_of_json_each() {
        let line = Line::Message {
            text: "hi",
            ms: Some(milliseconds(Duration::from_micros(1_234))),
        };
        let stamped = Stamped {
            at: "2026-11-23T10:00:00.000Z".to_owned(),
            line: &line,
        };
        assert_eq!(
            serde_json::to_string(&stamped).expect("JSON"),
            r#"{"at":"2026-11-23T10:00:00.000Z","event":"message","text":"hi","ms":1.234}"#
        );
    }
}
