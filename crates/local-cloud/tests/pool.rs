//! Processes: when they are used again, when new ones start, when they end.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::deploy::{Function, Stage};
use support::proc::lives;
use support::{TestCloud, http};

async fn processes(cloud: &TestCloud, count: u64) {
    let what = format!("{count} processes");
    cloud
        .until(&what, async |cloud| {
            (cloud.health().await["processes"] == count).then_some(())
        })
        .await;
}

async fn gone(cloud: &TestCloud, pid: &str) {
    cloud
        .until("the process is gone", async |_| (!lives(pid)).then_some(()))
        .await;
}

async fn told(cloud: &TestCloud, stage: &Stage, script: &str) -> String {
    let mut client = cloud.connect(stage).await;
    client.tell(script).await;
    client.text().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_serves_one_event_after_the_other() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    for count in 1..=3 {
        client.tell("count").await;
        assert_eq!(client.text().await, count.to_string());
        // The frame comes before the function has answered its event.
        processes_idle(&cloud).await;
    }
    assert_eq!(cloud.health().await["processes"], 1);
}

async fn processes_idle(cloud: &TestCloud) {
    cloud
        .until("the event is over", async |cloud| {
            let lines = cloud.log_lines("scripted").await;
            let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
            (count("START") == count("REPORT")).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_process_ends_after_a_while() {
    let idle = Duration::from_millis(400);
    let cloud = TestCloud::start_with(|config| config.limits.process_idle = idle).await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let pid = told(&cloud, &stage, "pid").await;
    processes(&cloud, 0).await;
    gone(&cloud, &pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_started_ends_with_it() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let child = told(&cloud, &stage, "child").await;
    assert!(lives(&child), "{child}");
    let path = "/2015-03-31/functions/scripted";
    assert_eq!(cloud.lambda("DELETE", path, &Value::Null).await.status, 204);
    gone(&cloud, &child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_started_in_a_session_of_its_own_ends_with_it() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let child = told(&cloud, &stage, "escape").await;
    assert!(lives(&child), "{child}");
    let path = "/2015-03-31/functions/scripted";
    assert_eq!(cloud.lambda("DELETE", path, &Value::Null).await.status, 204);
    gone(&cloud, &child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_function_runs_in_a_new_process_and_the_old_one_ends() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let old = told(&cloud, &stage, "pid").await;
    let change = json!({"Environment": {"Variables": {"COLOUR": "blue"}}});
    let path = "/2015-03-31/functions/scripted/configuration";
    assert_eq!(cloud.lambda("PUT", path, &change).await.status, 200);
    cloud
        .until("the change is there", async |cloud| {
            (told(cloud, &stage, "var COLOUR").await == "blue").then_some(())
        })
        .await;
    gone(&cloud, &old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_reserved_concurrency_are_throttled() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let path = "/2017-10-31/functions/scripted/concurrency";
    let reserved = json!({"ReservedConcurrentExecutions": 1});
    assert_eq!(cloud.lambda("PUT", path, &reserved).await.status, 200);
    let mut client = cloud.connect(&stage).await;
    client.tell("sleep-echo 1500").await;
    processes(&cloud, 1).await;
    client.tell("echo never").await;
    assert!(client.text().await.contains("Internal server error"));
    let invoke = "/2015-03-31/functions/scripted/invocations";
    let answer = cloud.lambda("POST", invoke, &json!({})).await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (429, Some("TooManyRequestsException"))
    );
    assert_eq!(
        answer.json()["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    assert_eq!(client.text().await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_processes_than_allowed_and_idle_ones_make_room() {
    let cloud = TestCloud::start_with(|config| config.limits.processes = 1).await;
    let role = cloud.role("all").await;
    for name in ["first", "second"] {
        cloud
            .function(
                &Function {
                    name,
                    ..Function::default()
                },
                &role,
            )
            .await;
    }
    for name in ["first", "second", "first"] {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let answer = cloud.lambda("POST", &path, &json!({"do": "reveal"})).await;
        assert_eq!(
            (answer.status, answer.header("x-amz-function-error")),
            (200, None),
            "{answer:?}"
        );
        assert!(cloud.health().await["processes"].as_u64() <= Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_at_once_are_all_served() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut clients = Vec::new();
    for _ in 0..30 {
        clients.push(cloud.connect(&stage).await);
    }
    for client in &mut clients {
        client.tell("echo here").await;
    }
    for client in &mut clients {
        assert_eq!(client.text().await, "here");
    }
}

async fn invocations(cloud: &TestCloud, count: u64) {
    let what = format!("{count} invocations");
    cloud
        .until(&what, async |cloud| {
            (cloud.health().await["invocations"] == count).then_some(())
        })
        .await;
}

// On one thread: an event that is counted has its place in the queue.
#[tokio::test]
async fn events_beyond_the_processes_wait_and_are_served_in_the_order_of_coming() {
    let cloud = TestCloud::start_with(|config| config.limits.processes = 1).await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut first = cloud.connect(&stage).await;
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(cloud.connect(&stage).await);
    }
    // Longer than any of the others would wait for a further process.
    first.tell("sleep-echo 1500").await;
    invocations(&cloud, 1).await;
    for (before, client) in (1..).zip(&mut others) {
        client.tell("count").await;
        invocations(&cloud, 1 + before).await;
    }
    assert_eq!(first.text().await, "slept");
    for (before, client) in (1..).zip(&mut others) {
        assert_eq!(client.text().await, (1 + before).to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_the_account_may_have_at_once_are_throttled() {
    let cloud = TestCloud::start_with(|config| config.limits.invocations = 1).await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    client.tell("sleep-echo 1500").await;
    invocations(&cloud, 1).await;
    let invoke = "/2015-03-31/functions/scripted/invocations";
    let answer = cloud.lambda("POST", invoke, &json!({})).await;
    assert_eq!(
        (answer.status, &answer.json()["Reason"]),
        (429, &json!("ConcurrentInvocationLimitExceeded"))
    );
    assert_eq!(client.text().await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_cloud_leaves_neither_processes_nor_files() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let child = told(&cloud, &stage, "child").await;
    let mut client = cloud.connect(&stage).await;
    client.tell("sleep 60000").await;
    client.tell("pid").await;
    let pid = client.text().await;
    let TestCloud { running, port, dir } = cloud;
    tokio::time::timeout(support::PATIENCE, running.stop())
        .await
        .expect("stopped in time");
    assert!(!lives(&child) && !lives(&pid));
    let left: Vec<_> = std::fs::read_dir(dir.path().join("functions"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_lambdas_variables_and_none_of_ours() {
    let cloud = TestCloud::start().await;
    let function = Function {
        environment: &[("ROOM", "blue")],
        ..Function::default()
    };
    let stage = cloud.scripted_as(&function, &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    for (name, value) in [
        ("ROOM", "blue".to_owned()),
        ("_HANDLER", "scripted.handle".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "scripted".to_owned()),
        (
            "AWS_ENDPOINT_URL_SSM",
            format!("http://127.0.0.1:{}", cloud.port),
        ),
        ("CARGO", String::new()),
        ("HOME", String::new()),
    ] {
        client.tell(&format!("var {name}")).await;
        assert_eq!(client.text().await, value, "{name}");
    }
    client.tell("var AWS_ACCESS_KEY_ID").await;
    assert!(client.text().await.starts_with("ASIA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_cannot_take_a_functions_events() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let api = told(&cloud, &stage, "var AWS_LAMBDA_RUNTIME_API").await;
    // The frame comes before the function has answered its event.
    processes_idle(&cloud).await;
    let port = api.rsplit_once(':').unwrap().1.parse().unwrap();
    let page = [("sec-fetch-site", "cross-site")];
    let next = "/2018-06-01/runtime/invocation/next";
    assert_eq!(
        http::request(port, "GET", next, &page, b"").await.status,
        403
    );
    // What it wrote arrives before its invocation ends.
    cloud
        .until("the invocation has ended", async |cloud| {
            (cloud.health().await["invocations"] == 0).then_some(())
        })
        .await;
    let wrong = "/2018-06-01/runtime/invocation/none/response";
    let answer = http::request(port, "POST", wrong, &[], b"{}").await;
    assert_eq!(answer.json()["errorType"], "InvalidStateTransition");
}
