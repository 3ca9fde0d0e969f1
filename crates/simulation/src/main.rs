//! `simulation SEEDS [FIRST]`: runs so many seeds on all cores; says how fast,
//! what was reached, and which failed. `simulation replay SEED`: one seed with
//! its trace.

use simulation::{Report, Sabotage, run_caught, run_many};
use std::io::{Error, ErrorKind, Result, Write};
use std::process::ExitCode;
use std::time::Instant;

/// So many failures say enough.
const STOP_AT: u64 = 50;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse().ok());
    match (number(0), arguments.first().map(String::as_str)) {
        (Some(seeds), _) => many(seeds, number(1).unwrap_or(0)),
        (None, Some("replay")) => replay(number(1).ok_or_else(usage)?),
        _ => Err(usage()),
    }
}

fn usage() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "simulation SEEDS [FIRST] | simulation replay SEED",
    )
}

fn many(seeds: u64, first: u64) -> Result<ExitCode> {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let report = run_many(
        first..first.saturating_add(seeds),
        threads,
        Sabotage::None,
        STOP_AT,
    );
    let seconds = started.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    for (what, count) in report.counts.iter() {
        writeln!(out, "{count:>12}  {what}")?;
    }
    for (seed, violations) in &report.failures {
        for violation in violations {
            writeln!(out, "seed {seed}: {violation}")?;
        }
        writeln!(out, "  replay: cargo run -p simulation -- replay {seed}")?;
    }
    let Report { runs, failed, .. } = report;
    let rate = f64::from(u32::try_from(runs).unwrap_or(u32::MAX)) / seconds;
    writeln!(
        out,
        "{runs} seeds in {seconds:.1} s, {rate:.0} a second on {threads} threads; {failed} failed"
    )?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}

fn replay(seed: u64) -> Result<ExitCode> {
    let outcome = run_caught(seed, Sabotage::None, true);
    let mut out = std::io::stdout().lock();
    for line in &outcome.trace {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "trace {:016x}", outcome.hash)?;
    for violation in &outcome.violations {
        writeln!(out, "violated: {violation}")?;
    }
    Ok(ExitCode::from(u8::from(!outcome.violations.is_empty())))
}
