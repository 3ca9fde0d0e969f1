//! What functions and the gateway do is counted, and CloudWatch tells it.

mod support;

use serde_json::json;
use support::TestCloud;
use support::deploy::{Function, Stage};
use support::metrics::sum;
use tokio_tungstenite::tungstenite::Message;

async fn of_gateway(cloud: &TestCloud, stage: &Stage, name: &str) -> f64 {
    let dimensions = [("ApiId", stage.api_id.as_str()), ("Stage", "local")];
    sum(cloud, "AWS/ApiGateway", name, &dimensions).await
}

/// Waits until a metric of the API stage comes to that.
async fn until_counted(cloud: &TestCloud, stage: &Stage, name: &str, count: f64) {
    let what = format!("{count} of {name}");
    cloud
        .until(&what, async |cloud| {
            let found = of_gateway(cloud, stage, name).await;
            assert!(found <= count, "{found} of {name} instead of {count}");
            (found == count).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_events_and_their_failures_are_counted() {
    let cloud = TestCloud::start().await;
    let keys = ["$connect", "$default"];
    let stage = cloud.scripted_as(&Function::default(), &keys).await;
    let mut client = cloud.connect(&stage).await;
    // One message there, and a post back.
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
    client.tell("throw").await;
    assert!(client.text().await.contains("Internal server error"));
    until_counted(&cloud, &stage, "ConnectCount", 1.0).await;
    until_counted(&cloud, &stage, "MessageCount", 3.0).await;
    until_counted(&cloud, &stage, "IntegrationError", 1.0).await;
    assert_eq!(of_gateway(&cloud, &stage, "ExecutionError").await, 0.0);
    for dimensions in [
        [("FunctionName", "scripted")].as_slice(),
        &[
            ("FunctionName", "scripted"),
            ("Resource", "scripted:$LATEST"),
        ],
    ] {
        let sum = async |name| sum(&cloud, "AWS/Lambda", name, dimensions).await;
        assert_eq!(sum("Invocations").await, 3.0, "{dimensions:?}");
        assert_eq!(sum("Errors").await, 1.0, "{dimensions:?}");
        assert_eq!(sum("Throttles").await, 0.0, "{dimensions:?}");
        assert!(sum("Duration").await > 0.0, "{dimensions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_function_is_asked_about_is_a_clients_error() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["join"]).await;
    let mut client = cloud.connect(&stage).await;
    client.send(Message::text(r#"{"action":"nobody"}"#)).await;
    assert!(client.text().await.contains("Forbidden"));
    until_counted(&cloud, &stage, "ClientError", 1.0).await;
    // Nobody was asked at the handshake either.
    assert_eq!(of_gateway(&cloud, &stage, "ConnectCount").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_function_isnt_given_is_throttled_and_no_invocation() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let path = "/2017-10-31/functions/scripted/concurrency";
    let none = json!({ "ReservedConcurrentExecutions": 0 });
    assert_eq!(cloud.lambda("PUT", path, &none).await.status, 200);
    let mut client = cloud.connect(&stage).await;
    client.tell("echo hello").await;
    assert!(client.text().await.contains("Internal server error"));
    until_counted(&cloud, &stage, "ExecutionError", 1.0).await;
    let dimensions = [("FunctionName", "scripted")];
    let of = async |name| sum(&cloud, "AWS/Lambda", name, &dimensions).await;
    assert_eq!((of("Throttles").await, of("Invocations").await), (1.0, 0.0));
}
