//! Requests for DynamoDB: passed on to the one whose address the local cloud has, after
//! the caller's policies were asked.

mod support;

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;
use support::TestCloud;
use support::http::{Answer, signed_as, user};
use support::sessions::session;

const GET: &str = r#"{"TableName":"rooms","Key":{"pk":{"S":"a"}}}"#;
const FOUND: &str = r#"{"Item":{"pk":{"S":"a"},"n":{"N":"1.0"}}}"#;

async fn ask(cloud: &TestCloud, caller: aws_credential_types::Credentials, body: &str) -> Answer {
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.GetItem"),
    ];
    let body = body.as_bytes();
    signed_as(caller, "dynamodb", cloud.port, "POST", "/", &headers, body).await
}

/// Answers one request after the other with the same bytes, and tells what it was asked.
fn other(body: &'static str) -> (String, Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let (heard, hears) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).expect("a request");
                request.extend(&part[..read]);
            }
            let text = String::from_utf8(request).expect("text");
            if heard.send(text).is_err() {
                return;
            }
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-amz-crc32: 7\r\nx-amzn-requestid: OTHERS\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).expect("a reader");
            stream.write_all(body.as_bytes()).expect("a reader");
        }
    });
    (address, hears)
}

async fn beside(address: &str) -> TestCloud {
    let address = address.parse().expect("an address");
    TestCloud::start_with(|config| config.dynamodb = Some(address)).await
}

fn policy(action: &str, table: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": action,
        "Resource": format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table}"),
    }]})
    .to_string()
}

fn error(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let message = text("message").or_else(|| text("Message"));
    (
        answer.status,
        text("__type").unwrap_or_default(),
        message.unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_answers_are_passed_on_as_they_are() {
    let (address, hears) = other(FOUND);
    let cloud = beside(&address).await;
    let answer = ask(&cloud, user(), GET).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, FOUND),
        "{answer:?}"
    );
    assert_eq!(answer.header("x-amz-crc32"), Some("7"));
    assert_eq!(answer.header("x-amzn-requestid"), Some("OTHERS"));
    let request = hears.recv().expect("it was asked");
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    assert_eq!(body, GET);
    let head = head.to_lowercase();
    for line in [
        "post / http/1.1",
        "x-amz-target: dynamodb_20120810.getitem",
        &format!("host: {}", address.trim_start_matches("http://")),
    ] {
        assert!(head.contains(line), "{line} isn't in {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_do_to_a_table_what_its_policies_allow_and_nothing_else() {
    let (address, hears) = other(FOUND);
    let cloud = beside(&address).await;
    let role = session(&cloud, &policy("dynamodb:GetItem", "rooms")).await;
    assert_eq!(ask(&cloud, role.clone(), GET).await.status, 200);
    let request = hears.recv().expect("it was asked").to_lowercase();
    assert!(!request.contains("\nx-amz-security-token:"), "{request}");
    assert!(
        request.contains("credential=akialocalclouduser00/"),
        "{request}"
    );

    let (status, code, message) = error(&ask(&cloud, role, r#"{"TableName":"users"}"#).await);
    assert_eq!(status, 400);
    assert_eq!(code, "com.amazon.coral.service#AccessDeniedException");
    assert_eq!(
        message,
        "User: arn:aws:sts::000000000000:assumed-role/ci/run is not authorized to perform: \
         dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/users \
         because no identity-based policy allows the dynamodb:GetItem action"
    );
    assert!(hears.try_recv().is_err(), "a denied request was passed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_requests_for_dynamodb_are_refused_and_say_how_to_give_one() {
    let cloud = TestCloud::start().await;
    let (status, code, message) = error(&ask(&cloud, user(), GET).await);
    assert_eq!((status, code.as_str()), (501, "UnknownOperationException"));
    assert!(
        message.contains("DEPLOYER_LOCAL_DYNAMODB") && message.contains("dynalite"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dynamodb_that_doesnt_answer_is_an_error_of_the_server_that_names_it() {
    // Bound once, so that nobody else is likely to listen there.
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let cloud = beside(&address).await;
    let (status, code, message) = error(&ask(&cloud, user(), GET).await);
    assert_eq!(status, 500);
    assert_eq!(code, "com.amazonaws.dynamodb.v20120810#InternalServerError");
    assert!(message.contains(&address), "{message}");
}
