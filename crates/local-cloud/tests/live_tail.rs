//! StartLiveTail over the wire: a stream of events in AWS's framing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod support;

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use serde_json::{Value, json};
use support::http::{signature, user};
use support::{PATIENCE, TestCloud};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/scripted";

/// A session that somebody reads.
struct Session {
    stream: TcpStream,
    bytes: BytesMut,
    decoder: MessageFrameDecoder,
}

impl Session {
    /// By HTTP/1.0, so that the body is the stream itself.
    async fn start(cloud: &TestCloud) -> (String, Self) {
        let body = json!({ "logGroupIdentifiers": [ARN] }).to_string();
        let host = format!("127.0.0.1:{}", cloud.port);
        let mut head = format!("POST / HTTP/1.0\r\nhost: {host}\r\n");
        let signed = signature(user(), "logs", "POST", &host, "/", body.as_bytes());
        for (name, value) in signed {
            head += &format!("{name}: {value}\r\n");
        }
        head += "x-amz-target: Logs_20140328.StartLiveTail\r\n";
        head += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = BytesMut::new();
        let end = loop {
            if let Some(at) = answer.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await;
            assert_ne!(read.expect("an answer in time").unwrap(), 0);
        };
        let head = answer.split_to(end);
        let session = Self {
            stream,
            bytes: answer,
            decoder: MessageFrameDecoder::new(),
        };
        (String::from_utf8_lossy(&head).into_owned(), session)
    }

    /// The next event's kind and what it says; `None`: the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let DecodedFrame::Complete(message) =
                self.decoder.decode_frame(&mut self.bytes).unwrap()
            {
                assert_eq!(header(&message, ":message-type"), "event");
                let text = serde_json::from_slice(message.payload()).unwrap();
                return Some((header(&message, ":event-type"), text));
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.bytes)).await;
            if read.expect("the next event in time").unwrap() == 0 {
                return None;
            }
        }
    }

    /// The next update that shows something.
    async fn next_results(&mut self) -> Value {
        loop {
            let (kind, update) = self.next().await.unwrap();
            assert_eq!(kind, "sessionUpdate");
            if update["sessionResults"] != json!([]) {
                return update["sessionResults"].clone();
            }
        }
    }
}

fn header(message: &Message, name: &str) -> String {
    let mut headers = message.headers().iter();
    let header = headers.find(|header| header.name().as_str() == name);
    let value = header.unwrap().value().as_string().unwrap();
    value.as_str().to_owned()
}

async fn cloud() -> TestCloud {
    let cloud = TestCloud::start().await;
    let group = json!({ "logGroupName": "/aws/lambda/scripted" });
    cloud.logs("CreateLogGroup", &group).await;
    let stream = json!({ "logGroupName": "/aws/lambda/scripted", "logStreamName": "s" });
    cloud.logs("CreateLogStream", &stream).await;
    cloud
}

async fn write(cloud: &TestCloud, message: &str) {
    let now = jiff::Timestamp::now().as_millisecond();
    let input = json!({
        "logGroupName": "/aws/lambda/scripted", "logStreamName": "s",
        "logEvents": [{ "timestamp": now, "message": message }],
    });
    cloud.logs("PutLogEvents", &input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_goes_on_as_events_arrive_and_ends_with_its_cloud() {
    let cloud = cloud().await;
    write(&cloud, "before").await;
    let (head, mut session) = Session::start(&cloud).await;
    assert!(head.contains("content-type: application/vnd.amazon.eventstream"));
    let (kind, _) = session.next().await.unwrap();
    assert_eq!(kind, "initial-response");
    let (kind, start) = session.next().await.unwrap();
    assert_eq!(kind, "sessionStart");
    assert_eq!(start["logGroupIdentifiers"], json!([ARN]));
    for message in ["one", "two"] {
        write(&cloud, message).await;
        let results = session.next_results().await;
        assert_eq!(results[0]["message"], message);
        assert_eq!(results.as_array().map(Vec::len), Some(1));
    }
    let stopping = tokio::spawn(cloud.running.stop());
    while session.next().await.is_some() {}
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_sessions_at_once_are_served_and_one_that_ends_makes_room() {
    let cloud = cloud().await;
    let mut sessions = Vec::new();
    for _ in 0..15 {
        let (head, session) = Session::start(&cloud).await;
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        sessions.push(session);
    }
    let (head, _) = Session::start(&cloud).await;
    assert!(head.starts_with("HTTP/1.0 400"), "{head}");
    assert!(head.contains("LimitExceededException"), "{head}");
    sessions.pop();
    let again = async |cloud: &TestCloud| {
        let (head, _) = Session::start(cloud).await;
        head.starts_with("HTTP/1.0 200").then_some(())
    };
    cloud.until("there is room", again).await;
}
