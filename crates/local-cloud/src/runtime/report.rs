//! The lines that Lambda itself writes into a function's log, in its plain-text
//! format. Pure.
//!
//! Deliberately absent: X-Ray's line, restores, and which format a function wants
//! (`system_log`).

use std::time::Duration;

use bytes::Bytes;

use super::invocation::{Failure, Order};

/// The first line of an environment's log.
pub(super) fn init_start(runtime_version_arn: &str) -> String {
    format!("INIT_START Runtime Version: {RUNTIME}\tRuntime Version ARN: {runtime_version_arn}")
}

/// AWS numbers the versions; this one is nobody's.
pub(super) const RUNTIME: &str = "provided:al2023.v0";

/// When a process was started: before any invocation, or again within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Init,
    Invoke,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Invoke => "invoke",
        }
    }
}

/// The line about a start that failed. One that succeeds has none.
pub(super) fn init_report(took: Duration, phase: Phase, failure: &Failure) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    let (phase, status) = (phase.name(), status(failure));
    format!("INIT_REPORT Init Duration: {ms:.2} ms\tPhase: {phase}\t{status}")
}

/// The line before an invocation's own.
pub(super) fn start(order: &Order, version: &str) -> String {
    format!("START RequestId: {} Version: {version}", order.request_id)
}

/// The line after them.
pub(super) fn end(order: &Order) -> String {
    format!("END RequestId: {}", order.request_id)
}

/// An invocation's last line.
pub(super) struct Report<'a> {
    pub(super) order: &'a Order,
    pub(super) took: Duration,
    /// Of the start that this invocation waited for, if it succeeded.
    pub(super) init: Option<Duration>,
    pub(super) memory_mb: u32,
    pub(super) peak_mb: u64,
    pub(super) failure: Option<&'a Failure>,
    /// The error document that the function itself has reported.
    pub(super) reported: Option<&'a Bytes>,
}

impl Report<'_> {
    /// Milliseconds that are paid for: since August 2025 starts are billed as well.
    pub(super) fn billed_ms(&self) -> u64 {
        let took = self.took + self.init.unwrap_or_default();
        (took.as_secs_f64() * 1000.0).ceil() as u64
    }

    /// As observed, never more than there is.
    pub(super) fn used_mb(&self) -> u64 {
        self.peak_mb.min(u64::from(self.memory_mb))
    }

    /// An answer that is too large is none of the process's.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let failure = self.failure?;
        (!matches!(failure, Failure::AnswerTooLarge)).then_some(failure)
    }

    pub(super) fn line(&self) -> String {
        let ms = self.took.as_secs_f64() * 1000.0;
        let (billed, used) = (self.billed_ms(), self.used_mb());
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {ms:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory Used: {used} MB\t",
            self.order.request_id, self.memory_mb
        );
        if let Some(init) = self.init {
            line += &format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1000.0);
        }
        if let Some(failure) = self.failure() {
            line += &status(failure);
        }
        line
    }
}

fn status(failure: &Failure) -> String {
    match failure {
        Failure::TimedOut { .. } => "Status: timeout".to_owned(),
        _ => format!("Status: error\tError Type: {}", failure.error_type()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::invocation::tests::order;

    #[test]
    fn a_failed_start_says_its_phase_and_its_error_type() {
        let took = Duration::from_micros(229_040);
        let document = Bytes::from_static(br#"{"errorType":"Runtime.NoConfig"}"#);
        assert_eq!(
            init_report(took, Phase::Init, &Failure::InitError(document)),
            "INIT_REPORT Init Duration: 229.04 ms\tPhase: init\tStatus: error\tError Type: Runtime.NoConfig"
        );
        assert_eq!(
            init_report(took, Phase::Invoke, &Failure::TimedOut { seconds: 3 }),
            "INIT_REPORT Init Duration: 229.04 ms\tPhase: invoke\tStatus: timeout"
        );
    }

    #[test]
    fn a_report_never_tells_more_memory_than_there_is() {
        let order = order();
        let report = Report {
            order: &order,
            took: Duration::from_micros(10_250),
            init: Some(Duration::from_millis(5)),
            memory_mb: 128,
            peak_mb: 300,
            failure: Some(&Failure::OutOfMemory),
            reported: None,
        };
        assert_eq!(
            report.line(),
            "REPORT RequestId: 5b0e\tDuration: 10.25 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 128 MB\tInit Duration: 5.00 ms\tStatus: error\tError Type: Runtime.OutOfMemory"
        );
    }
}
