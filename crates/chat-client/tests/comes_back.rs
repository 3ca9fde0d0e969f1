//! A link over real sockets: opened, cut, refused, silent, hung up.

use std::time::Duration;

use chat_client::tungstenite::client::IntoClientRequest as _;
use chat_client::tungstenite::{Bytes, Message};
use chat_client::{Happening, Link, LinkOptions, NotOpen, OpenError};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const PATIENCE: Duration = Duration::from_secs(20);

async fn begun(options: LinkOptions) -> (TcpListener, Link) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/local", listener.local_addr().expect("bound"));
    let ask = Box::new(move || {
        let request = url.as_str().into_client_request();
        let request = request.map_err(|error| error.to_string());
        Box::pin(async move { request }) as _
    });
    let options = LinkOptions {
        first_wait: Duration::from_millis(1),
        ..options
    };
    (listener, Link::new(ask, options))
}

async fn next(link: &mut Link) -> Happening {
    timeout(PATIENCE, link.next()).await.expect("something")
}

#[tokio::test]
async fn a_link_that_is_closed_says_how_and_opens_again() {
    let (listener, mut link) = begun(LinkOptions::default()).await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut socket = accept_async(stream).await.expect("a handshake");
        let heard = socket.next().await.expect("a message").expect("legal");
        socket.send(heard).await.expect("it listens");
        let frame = CloseFrame {
            code: 1001.into(),
            reason: "Going away".into(),
        };
        socket.close(Some(frame)).await.expect("it listens");
        // Our half is answered by the other side's.
        let answer = socket.next().await;
        assert!(matches!(answer, Some(Ok(Message::Close(_)))), "{answer:?}");
        drop(socket);
        let (stream, _) = listener.accept().await.expect("the client again");
        accept_async(stream).await.expect("a handshake")
    });
    assert!(matches!(
        link.send(Message::text("early")).await,
        Err(NotOpen)
    ));
    assert!(matches!(next(&mut link).await, Happening::Opened { .. }));
    link.send(Message::text("hi")).await.expect("it is open");
    let heard = next(&mut link).await;
    assert!(matches!(heard, Happening::Heard(Message::Text(text)) if text == "hi"));
    let lost = next(&mut link).await;
    let said =
        matches!(&lost, Happening::Lost { code: Some(1001), reason, .. } if reason == "Going away");
    assert!(said, "{lost:?}");
    assert!(matches!(next(&mut link).await, Happening::Opened { .. }));
    server.await.expect("the server's part holds");
}

#[tokio::test]
async fn a_refusal_tells_its_status_and_its_words() {
    let (listener, mut link) = begun(LinkOptions::default()).await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 1024];
            let _read = stream.read(&mut request).await.expect("a request");
            let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nno key\n";
            stream
                .write_all(answer.as_bytes())
                .await
                .expect("it listens");
        }
    });
    for _ in 0..2 {
        let Happening::Failed { error, .. } = next(&mut link).await else {
            panic!("it was let in");
        };
        let body = "no key".to_owned();
        assert_eq!(error, OpenError::Refused { status: 401, body });
    }
}

#[tokio::test]
async fn a_connection_that_answers_no_ping_is_taken_for_cut() {
    let options = LinkOptions {
        ping_every: Some(Duration::from_millis(50)),
        ..LinkOptions::default()
    };
    let (listener, mut link) = begun(options).await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        // It never reads, so no PING is answered.
        let silent = accept_async(stream).await.expect("a handshake");
        let (stream, _) = listener.accept().await.expect("the client again");
        let mut answering = accept_async(stream).await.expect("a handshake");
        drop(silent);
        while let Some(Ok(_)) = answering.next().await {}
    });
    assert!(matches!(next(&mut link).await, Happening::Opened { .. }));
    let lost = next(&mut link).await;
    let said = matches!(&lost, Happening::Lost { reason, .. } if reason == "no answer to PING");
    assert!(said, "{lost:?}");
    assert!(matches!(next(&mut link).await, Happening::Opened { .. }));
    for _ in 0..3 {
        let pong = next(&mut link).await;
        assert!(
            matches!(&pong, Happening::Heard(Message::Pong(_))),
            "{pong:?}"
        );
    }
    link.send(Message::Ping(Bytes::from_static(b"x")))
        .await
        .expect("it is open");
    link.hang_up(None);
    assert!(matches!(
        next(&mut link).await,
        Happening::Lost { code: None, .. }
    ));
    server.abort();
}
