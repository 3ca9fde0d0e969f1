//! Lambda's Invoke API, and how functions fail.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;
use support::TestCloud;
use support::deploy::{Function, zip_of};
use support::http::{Answer, request, signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATH: &str = "/2015-03-31/functions/scripted/invocations";

async fn with(function: Function<'_>) -> TestCloud {
    let cloud = TestCloud::start().await;
    deploy(&cloud, &function).await;
    cloud
}

async fn deploy(cloud: &TestCloud, function: &Function<'_>) {
    let role = cloud.role("all").await;
    cloud.function(function, &role).await;
}

async fn invoke(cloud: &TestCloud, script: &str) -> Answer {
    cloud.lambda("POST", PATH, &json!({ "do": script })).await
}

/// The error document of an invocation that failed.
fn error_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("x-amz-function-error"),
        Some("Unhandled"),
        "{answer:?}"
    );
    answer.json()
}

fn message_of(answer: &Answer) -> String {
    let error = error_of(answer);
    error["errorMessage"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_functions_own() {
    let cloud = with(Function::default()).await;
    let answer = invoke(&cloud, "reveal").await;
    assert_eq!(answer.json(), json!({"do": "reveal"}));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amz-function-error"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_error_is_passed_on() {
    let cloud = with(Function::default()).await;
    let error = error_of(&invoke(&cloud, "fail").await);
    assert_eq!(
        error,
        json!({"errorType": "Oops", "errorMessage": "failed"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_midst_of_an_event_is_an_exit_error() {
    let cloud = with(Function::default()).await;
    let exit = error_of(&invoke(&cloud, "exit 7").await);
    assert_eq!(exit["errorType"], "Runtime.ExitError");
    assert!(
        exit["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("Runtime exited with error: exit status 7")
    );
    assert!(message_of(&invoke(&cloud, "abort").await).ends_with("signal: aborted"));
    assert!(message_of(&invoke(&cloud, "exit 0").await).ends_with("without providing a reason"));
    assert_eq!(
        invoke(&cloud, "reveal")
            .await
            .header("x-amz-function-error"),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_takes_too_long_is_killed() {
    let cloud = with(Function {
        timeout: 1,
        ..Function::default()
    })
    .await;
    let message = message_of(&invoke(&cloud, "sleep 60000").await);
    assert!(
        message.ends_with("Task timed out after 1.00 seconds"),
        "{message}"
    );
    cloud
        .until("no process is left", async |cloud| {
            (cloud.health().await["processes"] == 0).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_at_the_start_are_told_apart() {
    let crash = with(Function {
        environment: &[("SCRIPT", "crash-at-start")],
        ..Function::default()
    })
    .await;
    assert!(message_of(&invoke(&crash, "").await).ends_with("exit status 3"));
    let init = with(Function {
        environment: &[("SCRIPT", "init-error")],
        ..Function::default()
    })
    .await;
    assert_eq!(
        error_of(&invoke(&init, "").await)["errorType"],
        "Runtime.NoConfig"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_is_tried_again_within_the_invocation_that_waits_for_it() {
    let marker = tempfile::tempdir().unwrap();
    let path = marker.path().join("started");
    let cloud = with(Function {
        environment: &[("CRASH_UNLESS_THERE", path.to_str().unwrap())],
        ..Function::default()
    })
    .await;
    let answer = invoke(&cloud, "reveal").await;
    assert_eq!(
        answer.json(),
        json!({"do": "reveal"}),
        "the second start came up"
    );
    let lines = cloud.log_lines("scripted").await;
    let phase = "Phase: init\tStatus: error\tError Type: Runtime.ExitError";
    assert!(
        lines[1].starts_with("INIT_REPORT Init Duration: "),
        "{lines:?}"
    );
    assert!(lines[1].ends_with(phase), "{lines:?}");
    assert!(lines[2].starts_with("START"), "{lines:?}");
    let report = lines.last().unwrap();
    assert!(
        !report.contains("Init Duration"),
        "it is part of the duration: {report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_twice_is_reported_twice_and_with_the_runtimes_own_type() {
    let cloud = with(Function {
        environment: &[("SCRIPT", "init-error")],
        ..Function::default()
    })
    .await;
    error_of(&invoke(&cloud, "").await);
    let lines = cloud.log_lines("scripted").await;
    let status = "Status: error\tError Type: Runtime.NoConfig";
    assert!(
        lines[1].ends_with(&format!("Phase: init\t{status}")),
        "{lines:?}"
    );
    assert!(
        lines[2].ends_with(&format!("Phase: invoke\t{status}")),
        "{lines:?}"
    );
    assert!(lines[3].starts_with("START"), "{lines:?}");
    assert!(lines.last().unwrap().ends_with(status), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_next_invocation_starts_the_process_again_in_its_log_stream() {
    let cloud = with(Function::default()).await;
    error_of(&invoke(&cloud, "exit 7").await);
    assert_eq!(invoke(&cloud, "reveal").await.status, 200);
    let group = json!({"logGroupName": "/aws/lambda/scripted"});
    let streams = cloud.logs("DescribeLogStreams", &group).await;
    assert_eq!(streams["logStreams"].as_array().unwrap().len(), 1);
    let lines = cloud.log_lines("scripted").await;
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("INIT_START"), count("REPORT")), (1, 2), "{lines:?}");
    let report = lines.last().unwrap();
    assert!(!report.contains("Init Duration"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_report_of_a_process_tells_how_long_it_took_to_start() {
    let cloud = with(Function::default()).await;
    for _ in 0..2 {
        assert_eq!(invoke(&cloud, "reveal").await.status, 200);
    }
    let lines = cloud.log_lines("scripted").await;
    let mut reports = lines.iter().filter(|line| line.starts_with("REPORT"));
    assert!(reports.next().unwrap().contains("Init Duration"));
    assert!(!reports.next().unwrap().contains("Init Duration"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_never_asks_for_an_event_is_given_up() {
    let cloud = TestCloud::start_with(|config| {
        config.limits.init_timeout = std::time::Duration::from_secs(1);
    })
    .await;
    deploy(
        &cloud,
        &Function {
            environment: &[("SCRIPT", "never-ready")],
            timeout: 2,
            ..Function::default()
        },
    )
    .await;
    let message = message_of(&invoke(&cloud, "").await);
    assert!(
        message.ends_with("Task timed out after 2.00 seconds"),
        "{message}"
    );
    let lines = cloud.log_lines("scripted").await;
    assert!(
        lines[1].ends_with("Phase: init\tStatus: timeout"),
        "{lines:?}"
    );
    assert!(
        lines[2].ends_with("Phase: invoke\tStatus: timeout"),
        "{lines:?}"
    );
    assert!(
        lines.last().unwrap().ends_with("\tStatus: timeout"),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_without_a_bootstrap_that_runs_is_an_invalid_entrypoint() {
    let zips = [
        (
            zip_of("main", b"x", 0o755),
            "Couldn't find valid bootstrap(s)",
        ),
        (
            zip_of("bootstrap", b"#!/bin/true", 0o644),
            "Couldn't find valid bootstrap(s)",
        ),
        (
            zip_of("bootstrap", b"\x7fELF for another machine", 0o755),
            "fork/exec /var/task/bootstrap",
        ),
    ];
    for (zip, text) in zips {
        let cloud = with(Function {
            zip: &zip,
            ..Function::default()
        })
        .await;
        let error = error_of(&invoke(&cloud, "").await);
        assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
        assert!(
            error["errorMessage"].as_str().unwrap().contains(text),
            "{error}"
        );
        let log = cloud.log_lines("scripted").await.join("\n");
        assert!(log.contains(text) && log.contains("END RequestId"), "{log}");
        for phase in ["init", "invoke"] {
            let status = "Status: error\tError Type: Runtime.InvalidEntrypoint";
            assert!(log.contains(&format!("Phase: {phase}\t{status}")), "{log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_may_open_as_many_files_as_on_lambda() {
    let cloud = with(Function::default()).await;
    let opened = invoke(&cloud, "open-files").await.json();
    let opened = opened.as_u64().unwrap();
    assert!((1000..1024).contains(&opened), "{opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_six_megabytes_is_an_error() {
    let cloud = with(Function::default()).await;
    assert_eq!(
        error_of(&invoke(&cloud, "big 6291557").await)["errorType"],
        "Function.ResponseSizeTooLarge"
    );
    assert_eq!(invoke(&cloud, "big 6291556").await.body.len(), 6_291_556);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_reads_as_lambdas() {
    let cloud = with(Function::default()).await;
    let body = json!({"do": "print hello"}).to_string();
    let tail = [("x-amz-log-type", "Tail")];
    let answer = signed("lambda", cloud.port, "POST", PATH, &tail, body.as_bytes()).await;
    let id = answer.header("x-amzn-requestid").unwrap().to_owned();
    let lines = cloud.log_lines("scripted").await;
    let version = "Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:";
    assert!(
        lines[0].starts_with("INIT_START Runtime Version: provided:al2023.v"),
        "{lines:?}"
    );
    assert!(lines[0].contains(version), "{lines:?}");
    assert_eq!(lines[1], format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(lines[2], "hello");
    assert_eq!(lines[3], format!("END RequestId: {id}"));
    assert!(
        lines[4].starts_with(&format!("REPORT RequestId: {id}\tDuration: ")),
        "{lines:?}"
    );
    assert!(lines[4].contains("\tInit Duration: "), "{lines:?}");
    let tail = STANDARD
        .decode(answer.header("x-amz-log-result").unwrap())
        .unwrap();
    let tail = String::from_utf8(tail).unwrap();
    assert!(
        tail.starts_with("START") && tail.contains("\nhello\n"),
        "{tail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_json_logs_lambdas_own_lines_are_json_from_the_level_on() {
    let cloud = with(Function::default()).await;
    let configure = async |level: &str| {
        let logging = json!({ "LogFormat": "JSON", "SystemLogLevel": level });
        let path = "/2015-03-31/functions/scripted/configuration";
        let input = json!({ "LoggingConfig": logging });
        let answer = cloud.lambda("PUT", path, &input).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    configure("INFO").await;
    let id = invoke(&cloud, "print hello").await;
    let id = id.header("x-amzn-requestid").unwrap().to_owned();
    let lines = cloud.log_lines("scripted").await;
    assert_eq!(lines[2], "hello");
    let own = [0, 1, 3].map(|at: usize| -> Value { serde_json::from_str(&lines[at]).unwrap() });
    let kinds = own.each_ref().map(|line| line["type"].as_str().unwrap());
    let expected = ["platform.initStart", "platform.start", "platform.report"];
    assert_eq!(kinds, expected);
    assert_eq!(own[0]["record"]["functionName"], "scripted");
    let start = json!({ "requestId": id, "version": "$LATEST" });
    assert_eq!(own[1]["record"], start);
    assert_eq!(own[2]["record"]["requestId"], id);
    assert_eq!(own[2]["record"]["status"], "success");
    assert_eq!(lines.len(), 4, "{lines:?}");
    configure("WARN").await;
    invoke(&cloud, "print again").await;
    assert_eq!(cloud.log_lines("scripted").await[4..], ["again"]);
    invoke(&cloud, "exit").await;
    let lines = cloud.log_lines("scripted").await;
    let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(last["type"], "platform.report");
    assert_eq!(last["record"]["status"], "failure");
    assert_eq!(last["record"]["errorType"], "Runtime.ExitError");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flooding_function_slows_itself_and_nobody_else() {
    let cloud = TestCloud::start_with(|config| {
        config.limits.log_burst = 64 * 1024;
        config.limits.log_rate = 64 * 1024;
    })
    .await;
    deploy(
        &cloud,
        &Function {
            timeout: 2,
            ..Function::default()
        },
    )
    .await;
    let (flood, quick) = tokio::join!(invoke(&cloud, "flood 100000"), async {
        let began = std::time::Instant::now();
        assert_eq!(invoke(&cloud, "reveal").await.status, 200);
        began.elapsed()
    });
    assert!(message_of(&flood).contains("Task timed out"));
    assert!(quick.as_secs() < 2, "{quick:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlives_a_refusal_of_a_long_event() {
    let cloud = with(Function::default()).await;
    let mut stream = TcpStream::connect(("127.0.0.1", cloud.port)).await.unwrap();
    let (host, length) = (format!("127.0.0.1:{}", cloud.port), 1 << 20);
    let unsigned =
        format!("POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(unsigned.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'0'; length]).await.unwrap();
    let next = format!("GET /_local/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(next.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 403 "), "{answers}");
    assert!(answers.contains("HTTP/1.1 200 "), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_served_are_refused_as_lambda_does() {
    let cloud = with(Function::default()).await;
    let unsigned = request(cloud.port, "POST", PATH, &[], b"{}").await;
    assert_eq!(unsigned.status, 403);
    let id = unsigned
        .header("x-amzn-requestid")
        .expect("refusals have ids, too");
    assert_eq!(id.len(), 36);
    let nobody = "/2015-03-31/functions/nobody/invocations";
    let missing = cloud.lambda("POST", nobody, &json!({})).await;
    assert_eq!(
        (missing.status, missing.header("x-amzn-errortype")),
        (404, Some("ResourceNotFoundException"))
    );
    let rubbish = signed("lambda", cloud.port, "POST", PATH, &[], b"{").await;
    assert_eq!(
        (rubbish.status, rubbish.header("x-amzn-errortype")),
        (400, Some("InvalidRequestContentException"))
    );
    let dry = signed(
        "lambda",
        cloud.port,
        "POST",
        PATH,
        &[("x-amz-invocation-type", "DryRun")],
        b"{}",
    )
    .await;
    assert_eq!(dry.status, 204);
    for (name, value, code) in [
        ("x-amz-invocation-type", "Sometime", "ValidationException"),
        ("x-amz-log-type", "Head", "ValidationException"),
        ("x-amz-tenant-id", "t", "InvalidParameterValueException"),
    ] {
        let header = [(name, value)];
        let event = signed("lambda", cloud.port, "POST", PATH, &header, b"{}").await;
        assert_eq!(
            (event.status, event.header("x-amzn-errortype")),
            (400, Some(code))
        );
    }
    let huge = signed(
        "lambda",
        cloud.port,
        "POST",
        PATH,
        &[],
        &vec![b' '; 6_291_557],
    )
    .await;
    assert_eq!(huge.status, 413);
}

/// Has an event taken; gives its request id.
async fn invoke_later(cloud: &TestCloud, script: &str) -> String {
    let kind = [("x-amz-invocation-type", "Event")];
    let event = json!({ "do": script }).to_string();
    let taken = signed("lambda", cloud.port, "POST", PATH, &kind, event.as_bytes()).await;
    assert_eq!((taken.status, taken.body.as_str()), (202, ""), "{taken:?}");
    assert_eq!(taken.header("x-amz-executed-version"), None);
    taken.header("x-amzn-requestid").expect("an id").to_owned()
}

/// How often the function ended an event with this request id.
async fn attempts(cloud: &TestCloud, request_id: &str) -> usize {
    let lines = cloud.log_lines("scripted").await;
    let end = format!("END RequestId: {request_id}");
    lines.iter().filter(|line| line.starts_with(&end)).count()
}

async fn until_attempts(cloud: &TestCloud, request_id: &str, wanted: usize) {
    let what = format!("attempts of {request_id}: {wanted}");
    cloud
        .until(&what, async |cloud| {
            (attempts(cloud, request_id).await == wanted).then_some(())
        })
        .await;
}

/// A cloud whose pauses are short.
async fn hasty(function: Function<'_>) -> TestCloud {
    let cloud = TestCloud::start_with(|config| {
        config.limits.asynchronous_retries = [Duration::from_millis(20); 2];
        config.limits.throttle_pause = Duration::from_millis(20);
    })
    .await;
    deploy(&cloud, &function).await;
    cloud
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_taken_at_once_and_run_afterwards() {
    let cloud = hasty(Function::default()).await;
    let id = invoke_later(&cloud, "reveal").await;
    until_attempts(&cloud, &id, 1).await;
    let kind = [("x-amz-invocation-type", "Event")];
    let huge = vec![b' '; 1024 * 1024 + 1];
    let refused = signed("lambda", cloud.port, "POST", PATH, &kind, &huge).await;
    assert_eq!(refused.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_its_function_fails_on_is_tried_twice_more_under_one_id() {
    let cloud = hasty(Function::default()).await;
    let failing = invoke_later(&cloud, "fail").await;
    until_attempts(&cloud, &failing, 3).await;
    // Whatever comes later: the next event is done, and that one wasn't tried again.
    let next = invoke_later(&cloud, "reveal").await;
    until_attempts(&cloud, &next, 1).await;
    assert_eq!(attempts(&cloud, &failing).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_event_waits_until_the_function_is_free() {
    let cloud = hasty(Function::default()).await;
    let path = "/2017-10-31/functions/scripted/concurrency";
    let one = json!({"ReservedConcurrentExecutions": 1});
    let reserved = cloud.lambda("PUT", path, &one).await;
    assert_eq!(reserved.status, 200, "{reserved:?}");
    let busy = invoke_later(&cloud, "sleep 300").await;
    cloud
        .until("the function is busy", async |cloud| {
            (cloud.health().await["invocations"] == 1).then_some(())
        })
        .await;
    let waits = invoke_later(&cloud, "reveal").await;
    cloud
        .until("both are done", async |cloud| {
            let done = [attempts(cloud, &busy).await, attempts(cloud, &waits).await];
            (done == [1, 1]).then_some(())
        })
        .await;
}
