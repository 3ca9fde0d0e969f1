//! Clients by TLS: they trust one authority and nobody else.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::deploy::Stage;
use super::http::{self, Answer};
use super::socket::Client;
use super::{PATIENCE, TestCloud};

/// A TLS connection to `name`, which this machine's port stands for.
pub async fn open(
    port: u16,
    authority: &Path,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    timeout(PATIENCE, shaking)
        .await
        .expect("a handshake in time")
}

impl TestCloud {
    /// As [`TestCloud::connect`], by `wss://`.
    pub async fn connect_by_tls(&self, stage: &Stage) -> Client<TlsStream<TcpStream>> {
        let authority = self.running.authority();
        let stream = open(self.port, authority, "127.0.0.1").await.unwrap();
        let url = format!("wss://127.0.0.1:{}{}", self.port, stage.path());
        let request = url.into_client_request().unwrap();
        let (socket, response) = timeout(PATIENCE, client_async(request, stream))
            .await
            .expect("an answer in time")
            .unwrap();
        Client { socket, response }
    }

    /// A request by `https://`.
    pub async fn request_by_tls(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let authority = self.running.authority();
        let stream = open(self.port, authority, "127.0.0.1").await.unwrap();
        http::request_on(stream, self.port, method, path, headers, body).await
    }
}
