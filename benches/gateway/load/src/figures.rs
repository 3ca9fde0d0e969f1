//! Figures on their way out: latencies to percentiles, lines of JSON, and the limit of
//! open files, without which there would be few.

use std::io::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Most descriptors asked of the operating system.
const DESCRIPTORS: u64 = 65_536;
/// Significant digits of recorded latencies.
const DIGITS: u8 = 3;
/// No latency is longer: every wait has a shorter deadline.
const LONGEST: Duration = Duration::from_secs(120);

/// Latencies, in ns.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        let longest = LONGEST.as_nanos() as u64;
        let histogram = Histogram::new_with_bounds(1, longest, DIGITS);
        Self(histogram.expect("the bounds are valid"))
    }

    pub(crate) fn record(&mut self, latency: Duration) -> Result<(), Failure> {
        Ok(self.0.record(latency.as_nanos().max(1) as u64)?)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("all histograms have the same bounds");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn ms(&self, quantile: f64) -> f64 {
        rounded(self.0.value_at_quantile(quantile) as f64 / 1e6)
    }
}

/// To four digits behind the point.
pub(crate) fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

/// Prints one line.
pub(crate) fn print(figures: &Value) -> Result<(), Failure> {
    print_text(&figures.to_string())
}

/// Prints lines for people.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Says why a command failed.
pub(crate) fn complain(failure: &Failure) {
    // Nowhere to complain if even this can't be written.
    let _gone = writeln!(std::io::stderr(), "gateway-load: {failure}");
}

/// So many of something in so long.
pub(crate) fn rate(count: u64, took: Duration) -> Value {
    json!({
        "count": count,
        "seconds": rounded(took.as_secs_f64()),
        "per_second": rounded(count as f64 / took.as_secs_f64()),
    })
}

/// Each connection is a descriptor.
pub(crate) fn raise_descriptor_limit() -> Result<(), Failure> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(DESCRIPTORS);
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_recorded_and_added() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        for ms in 1..=50 {
            one.record(Duration::from_millis(ms)).unwrap();
            other.record(Duration::from_millis(50 + ms)).unwrap();
        }
        one.add(&other);
        assert_eq!(one.count(), 100);
        assert!((one.ms(0.5) - 50.0).abs() < 0.1, "{}", one.ms(0.5));
        assert!((one.ms(0.99) - 99.0).abs() < 0.1, "{}", one.ms(0.99));
    }
}
