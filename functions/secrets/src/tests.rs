//! Secrets against a service that answers by script.

use super::{Cause, Secrets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ARN: &str = "arn:aws:ssm:eu-central-1:123456789012:parameter/chat/key";

/// Answers each connection with the next of these, and gives what it was asked.
async fn service(
    answers: Vec<(u16, &'static str)>,
) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            // The body is one object and ends the request.
            while !request.ends_with(b"}") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            asked.push(String::from_utf8(request).unwrap());
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (url, serving)
}

fn variables(url: &str, reference: &str) -> Vec<(String, String)> {
    [
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_ENDPOINT_URL_SSM", url),
        ("DEPLOYER_SECRET_API_KEY", reference),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[tokio::test]
async fn a_value_is_asked_for_signed_and_decrypted_and_debug_hides_it() {
    let (url, asked) = service(vec![(200, r#"{"Parameter":{"Value":"s3cret"}}"#)]).await;
    let secrets = Secrets::read(variables(&url, ARN)).await.unwrap();
    assert_eq!(secrets.get("API_KEY"), Ok("s3cret"));
    assert_eq!(format!("{secrets:?}"), r#"{"API_KEY": "(hidden)"}"#);
    let asked = &asked.await.unwrap()[0];
    assert!(asked.contains("/eu-central-1/ssm/aws4_request"), "{asked}");
    assert!(asked.contains("x-amz-security-token: token"), "{asked}");
    assert!(
        asked.contains("x-amz-target: AmazonSSM.GetParameter"),
        "{asked}"
    );
    assert!(asked.contains(r#""WithDecryption":true"#), "{asked}");
    let unknown = secrets.get("OTHER").unwrap_err().to_string();
    assert_eq!(unknown, "no secret is called OTHER; there are: API_KEY");
}

#[tokio::test]
async fn a_refusal_names_secret_reference_and_cause_and_is_not_repeated() {
    let (url, asked) = service(vec![(
        400,
        r#"{"__type":"AccessDeniedException","message":"no"}"#,
    )])
    .await;
    let error = Secrets::read(variables(&url, ARN)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("secret API_KEY ({ARN}): AccessDeniedException: no")
    );
    assert_eq!(asked.await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    let busy = (400, r#"{"__type":"ThrottlingException"}"#);
    let (url, asked) = service(vec![busy, busy, (200, r#"{"Parameter":{"Value":"v"}}"#)]).await;
    let secrets = Secrets::read(variables(&url, ARN)).await.unwrap();
    assert_eq!(secrets.get("API_KEY"), Ok("v"));
    assert_eq!(asked.await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_value_in_the_place_of_a_reference_is_not_shown() {
    let error = Secrets::read(variables("http://127.0.0.1:1", "hunter2"))
        .await
        .unwrap_err();
    assert_eq!(error.cause, Cause::NotAReference);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn without_secrets_nothing_is_asked_and_nothing_needed() {
    let secrets = Secrets::read([]).await.unwrap();
    assert!(secrets.get("API_KEY").is_err());
}
