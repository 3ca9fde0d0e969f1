//! Against a server of one canned answer, over plain HTTP.

use super::LambdaRelay;
use crate::environment::Environment;
use crate::limits::{FAN_OUT_MEMBERS, MSG_CHARS};
use crate::split::{Chunk, Relay};
use crate::store::Member;
use crate::{Envelope, Format, Person, Said};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The largest that there is.
fn chunk() -> Chunk {
    let member = |n: usize| Member {
        id: format!("{n:016}"),
        name: None,
        format: Format::Json,
        joined: "0".repeat(14 + 1 + 36),
    };
    let message = Envelope::Message {
        room: "\u{1}".repeat(64),
        said: Said {
            seq: u64::MAX,
            id: Some("\u{1}".repeat(64)),
            from: Person {
                connection: "PJqB0fHsqRcCHlw=".into(),
                name: None,
            },
            text: "\u{1}".repeat(MSG_CHARS),
            at: i64::MAX,
        },
    };
    Chunk {
        chunk: "request-1".into(),
        domain_name: "abcd123456.execute-api.us-east-1.amazonaws.com".into(),
        stage: "production".into(),
        room: "\u{1}".repeat(64),
        plain: message.text(Format::Plain).unwrap(),
        json: message.text(Format::Json).unwrap(),
        members: (0..FAN_OUT_MEMBERS).map(|n| (&member(n)).into()).collect(),
    }
}

#[test]
fn the_largest_part_fits_an_asynchronous_invocation() {
    const MOST: usize = 256 * 1024;
    let bytes = serde_json::to_vec(&chunk()).unwrap().len();
    assert!(bytes < MOST, "{bytes}");
}

#[tokio::test]
async fn a_part_goes_to_this_version_of_the_function_as_an_event() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let relay = LambdaRelay::new(&Environment::from_variables(|name| {
        Some(match name {
            "AWS_ENDPOINT_URL_LAMBDA" => url.clone(),
            "AWS_LAMBDA_FUNCTION_NAME" => "chat-room".to_owned(),
            "AWS_LAMBDA_FUNCTION_VERSION" => "7".to_owned(),
            "AWS_REGION" => "eu-central-1".to_owned(),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "x".to_owned(),
            _ => return None,
        })
    }))
    .unwrap();
    let served = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let body = loop {
            socket.read_buf(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && let Ok(chunk) = serde_json::from_str::<Chunk>(body)
            {
                break (head.to_owned(), chunk);
            }
        };
        let accepted = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(accepted).await.unwrap();
        body
    };
    let sent = chunk();
    let (relayed, (head, got)) = tokio::join!(relay.relay(&sent), served);
    assert_eq!(relayed, Ok(()));
    assert_eq!(got, sent);
    assert!(
        head.starts_with("POST /2015-03-31/functions/chat-room/invocations?Qualifier=7 "),
        "{head}"
    );
    assert!(head.contains("x-amz-invocation-type: Event"), "{head}");
}
