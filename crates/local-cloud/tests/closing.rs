//! How connections end: what the client receives, and what `$disconnect` hears.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::deploy::{Function, Stage};
use support::socket::Client;
use support::{TestCloud, http};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

async fn watched(cloud: &TestCloud) -> (Stage, Client) {
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let watcher = Function {
        name: "watcher",
        environment: &[("SCRIPT", "print-event")],
        ..Function::default()
    };
    cloud.function(&watcher, &role).await;
    let routes = [("$default", "scripted"), ("$disconnect", "watcher")];
    let stage = cloud.stage(&routes, &role, 29_000).await;
    let client = cloud.connect(&stage).await;
    (stage, client)
}

/// Code and reason that `$disconnect` was told.
async fn told(cloud: &TestCloud) -> (u64, String) {
    let event: Value = cloud
        .until("$disconnect", async |cloud| {
            let lines = cloud.log_lines("watcher").await;
            let line = lines.into_iter().find(|line| line.starts_with('{'))?;
            serde_json::from_str(&line).ok()
        })
        .await;
    assert_eq!(event["headers"]["x-restapi"], "");
    let context = &event["requestContext"];
    let reason = context["disconnectReason"]
        .as_str()
        .expect("a reason")
        .to_owned();
    let code = context["disconnectStatusCode"].as_u64();
    (code.expect("a code"), reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_with_a_status_is_reported_with_it() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    let frame = CloseFrame {
        code: 4001.into(),
        reason: "bye".into(),
    };
    client.send(Message::Close(Some(frame))).await;
    assert_eq!(client.closed().await, (4001, "bye".to_owned()));
    assert_eq!(told(&cloud).await, (4001, "bye".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_without_a_status_is_reported_with_1005() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    client.send(Message::Close(None)).await;
    assert_eq!(
        told(&cloud).await,
        (1005, "Client-side close frame status not set".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_is_reported_with_1006() {
    let cloud = TestCloud::start().await;
    let (_stage, client) = watched(&cloud).await;
    drop(client);
    assert_eq!(told(&cloud).await.0, 1006);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_beyond_32_kb_closes_with_1009_and_the_client_sees_it() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    client.send(Message::text("x".repeat(32 * 1024 + 1))).await;
    assert_eq!(client.closed().await.0, 1009);
    assert_eq!(told(&cloud).await.0, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_in_one_frame_still_lets_the_client_see_the_close() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    client.send(Message::text("x".repeat(1024 * 1024))).await;
    assert_eq!(client.closed().await.0, 1009);
}

fn fragments(total: usize) -> Vec<Message> {
    let count = total.div_ceil(32 * 1024);
    (0..count)
        .map(|index| {
            let size = (total - index * 32 * 1024).min(32 * 1024);
            let kind = if index == 0 {
                Data::Text
            } else {
                Data::Continue
            };
            let last = index + 1 == count;
            Message::Frame(Frame::message(vec![b'x'; size], OpCode::Data(kind), last))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fragmented_message_may_have_128_kb_and_not_a_byte_more() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    for frame in fragments(128 * 1024) {
        client.send(frame).await;
    }
    client.tell("echo still open").await;
    assert_eq!(client.text().await, "still open");
    for frame in fragments(128 * 1024 + 1) {
        client.send(frame).await;
    }
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_message_closes_with_1003() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    client.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.closed().await.0, 1003);
    assert_eq!(told(&cloud).await.0, 1003);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf8_closes_with_1007() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.send(Message::Frame(frame)).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_told_to_go_away() {
    let idle = Duration::from_millis(300);
    let cloud = TestCloud::start_with(|config| config.limits.idle_timeout = idle).await;
    let (_stage, mut client) = watched(&cloud).await;
    assert_eq!(client.closed().await, (1001, "Going away".to_owned()));
    assert_eq!(told(&cloud).await, (1001, "Going away".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_keep_a_connection_alive_until_its_lifetime_ends() {
    let cloud = TestCloud::start_with(|config| {
        config.limits.idle_timeout = Duration::from_millis(600);
        config.limits.connection_lifetime = Duration::from_millis(1500);
    })
    .await;
    let started = std::time::Instant::now();
    let (_stage, mut client) = watched(&cloud).await;
    let closed = loop {
        tokio::select! {
            closed = client.closed() => break closed,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        client.tell("nothing").await;
    };
    assert_eq!(closed, (1001, "Going away".to_owned()));
    assert!(started.elapsed() >= Duration::from_millis(1500));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_api_closes_its_connections() {
    let cloud = TestCloud::start().await;
    let (stage, mut client) = watched(&cloud).await;
    cloud
        .api(
            "DELETE",
            &format!("/v2/apis/{}", stage.api_id),
            &Value::Null,
        )
        .await;
    assert_eq!(client.closed().await.0, 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    client.send(Message::Ping("are you there".into())).await;
    assert_eq!(client.next().await, Message::Pong("are you there".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_cloud_says_goodbye_and_lets_disconnect_run() {
    let cloud = TestCloud::start().await;
    let (_stage, mut client) = watched(&cloud).await;
    let mark = [("x-local-cloud", "1")];
    let answer = http::request(cloud.port, "POST", "/_local/shutdown", &mark, b"").await;
    assert_eq!(answer.status, 202);
    assert_eq!(client.closed().await, (1001, "Going away".to_owned()));
    tokio::time::timeout(support::PATIENCE, cloud.running.wait())
        .await
        .expect("stopped");
}
