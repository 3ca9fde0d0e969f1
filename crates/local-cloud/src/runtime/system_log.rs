//! What Lambda itself writes into a function's log, in the format that the function's
//! configuration asks for: plain text, or JSON from a level on. Pure.
//!
//! Deliberately absent: events about extensions, telemetry, restores and traces, and
//! `instanceId` and `producedBytes`, which nothing here knows.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use cloud_model::FunctionVersion;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::invocation::{Failure, Order, reported_type};
use super::report::{self, Phase, RUNTIME, Report};

/// What has happened.
pub(super) enum SystemEvent<'a> {
    /// An environment begins.
    InitStart(&'a FunctionVersion),
    /// A start has failed. One that succeeds has no line of its own.
    InitReport {
        took: Duration,
        phase: Phase,
        failure: &'a Failure,
    },
    /// An invocation begins.
    Start { order: &'a Order, version: &'a str },
    /// What went wrong with it, in words.
    Failed {
        order: &'a Order,
        failure: &'a Failure,
    },
    /// It has ended.
    Done(Report<'a>),
}

/// How, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    /// From this level on.
    Json(Level),
}

/// Levels of Lambda's own events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
}

impl Format {
    /// What a function's configuration says.
    pub(super) fn of(function: &FunctionVersion) -> Self {
        match (
            function.log_format.as_str(),
            function.system_log_level.as_deref(),
        ) {
            ("JSON", Some("DEBUG")) => Self::Json(Level::Debug),
            ("JSON", Some("WARN")) => Self::Json(Level::Warn),
            ("JSON", _) => Self::Json(Level::Info),
            _ => Self::Text,
        }
    }

    /// The lines about an event.
    pub(super) fn lines(self, event: &SystemEvent<'_>, now: Timestamp) -> Vec<String> {
        match self {
            Self::Text => text(event, now),
            Self::Json(least) => {
                let records = records(event).into_iter();
                records
                    .filter(|(level, ..)| *level >= least)
                    .map(|(_, kind, record)| {
                        let time = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
                        json!({ "time": time, "type": kind, "record": record }).to_string()
                    })
                    .collect()
            }
        }
    }
}

fn text(event: &SystemEvent<'_>, now: Timestamp) -> Vec<String> {
    match event {
        SystemEvent::InitStart(function) => vec![report::init_start(&function.runtime_version_arn)],
        SystemEvent::InitReport {
            took,
            phase,
            failure,
        } => vec![report::init_report(*took, *phase, failure)],
        SystemEvent::Start { order, version } => vec![report::start(order, version)],
        SystemEvent::Failed { order, failure } => {
            failure.log_line(order, now).into_iter().collect()
        }
        SystemEvent::Done(done) => vec![report::end(done.order), done.line()],
    }
}

/// Levels, types and contents of the JSON about an event.
fn records(event: &SystemEvent<'_>) -> Vec<(Level, &'static str, Value)> {
    match event {
        SystemEvent::InitStart(function) => {
            let record = json!({
                "initializationType": "on-demand",
                "phase": Phase::Init.name(),
                "functionName": function.function_name,
                "functionVersion": function.version,
                "runtimeVersion": RUNTIME,
                "runtimeVersionArn": function.runtime_version_arn,
            });
            vec![(Level::Info, "platform.initStart", record)]
        }
        SystemEvent::InitReport {
            took,
            phase,
            failure,
        } => {
            let mut record = json!({
                "initializationType": "on-demand",
                "phase": phase.name(),
                "metrics": { "durationMs": milliseconds(*took) },
            });
            Ending::of(failure).write(&mut record);
            vec![(Level::Warn, "platform.initReport", record)]
        }
        SystemEvent::Start { order, version } => {
            let record = json!({ "requestId": order.request_id, "version": version });
            vec![(Level::Info, "platform.start", record)]
        }
        // The status of what follows says it.
        SystemEvent::Failed { .. } => Vec::new(),
        SystemEvent::Done(done) => {
            let id = &done.order.request_id;
            let mut runtime_done = json!({
                "requestId": id, "metrics": { "durationMs": milliseconds(done.took) },
            });
            let mut report = json!({
                "requestId": id,
                "metrics": {
                    "durationMs": milliseconds(done.took),
                    "billedDurationMs": done.billed_ms(),
                    "memorySizeMB": done.memory_mb,
                    "maxMemoryUsedMB": done.used_mb(),
                },
            });
            if let Some(init) = done.init {
                report["metrics"]["initDurationMs"] = milliseconds(init).into();
            }
            let ending = match (done.failure(), done.reported) {
                (Some(failure), _) => Ending::of(failure),
                (None, Some(document)) => Ending::reported(document),
                (None, None) => Ending::SUCCESS,
            };
            ending.write(&mut runtime_done);
            ending.write(&mut report);
            let (of_done, of_report) = match ending.status {
                "success" => (Level::Debug, Level::Info),
                _ => (Level::Warn, Level::Warn),
            };
            vec![
                (of_done, "platform.runtimeDone", runtime_done),
                (of_report, "platform.report", report),
            ]
        }
    }
}

/// AWS's word for how something ended, and of most failures a type.
struct Ending<'a> {
    status: &'static str,
    error_type: Option<Cow<'a, str>>,
}

impl<'a> Ending<'a> {
    const SUCCESS: Self = Self {
        status: "success",
        error_type: None,
    };

    fn of(failure: &'a Failure) -> Self {
        let status = match failure {
            Failure::TimedOut { .. } => "timeout",
            Failure::InitError(document) => return Self::reported(document),
            _ => "failure",
        };
        let error_type = (status == "failure").then(|| failure.error_type());
        Self { status, error_type }
    }

    /// The process has said so itself.
    fn reported(document: &'a Bytes) -> Self {
        Self {
            status: "error",
            error_type: Some(reported_type(document)),
        }
    }

    fn write(&self, record: &mut Value) {
        record["status"] = self.status.into();
        if let Some(kind) = &self.error_type {
            record["errorType"] = kind.as_ref().into();
        }
    }
}

/// With three digits behind the point.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::invocation::tests::order;

    fn lines(least: Level, event: &SystemEvent<'_>) -> Vec<Value> {
        let now = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let lines = Format::Json(least).lines(event, now);
        let read = |line: &String| serde_json::from_str(line).unwrap();
        lines.iter().map(read).collect()
    }

    fn done<'a>(order: &'a Order, failure: Option<&'a Failure>) -> SystemEvent<'a> {
        SystemEvent::Done(Report {
            order,
            took: Duration::from_micros(10_250),
            init: Some(Duration::from_millis(5)),
            memory_mb: 128,
            peak_mb: 20,
            failure,
            reported: None,
        })
    }

    #[test]
    fn a_report_has_the_metrics_of_the_text_and_a_status() {
        let order = order();
        let expected = json!({
            "time": "2026-01-02T03:04:05.678Z",
            "type": "platform.report",
            "record": {
                "requestId": "5b0e",
                "metrics": {
                    "durationMs": 10.25, "billedDurationMs": 16, "memorySizeMB": 128,
                    "maxMemoryUsedMB": 20, "initDurationMs": 5.0,
                },
                "status": "success",
            },
        });
        assert_eq!(lines(Level::Info, &done(&order, None)), [expected]);
    }

    #[test]
    fn success_says_less_from_level_to_level_and_failure_is_always_told() {
        let order = order();
        let kinds = |least, failure| -> Vec<Value> {
            let lines = lines(least, &done(&order, failure));
            lines.iter().map(|line| line["type"].clone()).collect()
        };
        let both = ["platform.runtimeDone", "platform.report"];
        assert_eq!(kinds(Level::Debug, None), both);
        assert_eq!(kinds(Level::Info, None), ["platform.report"]);
        assert!(kinds(Level::Warn, None).is_empty());
        assert_eq!(kinds(Level::Warn, Some(&Failure::OutOfMemory)), both);
    }

    #[test]
    fn a_failure_has_a_status_and_but_for_timeouts_a_type() {
        let order = order();
        let of = |failure: &Failure| lines(Level::Warn, &done(&order, Some(failure))).pop();
        let timeout = of(&Failure::TimedOut { seconds: 3 }).unwrap();
        assert_eq!(timeout["record"]["status"], "timeout");
        assert_eq!(timeout["record"].get("errorType"), None);
        let mut reported = done(&order, None);
        let document = Bytes::from_static(br#"{"errorType":"MyError"}"#);
        if let SystemEvent::Done(report) = &mut reported {
            report.reported = Some(&document);
        }
        let reported = lines(Level::Warn, &reported).pop().unwrap();
        assert_eq!(reported["record"]["status"], "error");
        assert_eq!(reported["record"]["errorType"], "MyError");
        let memory = of(&Failure::OutOfMemory).unwrap();
        assert_eq!(memory["record"]["status"], "failure");
        assert_eq!(memory["record"]["errorType"], "Runtime.OutOfMemory");
        let document = Bytes::from_static(br#"{"errorType":"Runtime.NoConfig"}"#);
        let failure = Failure::InitError(document);
        let (took, phase) = (Duration::from_millis(1), Phase::Init);
        let event = SystemEvent::InitReport {
            took,
            phase,
            failure: &failure,
        };
        let init = lines(Level::Warn, &event).pop().unwrap();
        assert_eq!(init["type"], "platform.initReport");
        assert_eq!(init["record"]["status"], "error");
        assert_eq!(init["record"]["errorType"], "Runtime.NoConfig");
    }
}
