//! A WebSocket client whose every wait has a deadline.

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderName;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::deploy::Stage;
use super::{PATIENCE, TestCloud};

pub struct Client<S = TcpStream> {
    pub socket: WebSocketStream<S>,
    pub response: Response,
}

impl TestCloud {
    pub async fn connect(&self, stage: &Stage) -> Client {
        match self.try_connect(&stage.path(), &[]).await {
            Ok(client) => client,
            Err(error) => panic!("{error}; {}", self.health().await),
        }
    }

    pub async fn try_connect(&self, path: &str, headers: &[(&str, &str)]) -> Result<Client, Error> {
        let url = format!("ws://127.0.0.1:{}{path}", self.port);
        let mut request: Request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let (socket, response) = timeout(PATIENCE, client_async(request, stream))
            .await
            .expect("an answer in time")?;
        Ok(Client { socket, response })
    }

    /// The status that a handshake is refused with.
    pub async fn refusal(&self, path: &str) -> u16 {
        match self.try_connect(path, &[]).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
            Ok(_) => 101,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends a message that tells the scripted function what to do.
    pub async fn tell(&mut self, script: &str) {
        self.send(Message::text(
            json!({"action": "x", "do": script}).to_string(),
        ))
        .await;
    }

    pub async fn send(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message))
            .await
            .expect("sent in time")
            .unwrap();
    }

    pub async fn next(&mut self) -> Message {
        let next = timeout(PATIENCE, self.socket.next())
            .await
            .expect("a frame in time");
        next.expect("not the end").expect("no error")
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        loop {
            match self.next().await {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text: {other:?}"),
            }
        }
    }

    /// The code and reason the gateway closes with; text before it is dropped.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Message::Close(Some(frame)) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Message::Close(None) => return (1005, String::new()),
                _ => {}
            }
        }
    }

    /// Asks the function for the id of this connection.
    pub async fn connection_id(&mut self) -> String {
        self.tell("event").await;
        let event: serde_json::Value = serde_json::from_str(&self.text().await).unwrap();
        event["requestContext"]["connectionId"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
