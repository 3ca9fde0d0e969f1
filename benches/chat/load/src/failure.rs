//! Why a run is worth nothing.

use std::io;

use tokio_tungstenite::tungstenite;

/// What went otherwise than it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("WebSocket: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("{0:?} isn't an address of the form {1}")]
    Address(String, &'static str),
    #[error("{0}: no answer in time; is it running?")]
    Silent(String),
    #[error("the connection was closed")]
    Closed,
    #[error("{what} was answered with {answer}")]
    Answer { what: String, answer: String },
    #[error("{0} of the conditions don't hold; the table says which")]
    Conditions(usize),
    #[error("the sink's certificate: {0}")]
    Certificate(String),
    #[error("the limit of open files: {0}")]
    Limit(#[from] nix::Error),
    #[error("a client ended with a panic: {0}")]
    Client(#[from] tokio::task::JoinError),
}
