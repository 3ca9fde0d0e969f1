//! Messages: events, routes, error frames, concurrency.

mod support;

use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::Function;
use tokio_tungstenite::tungstenite::Message;

fn frame_of(text: &str) -> (String, Value) {
    let value: Value = serde_json::from_str(text).expect("an error frame");
    (
        value["message"].as_str().unwrap_or_default().to_owned(),
        value,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_writes_back_to_the_connection_it_was_called_for() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_event_is_as_aws_sends_it() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    client.tell("event").await;
    let event: Value = serde_json::from_str(&client.text().await).unwrap();
    let context = &event["requestContext"];
    assert_eq!(context["routeKey"], "$default");
    assert_eq!(context["stage"], "local");
    assert_eq!(context["apiId"], stage.api_id.as_str());
    assert_eq!(
        context["domainName"],
        format!("127.0.0.1:{}/{}", cloud.port, stage.api_id)
    );
    assert_eq!(context["identity"], json!({"sourceIp": "127.0.0.1"}));
    assert!(event.get("headers").is_none() && event["isBase64Encoded"] == false);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_matching_route_the_client_gets_the_forbidden_frame() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["join"]).await;
    let mut client = cloud.connect(&stage).await;
    client.send(Message::text(r#"{"action":"nobody"}"#)).await;
    let text = client.text().await;
    let (message, frame) = frame_of(&text);
    assert_eq!(message, "Forbidden");
    let (connection, request) = (&frame["connectionId"], &frame["requestId"]);
    assert_eq!(
        text,
        format!(
            r#"{{"message": "Forbidden", "connectionId":{connection}, "requestId":{request}}}"#
        )
    );
    client
        .send(Message::text(r#"{"action":"join","do":"echo still open"}"#))
        .await;
    assert_eq!(client.text().await, "still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_a_function_is_an_internal_server_error_and_the_socket_stays_open() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    for script in [
        "fail",
        "exit 3",
        "abort",
        "answer null",
        "answer {}",
        r#"answer {"x":1}"#,
        "answer rubbish",
        "big 7000000",
    ] {
        client.tell(script).await;
        assert_eq!(
            frame_of(&client.text().await).0,
            "Internal server error",
            "{script}"
        );
    }
    client.tell("echo still open").await;
    assert_eq!(client.text().await, "still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_well_formed_answer_to_a_message_is_ignored() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    client
        .tell(r#"answer {"statusCode":500,"body":"not delivered"}"#)
        .await;
    client.tell("sleep-echo 50").await;
    assert_eq!(client.text().await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_times_out_while_its_function_goes_on() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let stage = cloud.stage(&[("$default", "scripted")], &role, 300).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("sleep-echo 900").await;
    assert_eq!(
        frame_of(&client.text().await).0,
        "Endpoint request timed out"
    );
    assert_eq!(client.text().await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_socket_run_beside_each_other() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    client.tell("sleep-echo 1500").await;
    client.tell("echo quick").await;
    assert_eq!(client.text().await, "quick");
    assert_eq!(client.text().await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_invoke_is_an_internal_server_error() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let powerless = cloud.role_with_policy("powerless", nothing).await;
    let stage = cloud
        .stage(&[("$default", "scripted")], &powerless, 29_000)
        .await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo never").await;
    assert_eq!(frame_of(&client.text().await).0, "Internal server error");
    let failures = cloud.health().await["recentFailures"].to_string();
    assert!(failures.contains("powerless"), "{failures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_functions_own_policy_decides() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let path = format!("/v2/apis/{}/integrations", stage.api_id);
    let all = cloud.api("GET", &path, &json!(null)).await;
    let id = all["items"][0]["integrationId"]
        .as_str()
        .unwrap_or_default();
    let none = json!({ "credentialsArn": "" });
    cloud.api("PATCH", &format!("{path}/{id}"), &none).await;
    cloud.redeploy(&stage).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo never").await;
    assert_eq!(frame_of(&client.text().await).0, "Internal server error");
    let failures = cloud.health().await["recentFailures"].to_string();
    assert!(failures.contains("resource policy"), "{failures}");

    let source = format!(
        "arn:aws:execute-api:us-east-1:000000000000:{}/*/$default",
        stage.api_id
    );
    let permission = json!({
        "StatementId": "gateway", "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com", "SourceArn": source,
    });
    let added = cloud
        .lambda("POST", "/2015-03-31/functions/scripted/policy", &permission)
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    client.tell("echo now").await;
    assert_eq!(client.text().await, "now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_variable_completes_the_functions_arn() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.name}".to_owned();
    let variables = json!({"name": "scripted"});
    let stage = cloud
        .stage_of_arns(&[("$default", arn)], &role, 29_000, &variables)
        .await;
    let mut client = cloud.connect(&stage).await;
    client.tell("event").await;
    let event: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(event["stageVariables"], variables);
}
