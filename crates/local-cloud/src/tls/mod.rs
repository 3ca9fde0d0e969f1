//! TLS on the one port: `https://` and `wss://` beside `http://` and `ws://`.
//!
//! A connection's first byte tells which it is: a TLS handshake begins with 0x16,
//! an HTTP request with a letter. What is served is the same either way.
//!
//! Certificates come from an authority of this machine's own ([`authority`]), which
//! clients must be told to trust; functions are told by their environment
//! ([`bundle`]).
//!
//! Deliberately absent: HTTP/2 (API Gateway's WebSocket APIs speak HTTP/1.1),
//! certificates of clients, custom domains.

pub(crate) mod authority;
pub(crate) mod bundle;
mod leaf;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream;

use self::authority::Authority;
use self::leaf::Leaves;
use crate::clock::Clock;
use crate::limits::HEADER_WAIT;

/// The first byte of a TLS record that begins a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
const HTTP_1_1: &[u8] = b"http/1.1";

/// Files by which clients get to trust this cloud.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    /// The authority's certificate alone.
    pub(crate) authority: PathBuf,
    /// It and the system's roots.
    pub(crate) bundle: PathBuf,
}

/// A connection that was found to be either.
pub(crate) enum Opened {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// What answers handshakes.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Certificates are the authority's.
    ///
    /// # Errors
    /// When none can be made.
    pub(crate) fn new(authority: Authority, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let leaves = Leaves::new(authority, clock)?;
        // Named, for there is no provider of the whole process.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(leaves));
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Finds out what a client speaks, and shakes hands with those who speak TLS.
    ///
    /// # Errors
    /// When the client goes, takes longer than [`HEADER_WAIT`], or begins a handshake
    /// that isn't one.
    pub(crate) async fn open(&self, stream: TcpStream) -> io::Result<Opened> {
        let opening = async {
            let mut first = [0];
            // Looked at only: whoever reads the stream next gets the byte.
            stream.peek(&mut first).await?;
            if first != [HANDSHAKE] {
                return Ok(Opened::Plain(stream));
            }
            let stream = self.acceptor.accept(stream).await?;
            Ok(Opened::Encrypted(Box::new(stream)))
        };
        timeout(HEADER_WAIT, opening).await?
    }
}
