//! Opens many connections and lets them be, so that somebody else can look at the
//! gateway's memory; then proves that all are still alive.

use futures_util::{SinkExt as _, StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::Message;

use crate::failure::Failure;
use crate::socket::{self, Stream};
use crate::{Ran, figures};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    connections: usize,
    /// Handshakes, pings and closes under way at once
    #[arg(long, default_value_t = 50)]
    at_once: usize,
}

/// Prints `{"held": …}` when all are open, waits for a line on stdin, and then prints
/// how many still answer.
pub(crate) async fn run(options: Options) -> Ran {
    let at_once = options.at_once;
    let mut open = Vec::with_capacity(options.connections);
    let mut opening = stream::iter(0..options.connections)
        .map(|_| socket::open(&options.url))
        .buffer_unordered(at_once);
    let mut refused = None;
    while let Some(opened) = opening.next().await {
        match opened {
            Ok(stream) => open.push(stream),
            // Those that are open are what could be held.
            Err(failure) => {
                refused = Some(failure.to_string());
                break;
            }
        }
    }
    drop(opening);
    figures::print(&json!({ "held": open.len(), "refused": refused }))?;
    let line = spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    line.await.map_err(|_| Failure::Closed)??;
    let alive: Vec<Stream> = stream::iter(open)
        .map(ping)
        .buffer_unordered(at_once)
        .try_collect()
        .await?;
    figures::print(&json!({ "alive": alive.len() }))?;
    let closing = stream::iter(alive).map(socket::close);
    closing.buffer_unordered(at_once).collect::<()>().await;
    Ok(())
}

async fn ping(mut stream: Stream) -> Result<Stream, Failure> {
    socket::in_time(stream.send(Message::Ping("still there?".into()))).await??;
    loop {
        match socket::in_time(stream.next()).await? {
            Some(Ok(Message::Pong(_))) => return Ok(stream),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Err(Failure::Closed),
        }
    }
}
