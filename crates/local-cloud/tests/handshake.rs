//! The handshake: `$connect` decides, and its decision reaches the client.

mod support;

use serde_json::Value;
use support::deploy::Function;
use support::{TestCloud, http};

fn function_that(script: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![("SCRIPT", script)]
}

async fn refusal_of(script: &'static str) -> u16 {
    let cloud = TestCloud::start().await;
    let environment = function_that(script);
    let function = Function {
        environment: &environment,
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$connect"]).await;
    cloud.refusal(&stage.path()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_connect_reaches_the_client_as_it_is() {
    assert_eq!(refusal_of(r#"answer {"statusCode":401}"#).await, 401);
    assert_eq!(refusal_of(r#"answer {"statusCode":302}"#).await, 302);
    assert_eq!(refusal_of(r#"answer {"statusCode":501}"#).await, 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_connect_is_a_bad_gateway() {
    assert_eq!(refusal_of("fail").await, 502);
    assert_eq!(refusal_of("exit 1").await, 502);
    assert_eq!(refusal_of("answer {}").await, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_that_takes_too_long_is_a_gateway_timeout() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud
        .function(
            &Function {
                environment: &[("SCRIPT", "sleep 2000")],
                ..Function::default()
            },
            &role,
        )
        .await;
    let stage = cloud.stage(&[("$connect", "scripted")], &role, 200).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 504);
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_that_may_not_be_called_is_an_internal_error() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    let stage = cloud.stage(&[("$connect", "nobody")], &role, 1000).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connect_route_the_connection_is_accepted_at_once() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_decides_and_a_slash_or_a_query_does_not_matter() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let path = stage.path();
    assert_eq!(cloud.refusal(&format!("{path}/")).await, 101);
    assert_eq!(cloud.refusal(&format!("{path}?room=a")).await, 101);
    assert_eq!(cloud.refusal(&format!("{path}/more")).await, 403);
    assert_eq!(cloud.refusal("/zzzzzzzzzz/local").await, 403);
    assert_eq!(
        cloud.refusal(&format!("/{}/other", stage.api_id)).await,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apis_own_host_is_as_good_as_its_path() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let host = format!("{}.execute-api.us-east-1.amazonaws.com", stage.api_id);
    let mut client = cloud
        .try_connect("/local", &[("host", &host)])
        .await
        .unwrap();
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_is_told_to_upgrade() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let answer = http::request(cloud.port, "GET", &stage.path(), &[], b"").await;
    assert_eq!(answer.status, 426);
    let unknown = http::request(cloud.port, "GET", "/zzzzzzzzzz/local", &[], b"").await;
    assert_eq!(
        (unknown.status, &unknown.json()["message"]),
        (403, &Value::from("Forbidden"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_subprotocol_that_connect_chose_is_in_the_answer() {
    let offer = [("sec-websocket-protocol", "chat.v1, chat.v2")];
    let cloud = TestCloud::start().await;
    let chosen = r#"answer {"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.v2"}}"#;
    let environment = function_that(chosen);
    let function = Function {
        environment: &environment,
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$connect"]).await;
    let client = cloud.try_connect(&stage.path(), &offer).await.unwrap();
    assert_eq!(
        client.response.headers()["sec-websocket-protocol"],
        "chat.v2"
    );

    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let error = cloud
        .try_connect(&stage.path(), &offer)
        .await
        .err()
        .expect("no subprotocol");
    assert!(
        error.to_string().to_lowercase().contains("subprotocol"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_sees_the_clients_headers_and_query() {
    let cloud = TestCloud::start().await;
    let function = Function {
        environment: &[("SCRIPT", "print-event")],
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$connect"]).await;
    let path = format!("{}?room=a&room=b", stage.path());
    let _client = cloud
        .try_connect(&path, &[("x-who", "ada"), ("origin", "https://site")])
        .await
        .unwrap();
    let lines = cloud.log_lines("scripted").await;
    let line = lines
        .iter()
        .find(|line| line.starts_with('{'))
        .expect("the event");
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!(event["queryStringParameters"]["room"], "b");
    assert_eq!(
        event["multiValueQueryStringParameters"]["room"],
        serde_json::json!(["a", "b"])
    );
    assert_eq!(event["headers"]["X-Who"], "ada");
    assert_eq!(event["headers"]["Origin"], "https://site");
    assert_eq!(event["headers"]["X-Forwarded-For"], "127.0.0.1");
    assert!(
        event["headers"]["X-Amzn-Trace-Id"]
            .as_str()
            .unwrap()
            .starts_with("Root=1-")
    );
    assert!(event["headers"].get("Upgrade").is_none() && event.get("body").is_none());
    assert_eq!(event["requestContext"]["eventType"], "CONNECT");
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_beyond_the_bound_are_refused() {
    let cloud = TestCloud::start_with(|config| config.limits.websockets = 1).await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let _client = cloud.connect(&stage).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 429);
}
