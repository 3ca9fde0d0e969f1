//! What a page can do to the cloud: events again, connections cut, and faults, each with the
//! real effect.

mod support;

use serde_json::json;
use std::time::{Duration, Instant};
use support::deploy::{Function, Stage, zip_of};
use support::http::{Answer, signed};
use support::metrics::sum;
use support::socket::Client;
use support::{TestCloud, until};
use tokio_tungstenite::tungstenite::Message;

const FUNCTION: &str = "/2015-03-31/functions/scripted";

async fn with_function(timeout: u32) -> TestCloud {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    let function = Function {
        timeout,
        ..Function::default()
    };
    cloud.function(&function, &role).await;
    cloud
}

async fn invoke(cloud: &TestCloud, script: &str) -> Answer {
    let body = json!({ "do": script });
    cloud
        .lambda("POST", &format!("{FUNCTION}/invocations"), &body)
        .await
}

async fn resend(cloud: &TestCloud, request_id: &str) -> Answer {
    let path = format!("/_local/invocations/{request_id}/resend");
    cloud.page("POST", &path, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_again_as_the_very_same_bytes_to_the_same_version() {
    let cloud = with_function(20).await;
    let published = cloud
        .lambda("POST", &format!("{FUNCTION}/versions"), &json!({}))
        .await;
    assert_eq!(published.status, 201);
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    let path = format!("{FUNCTION}/aliases");
    assert_eq!(cloud.lambda("POST", &path, &alias).await.status, 201);
    // No program would write it like this again; and the traffic masks its token.
    let body =
        "{ \"do\" : \"print-event\",\"do\":\"print-event\", \"n\": 1.50,\t\"token\":\"hidden ü\"}";
    let path = format!("{FUNCTION}/invocations?Qualifier=live");
    let first = signed("lambda", cloud.port, "POST", &path, &[], body.as_bytes()).await;
    assert_eq!(first.status, 200, "{first:?}");
    let first = first.header("x-amzn-requestid").unwrap().to_owned();
    // Meanwhile the function goes on, and the alias elsewhere.
    let change = json!({ "Description": "newer" });
    let path = format!("{FUNCTION}/configuration");
    assert_eq!(cloud.lambda("PUT", &path, &change).await.status, 200);

    let mut told = cloud.told().await;
    let answer = resend(&cloud, &first).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let second = answer.json()["requestId"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let again = told.next("invocation").await;
    assert_eq!(
        (&again["requestId"], &again["resentFrom"]),
        (&json!(second), &json!(first))
    );
    assert_eq!(
        (&again["version"], &again["status"]),
        (&json!("1"), &json!("ok"))
    );
    assert!(!again.to_string().contains("hidden"), "{again}");
    let lines = cloud
        .until("both are logged", async |cloud| {
            let lines = cloud.log_lines("scripted").await;
            let whole: Vec<_> = lines.into_iter().filter(|line| line == body).collect();
            (whole.len() == 2).then_some(whole)
        })
        .await;
    assert_eq!(lines.len(), 2);
    let past = cloud.look("/_local/invocations").await;
    let past = past["invocations"].as_array().unwrap();
    let ids: Vec<_> = past
        .iter()
        .map(|it| it["requestId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [first.as_str(), second.as_str()]);
    assert_eq!(past[1]["resentFrom"], first.as_str());
    assert!(past[0]["at"].is_i64() && !past[0].to_string().contains("hidden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_isnt_kept_or_has_no_version_any_more_isnt_sent_again() {
    let cloud = with_function(20).await;
    let unknown = resend(&cloud, "none").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["message"].as_str().unwrap().contains("none"));
    let ran = invoke(&cloud, "nothing").await;
    let id = ran.header("x-amzn-requestid").unwrap();
    assert_eq!(
        cloud.lambda("DELETE", FUNCTION, &json!({})).await.status,
        204
    );
    let gone = resend(&cloud, id).await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.json()["message"]
            .as_str()
            .unwrap()
            .contains("not found"),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_bounded_and_the_oldest_go_first() {
    let cloud = with_function(20).await;
    let first = invoke(&cloud, "nothing").await;
    let first = first.header("x-amzn-requestid").unwrap();
    for _ in 0..256 {
        assert_eq!(invoke(&cloud, "nothing").await.status, 200);
    }
    let past = cloud.look("/_local/invocations").await;
    assert_eq!(past["invocations"].as_array().unwrap().len(), 256);
    assert_eq!(resend(&cloud, first).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_closed_and_its_function_is_told() {
    let cloud = TestCloud::start().await;
    let keys = ["$connect", "$default", "$disconnect"];
    let stage = cloud.scripted_as(&Function::default(), &keys).await;
    let mut client = cloud.connect(&stage).await;
    let id = client.connection_id().await;
    let mut told = cloud.told().await;
    let path = format!("/_local/connections/{}", id.replace('=', "%3D"));
    assert_eq!(cloud.page("DELETE", &path, "").await.status, 204);
    assert_eq!(client.closed().await, (1001, "Going away".to_owned()));
    let ended = told
        .find("request", |event| event["eventType"] == "DISCONNECT")
        .await;
    assert_eq!(ended["connectionId"], id.as_str());
    assert_eq!(ended["closeCode"], 1001);
    assert_eq!(ended["integration"]["status"], 200, "{ended}");
    assert_eq!(cloud.page("DELETE", &path, "").await.status, 404);
}

/// Of the function, so far.
async fn metric(cloud: &TestCloud, name: &str) -> f64 {
    sum(cloud, "AWS/Lambda", name, &[("FunctionName", "scripted")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_function_takes_longer_in_its_log_its_metric_and_for_its_caller() {
    let cloud = with_function(20).await;
    invoke(&cloud, "nothing").await;
    let mut told = cloud.told().await;
    let slow = json!({ "kind": "slow", "functionName": "scripted", "delayMs": 300, "times": 1 });
    let id = cloud.fault(&slow).await;
    assert_eq!(told.next("faults").await["faults"][0]["id"], id.as_str());
    let began = Instant::now();
    assert_eq!(
        invoke(&cloud, "reveal").await.json(),
        json!({ "do": "reveal" })
    );
    assert!(began.elapsed() >= Duration::from_millis(300));
    let struck = told.next("fault").await;
    assert_eq!(
        (
            &struck["id"],
            &struck["fault"],
            &struck["hits"],
            &struck["remaining"]
        ),
        (&json!(id), &json!("slow"), &json!(1), &json!(0))
    );
    assert_eq!(told.next("faults").await["faults"], json!([]));
    let ran = told.next("invocation").await;
    assert_eq!(ran["requestId"], struck["requestId"]);
    assert!(ran["durationMs"].as_f64().unwrap() >= 300.0, "{ran}");
    assert!(metric(&cloud, "Duration").await >= 300.0);
    // It was for one time.
    invoke(&cloud, "nothing").await;
    let ran = told.next("invocation").await;
    assert!(ran["durationMs"].as_f64().unwrap() < 300.0, "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_slower_than_it_may_times_out() {
    let cloud = with_function(1).await;
    cloud
        .fault(&json!({ "kind": "slow", "delayMs": 60_000, "times": 1 }))
        .await;
    let answer = invoke(&cloud, "nothing").await;
    assert_eq!(answer.json()["errorType"], "Sandbox.Timedout", "{answer:?}");
    let lines = cloud.log_lines("scripted").await;
    assert!(
        lines
            .iter()
            .any(|line| line.contains("Task timed out after 1.00 seconds"))
    );
    assert_eq!(
        invoke(&cloud, "reveal").await.json(),
        json!({ "do": "reveal" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateways_own_timeout_goes_by_a_slow_function_too() {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let stage = cloud.stage(&[("$default", "scripted")], &role, 100).await;
    let mut client = cloud.connect(&stage).await;
    cloud
        .fault(&json!({ "kind": "slow", "delayMs": 400, "times": 1 }))
        .await;
    let mut told = cloud.told().await;
    client.tell("echo late").await;
    assert!(client.text().await.contains("Endpoint request timed out"));
    // The function goes on.
    assert_eq!(client.text().await, "late");
    assert_eq!(told.next("invocation").await["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_looks_as_if_the_process_had_died() {
    let cloud = with_function(20).await;
    let pid = async || {
        let mut told = cloud.told().await;
        invoke(&cloud, "print one").await;
        told.find("log", |line| line["message"].as_str() == Some("one"))
            .await["logStream"]
            .clone()
    };
    let stream = pid().await;
    let mut told = cloud.told().await;
    let id = cloud
        .fault(&json!({ "kind": "crash", "functionName": "scripted" }))
        .await;
    for hits in 1..=2 {
        let answer = invoke(&cloud, "print never").await;
        assert_eq!(answer.status, 200);
        let error = answer.json();
        assert_eq!(error["errorType"], "Runtime.ExitError", "{error}");
        let text = error["errorMessage"].as_str().unwrap();
        assert!(
            text.ends_with("Runtime exited with error: signal: killed"),
            "{text}"
        );
        assert_eq!(told.next("fault").await["hits"], hits);
        assert_eq!(told.next("invocation").await["status"], "Runtime.ExitError");
    }
    let path = format!("/_local/faults/{id}");
    assert_eq!(cloud.page("DELETE", &path, "").await.status, 204);
    assert_eq!(cloud.page("DELETE", &path, "").await.status, 404);
    // The log goes on in the same stream, as it does after a process has died.
    assert_eq!(pid().await, stream);
    let lines = cloud.log_lines("scripted").await;
    let reports = lines
        .iter()
        .filter(|line| line.contains("Error Type: Runtime.ExitError"));
    assert_eq!(reports.count(), 2, "{lines:?}");
    assert!(!lines.iter().any(|line| line == "never"), "{lines:?}");
    assert_eq!(metric(&cloud, "Errors").await, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_function_is_refused_and_not_invoked() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted_as(&Function::default(), &["$default"]).await;
    let mut client = cloud.connect(&stage).await;
    let mut told = cloud.told().await;
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
    // The function has posted before its invocation ends.
    let ended = told.next("invocation").await;
    let id = ended["requestId"].as_str().unwrap().to_owned();
    cloud
        .fault(&json!({ "kind": "throttle", "functionName": "scripted" }))
        .await;
    let answer = invoke(&cloud, "nothing").await;
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("TooManyRequestsException")
    );
    assert_eq!(
        answer.json()["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    let mut told = cloud.told().await;
    client.tell("echo never").await;
    assert!(client.text().await.contains("Internal server error"));
    let request = told.next("request").await;
    assert!(
        request["integration"]["error"]
            .as_str()
            .unwrap()
            .contains("throttled"),
        "{request}"
    );
    let refused = resend(&cloud, &id).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(cloud.page("DELETE", "/_local/faults", "").await.status, 204);
    client.tell("echo again").await;
    assert_eq!(client.text().await, "again");
    until("both invocations are counted", async || {
        (metric(&cloud, "Invocations").await == 2.0).then_some(())
    })
    .await;
    assert_eq!(metric(&cloud, "Throttles").await, 3.0);
}

struct Talking {
    client: Client,
    id: String,
}

async fn talking(cloud: &TestCloud, stage: &Stage) -> Talking {
    let mut client = cloud.connect(stage).await;
    let id = client.connection_id().await;
    Talking { client, id }
}

async fn post(cloud: &TestCloud, stage: &Stage, to: &str) -> Answer {
    let path = format!("{}/@connections/{}", stage.path(), to.replace('=', "%3D"));
    signed("execute-api", cloud.port, "POST", &path, &[], b"hello").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_gone_answers_posts_so_and_stays_open() {
    let cloud = TestCloud::start().await;
    let stage = cloud.scripted().await;
    let mut one = talking(&cloud, &stage).await;
    let mut other = talking(&cloud, &stage).await;
    let gone = cloud
        .fault(&json!({ "kind": "gone", "connectionId": one.id }))
        .await;
    let mut told = cloud.told().await;
    let answer = post(&cloud, &stage, &one.id).await;
    assert_eq!(answer.status, 410);
    assert_eq!(answer.header("x-amzn-errortype"), Some("GoneException"));
    assert_eq!(told.next("fault").await["connectionId"], one.id.as_str());
    assert_eq!(told.next("management").await["status"], 410);
    assert_eq!(post(&cloud, &stage, &other.id).await.status, 200);
    assert_eq!(other.client.text().await, "hello");
    let all = cloud
        .fault(&json!({ "kind": "gone", "apiId": stage.api_id, "times": 1 }))
        .await;
    assert_eq!(post(&cloud, &stage, &other.id).await.status, 410);
    assert_eq!(post(&cloud, &stage, &other.id).await.status, 200);
    let left = cloud.look("/_local/faults").await;
    let left = left["faults"].as_array().unwrap();
    assert_eq!(
        (left.len(), &left[0]["id"]),
        (1, &json!(gone)),
        "{all} is used up"
    );
    cloud.page("DELETE", "/_local/faults", "").await;
    // It was there all the time.
    assert_eq!(post(&cloud, &stage, &one.id).await.status, 200);
    assert_eq!(one.client.text().await, "hello");
    one.client.send(Message::Close(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_checked_and_few_and_nobody_has_any_who_set_none() {
    let cloud = with_function(20).await;
    assert_eq!(cloud.look("/_local/faults").await["faults"], json!([]));
    for (body, named) in [
        ("", "EOF"),
        ("[]", "a map"),
        ("{}", "kind"),
        (r#"{"kind":"meteor"}"#, "meteor"),
        (r#"{"kind":"slow"}"#, "delayMs"),
        (r#"{"kind":"slow","delayMs":60001}"#, "delayMs"),
        (r#"{"kind":"crash","functionName":"other"}"#, "functionName"),
        (
            r#"{"kind":"crash","functionName":"scripted:1"}"#,
            "functionName",
        ),
        (r#"{"kind":"gone","connectionId":"none"}"#, "connectionId"),
        (r#"{"kind":"gone","apiId":"none"}"#, "apiId"),
        (r#"{"kind":"throttle","times":0}"#, "times"),
    ] {
        let answer = cloud.page("POST", "/_local/faults", body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(named), "{body}: {message}");
    }
    let large = format!("{{\"kind\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(
        cloud.page("POST", "/_local/faults", &large).await.status,
        400
    );
    for _ in 0..32 {
        cloud.fault(&json!({ "kind": "crash" })).await;
    }
    let answer = cloud
        .page("POST", "/_local/faults", r#"{"kind":"crash"}"#)
        .await;
    assert_eq!(answer.status, 429, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_has_no_process_yet_is_struck_as_well() {
    let cloud = with_function(20).await;
    cloud.fault(&json!({ "kind": "crash", "times": 1 })).await;
    let answer = invoke(&cloud, "nothing").await;
    assert_eq!(
        answer.json()["errorType"],
        "Runtime.ExitError",
        "{answer:?}"
    );
    let role = cloud.role("other").await;
    let broken = zip_of("bootstrap", b"#!/nowhere\n", 0o755);
    let function = Function {
        name: "broken",
        zip: &broken,
        ..Function::default()
    };
    cloud.function(&function, &role).await;
    cloud
        .fault(&json!({ "kind": "slow", "delayMs": 1, "functionName": "broken" }))
        .await;
    let path = "/2015-03-31/functions/broken/invocations";
    let answer = cloud.lambda("POST", path, &json!({})).await;
    assert_eq!(answer.json()["errorType"], "Runtime.InvalidEntrypoint");
    until("no process is left of them", async || {
        let health = cloud.health().await;
        (health["invocations"] == 0).then_some(())
    })
    .await;
}
