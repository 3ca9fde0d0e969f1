//! Lambda authorizers: who may connect, and what later events tell of them.

mod support;

use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::{Function, Stage, function_arn};

const ALLOW: &str = r#"answer {"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]},"context":{"tier":"gold","age":7}}"#;
const DENY: &str = r#"answer {"principalId":"ann","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"*"}]}}"#;

/// The scripted function behind `$default`, and `gate` as the authorizer of `$connect`,
/// which does what `script` says, or, when that is empty, the client's query.
async fn guarded(cloud: &TestCloud, script: &str, sources: &[&str]) -> Stage {
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let environment = [("SCRIPT", script)];
    let gate = Function {
        name: "gate",
        environment: &environment,
        ..Function::default()
    };
    cloud.function(&gate, &role).await;
    let routes = [("$connect", "scripted"), ("$default", "scripted")];
    let stage = cloud.stage(&routes, &role, 29_000).await;
    let api = format!("/v2/apis/{}", stage.api_id);
    let arn = function_arn("gate");
    let authorizer = json!({
        "name": "gate", "authorizerType": "REQUEST", "identitySource": sources,
        "authorizerUri": format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"),
        "authorizerCredentialsArn": role,
    });
    let made = cloud
        .api("POST", &format!("{api}/authorizers"), &authorizer)
        .await;
    let route = cloud.route_path(&stage, "$connect").await;
    let custom = json!({ "authorizationType": "CUSTOM", "authorizerId": made["authorizerId"] });
    cloud.api("PATCH", &route, &custom).await;
    cloud.redeploy(&stage).await;
    stage
}

fn with_query(stage: &Stage, script: &str) -> String {
    let script = percent_encoding::utf8_percent_encode(script, percent_encoding::NON_ALPHANUMERIC);
    format!("{}?do={script}", stage.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_policy_allows_gets_in_and_every_event_tells_who_it_is() {
    let cloud = TestCloud::start().await;
    let stage = guarded(&cloud, ALLOW, &[]).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("event").await;
    let event: Value = serde_json::from_str(&client.text().await).unwrap();
    let authorizer = &event["requestContext"]["authorizer"];
    let expected = json!({ "principalId": "ann", "tier": "gold", "age": "7" });
    assert_eq!(*authorizer, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_it_denies_or_whose_authorizer_fails_is_refused_with_the_status_of_that() {
    let cloud = TestCloud::start().await;
    let stage = guarded(&cloud, "", &[]).await;
    let refusal = async |script: &str| cloud.refusal(&with_query(&stage, script)).await;
    assert_eq!(refusal(DENY).await, 403);
    assert_eq!(refusal("throw Unauthorized").await, 401);
    assert_eq!(refusal("throw something else").await, 500);
    assert_eq!(refusal(r#"answer {"isAuthorized":true}"#).await, 500);
    let failures = cloud.health().await["recentFailures"].to_string();
    for reason in [
        "the authorizer's policy does not allow execute-api:Invoke on arn:aws:execute-api:us-east-1:",
        "the authorizer failed: ",
        "the authorizer's answer can't be used: principalId is missing or no text",
    ] {
        assert!(failures.contains(reason), "{reason}: {failures}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_identity_source_the_authorizer_is_not_asked() {
    let cloud = TestCloud::start().await;
    let sources = [
        "route.request.header.X-Token",
        "route.request.querystring.realm",
    ];
    let stage = guarded(&cloud, ALLOW, &sources).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 401);
    let path = format!("{}?realm=r", stage.path());
    assert_eq!(cloud.refusal(&path).await, 401);
    assert!(cloud.log_lines("gate").await.is_empty(), "it was asked");
    let headers = [("x-token", "t")];
    assert!(cloud.try_connect(&path, &headers).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_sees_the_request_and_what_it_is_asked_about() {
    let cloud = TestCloud::start().await;
    let stage = guarded(&cloud, "print-event", &[]).await;
    let path = format!("{}?a=1&a=2", stage.path());
    assert_eq!(cloud.refusal(&path).await, 500, "it answers no policy");
    let lines = cloud
        .until("its log has the event", async |cloud| {
            let lines = cloud.log_lines("gate").await;
            lines
                .iter()
                .any(|line| line.starts_with('{'))
                .then_some(lines)
        })
        .await;
    let line = lines.iter().find(|line| line.starts_with('{')).unwrap();
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!(event["type"], "REQUEST");
    let arn = format!(
        "arn:aws:execute-api:us-east-1:000000000000:{}/local/$connect",
        stage.api_id
    );
    assert_eq!(event["methodArn"], json!(arn));
    assert_eq!(event["headers"]["Connection"], "Upgrade");
    assert_eq!(event["headers"]["Upgrade"], "websocket");
    assert_eq!(event["queryStringParameters"], json!({ "a": "2" }));
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({ "a": ["1", "2"] })
    );
    assert_eq!(event["stageVariables"], json!({}));
    assert_eq!(event["requestContext"]["eventType"], "CONNECT");
    assert!(event.get("isBase64Encoded").is_none() && event.get("body").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_response_sends_back_what_the_function_answers_and_only_there() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let answer = r#"answer {"statusCode":500,"body":"here you are"}"#;
    let mut client = cloud.connect(&stage).await;
    client.tell(answer).await;
    client.tell("echo nothing came before this").await;
    assert_eq!(client.text().await, "nothing came before this");

    let route = cloud.route_path(&stage, "$default").await;
    let selection = json!({ "routeResponseSelectionExpression": "$default" });
    cloud.api("PATCH", &route, &selection).await;
    let response = json!({ "routeResponseKey": "$default" });
    cloud
        .api("POST", &format!("{route}/routeresponses"), &response)
        .await;
    cloud.redeploy(&stage).await;
    client.tell(answer).await;
    assert_eq!(client.text().await, "here you are");
}
