//! What came of an invocation: its answer on stdout, what the function logged on stderr.

use super::colours::Colours;
use super::json::laid_out;
use super::text;
use deployer_engine::invoke::Invoked;
use serde_json::{Value, json};
use std::time::Duration;

/// One invocation, as it is shown.
#[derive(Debug)]
pub struct InvokeResult<'a> {
    /// The stage.
    pub stage: &'a str,
    /// As the stage file calls it.
    pub function: &'a str,
    /// That was invoked.
    pub version: &'a str,
    /// Whether only handed to Lambda.
    pub asynchronous: bool,
    /// Until the answer was here.
    pub took: Duration,
    /// What came of it.
    pub invoked: &'a Invoked,
}

impl InvokeResult<'_> {
    /// Prints it.
    pub fn show(&self, as_json: bool) {
        if as_json {
            return text::result(&self.json().to_string());
        }
        let log = self.invoked.log_tail.trim_end();
        if !log.is_empty() {
            text::progress(log);
        }
        text::progress(&self.headline());
        if !self.invoked.payload.is_empty() {
            text::result(&self.answer(&Colours::of_stdout()));
        }
    }

    fn headline(&self) -> String {
        let Self {
            function,
            version,
            took,
            ..
        } = self;
        let ms = took.as_secs_f64() * 1_000.0;
        if self.asynchronous {
            return format!("{function}, version {version}: Lambda has the event");
        }
        match &self.invoked.function_error {
            Some(error) => {
                format!("{function}, version {version}: failed ({error}) after {ms:.0} ms")
            }
            None => format!("{function}, version {version}: answered after {ms:.0} ms"),
        }
    }

    fn answer(&self, colours: &Colours) -> String {
        let text = String::from_utf8_lossy(&self.invoked.payload);
        laid_out(&text, 0, colours).unwrap_or_else(|| text.into_owned())
    }

    fn json(&self) -> Value {
        let payload = &self.invoked.payload;
        let response = match payload.as_slice() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into()),
        };
        json!({
            "stage": self.stage,
            "function": self.function,
            "version": self.version,
            "ok": self.invoked.function_error.is_none(),
            "error": self.invoked.function_error,
            "response": response,
            "log": self.invoked.log_tail,
            "request_id": self.invoked.request_id,
            "milliseconds": (self.took.as_secs_f64() * 1_000_000.0).round() / 1_000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(invoked: &Invoked) -> InvokeResult<'_> {
        InvokeResult {
            stage: "alpha",
            function: "room",
            version: "3",
            asynchronous: false,
            took: Duration::from_millis(12),
            invoked,
        }
    }

    #[test]
    fn an_answer_is_shown_with_what_gave_it() {
        let invoked = Invoked {
            payload: br#"{"statusCode":200}"#.to_vec(),
            request_id: Some("r1".to_owned()),
            ..Invoked::default()
        };
        let result = of(&invoked);
        assert_eq!(result.headline(), "room, version 3: answered after 12 ms");
        assert_eq!(result.answer(&Colours::none()), r#"{"statusCode": 200}"#);
        insta::assert_json_snapshot!(result.json());
    }

    #[test]
    fn a_failure_is_no_answer() {
        let invoked = Invoked {
            function_error: Some("Unhandled".to_owned()),
            payload: b"no JSON".to_vec(),
            ..Invoked::default()
        };
        let result = of(&invoked);
        assert_eq!(
            result.headline(),
            "room, version 3: failed (Unhandled) after 12 ms"
        );
        assert_eq!(result.json()["ok"], false);
        assert_eq!(result.json()["response"], "no JSON");
    }
}
