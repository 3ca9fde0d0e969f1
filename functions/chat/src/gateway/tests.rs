//! Against a server of canned answers, over plain HTTP.

use super::{Connections, Environment, Gateway, MissingVariable};
use crate::post::{Post, PostError};
use crate::testing::message_event;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than anything here takes.
const LONG: std::time::Duration = std::time::Duration::from_secs(10);

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn gateway(set: &[(&str, &str)]) -> Result<Gateway, MissingVariable> {
    let usual = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let of = |all: &[(&str, &str)], name: &str| {
        let found = all.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Gateway::new(&Environment::from_variables(|name| {
        of(set, name).or_else(|| of(&usual, name))
    }))
}

struct Request {
    /// The request line and the headers, which are in lower case.
    head: Vec<String>,
    body: String,
}

/// Gives each request the next answer; returns the requests it got, as many as
/// there were answers.
async fn serve(answers: &[&'static str]) -> (String, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prod", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        let mut answers = answers.into_iter();
        while answers.len() > 0 {
            let (socket, _) = listener.accept().await.unwrap();
            let mut socket = BufReader::new(socket);
            while let Some(request) = read_request(&mut socket).await {
                requests.push(request);
                let answer = answers.next().expect("no more requests than answers");
                socket.write_all(answer.as_bytes()).await.unwrap();
                if answers.len() == 0 {
                    break;
                }
            }
        }
        requests
    });
    (url, requests)
}

async fn read_request(socket: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await.unwrap() == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    Some(Request { head, body })
}

fn connections(url: &str) -> Connections {
    let gateway = gateway(&[("AWS_SESSION_TOKEN", "token")]).unwrap();
    Connections(gateway.client(url))
}

async fn post_to(answers: &[&'static str]) -> (Result<(), PostError>, Vec<Request>) {
    let (url, requests) = serve(answers).await;
    let result = connections(&url).post("d4NsecoByQ0CH-Q=", "hi").await;
    let requests = tokio::time::timeout(LONG, requests).await;
    let requests = requests.expect("as many requests as answers").unwrap();
    (result, requests)
}

#[tokio::test]
async fn a_text_is_posted_under_the_path_of_the_address() {
    let (result, requests) = post_to(&[OK]).await;
    assert_eq!(result, Ok(()));
    let path = requests[0].head[0].replace("%40", "@");
    assert_eq!(path, "POST /prod/@connections/d4NsecoByQ0CH-Q%3D HTTP/1.1");
    assert_eq!(requests[0].body, "hi");
}

#[tokio::test]
async fn a_post_is_signed_for_the_service_and_carries_the_session_token() {
    let (_, requests) = post_to(&[OK]).await;
    let head = requests[0].head.join("\n");
    assert!(head.contains("x-amz-security-token: token"), "{head}");
    assert!(head.contains("authorization: AWS4-HMAC-SHA256"), "{head}");
    assert!(
        head.contains("/us-east-1/execute-api/aws4_request"),
        "{head}"
    );
}

#[tokio::test]
async fn gone_is_told_by_the_status_even_without_an_error_code_and_never_retried() {
    let gone = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(post_to(&[gone]).await.0, Err(PostError::Gone));
    let named = "HTTP/1.1 410 Gone\r\nx-amzn-ErrorType: GoneException\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(post_to(&[named]).await.0, Err(PostError::Gone));
}

#[tokio::test]
async fn throttling_and_server_errors_are_told_apart_and_left_to_the_fan_out() {
    let throttled = "HTTP/1.1 429 Too Many Requests\r\nx-amzn-ErrorType: LimitExceededException\r\ncontent-length: 0\r\n\r\n";
    let told = "HTTP 429 LimitExceededException".to_owned();
    let (result, requests) = post_to(&[throttled]).await;
    assert_eq!(result, Err(PostError::Throttled(told)));
    assert_eq!(requests.len(), 1);
    let broken = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let told = "HTTP 503 without an error code".to_owned();
    let (result, _) = post_to(&[broken]).await;
    assert_eq!(result, Err(PostError::Passing(told)));
}

#[tokio::test]
async fn a_refusal_is_not_gone_and_says_why() {
    let refused = "HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: ForbiddenException\r\ncontent-length: 18\r\n\r\n{\"message\":\"Nope\"}";
    let (result, _) = post_to(&[refused]).await;
    let told = PostError::Other("HTTP 403 ForbiddenException Nope".to_owned());
    assert_eq!(result, Err(told));
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_is_an_error_with_its_causes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = connections(&url).post("a=", "hi").await.unwrap_err();
    assert!(matches!(error, PostError::Passing(_)), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn an_address_gets_one_client_and_the_number_of_clients_is_bounded() {
    let gateway = gateway(&[]).unwrap();
    let mut event = message_event("send", "a=", "{}");
    for n in 0..2 * super::CLIENTS {
        event.request_context.stage = Some(format!("stage{n}"));
        gateway.at(&event).unwrap();
        gateway.at(&event).unwrap();
        let clients = gateway.clients.borrow();
        assert_eq!(clients.len(), n % super::CLIENTS + 1);
    }
}

#[test]
fn a_variable_that_is_not_set_or_empty_is_named() {
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let error = gateway(&[(name, "")]).unwrap_err();
        let told = format!("environment variable {name} is not set");
        assert_eq!(error.to_string(), told);
    }
}
