//! CloudWatch: what functions and APIs publish of themselves, by the minute and for a
//! while.
//!
//! Deliberately absent: metrics of callers' own, alarms, expressions, periods below a
//! minute. Nothing of it is taken out or put back with the account: metrics end with the
//! process.

mod read;
mod series;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Failure;
use crate::limits::METRIC_SERIES;
use crate::wire::members::Members;

use series::{Name, Series};

/// The namespace of Lambda's metrics.
pub const LAMBDA: &str = "AWS/Lambda";
/// Of API Gateway's.
pub const GATEWAY: &str = "AWS/ApiGateway";

/// Something that was measured.
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    /// E.g. `AWS/Lambda`.
    pub namespace: &'a str,
    /// E.g. `Duration`.
    pub name: &'a str,
    /// Names and values; in any order.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// In the metric's own unit: a count, or milliseconds.
    pub value: f64,
}

/// All metrics of the account and region.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    all: BTreeMap<Name, Series>,
}

impl Metrics {
    /// Notes what was measured now.
    pub(crate) fn record(&mut self, measure: &Measure<'_>, now: Timestamp) {
        let name = Name::new(measure.namespace, measure.name, measure.dimensions);
        let known = self.all.contains_key(&name);
        if !known && self.all.len() >= METRIC_SERIES {
            self.all.retain(|_, series| !series.is_over(now));
            if self.all.len() >= METRIC_SERIES {
                return;
            }
        }
        let series = self.all.entry(name).or_default();
        series.record(measure.value, now);
    }

    /// Serves one call.
    pub(crate) fn handle(
        &self,
        operation: &str,
        members: &Members,
    ) -> Result<Option<Value>, Failure> {
        match operation {
            "GetMetricData" => self.get_metric_data(members).map(Some),
            other => Err(Failure::not_served(&format!("CloudWatch's {other}"))),
        }
    }
}
