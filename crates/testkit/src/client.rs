//! A WebSocket client that waits with a deadline.

use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// For one frame. Generous: it only passes when a test fails.
const DEADLINE: Duration = Duration::from_secs(20);

/// What the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// The connection ended with this code.
    Closed(u16),
}

/// One connection.
pub struct Client {
    stream: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects, or gives the status with which the handshake was refused.
    ///
    /// # Panics
    /// When the server can't be reached.
    pub async fn connect(url: &str) -> Result<Self, u16> {
        let authority = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .expect("a ws:// URL");
        let tcp = TcpStream::connect(authority)
            .await
            .expect("the server listens");
        match timeout(DEADLINE, client_async(url, tcp))
            .await
            .expect("an answer in time")
        {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Sends a text message.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("the connection is open");
    }

    /// Sends a binary message.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.stream
            .send(Message::binary(bytes.to_vec()))
            .await
            .expect("the connection is open");
    }

    /// The next text message or the end.
    ///
    /// # Panics
    /// When nothing comes in time.
    pub async fn receive(&mut self) -> Received {
        loop {
            let next = timeout(DEADLINE, self.stream.next())
                .await
                .expect("something in time");
            match next {
                Some(Ok(Message::Text(text))) => return Received::Text(text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(CloseCode::Status, |frame| frame.code);
                    return Received::Closed(code.into());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Received::Closed(CloseCode::Abnormal.into()),
            }
        }
    }

    /// The next message, which must be text.
    ///
    /// # Panics
    /// When the connection ends instead.
    pub async fn text(&mut self) -> String {
        match self.receive().await {
            Received::Text(text) => text,
            Received::Closed(code) => panic!("closed with {code} instead of a text"),
        }
    }
}
