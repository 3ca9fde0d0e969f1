//! Functions that misbehave harm their own invocation, and nobody else's.

mod support;

use std::time::Duration;

use local_cloud::Config;
use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::Function;
use support::http::Answer;

/// With `bad` and `good`.
async fn start(change: impl FnOnce(&mut Config)) -> TestCloud {
    let cloud = TestCloud::start_with(change).await;
    let role = cloud.role("all").await;
    for (name, timeout) in [("bad", 10), ("good", 10)] {
        let function = Function {
            name,
            timeout,
            ..Function::default()
        };
        cloud.function(&function, &role).await;
    }
    cloud
}

async fn invoke(cloud: &TestCloud, function: &str, script: &str) -> Answer {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    cloud.lambda("POST", &path, &json!({ "do": script })).await
}

fn is_fine(answer: &Answer) {
    let outcome = (answer.status, answer.header("x-amz-function-error"));
    assert_eq!(outcome, (200, None), "{answer:?}");
}

/// What `bad` ends with, while `good` is served, as `bad` is afterwards.
async fn misbehaves(cloud: &TestCloud, script: &str) -> Value {
    let good = async {
        for _ in 0..5 {
            is_fine(&invoke(cloud, "good", "sleep 10").await);
        }
    };
    let (bad, ()) = tokio::join!(invoke(cloud, "bad", script), good);
    assert_eq!(
        bad.header("x-amz-function-error"),
        Some("Unhandled"),
        "{bad:?}"
    );
    is_fine(&invoke(cloud, "bad", "reveal").await);
    bad.json()
}

async fn report(cloud: &TestCloud) -> String {
    let lines = cloud.log_lines("bad").await;
    let report = lines.into_iter().find(|line| line.starts_with("REPORT"));
    report.expect("a report")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_uses_more_memory_than_it_has_is_killed() {
    let cloud = start(|_| ()).await;
    let error = misbehaves(&cloud, "leak").await;
    assert_eq!(error["errorType"], "Runtime.OutOfMemory");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Runtime exited with error: signal: killed"),
        "{message}"
    );
    let report = report(&cloud).await;
    assert!(
        report.contains("\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t"),
        "{report}"
    );
    assert!(
        report.ends_with("Status: error\tError Type: Runtime.OutOfMemory"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_forks_on_and_on_is_killed_with_all_it_started() {
    let cloud = start(|config| config.limits.processes_of_a_function = 20).await;
    let error = misbehaves(&cloud, "forks").await;
    assert_eq!(error["errorType"], "Runtime.ExitError");
    let report = report(&cloud).await;
    assert!(
        report.ends_with("Status: error\tError Type: Runtime.ExitError"),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_dies_in_the_midst_of_its_answer_has_not_answered() {
    let cloud = start(|_| ()).await;
    let error = misbehaves(&cloud, "half-answer").await;
    assert_eq!(error["errorType"], "Runtime.ExitError");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Runtime exited with error: exit status 5"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_ignores_its_deadline_is_killed_at_it() {
    let cloud = start(|_| ()).await;
    let path = "/2015-03-31/functions/bad/configuration";
    let short = cloud.lambda("PUT", path, &json!({ "Timeout": 1 })).await;
    assert_eq!(short.status, 200, "{short:?}");
    let began = std::time::Instant::now();
    let error = misbehaves(&cloud, "sleep 600000").await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(
        message.ends_with("Error: Task timed out after 1.00 seconds"),
        "{message}"
    );
    let report = report(&cloud).await;
    assert!(report.ends_with("\tStatus: timeout"), "{report}");
}
