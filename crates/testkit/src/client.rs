//! A WebSocket client that waits with a deadline.

use futures_util::{SinkExt, StreamExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
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

/// What a connection goes over.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// One connection.
pub struct Client {
    stream: WebSocketStream<Box<dyn Transport>>,
}

impl Client {
    /// Connects, or gives the status with which the handshake was refused.
    ///
    /// # Panics
    /// When the server can't be reached.
    pub async fn connect(url: &str) -> Result<Self, u16> {
        let tcp = reach(url, "ws://").await;
        Self::shake_hands(url, Box::new(tcp)).await
    }

    /// As [`connect`](Self::connect), by `wss://`, trusting only the authority in a file.
    ///
    /// # Panics
    /// When the server can't be reached, or isn't one the authority vouches for.
    pub async fn connect_by_tls(url: &str, authority: &Path) -> Result<Self, u16> {
        let tcp = reach(url, "wss://").await;
        let trusted = CertificateDer::from_pem_file(authority).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(trusted).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = tcp.peer_addr().expect("connected").ip();
        let tls = TlsConnector::from(Arc::new(config)).connect(ServerName::from(server), tcp);
        let tls = timeout(DEADLINE, tls).await.expect("an answer in time");
        Self::shake_hands(url, Box::new(tls.expect("a server that is trusted"))).await
    }

    /// As [`connect`](Self::connect), offering subprotocols, as the header has them.
    ///
    /// # Panics
    /// When the server can't be reached, or lets the client in without choosing one.
    pub async fn connect_offering(url: &str, subprotocols: &str) -> Result<Self, u16> {
        let tcp = reach(url, "ws://").await;
        let mut request = url.into_client_request().expect("a legal URL");
        let offered = subprotocols.parse().expect("a legal header");
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, offered);
        Self::shake_hands(request, Box::new(tcp)).await
    }

    async fn shake_hands(
        request: impl IntoClientRequest + Unpin,
        stream: Box<dyn Transport>,
    ) -> Result<Self, u16> {
        match timeout(DEADLINE, client_async(request, stream))
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

async fn reach(url: &str, scheme: &str) -> TcpStream {
    let authority = url
        .strip_prefix(scheme)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_else(|| panic!("{url} doesn't begin with {scheme}"));
    TcpStream::connect(authority)
        .await
        .expect("the server listens")
}
