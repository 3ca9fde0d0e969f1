//! What the cloud tells of what happens in it, and to whom.

mod support;

use local_cloud::client::{Traffic, traffic};
use serde_json::{Value, json};
use support::deploy::Function;
use support::http::request;
use support::{PATIENCE, TestCloud};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// The next event of a kind.
async fn next(traffic: &mut Traffic, kind: &str) -> Value {
    let found = async {
        loop {
            let event = traffic.next().await.expect("JSON").expect("it goes on");
            if event["kind"] == kind {
                return event;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("an event in time")
}

async fn listen(cloud: &TestCloud) -> (Traffic, Value) {
    let mut traffic = traffic(cloud.port).await.expect("it is told");
    let first = next(&mut traffic, "listening").await;
    (traffic, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_told_with_its_invocation_its_log_and_its_posts() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let (mut told, first) = listen(&cloud).await;
    assert_eq!(first["connectionsOpen"], 0);
    let mut client = cloud.connect(&stage).await;
    let ran = next(&mut told, "invocation").await;
    assert_eq!(ran["cold"], true);
    assert!(ran["initMs"].as_f64().is_some(), "{ran}");
    let connected = next(&mut told, "request").await;
    assert_eq!(connected["eventType"], "CONNECT");
    assert_eq!(connected["apiId"], stage.api_id.as_str());
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
    let post = next(&mut told, "management").await;
    assert_eq!(
        (&post["method"], &post["body"]),
        (&json!("POST"), &json!("hello"))
    );
    assert_eq!(post["connectionId"], connected["connectionId"]);
    let ran = next(&mut told, "invocation").await;
    assert_eq!(
        (&ran["status"], &ran["cold"]),
        (&json!("ok"), &json!(false))
    );
    assert!(ran["durationMs"].as_f64().is_some(), "{ran}");
    assert!(ran["event"].as_str().unwrap().contains("echo hello"));
    let log = next(&mut told, "log").await;
    assert!(
        log["logGroup"]
            .as_str()
            .unwrap()
            .starts_with("/aws/lambda/")
    );
    let message = next(&mut told, "request").await;
    assert_eq!(
        (&message["eventType"], &message["status"]),
        (&json!("MESSAGE"), &json!(200))
    );
    assert_eq!(message["routeKey"], "$default");
    assert_eq!(message["integration"]["requestId"], ran["requestId"]);
    assert_eq!(message["integration"]["functionName"], ran["functionName"]);
    assert!(message["body"].as_str().unwrap().contains("echo hello"));
    let numbers: Vec<_> = [&connected, &post, &ran, &log, &message]
        .map(|event| event["seq"].as_u64().unwrap())
        .into();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let (_late, now) = listen(&cloud).await;
    assert_eq!(
        now["connections"][0]["connectionId"],
        connected["connectionId"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_told_and_how_a_connection_ended() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["join"]).await;
    let (mut told, _) = listen(&cloud).await;
    let mut client = cloud.connect(&stage).await;
    next(&mut told, "request").await;
    client.send(Message::text(r#"{"action":"nobody"}"#)).await;
    let refused = next(&mut told, "request").await;
    assert_eq!(
        (&refused["status"], &refused["error"]),
        (&json!(403), &json!("Forbidden"))
    );
    assert_eq!(refused["integration"], Value::Null);
    client
        .send(Message::text(r#"{"action":"join","do":"fail"}"#))
        .await;
    let failed = next(&mut told, "request").await;
    assert_eq!(failed["status"], 500);
    assert!(
        failed["integration"]["error"]
            .as_str()
            .unwrap()
            .contains("the function failed")
    );
    drop(client);
    let gone = next(&mut told, "request").await;
    assert_eq!(
        (&gone["eventType"], &gone["closeCode"]),
        (&json!("DISCONNECT"), &json!(1006))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_variables_are_not_told() {
    let cloud = TestCloud::start().await;
    let stage = cloud
        .scripted_as(&Function::default(), &["$connect", "$default"])
        .await;
    let (mut told, _) = listen(&cloud).await;
    let path = format!("{}?do=nothing&token=hidden-1", stage.path());
    let headers = [("authorization", "Bearer hidden-2"), ("cookie", "hidden-3")];
    let client = cloud.try_connect(&path, &headers).await;
    let ran = next(&mut told, "invocation").await.to_string();
    assert!(ran.contains("queryStringParameters"), "{ran}");
    assert!(!ran.contains("hidden"), "{ran}");
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_are_not_told_anything_and_the_end_ends_it() {
    let cloud = TestCloud::start().await;
    for headers in [
        [("origin", "https://site")],
        [("host", "rebound.example")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = request(cloud.port, "GET", "/_local/traffic", &headers, b"").await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    let (mut told, _) = listen(&cloud).await;
    cloud.running.stop().await;
    let end = async { while told.next().await.expect("JSON").is_some() {} };
    timeout(PATIENCE, end).await.expect("it ends");
}
