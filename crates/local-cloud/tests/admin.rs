//! Starting, telling how it is, stopping, and who may ask for that.

mod support;

use local_cloud::{Config, StartError};
use serde_json::json;
use support::deploy::{Function, zip_of};
use support::http::{request, signed};
use support::{PATIENCE, TestCloud};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_serves_once_it_has_started_and_tells_how_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let running = local_cloud::start(Config::new(0, dir.path()))
        .await
        .unwrap();
    let health = request(running.port(), "GET", "/_local/health", &[], b"")
        .await
        .json();
    assert_eq!(health["name"], "local-cloud");
    assert_eq!(health["port"], running.port());
    assert_eq!(health["pid"], std::process::id());
    assert_eq!(
        (&health["connections"], &health["processes"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        running.base_url(),
        format!("http://127.0.0.1:{}", running.port())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_lists_the_operations_it_serves() {
    let cloud = TestCloud::start().await;
    let listed = request(cloud.port, "GET", "/_local/operations", &[], b"").await;
    let listed = listed.json();
    let has = |service: &str, name: &str| {
        let names = listed[service].as_array().unwrap();
        names.contains(&json!(name))
    };
    assert!(has("lambda", "CreateFunction") && has("lambda", "Invoke"));
    assert!(has("iam", "CreateRole") && has("apigatewaymanagementapi", "GetConnection"));
    assert!(!has("lambda", "CreateEventSourceMapping"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_says_who_has_it() {
    let cloud = TestCloud::start().await;
    let other = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    for (port, expected) in [
        (cloud.port, true),
        (other.local_addr().unwrap().port(), false),
    ] {
        match local_cloud::start(Config::new(port, cloud.dir.path())).await {
            Err(StartError::PortInUse { by_local_cloud, .. }) => {
                assert_eq!(by_local_cloud, expected)
            }
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("two clouds on one port"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_needs_the_mark_that_no_web_page_can_send() {
    let cloud = TestCloud::start().await;
    let mark = ("x-local-cloud", "1");
    for headers in [
        vec![],
        vec![mark, ("origin", "https://site")],
        vec![mark, ("host", "rebound.example")],
    ] {
        let answer = request(cloud.port, "POST", "/_local/shutdown", &headers, b"").await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    let answer = request(cloud.port, "POST", "/_local/shutdown", &[mark], b"").await;
    assert_eq!(answer.status, 202);
    tokio::time::timeout(PATIENCE, cloud.running.wait())
        .await
        .expect("stopped");
    assert!(TcpStream::connect(("127.0.0.1", cloud.port)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_and_foreign_hosts_cannot_drive_the_control_plane() {
    let cloud = TestCloud::start().await;
    for header in [
        ("origin", "null"),
        ("host", "rebound.example"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = signed("apigateway", cloud.port, "GET", "/v2/apis", &[header], b"").await;
        assert_eq!(answer.status, 403, "{header:?}");
    }
    assert_eq!(
        signed("apigateway", cloud.port, "GET", "/v2/apis", &[], b"")
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_misbehave_harm_nobody() {
    let cloud = TestCloud::start().await;
    let mut held = Vec::new();
    for rubbish in [
        &b"\x16\x03\x01"[..],
        b"GET / HTTP/1.1\r\nhost: ",
        b"\r\n\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\nx",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", cloud.port)).await.unwrap();
        stream.write_all(rubbish).await.unwrap();
        held.push(stream);
    }
    assert_eq!(cloud.health().await["name"], "local-cloud");
    tokio::time::timeout(PATIENCE, cloud.running.stop())
        .await
        .expect("stopped in spite of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_cleaned_up_when_all_it_had_is_deleted() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    assert_eq!(cloud.health().await["inventory"]["apis"]["count"], 1);
    cloud
        .api("DELETE", &format!("/v2/apis/{}", stage.api_id), &json!({}))
        .await;
    assert_eq!(cloud.health().await["inventory"]["apis"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_function_can_be_downloaded() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    let zip = zip_of("bootstrap", b"#!/bin/sh\n", 0o755);
    let function = Function {
        zip: &zip,
        ..Function::default()
    };
    cloud.function(&function, &role).await;
    let path = "/2015-03-31/functions/scripted";
    let shown = cloud.lambda("GET", path, &json!({})).await.json();
    let location = shown["Code"]["Location"].as_str().expect("a URL");
    let base = format!("http://127.0.0.1:{}", cloud.port);
    let path = location.strip_prefix(&base).expect("the cloud's own");
    let downloaded = request(cloud.port, "GET", path, &[], b"").await;
    assert_eq!(downloaded.status, 200);
    assert_eq!(downloaded.header("content-type"), Some("application/zip"));
    let length = zip.len().to_string();
    assert_eq!(downloaded.header("content-length"), Some(length.as_str()));
    let (unsigned, _) = path.split_once('?').expect("a signature");
    let refused = request(cloud.port, "GET", unsigned, &[], b"").await;
    assert_eq!(refused.status, 403);
    let said = refused.body.clone();
    assert!(
        said.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{said}"
    );
    let page = [("origin", "https://example.com")];
    let foreign = request(cloud.port, "GET", path, &page, b"").await;
    assert_eq!(foreign.status, 403);
}
