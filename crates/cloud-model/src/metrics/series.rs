//! One metric's minutes, and the statistics of some of them.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::limits::METRIC_MINUTES;

/// Values that differ by less than this factor count as one in percentiles.
const WIDTH: f64 = 1.02;
/// Where values are that have no logarithm.
const NONE: i32 = i32::MIN;

/// Between the parts of a name.
const GAP: char = '\0';

/// What tells a metric from others: namespace, name, and dimensions in order. One text,
/// because one is made for each thing that is measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut sorted = dimensions.to_vec();
        sorted.sort_unstable();
        let mut text = String::with_capacity(128);
        text.push_str(namespace);
        let rest = sorted.iter().flat_map(|(name, value)| [*name, *value]);
        for part in std::iter::once(name).chain(rest) {
            text.push(GAP);
            text.push_str(part);
        }
        Self(text)
    }

    /// What its values are counted in.
    pub(super) fn unit(&self) -> &'static str {
        match self.name() {
            "Duration" | "IntegrationLatency" => "Milliseconds",
            _ => "Count",
        }
    }

    pub(super) fn name(&self) -> &str {
        self.0.split(GAP).nth(1).unwrap_or_default()
    }
}

/// The minutes in which something was measured, oldest first.
#[derive(Debug, Default)]
pub(super) struct Series(VecDeque<(i64, Summary)>);

/// All values of a minute, or of several.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// How many values there are, by the logarithm of their size.
    sizes: BTreeMap<i32, u64>,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sizes: BTreeMap::new(),
        }
    }
}

/// Which of a time's values is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    Sum,
    SampleCount,
    Average,
    Minimum,
    Maximum,
    /// More than 0, at most 100.
    Percentile(f64),
}

impl Statistic {
    /// By CloudWatch's name. `None`: it has no such, or this model hasn't.
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "Sum" => Self::Sum,
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
                let legal = percent > 0.0 && percent <= 100.0;
                return legal.then_some(Self::Percentile(percent));
            }
        })
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

impl Series {
    pub(super) fn record(&mut self, value: f64, now: Timestamp) {
        let minute = minute_of(now);
        let begun = self.0.back().is_some_and(|(last, _)| *last >= minute);
        if !begun {
            self.0.push_back((minute, Summary::default()));
        }
        if let Some((_, summary)) = self.0.back_mut() {
            summary.add(value);
        }
        while self.0.front().is_some_and(|(first, _)| is_old(*first, now)) {
            self.0.pop_front();
        }
    }

    /// Whether nothing of it is kept any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.0.back().is_none_or(|(last, _)| is_old(*last, now))
    }

    /// All values from one second (inclusive) to another (exclusive), both whole minutes.
    pub(super) fn between(&self, from: i64, to: i64) -> Option<Summary> {
        let mut all: Option<Summary> = None;
        for (minute, summary) in &self.0 {
            if (from..to).contains(&(minute * 60)) {
                all.get_or_insert_default().merge(summary);
            }
        }
        all
    }
}

fn is_old(minute: i64, now: Timestamp) -> bool {
    minute + METRIC_MINUTES <= minute_of(now)
}

impl Summary {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        *self.sizes.entry(size_of(value)).or_default() += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (size, count) in &other.sizes {
            *self.sizes.entry(*size).or_default() += count;
        }
    }

    pub(super) fn get(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Sum => self.sum,
            Statistic::SampleCount => self.count as f64,
            Statistic::Average => self.sum / self.count as f64,
            Statistic::Minimum => self.min,
            Statistic::Maximum => self.max,
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (size, count) in &self.sizes {
            below += count;
            if below >= rank {
                let value = match *size {
                    NONE => 0.0,
                    size => WIDTH.powi(size),
                };
                return value.clamp(self.min, self.max);
            }
        }
        self.max
    }
}

fn size_of(value: f64) -> i32 {
    match value > 0.0 {
        true => (value.ln() / WIDTH.ln()).round() as i32,
        false => NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn minutes_are_kept_apart_and_put_together() {
        let mut series = Series::default();
        for (time, value) in [("10:00:01", 2.0), ("10:00:59", 4.0), ("10:01:00", 9.0)] {
            series.record(value, at(&format!("2026-01-02T{time}Z")));
        }
        let from = at("2026-01-02T10:00:00Z").as_second();
        let first = series.between(from, from + 60).unwrap();
        assert_eq!(first.get(Statistic::Sum), 6.0);
        let both = series.between(from, from + 120).unwrap();
        assert_eq!(both.get(Statistic::SampleCount), 3.0);
        assert_eq!(both.get(Statistic::Average), 5.0);
        assert_eq!(both.get(Statistic::Minimum), 2.0);
        assert_eq!(both.get(Statistic::Maximum), 9.0);
        assert!(series.between(from + 120, from + 600).is_none());
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut series = Series::default();
        series.record(1.0, at("2026-01-02T10:00:00Z"));
        assert!(!series.is_over(at("2026-01-02T11:00:00Z")));
        assert!(series.is_over(at("2026-01-02T12:00:00Z")));
        series.record(1.0, at("2026-01-02T12:00:00Z"));
        assert_eq!(series.0.len(), 1);
    }

    #[test]
    fn percentiles_are_right_within_a_hundredth() {
        let mut summary = Summary::default();
        for value in 1..=1_000 {
            summary.add(f64::from(value));
        }
        for percent in [1.0, 50.0, 99.0, 99.9, 100.0] {
            let found = summary.get(Statistic::Percentile(percent));
            let right = percent * 10.0;
            assert!((found / right - 1.0).abs() <= 0.011, "p{percent}: {found}");
        }
        let mut nothing = Summary::default();
        nothing.add(0.0);
        assert_eq!(nothing.get(Statistic::Percentile(50.0)), 0.0);
    }

    #[test]
    fn statistics_are_found_by_cloudwatchs_names() {
        assert_eq!(Statistic::find("p99.9"), Some(Statistic::Percentile(99.9)));
        for wrong in ["p0", "p101", "p", "tm99", "sum", ""] {
            assert_eq!(Statistic::find(wrong), None, "{wrong}");
        }
    }
}
