//! What `up`, `down` and `rollback` do, as lines of JSON (docs/JSON.md): events when they
//! happen, and of each stage one result, which is its last line.
//!
//! Deliberately absent: results of verbs that only read. They are one line without `event`.

use crate::failure::Failure;
use deployer_engine::causes::{name_of, next_step};
use deployer_engine::error::CloudError;
use deployer_engine::events::Event;
use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

/// The event that is a stage's last.
const RESULT: &str = "result";
const BUILDING: &str = "building";

/// One line.
pub struct Line<'a> {
    event: &'static str,
    stage: &'a str,
    at: String,
    fields: Map<String, Value>,
}

impl<'a> Line<'a> {
    fn new(event: &'static str, stage: &'a str, fields: Value) -> Self {
        let mut fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        // It stands at the beginning.
        fields.remove("stage");
        Self {
            event,
            stage,
            at: format!("{:.3}", Timestamp::now()),
            fields,
        }
    }

    /// Something happened.
    pub fn event(stage: &'a str, event: &Event) -> Self {
        let (name, fields) = described(event);
        Self::new(name, stage, fields)
    }

    /// Cargo begins to build these packages.
    pub fn building(stage: &'a str, packages: &[String]) -> Self {
        Self::new(BUILDING, stage, json!({ "packages": packages }))
    }

    /// Something that `dev` says, beside what `up` does.
    pub fn of_dev(event: &'static str, stage: &'a str, fields: Value) -> Self {
        Self::new(event, stage, fields)
    }

    /// The stage is done. `timing`: where the time went.
    pub fn done(stage: &'a str, result: Value, timing: [(&str, Value); 2]) -> Self {
        let mut line = Self::new(RESULT, stage, result);
        line.fields.insert("ok".to_owned(), Value::Bool(true));
        let timing = timing.map(|(name, value)| (name.to_owned(), value));
        line.fields.extend(timing);
        line
    }

    /// The stage failed. `stopped`: how far it came, where it had begun to write.
    pub fn failed(stage: &'a str, failure: &Failure, stopped: Option<Value>) -> Self {
        let mut line = Self::new(RESULT, stage, stopped.unwrap_or_default());
        let why = [
            ("ok", json!(false)),
            ("error", json!(failure.to_string())),
            ("next_step", json!(failure.next_step())),
            ("exit_code", json!(failure.exit_code())),
        ];
        let why = why.map(|(name, value)| (name.to_owned(), value));
        line.fields.extend(why);
        line
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("event", self.event)?;
        line.serialize_entry("stage", self.stage)?;
        line.serialize_entry("at", &self.at)?;
        for (name, value) in &self.fields {
            line.serialize_entry(name, value)?;
        }
        line.end()
    }
}

/// An event's name and fields.
fn described(event: &Event) -> (&'static str, Value) {
    match event {
        Event::WaitingForLease { holder } => ("waiting_for_lease", json!({ "holder": holder })),
        Event::Settling { wait } => ("settling", json!({ "seconds": wait.as_secs_f64() })),
        Event::Observing => ("observing", json!({})),
        Event::Planned { steps } => ("planned", json!({ "steps": steps })),
        Event::StepStarted { step, what } => {
            ("step_started", json!({ "step": step, "what": what }))
        }
        Event::StepWaiting { step, what, reason } => (
            "step_waiting",
            json!({ "step": step, "what": what, "reason": reason }),
        ),
        Event::StepDone {
            step,
            what,
            elapsed,
        } => (
            "step_done",
            json!({ "step": step, "what": what, "seconds": elapsed.as_secs_f64() }),
        ),
        Event::StepFailed { step, what, error } => (
            "step_failed",
            json!({ "step": step, "what": what, "error": cloud_error(error) }),
        ),
        Event::Verifying { url } => ("verifying", json!({ "url": url })),
        Event::Verified { elapsed } => ("verified", json!({ "seconds": elapsed.as_secs_f64() })),
    }
}

fn cloud_error(error: &CloudError) -> Value {
    json!({
        "service": error.service,
        "operation": error.operation,
        "resource": error.resource,
        "code": error.code,
        "message": error.message,
        "request_id": error.request_id,
        "cause": name_of(error),
        "next_step": next_step(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::dev;
    use crate::render::timing::Timing;
    use crate::render::{DownResult, RollbackResult, StoppedResult, UpResult};
    use deployer_core::names::StageIdentity;
    use deployer_core::plan::{Bindings, Plan};
    use deployer_core::provenance::PromotedFrom;
    use deployer_engine::apply::Outcome;
    use deployer_engine::error::CloudErrorKind;
    use deployer_engine::up::Serving;
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::{Duration, Instant};

    /// One of each; a new one that isn't here is found by [`described`]'s test below.
    fn events() -> Vec<Event> {
        let (step, what) = (3, "create role r".to_owned());
        let elapsed = Duration::from_millis(1_250);
        vec![
            Event::WaitingForLease {
                holder: "me@here".into(),
            },
            Event::Settling { wait: elapsed },
            Event::Observing,
            Event::Planned { steps: 7 },
            Event::StepStarted {
                step,
                what: what.clone(),
            },
            Event::StepWaiting {
                step,
                what: what.clone(),
                reason: "Pending".into(),
            },
            Event::StepDone {
                step,
                what: what.clone(),
                elapsed,
            },
            Event::StepFailed {
                step,
                what,
                error: CloudError {
                    service: "iam",
                    operation: "CreateRole".into(),
                    resource: "r".into(),
                    kind: CloudErrorKind::Refused,
                    code: Some("AccessDenied".into()),
                    message: "no".into(),
                    request_id: None,
                },
            },
            Event::Verifying {
                url: "wss://x".into(),
            },
            Event::Verified { elapsed },
        ]
    }

    fn results() -> Vec<(&'static str, Line<'static>)> {
        let promoted_from: PromotedFrom =
            serde_json::from_value(json!({ "stage": "beta", "release": "0123456789abcdef" }))
                .unwrap();
        let up = UpResult {
            stage: "alpha",
            identity: String::new(),
            changed: true,
            steps: 2,
            release: "0123456789abcdef".into(),
            promoted_from: Some(&promoted_from),
            git_revision: None,
            url: "wss://x".into(),
            secure_url: Some("wss://x".into()),
            page: Some("http://x/".into()),
            endpoint_disabled: false,
            expires: Some("2026-12-01T00:00:00Z".into()),
            notice: None,
        };
        let down = DownResult {
            stage: "alpha",
            renewed: true,
            expires: Some("2026-12-01T00:00:00Z".into()),
            nothing_in: Some("account 123456789012, eu-central-1".into()),
            ..DownResult::default()
        };
        let rollback = RollbackResult {
            stage: "alpha",
            identity: String::new(),
            from: String::new(),
            to: String::new(),
            url: String::new(),
        };
        let plan = Plan {
            identity: StageIdentity {
                service: "chat".into(),
                stage: "alpha".into(),
            },
            bindings: Bindings::default(),
            steps: Vec::new(),
            unnamed_tables: Vec::new(),
        };
        let serving = Some(Serving::Nothing);
        let stopped = StoppedResult::new("alpha", &plan, &Outcome::default(), serving);
        let done = |result| {
            let now = Instant::now();
            Line::done("alpha", result, Timing::new(now).fields(now))
        };
        let failure = || Failure::Busy {
            message: "me@here is deploying this stage".into(),
        };
        vec![
            ("result of up", done(json!(up))),
            ("result of down", done(json!(down))),
            ("result of rollback", done(json!(rollback))),
            (
                "result that failed",
                Line::failed("alpha", &failure(), None),
            ),
            (
                "result that stopped",
                Line::failed("alpha", &failure(), Some(json!(stopped))),
            ),
        ]
    }

    /// The tables of the document: the first cell of a row, and what is in code in the second.
    fn documented() -> BTreeMap<String, BTreeSet<String>> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/JSON.md");
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let cells = rows.map(|row| row.split('|').map(str::trim).skip(1).collect::<Vec<_>>());
        let named = cells.filter(|cells| cells.len() > 2);
        named
            .map(|cells| {
                let fields = cells[1].split('`').skip(1).step_by(2).map(str::to_owned);
                (cells[0].trim_matches('`').to_owned(), fields.collect())
            })
            .collect()
    }

    #[test]
    fn the_document_has_every_event_and_every_field() {
        let packages = ["room".to_owned()];
        let mut lines = vec![(BUILDING, Line::building("alpha", &packages))];
        let events = events();
        for event in &events {
            lines.push((described(event).0, Line::event("alpha", event)));
        }
        lines.extend(
            dev::samples().map(|(name, fields)| (name, Line::of_dev(name, "alpha", fields))),
        );
        lines.extend(results());
        let documented = documented();
        let names: BTreeSet<&str> = lines.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), lines.len(), "each once");
        for (name, line) in &lines {
            let fields: BTreeSet<String> = line.fields.keys().cloned().collect();
            assert_eq!(documented.get(*name), Some(&fields), "{name}");
        }
        let error = match &events[7] {
            Event::StepFailed { error, .. } => cloud_error(error),
            other => panic!("{other:?}"),
        };
        let fields: BTreeSet<String> = error.as_object().unwrap().keys().cloned().collect();
        assert_eq!(documented.get("error of step_failed"), Some(&fields));
        let of_document = documented.keys().filter(|name| {
            // The other tables are about what verbs that only read say.
            let others = ["verb", "event", "line"];
            !others.contains(&name.as_str()) && !name.starts_with('-')
        });
        for name in of_document {
            let known = names.contains(name.as_str()) || name == "error of step_failed";
            assert!(known, "{name} isn't said");
        }
    }

    #[test]
    fn a_line_begins_with_what_it_is_and_says_the_time() {
        let line = Line::event("alpha", &Event::Planned { steps: 7 });
        let text = serde_json::to_string(&line).unwrap();
        let (head, rest) = text.split_once("\"at\":\"").unwrap();
        assert_eq!(head, r#"{"event":"planned","stage":"alpha","#);
        let (at, rest) = rest.split_once('"').unwrap();
        assert!(at.parse::<Timestamp>().is_ok(), "{at}");
        assert_eq!(at.len(), "2026-11-22T10:00:00.000Z".len());
        assert_eq!(rest, r#","steps":7}"#);
    }

    #[test]
    fn a_result_says_whether_it_is_one_and_how_far_a_stopped_one_came() {
        let results: BTreeMap<_, _> = results().into_iter().collect();
        let value = |name: &str| json!(results[name]);
        assert_eq!(value("result of up")["ok"], true);
        let failed = value("result that stopped");
        assert_eq!(failed["event"], RESULT);
        assert_eq!(failed["ok"], false);
        assert_eq!(failed["exit_code"], 6);
        assert_eq!(failed["serving"], "nothing is live yet");
    }
}
