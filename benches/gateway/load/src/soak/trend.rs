//! Whether memory grows: the slope of a line through what was seen.

/// One look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at_s: f64,
    pub(super) memory_mb: f64,
    /// What the log groups hold; they grow up to a bound of their own.
    pub(super) logs_mb: f64,
}

/// The part of a run in which memory may still grow.
const WARM_UP: f64 = 0.25;

/// How much something grew after the warm-up, in its own unit: the slope of the line of
/// least squares, times how long that was.
pub(super) fn growth(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let from = (samples.len() as f64 * WARM_UP) as usize;
    let rest = &samples[from..];
    let count = rest.len() as f64;
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        return 0.0;
    };
    let mean = |of: &dyn Fn(&Sample) -> f64| rest.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(&|it| it.at_s), mean(&of));
    let square = |x: f64| x * x;
    let spread: f64 = rest.iter().map(|it| square(it.at_s - mean_x)).sum();
    if spread == 0.0 {
        return 0.0;
    }
    let together = |it: &Sample| (it.at_s - mean_x) * (of(it) - mean_y);
    let slope = rest.iter().map(together).sum::<f64>() / spread;
    slope * (last.at_s - first.at_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(memory: impl Fn(f64) -> f64) -> Vec<Sample> {
        let sample = |at: i32| Sample {
            at_s: f64::from(at),
            memory_mb: memory(f64::from(at)),
            logs_mb: 0.0,
        };
        (0..101).map(sample).collect()
    }

    #[test]
    fn what_grows_only_in_the_beginning_has_not_grown() {
        let flat = samples(|at| if at < 25.0 { at } else { 25.0 });
        assert!(growth(&flat, |it| it.memory_mb).abs() < 1e-9);
    }

    #[test]
    fn steady_growth_counts_from_the_end_of_the_warm_up() {
        let steady = samples(|at| 10.0 + at / 5.0);
        assert!((growth(&steady, |it| it.memory_mb) - 15.0).abs() < 1e-9);
    }

    #[test]
    fn ups_and_downs_are_no_growth() {
        let waves = samples(|at| 50.0 + 5.0 * (at as i32 % 2) as f64);
        assert!(growth(&waves, |it| it.memory_mb).abs() < 0.2);
    }

    #[test]
    fn without_samples_there_is_no_growth() {
        assert!(growth(&[], |it| it.memory_mb).abs() < 1e-9);
    }
}
