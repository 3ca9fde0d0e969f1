//! How a script goes, line by line, and how it went.

use super::text;
use crate::connect::script::Outcome;
use crate::duration::shown;
use serde::Serialize;
use std::time::Duration;

/// How a script went.
#[derive(Debug, Serialize)]
pub struct ScriptResult<'a> {
    /// Its path.
    pub script: &'a str,
    /// The stage or address.
    pub to: &'a str,
    /// How many clients there are in it.
    pub clients: usize,
    /// How long it took.
    pub seconds: f64,
    /// What was sent and heard, if all went as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a Outcome>,
    /// Where it didn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<ScriptFailure<'a>>,
}

/// A line that didn't hold.
#[derive(Debug, Serialize)]
pub struct ScriptFailure<'a> {
    /// Which, from 1.
    pub line: usize,
    /// The line.
    pub text: &'a str,
    /// What was otherwise.
    pub message: &'a str,
}

/// A line is done.
pub fn line_done(line: &str, took: Duration) {
    let took = match took < Duration::from_millis(1) {
        true => String::new(),
        false => format!("  ({})", shown(took)),
    };
    text::progress(&format!("{line}{took}"));
}

/// It is at its end.
pub fn result(result: &ScriptResult<'_>, json: bool) {
    let line = match json {
        true => serde_json::to_string(result).expect("texts and numbers"),
        false => for_people(result),
    };
    text::result(&line);
}

fn for_people(result: &ScriptResult<'_>) -> String {
    let (script, to) = (result.script, result.to);
    let Some(outcome) = result.outcome else {
        return format!("{script} doesn't hold for {to}");
    };
    let took = shown(Duration::from_secs_f64(result.seconds));
    let mut more = String::new();
    for (count, what) in [
        (outcome.unasked, "heard that weren't asked for"),
        (outcome.resent, "sent again"),
    ] {
        if count > 0 {
            more = format!("{more}, {count} {what}");
        }
    }
    format!(
        "{script} holds for {to}: clients {}, sent {}, heard {}{more} ({took})",
        result.clients, outcome.sent, outcome.heard
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_holds_says_what_went_over_the_wire() {
        let outcome = Outcome {
            sent: 6,
            heard: 9,
            unasked: 1,
            resent: 2,
        };
        let result = ScriptResult {
            script: "chat.script",
            to: "local",
            clients: 2,
            seconds: 0.5,
            outcome: Some(&outcome),
            failed: None,
        };
        insta::assert_snapshot!(for_people(&result));
        insta::assert_snapshot!(serde_json::to_string(&result).expect("JSON"));
    }
}
