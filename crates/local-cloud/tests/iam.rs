//! IAM where it is enforced: signatures, sessions of roles, and what they may do.

mod support;

use aws_credential_types::Credentials;
use local_cloud::USER_ACCESS_KEY_ID;
use serde_json::json;
use support::TestCloud;
use support::deploy::Function;
use support::http::{Answer, signed_as, user};
use support::sessions::{FORM, element, session};

/// May look at APIs and make log groups that begin with `/chat/`.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"apigateway:GET","Resource":"arn:aws:apigateway:us-east-1::/apis"},
    {"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/chat/*"}]}"#;

async fn enforcing() -> TestCloud {
    TestCloud::start_with(|config| config.enforce_iam = true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_may_do_what_its_role_allows_and_is_told_what_it_may_not() {
    let cloud = enforcing().await;
    let credentials = session(&cloud, POLICY).await;
    let ask =
        async |service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
            let (port, credentials) = (cloud.port, credentials.clone());
            signed_as(
                credentials,
                service,
                port,
                method,
                path,
                headers,
                body.as_bytes(),
            )
            .await
        };
    let listed = ask("apigateway", "GET", "/v2/apis", &[], "").await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let denied = |answer: &Answer, status: u16, what: &str| {
        let who =
            "User: arn:aws:sts::000000000000:assumed-role/ci/run is not authorized to perform: ";
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(&format!("{who}{what}")), "{answer:?}");
    };
    let made = ask("apigateway", "POST", "/v2/apis", &[], r#"{"name":"x"}"#).await;
    denied(
        &made,
        403,
        "apigateway:POST on resource: arn:aws:apigateway:us-east-1::/apis because no identity-based policy allows the apigateway:POST action",
    );
    let path = "/2015-03-31/functions/chat";
    let deleted = ask("lambda", "DELETE", path, &[], "").await;
    denied(
        &deleted,
        403,
        "lambda:DeleteFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:chat because",
    );
    let roles = ask(
        "iam",
        "POST",
        "/",
        &[FORM],
        "Action=ListRoles&Version=2010-05-08",
    )
    .await;
    denied(
        &roles,
        403,
        "iam:ListRoles on resource: arn:aws:iam::000000000000:role/ because",
    );
    assert_eq!(element(&roles.body, "Code"), "AccessDenied");
    let logs = async |group: &str| {
        let target = [("x-amz-target", "Logs_20140328.CreateLogGroup")];
        let body = json!({ "logGroupName": group }).to_string();
        ask("logs", "POST", "/", &target, &body).await
    };
    assert_eq!(logs("/chat/a").await.status, 200);
    denied(
        &logs("/other").await,
        400,
        "logs:CreateLogGroup on resource: arn:aws:logs:us-east-1:000000000000:log-group:/other:log-stream: because",
    );
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let identity = ask("sts", "POST", "/", &[FORM], form).await;
    let arn = "arn:aws:sts::000000000000:assumed-role/ci/run";
    assert_eq!(element(&identity.body, "Arn"), arn);
}

/// GetApis.
async fn apis(cloud: &TestCloud, credentials: Credentials) -> Answer {
    let port = cloud.port;
    signed_as(credentials, "apigateway", port, "GET", "/v2/apis", &[], b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_verified_in_every_protocol() {
    let cloud = enforcing().await;
    let wrong = || Credentials::new(USER_ACCESS_KEY_ID, "wrong", None, None, "test");
    let nobody = || Credentials::new("AKIANOBODY", "local", None, None, "test");
    assert_eq!(apis(&cloud, user()).await.status, 200);
    let refused = apis(&cloud, wrong()).await;
    let kind = refused.header("x-amzn-errortype");
    assert_eq!(
        (refused.status, kind),
        (403, Some("InvalidSignatureException"))
    );
    let refused = apis(&cloud, nobody()).await;
    let kind = refused.header("x-amzn-errortype");
    assert_eq!(
        (refused.status, kind),
        (403, Some("UnrecognizedClientException"))
    );
    let form = b"Action=ListRoles&Version=2010-05-08";
    let roles = async |credentials| {
        signed_as(credentials, "iam", cloud.port, "POST", "/", &[FORM], form).await
    };
    assert_eq!(roles(user()).await.status, 200);
    assert_eq!(
        element(&roles(wrong()).await.body, "Code"),
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        element(&roles(nobody()).await.body, "Code"),
        "InvalidClientTokenId"
    );
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let path = "/2015-03-31/functions/scripted/invocations";
    let invoke = async |credentials| {
        signed_as(credentials, "lambda", cloud.port, "POST", path, &[], b"{}").await
    };
    assert_eq!(invoke(user()).await.status, 200);
    assert_eq!(invoke(wrong()).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_it_is_enforced_any_signature_is_the_accounts_own_user() {
    let cloud = TestCloud::start().await;
    let nobody = Credentials::new("AKIANOBODY", "whatever", None, None, "test");
    assert_eq!(apis(&cloud, nobody).await.status, 200);
}
