//! How many connections a second a gateway accepts. Only opening them is timed; they
//! are closed when all are open.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Ran, figures, socket};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    /// How many to open
    #[arg(long)]
    connections: usize,
    /// Handshakes under way at once
    #[arg(long, default_value_t = 50)]
    at_once: usize,
    /// No further one is begun after so many seconds
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

pub(crate) async fn run(options: Options) -> Ran {
    // The first may have to wait for a function to start.
    socket::close(socket::open(&options.url).await?).await;
    let began = Instant::now();
    let longest = Duration::from_secs_f64(options.seconds);
    let open: Vec<_> = stream::iter(0..options.connections)
        .take_while(|_| std::future::ready(began.elapsed() < longest))
        .map(|_| socket::open(&options.url))
        .buffer_unordered(options.at_once)
        .try_collect()
        .await?;
    let took = began.elapsed();
    let count = open.len() as u64;
    let closing = stream::iter(open).map(socket::close);
    closing
        .buffer_unordered(options.at_once)
        .collect::<()>()
        .await;
    figures::print(&figures::rate(count, took))
}
