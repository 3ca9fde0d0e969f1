//! Settings of an API stage on the data plane: limits, signatures, logs.

mod support;

use aws_credential_types::Credentials;
use local_cloud::{USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY};
use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::{Function, Stage};
use tokio_tungstenite::tungstenite::Error;

const GROUP: &str = "/logs/access";

impl TestCloud {
    async fn patch_stage(&self, stage: &Stage, settings: &Value) {
        let path = format!("/v2/apis/{}/stages/{}", stage.api_id, stage.name);
        self.api("PATCH", &path, settings).await;
    }

    async fn ask_for_signatures(&self, stage: &Stage) {
        let path = self.route_path(stage, "$connect").await;
        self.api("PATCH", &path, &json!({ "authorizationType": "AWS_IAM" }))
            .await;
        self.redeploy(stage).await;
    }

    /// Lets API Gateway write logs, and makes the group of the access log.
    async fn allow_logs(&self) {
        let role = self.role("logs").await;
        let body = json!({ "patchOperations": [
            { "op": "replace", "path": "/cloudwatchRoleArn", "value": role }
        ] });
        self.api("PATCH", "/account", &body).await;
        self.logs("CreateLogGroup", &json!({ "logGroupName": GROUP }))
            .await;
    }

    async fn lines_of(&self, group: &str) -> Vec<String> {
        let found = self
            .logs("FilterLogEvents", &json!({ "logGroupName": group }))
            .await;
        let events = found["events"].as_array().cloned().unwrap_or_default();
        let text = |event: &Value| event["message"].as_str().unwrap_or_default().to_owned();
        events.iter().map(text).collect()
    }

    async fn lines_until(&self, group: &str, count: usize) -> Vec<String> {
        self.until("so many lines", async |cloud| {
            let lines = cloud.lines_of(group).await;
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// Headers that sign a handshake.
    fn signature(&self, path: &str, credentials: Credentials) -> Vec<(String, String)> {
        let host = format!("127.0.0.1:{}", self.port);
        support::http::signature(credentials, "execute-api", "GET", &host, path, b"")
    }

    /// The status of a signed handshake.
    async fn signed_handshake(&self, path: &str, credentials: Credentials) -> u16 {
        let headers = self.signature(path, credentials);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        match self.try_connect(path, &headers).await {
            Ok(_) => 101,
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn user(secret: &str) -> Credentials {
    Credentials::new(USER_ACCESS_KEY_ID, secret, None, None, "test")
}

#[tokio::test]
async fn a_disabled_endpoint_refuses_clients_and_functions_once_it_is_deployed() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    let id = client.connection_id().await;
    let path = format!("/v2/apis/{}", stage.api_id);
    let update = json!({ "disableExecuteApiEndpoint": true });
    cloud.api("PATCH", &path, &update).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 101, "not deployed yet");
    cloud.redeploy(&stage).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 403);
    let plain = support::http::request(cloud.port, "GET", &stage.path(), &[], b"").await;
    assert_eq!(plain.status, 403);
    let path = format!("{}/@connections/{id}", stage.path());
    let asked = support::http::signed("execute-api", cloud.port, "GET", &path, &[], b"").await;
    assert_eq!(asked.status, 403);
}

#[tokio::test]
async fn handshakes_beyond_the_limit_are_429_and_messages_get_a_frame_while_the_socket_stays() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let limits = json!({ "routeSettings": {
        "$connect": { "throttlingBurstLimit": 1, "throttlingRateLimit": 0 },
        "$default": { "throttlingBurstLimit": 2, "throttlingRateLimit": 0 },
    } });
    cloud.patch_stage(&stage, &limits).await;
    let mut client = cloud.connect(&stage).await;
    assert_eq!(cloud.refusal(&stage.path()).await, 429);
    let id = client.connection_id().await;
    client.tell("event").await;
    client.text().await;
    client.tell("event").await;
    let frame: Value = serde_json::from_str(&client.text().await).unwrap();
    assert_eq!(frame["message"], "Too Many Requests");
    assert_eq!(frame["connectionId"], id);
    let none = json!({ "routeSettings": { "$default": { "throttlingBurstLimit": 5, "throttlingRateLimit": 1000 } } });
    cloud.patch_stage(&stage, &none).await;
    cloud
        .until("the bucket fills again", async |_| {
            client.tell("event").await;
            let event: Value = serde_json::from_str(&client.text().await).unwrap();
            event.get("requestContext").map(|_| ())
        })
        .await;
}

#[tokio::test]
async fn where_connect_asks_for_a_signature_only_a_right_one_of_somebody_who_may_is_let_in() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    cloud.ask_for_signatures(&stage).await;
    let path = stage.path();
    assert_eq!(cloud.refusal(&path).await, 403);
    let right = user(USER_SECRET_ACCESS_KEY);
    assert_eq!(cloud.signed_handshake(&path, right.clone()).await, 101);
    assert_eq!(cloud.signed_handshake(&path, user("wrong")).await, 403);
    let nobody = Credentials::new("AKIANOBODY", USER_SECRET_ACCESS_KEY, None, None, "test");
    assert_eq!(cloud.signed_handshake(&path, nobody).await, 403);
    // Signed for another path.
    let headers = cloud.signature("/elsewhere", right);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let refused = cloud.try_connect(&path, &headers).await.err();
    assert!(matches!(refused, Some(Error::Http(answer)) if answer.status() == 403));
}

#[tokio::test]
async fn events_of_a_signed_connection_say_who_signed() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    cloud.ask_for_signatures(&stage).await;
    let headers = cloud.signature(&stage.path(), user(USER_SECRET_ACCESS_KEY));
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut client = cloud.try_connect(&stage.path(), &headers).await.unwrap();
    client.tell("event").await;
    let event: Value = serde_json::from_str(&client.text().await).unwrap();
    let identity = &event["requestContext"]["identity"];
    assert_eq!(identity["accessKey"], USER_ACCESS_KEY_ID);
    assert_eq!(identity["accountId"], local_cloud::ACCOUNT_ID);
}

#[tokio::test]
async fn an_access_log_has_a_line_for_each_connection_message_and_disconnection() {
    let cloud = TestCloud::start().await;
    let stage = cloud
        .scripted_as(
            &Function::default(),
            &["$default", "$connect", "$disconnect"],
        )
        .await;
    cloud.allow_logs().await;
    let arn = format!("arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}");
    let format = "$context.eventType $context.routeKey $context.status $context.connectionId $context.authorizer.principalId $context.requestId";
    let settings = json!({ "accessLogSettings": { "destinationArn": arn, "format": format } });
    cloud.patch_stage(&stage, &settings).await;
    let mut client = cloud.connect(&stage).await;
    let id = client.connection_id().await;
    client.tell("fail").await;
    client.text().await;
    cloud.lines_until(GROUP, 3).await;
    drop(client);
    let lines = cloud.lines_until(GROUP, 4).await;
    let starts = [
        format!("CONNECT $connect 200 {id} - "),
        format!("MESSAGE $default 200 {id} - "),
        format!("MESSAGE $default 500 {id} - "),
        format!("DISCONNECT $disconnect 200 {id} - "),
    ];
    // Messages run beside each other, and so do their lines.
    for start in starts {
        let found = lines.iter().filter(|line| line.starts_with(&start));
        assert_eq!(found.count(), 1, "{start}: {lines:?}");
    }
}

#[tokio::test]
async fn execution_logs_say_at_their_level_how_requests_went() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    cloud.allow_logs().await;
    let group = format!("/aws/apigateway/{}/{}", stage.api_id, stage.name);
    cloud
        .logs("CreateLogGroup", &json!({ "logGroupName": group }))
        .await;
    let level = |level: &str| json!({ "defaultRouteSettings": { "loggingLevel": level } });
    cloud.patch_stage(&stage, &level("ERROR")).await;
    let mut client = cloud.connect(&stage).await;
    client.connection_id().await;
    client.tell("fail").await;
    client.text().await;
    let lines = cloud.lines_until(&group, 2).await;
    assert!(
        lines[0].contains(") Lambda execution failed with status 200"),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with(") Method completed with status: 500"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2, "what went well is not logged: {lines:?}");

    cloud.patch_stage(&stage, &level("INFO")).await;
    client.connection_id().await;
    let lines = cloud.lines_until(&group, 8).await;
    let said = |text: &str| lines.iter().any(|line| line.contains(text));
    for text in [
        "Extended Request Id: ",
        "WebSocket Request Route: [$default]",
        "Received response. Status: 200, Integration latency: ",
        "Successfully completed execution",
        "Method completed with status: 200",
    ] {
        assert!(said(text), "{text}: {lines:?}");
    }
    assert!(
        !said("Endpoint request body"),
        "without data trace: {lines:?}"
    );

    cloud.patch_stage(&stage, &level("OFF")).await;
    client.connection_id().await;
    assert_eq!(cloud.lines_of(&group).await.len(), lines.len());
}

#[tokio::test]
async fn without_the_accounts_role_nothing_is_logged() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    cloud.allow_logs().await;
    let arn = format!("arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}");
    let settings =
        json!({ "accessLogSettings": { "destinationArn": arn, "format": "$context.requestId" } });
    cloud.patch_stage(&stage, &settings).await;
    let removed = json!({ "patchOperations": [
        { "op": "replace", "path": "/cloudwatchRoleArn", "value": "" }
    ] });
    cloud.api("PATCH", "/account", &removed).await;
    let mut client = cloud.connect(&stage).await;
    client.connection_id().await;
    assert!(cloud.lines_of(GROUP).await.is_empty());
}
