//! The `@connections` API, as SDKs and functions see it.

mod support;

use aws_credential_types::Credentials;
use local_cloud::USER_ACCESS_KEY_ID;
use support::TestCloud;
use support::deploy::{Function, Stage};
use support::http::{Answer, request, signed, signed_as, user};
use support::socket::Client;
use tokio_tungstenite::tungstenite::Message;

async fn connected() -> (TestCloud, Stage, Client, String) {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    let id = client.connection_id().await;
    (cloud, stage, client, id)
}

async fn call(cloud: &TestCloud, method: &str, path: &str, body: &[u8]) -> Answer {
    signed("execute-api", cloud.port, method, path, &[], body).await
}

fn encoded(id: &str) -> String {
    id.replace('=', "%3D")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_reaches_the_client_whatever_the_form_of_the_path() {
    let (cloud, stage, mut client, id) = connected().await;
    for path in [
        format!("{}/@connections/{id}", stage.path()),
        format!("{}/%40connections/{}", stage.path(), encoded(&id)),
        format!("/@connections/{}", encoded(&id)),
    ] {
        let answer = call(&cloud, "POST", &path, path.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{path}");
        assert_eq!(client.text().await, path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_described_with_iso_times() {
    let (cloud, _stage, _client, id) = connected().await;
    let answer = call(&cloud, "GET", &format!("/@connections/{id}"), b"").await;
    let description = answer.json();
    for key in ["connectedAt", "lastActiveAt"] {
        let time = description[key].as_str().unwrap();
        assert!(
            time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T",
            "{time}"
        );
    }
    assert_eq!(description["identity"]["sourceIp"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_connection_is_closed_with_1000_and_then_gone() {
    let (cloud, _stage, mut client, id) = connected().await;
    let path = format!("/@connections/{id}");
    assert_eq!(call(&cloud, "DELETE", &path, b"").await.status, 204);
    assert_eq!(
        client.closed().await,
        (1000, "Connection Closed Normally".to_owned())
    );
    let answer = call(&cloud, "POST", &path, b"x").await;
    assert_eq!(answer.status, 410);
    assert_eq!(answer.header("x-amzn-errortype"), Some("GoneException"));
    assert_eq!(answer.body, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_ids_are_gone_and_malformed_ones_are_bad() {
    let (cloud, stage, _client, _id) = connected().await;
    let base = format!("{}/@connections", stage.path());
    assert_eq!(
        call(&cloud, "POST", &format!("{base}/PJqB0fHsqRcCHlw%3D"), b"x")
            .await
            .status,
        410
    );
    let bad = call(&cloud, "POST", &format!("{base}/not-an-id"), b"x").await;
    assert_eq!(
        (bad.status, bad.header("x-amzn-errortype")),
        (400, Some("BadRequestException"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_call_lacks_a_token() {
    let (cloud, stage, _client, id) = connected().await;
    let path = format!("{}/@connections/{id}", stage.path());
    let answer = request(cloud.port, "POST", &path, &[], b"x").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (403, r#"{"message":"Missing Authentication Token"}"#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_stage_is_forbidden_and_another_apis_connection_is_gone() {
    let (cloud, stage, _client, id) = connected().await;
    let other = cloud
        .stage(
            &[("$default", "scripted")],
            "arn:aws:iam::000000000000:role/all",
            1000,
        )
        .await;
    let wrong = format!("/{}/nowhere/@connections/{id}", stage.api_id);
    assert_eq!(call(&cloud, "POST", &wrong, b"x").await.status, 403);
    let foreign = format!("{}/@connections/{id}", other.path());
    assert_eq!(call(&cloud, "POST", &foreign, b"x").await.status, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_have_128_kb_and_arrives_in_frames_of_32() {
    let (cloud, _stage, mut client, id) = connected().await;
    let path = format!("/@connections/{id}");
    let longest = "é".repeat(64 * 1024);
    assert_eq!(
        call(&cloud, "POST", &path, longest.as_bytes()).await.status,
        200
    );
    assert_eq!(client.text().await, longest);
    let answer = call(&cloud, "POST", &path, &vec![b'x'; 128 * 1024 + 1]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("PayloadTooLargeException")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_refused() {
    let (cloud, _stage, _client, id) = connected().await;
    let answer = call(&cloud, "POST", &format!("/@connections/{id}"), b"\xff").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_a_limit_and_not_a_leak() {
    let (cloud, _stage, client, id) = connected().await;
    let path = format!("/@connections/{id}");
    let message = vec![b'x'; 128 * 1024];
    let answer = cloud
        .until("the client's buffer is full", async |cloud| {
            let answer = call(cloud, "POST", &path, &message).await;
            (answer.status != 200).then_some(answer)
        })
        .await;
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("LimitExceededException")
    );
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_may_only_do_what_its_role_allows() {
    let cloud = TestCloud::start().await;
    let invoke_only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}"#;
    let role = cloud.role_with_policy("invoke-only", invoke_only).await;
    cloud.function(&Function::default(), &role).await;
    let stage = cloud
        .stage(&[("$default", "scripted")], &role, 29_000)
        .await;
    let mut client = cloud.connect(&stage).await;
    client.tell("echo never").await;
    cloud
        .until("the refusal", async |cloud| {
            let lines = cloud.log_lines("scripted").await;
            lines.contains(&"posted: 403".to_owned()).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_sign_as_they_should_is_told_so() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let path = format!("{}/@connections/PJqB0fHsqRcCHlw=", stage.path());
    let asked_by = async |credentials| {
        let port = cloud.port;
        let answer = signed_as(credentials, "execute-api", port, "POST", &path, &[], b"x").await;
        let kind = answer.header("x-amzn-errortype").unwrap_or_default();
        (answer.status, kind.to_owned())
    };
    assert_eq!(asked_by(user()).await, (410, "GoneException".to_owned()));
    let nobody = Credentials::new("AKIANOBODY", "local", None, None, "test");
    let unknown = "UnrecognizedClientException".to_owned();
    assert_eq!(asked_by(nobody).await, (403, unknown));
    let wrong = Credentials::new(USER_ACCESS_KEY_ID, "wrong", None, None, "test");
    let mismatch = "InvalidSignatureException".to_owned();
    assert_eq!(asked_by(wrong).await, (403, mismatch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_gone_during_its_own_connect() {
    let cloud = TestCloud::start().await;
    let function = Function {
        environment: &[("SCRIPT", "echo too early")],
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$connect"]).await;
    let _client = cloud.connect(&stage).await;
    let lines = cloud.log_lines("scripted").await;
    assert!(lines.contains(&"posted: 410".to_owned()), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_writes_to_another_through_a_function() {
    let (cloud, stage, mut first, id) = connected().await;
    let mut second = cloud.connect(&stage).await;
    second.tell(&format!("post {id} hello")).await;
    assert_eq!(first.next().await, Message::text("hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_may_not_manage_connections() {
    let (cloud, _stage, _client, id) = connected().await;
    let path = format!("/@connections/{id}");
    let origin = [("origin", "https://site")];
    let answer = signed("execute-api", cloud.port, "POST", &path, &origin, b"x").await;
    assert_eq!(
        (answer.status, answer.json()["message"].is_string()),
        (403, true)
    );
}
