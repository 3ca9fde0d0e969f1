//! One WebSocket of the client: opened, written and read with deadlines.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::failure::Failure;

/// Of one answer. Beyond API Gateway's 29 s for an integration, so that whoever answers
/// at all has answered.
pub(crate) const DEADLINE: Duration = Duration::from_secs(35);
/// How long the other side may take to end its half of a close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Initial read buffer in bytes: 10,000 connections fit into little memory.
const READ_BUFFER: usize = 4 * 1024;

/// An open connection.
pub(crate) type Stream = WebSocketStream<TcpStream>;

/// Opens a connection.
pub(crate) async fn open(url: &str) -> Result<Stream, Failure> {
    let opening = async {
        let tcp = TcpStream::connect(address(url)?).await?;
        tcp.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let (stream, _) = client_async_with_config(url, tcp, Some(config)).await?;
        Ok(stream)
    };
    in_time(opening).await?
}

/// `HOST:PORT` of a URL.
pub(crate) fn address(url: &str) -> Result<&str, Failure> {
    let rest = url.strip_prefix("ws://");
    let address = rest.map(|rest| rest.split('/').next().unwrap_or(rest));
    address
        .filter(|address| address.contains(':'))
        .ok_or_else(|| Failure::Url(url.to_owned()))
}

/// Sends a text and waits until the operating system has it.
pub(crate) async fn send(stream: &mut Stream, text: &str) -> Result<(), Failure> {
    Ok(in_time(stream.send(Message::text(text))).await??)
}

/// The next text.
pub(crate) async fn receive(stream: &mut Stream) -> Result<String, Failure> {
    loop {
        match in_time(stream.next()).await? {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(Message::Close(_))) | None => return Err(Failure::Closed),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

/// Says goodbye and waits, boundedly, until the other side has, too.
pub(crate) async fn close(mut stream: Stream) {
    let goodbye = async {
        let _gone = stream.close(None).await;
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _slow = timeout(CLOSE_WAIT, goodbye).await;
}

/// Whether a text is the gateway's own, for a message that wasn't served; the order of
/// its members differs between gateways.
pub(crate) fn is_error_frame(text: &str) -> bool {
    text.starts_with('{') && text.contains("\"connectionId\"") && text.contains("\"message\"")
}

pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let done = timeout(DEADLINE, work).await;
    done.map_err(|_| Failure::Silent(DEADLINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_url_is_its_host_and_port() {
        assert_eq!(
            address("ws://127.0.0.1:9100/a/b").unwrap(),
            "127.0.0.1:9100"
        );
        assert_eq!(address("ws://localhost:1").unwrap(), "localhost:1");
        for url in ["wss://127.0.0.1:1/", "127.0.0.1:1", "ws://127.0.0.1/"] {
            assert!(matches!(address(url), Err(Failure::Url(_))), "{url}");
        }
    }
}
