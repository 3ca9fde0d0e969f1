//! Each connection sends a text, waits until it comes back, compares it, and sends the
//! next: latencies, and throughput of many.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;

use crate::failure::Failure;
use crate::figures::Latencies;
use crate::socket::{self, Stream};
use crate::{Ran, figures};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    seconds: f64,
    /// Before that, without being measured
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
}

/// Chat-sized.
const PADDING: &str = "lorem ipsum dolor sit amet, consetetur";

pub(crate) async fn run(options: Options) -> Ran {
    let opening = (0..options.connections).map(|_| socket::open(&options.url));
    let mut open = try_join_all(opening).await?;
    all(&mut open, "warm", options.warm_up).await?;
    let began = Instant::now();
    let measured = all(&mut open, "echo", options.seconds).await?;
    let took = began.elapsed();
    for stream in open {
        socket::close(stream).await;
    }
    let mut figures = figures::rate(measured.count(), took);
    figures["p50_ms"] = json!(measured.ms(0.5));
    figures["p99_ms"] = json!(measured.ms(0.99));
    figures["max_ms"] = json!(measured.ms(1.0));
    figures::print(&figures)
}

async fn all(open: &mut [Stream], word: &str, seconds: f64) -> Result<Latencies, Failure> {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let talking = open
        .iter_mut()
        .enumerate()
        .map(|(number, stream)| talk(stream, word, number, until));
    let mut sum = Latencies::new();
    for latencies in try_join_all(talking).await? {
        sum.add(&latencies);
    }
    Ok(sum)
}

async fn talk(
    stream: &mut Stream,
    word: &str,
    number: usize,
    until: Instant,
) -> Result<Latencies, Failure> {
    let mut latencies = Latencies::new();
    let mut sequence = 0;
    loop {
        let sent = format!("{word} {number:05} {sequence:08} {PADDING}");
        let began = Instant::now();
        socket::send(stream, &sent).await?;
        let got = socket::receive(stream).await?;
        latencies.record(began.elapsed())?;
        if got != sent {
            return Err(Failure::OtherText { sent, got });
        }
        sequence += 1;
        if Instant::now() >= until {
            return Ok(latencies);
        }
    }
}
