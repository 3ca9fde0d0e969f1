//! Why a measurement is worth nothing.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite;

/// What went otherwise than it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("WebSocket: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("{0:?} isn't a URL of the form ws://HOST:PORT/PATH")]
    Url(String),
    #[error("nothing came for {0:?}")]
    Silent(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("sent {sent:?}, but got back {got:?}")]
    OtherText { sent: String, got: String },
    #[error("{0}")]
    Miscounted(String),
    #[error("a post failed: {0}")]
    Post(String),
    #[error("a latency that can't be recorded: {0}")]
    Record(#[from] hdrhistogram::RecordError),
    #[error("the limit of open files: {0}")]
    Limit(#[from] nix::Error),
}
