//! What the client's ceiling is measured against: servers that do nothing but what
//! can't be left out.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::Ran;
use crate::figures;

/// Sends every text back, until the process is ended.
pub(crate) async fn echo_server() -> Ran {
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Whoever goes, goes.
            let _gone = echo(stream).await;
        });
    }
}

async fn echo(stream: TcpStream) -> Ran {
    stream.set_nodelay(true)?;
    let mut stream = tokio_tungstenite::accept_async(stream).await?;
    while let Some(message) = stream.next().await {
        let message = message?;
        if message.is_text() {
            stream.send(message).await?;
        }
    }
    Ok(())
}

/// Answers 200 to every request, until the process is ended.
pub(crate) async fn http_sink() -> Ran {
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let connection = http1::Builder::new();
            let connection = connection.serve_connection(TokioIo::new(stream), service_fn(take));
            let _gone = connection.await;
        });
    }
}

async fn take(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let _cut_short = request.into_body().collect().await;
    Ok(Response::default())
}

async fn listen() -> Result<TcpListener, crate::Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    figures::print(&json!({ "port": listener.local_addr()?.port() }))?;
    Ok(listener)
}
