//! Talks to a local cloud that runs elsewhere: is it there, is anything left in
//! it, what happens there, and stop.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::admin::{HEALTH, MARK, NAME, SHUTDOWN, TRAFFIC};
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
    /// Whether reads show all that was written before them: not where it plays AWS under
    /// load, nor where an older version doesn't say.
    #[serde(default)]
    pub consistent: bool,
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
    /// It has as many readers of its traffic as it takes.
    #[error("it has as many readers as it takes")]
    Busy,
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

/// What happens in a local cloud, as it happens.
pub struct Traffic(BufReader<TcpStream>);

impl Traffic {
    /// The next event: an object with a `kind`, as docs/DEV.md says; `None`: the cloud has
    /// stopped. Dropping this while it waits may lose a part of an event.
    ///
    /// # Errors
    /// When the connection breaks, or what comes isn't JSON.
    pub async fn next(&mut self) -> io::Result<Option<Value>> {
        let mut line = String::new();
        (&mut self.0).take(MOST).read_line(&mut line).await?;
        match line.ends_with('\n') {
            true => Ok(Some(serde_json::from_str(&line)?)),
            false => Ok(None),
        }
    }
}

/// What happens from now on in the local cloud on this port of 127.0.0.1. The first event
/// has the kind `listening`, and says who is connected.
///
/// # Errors
/// When no local cloud is there, or it has too many readers.
pub async fn traffic(port: u16) -> Result<Traffic, ClientError> {
    let opening = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        // Answered without chunks: by lines, until the end.
        let request = format!("GET {TRAFFIC} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = (&mut stream).take(MOST).read_line(&mut head).await?;
            if read == 0 || head.len() as u64 > MOST {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
        }
        Ok((stream, head))
    };
    let opened = timeout(PROBE_WAIT, opening).await;
    match opened {
        Ok(Ok((stream, head))) if head.split(' ').nth(1) == Some("200") => Ok(Traffic(stream)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(ClientError::NotListening)
        }
        Ok(Ok((_, head))) if head.split(' ').nth(1) == Some("429") => Err(ClientError::Busy),
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
