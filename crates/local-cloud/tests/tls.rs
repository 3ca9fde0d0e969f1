//! TLS on the one port: the same as without, for those who trust the authority.

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use support::deploy::{Function, Stage};
use support::{TestCloud, http, tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long a client may take to begin.
const HEADER_WAIT: Duration = Duration::from_secs(75);

#[tokio::test(flavor = "multi_thread")]
async fn plain_and_encrypted_clients_are_served_on_one_port_at_once() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut plain = cloud.connect(&stage).await;
    let mut encrypted = cloud.connect_by_tls(&stage).await;
    let id = encrypted.connection_id().await;
    plain.tell(&format!("post {id} from plain")).await;
    assert_eq!(encrypted.text().await, "from plain");
    for text in ["first", &"x".repeat(100 * 1024)] {
        encrypted.tell("echo second").await;
        plain.tell("echo second").await;
        assert_eq!(encrypted.text().await, "second");
        assert_eq!(plain.text().await, "second");
        let path = format!("{}/@connections/{id}", stage.path());
        let posted = signed_by_tls(&cloud, "execute-api", "POST", &path, text.as_bytes()).await;
        assert_eq!(posted.status, 200, "{posted:?}");
        assert_eq!(encrypted.text().await, text);
    }
    encrypted.socket.close(None).await.unwrap();
    assert_eq!(encrypted.closed().await.0, 1005);
}

async fn signed_by_tls(
    cloud: &TestCloud,
    service: &str,
    method: &str,
    path: &str,
    body: &[u8],
) -> http::Answer {
    let host = format!("127.0.0.1:{}", cloud.port);
    let signature = http::signature(http::user(), service, method, &host, path, body);
    let pairs = signature.iter();
    let headers: Vec<_> = pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    cloud.request_by_tls(method, path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn control_planes_answer_by_https() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let path = format!("/v2/apis/{}", stage.api_id);
    let encrypted = signed_by_tls(&cloud, "apigateway", "GET", &path, b"").await;
    let plain = http::signed("apigateway", cloud.port, "GET", &path, &[], b"").await;
    assert_eq!(encrypted.status, 200);
    assert_eq!(encrypted.json(), plain.json());
}

async fn event_of_connect(cloud: &TestCloud, name: &str) -> Value {
    let lines = cloud.log_lines(name).await;
    let line = lines.iter().find(|line| line.starts_with('{'));
    serde_json::from_str(line.expect("the event")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_is_told_by_which_protocol_and_port_the_client_came() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    let mut stages = Vec::new();
    for name in ["plain", "encrypted"] {
        let function = Function {
            name,
            environment: &[("SCRIPT", "print-event")],
            ..Function::default()
        };
        cloud.function(&function, &role).await;
        stages.push(cloud.stage(&[("$connect", name)], &role, 29_000).await);
    }
    let _plain = cloud.connect(&stages[0]).await;
    let _encrypted = cloud.connect_by_tls(&stages[1]).await;
    for (name, proto) in [("plain", "http"), ("encrypted", "https")] {
        let event = event_of_connect(&cloud, name).await;
        assert_eq!(event["headers"]["X-Forwarded-Proto"], proto);
        assert_eq!(event["headers"]["X-Forwarded-Port"], cloud.port.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_posts_to_the_https_address_that_its_event_tells() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut client = cloud.connect(&stage).await;
    client.tell("post-by-tls hello").await;
    let posted = cloud
        .until("the post", async |cloud| {
            let lines = cloud.log_lines("scripted").await;
            lines.into_iter().find(|line| line.contains("posted"))
        })
        .await;
    assert_eq!(posted, "posted: 200");
    assert_eq!(client.text().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_sets_its_own_roots_does_not_trust_the_cloud() {
    let cloud = TestCloud::start().await;
    let other = TestCloud::start().await;
    let roots = other.running.authority().to_str().unwrap();
    let function = Function {
        environment: &[("SSL_CERT_FILE", roots), ("SCRIPT", "post-by-tls hello")],
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("").await;
    let refused = cloud
        .until("the refusal", async |cloud| {
            let lines = cloud.log_lines("scripted").await;
            lines.into_iter().find(|line| line.contains("posted"))
        })
        .await;
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_outlives_its_cloud_and_another_one_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca");
    let first = TestCloud::start_with(|config| config.authority_dir = ca.clone()).await;
    let authority = first.running.authority().to_owned();
    first.running.stop().await;
    let second = TestCloud::start_with(|config| config.authority_dir = ca.clone()).await;
    for name in ["127.0.0.1", "localhost", "chat.localhost", "::1"] {
        tls::open(second.port, &authority, name).await.unwrap();
    }
    let wrong_name = tls::open(second.port, &authority, "example.com").await;
    assert!(wrong_name.is_err());
    let other = TestCloud::start().await;
    let refused = tls::open(other.port, &authority, "localhost").await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_cannot_be_written_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut config = local_cloud::Config::new(0, dir.path());
    config.authority_dir = file.clone();
    let error = local_cloud::start(config).await.err().unwrap().to_string();
    let begins = format!(
        "cannot keep the certificate authority in {}: ",
        file.display()
    );
    assert!(error.starts_with(&begins), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_are_refused_by_tls_too() {
    let cloud = TestCloud::start().await;
    let stage: Stage = cloud.scripted().await;
    let path = format!("/v2/apis/{}", stage.api_id);
    for (host, of_a_page) in [("127.0.0.1", true), ("evil.example", false)] {
        let signature = http::signature(http::user(), "apigateway", "GET", host, &path, b"");
        let pairs = signature.iter();
        let mut headers: Vec<_> = pairs
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("host", host));
        headers.extend(of_a_page.then_some(("origin", "https://site")));
        let answer = cloud.request_by_tls("GET", &path, &headers, b"").await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let why = match of_a_page {
            true => "requests from web pages are refused",
            false => "the Host of a request must be this machine's",
        };
        assert!(answer.body.contains(why), "{answer:?}");
    }
}

/// One request on the machine's real connections, but on the test's paused clock: so
/// without the deadlines of the other clients here.
async fn health(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = "GET /_local/health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(start_paused = true)]
async fn clients_that_say_nothing_or_begin_no_handshake_free_their_places() {
    let cloud = TestCloud::start_with(|config| config.limits.websockets = 0).await;
    let began = Instant::now();
    let mut silent = Vec::new();
    // All places beside the WebSockets'.
    for number in 0..1024 {
        let mut stream = TcpStream::connect(("127.0.0.1", cloud.port)).await.unwrap();
        if number % 2 == 0 {
            // A handshake whose rest never comes.
            stream.write_all(&[0x16, 3, 1, 1, 0]).await.unwrap();
        }
        silent.push(stream);
    }
    let answer = health(cloud.port).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() >= HEADER_WAIT, "{:?}", began.elapsed());
    for mut stream in silent {
        let end = stream.read(&mut [0; 64]).await;
        assert!(matches!(end, Ok(0)), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_in_a_handshake_ends_the_connection_at_once() {
    let cloud = TestCloud::start().await;
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", cloud.port)).await.unwrap();
    stream
        .write_all(b"\x16GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        // An alert, if anything.
        Ok(_) => assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}"),
    }
    assert!(began.elapsed() < HEADER_WAIT);
}
