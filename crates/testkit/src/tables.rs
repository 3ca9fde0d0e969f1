//! The double of DynamoDB as a server that a local cloud passes calls on to.

use bytes::Bytes;
use dynamodb_double::Tables;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that ends when this is dropped.
#[derive(Debug)]
pub struct TableServer {
    tables: Arc<Mutex<Tables>>,
    port: u16,
    accepting: JoinHandle<()>,
}

impl TableServer {
    /// Without tables. `place`: region and account id, e.g. `us-east-1:000000000000`.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub async fn start(place: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let tables = Arc::new(Mutex::new(Tables::new(place)));
        let served = Arc::clone(&tables);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let tables = Arc::clone(&served);
                let service = service_fn(move |request| answer(request, Arc::clone(&tables)));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self {
            tables,
            port,
            accepting,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The tables that stay.
    pub fn names(&self) -> Vec<String> {
        self.tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .names()
    }
}

impl Drop for TableServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    tables: Arc<Mutex<Tables>>,
) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, body.collect().await?.to_bytes());
    let answer = tables
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .handle(&request);
    Ok(answer.map(Full::new))
}
