//! Talks to a local cloud that runs elsewhere: is it there, is anything left in
//! it, and stop.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::admin::{HEALTH, MARK, NAME, SHUTDOWN};
use crate::limits::PROBE_WAIT;

/// Longest answer looked at, in bytes.
const MOST: u64 = 256 * 1024;
/// Between two looks at a cloud that is stopping.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a local cloud says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// Always `local-cloud`.
    name: String,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Whether no API, function, role or log group is in it.
    pub empty: bool,
    /// How many events functions are at work on.
    pub invocations: usize,
    /// How many clients are connected,
    pub connections: usize,
    /// and how many are at their `$connect` or `$disconnect`.
    #[serde(rename = "comingAndGoing")]
    pub coming_and_going: usize,
}

/// Why a local cloud can't be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens on the port.
    #[error("nothing listens there")]
    NotListening,
    /// Something listens that doesn't answer as a local cloud.
    #[error("another program listens there")]
    Another,
    /// It is still there.
    #[error("it is still there after {0:?}")]
    StillThere(Duration),
}

/// What the local cloud on this port of 127.0.0.1 says of itself.
///
/// # Errors
/// When nothing listens there, or another program does.
pub async fn health(port: u16) -> Result<Health, ClientError> {
    let body = ask(port, &format!("GET {HEALTH}"), "").await?;
    match serde_json::from_str::<Health>(&body) {
        Ok(health) if health.name == NAME => Ok(health),
        _ => Err(ClientError::Another),
    }
}

/// Asks the local cloud on this port to stop, and waits until nothing listens
/// there any more.
///
/// # Errors
/// When no local cloud is there, or it is still there after `deadline`.
pub async fn stop(port: u16, deadline: Duration) -> Result<(), ClientError> {
    let started = Instant::now();
    ask(
        port,
        &format!("POST {SHUTDOWN}"),
        &format!("{MARK}: 1\r\ncontent-length: 0\r\n"),
    )
    .await?;
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        if started.elapsed() > deadline {
            return Err(ClientError::StillThere(deadline));
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

async fn ask(port: u16, what: &str, headers: &str) -> Result<String, ClientError> {
    let answer = timeout(PROBE_WAIT, exchange(port, what, headers)).await;
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err(ClientError::NotListening);
        }
        _ => return Err(ClientError::Another),
    };
    let (_, body) = answer.split_once("\r\n\r\n").ok_or(ClientError::Another)?;
    Ok(body.to_owned())
}

async fn exchange(port: u16, what: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request =
        format!("{what} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
