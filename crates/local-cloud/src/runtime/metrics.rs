//! What Lambda publishes of functions in CloudWatch: of each as a whole, and of each
//! version (guide).
//!
//! Deliberately absent: concurrency, asynchronous events' age and fate.

use cloud_model::{FunctionVersion, LAMBDA_METRICS, Measure};

use super::invocation::{Invocation, Outcome};
use crate::model::Model;

/// An event that a function has had.
pub(super) fn invoked(model: &Model, function: &FunctionVersion, invocation: &Invocation) {
    let failed = matches!(invocation.outcome, Outcome::FunctionError(_));
    record(
        model,
        function,
        &[
            ("Invocations", 1.0),
            ("Errors", f64::from(u8::from(failed))),
            ("Throttles", 0.0),
            ("Duration", invocation.took.as_secs_f64() * 1_000.0),
        ],
    );
}

/// An event that it wasn't given. It counts as no invocation.
pub(super) fn throttled(model: &Model, function: &FunctionVersion) {
    record(model, function, &[("Throttles", 1.0)]);
}

fn record(model: &Model, function: &FunctionVersion, values: &[(&str, f64)]) {
    let name = function.function_name.as_str();
    let resource = format!("{name}:{}", function.version);
    let whole = [("FunctionName", name)];
    let version = [("FunctionName", name), ("Resource", resource.as_str())];
    let measures: Vec<Measure<'_>> = values
        .iter()
        .flat_map(|(metric, value)| {
            [whole.as_slice(), version.as_slice()].map(|dimensions| Measure {
                namespace: LAMBDA_METRICS,
                name: metric,
                dimensions,
                value: *value,
            })
        })
        .collect();
    model.record(&measures);
}
