//! `deployer status`: what functions and gateway did in the last hour, how far a stage is from
//! its file, again and again.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::by_hand::{Call, send};
use testkit::{Client, Deployer, TinyProject};

/// Generous: it only passes when a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stage whose functions serve, and say so when they fail.
fn stage() -> (TinyProject, Deployer, String) {
    let project = TinyProject::new();
    let body = "let body = member(&event, \"body\");";
    let says =
        format!("{body}\n        if body == \"fail\" {{ eprintln!(\"ERROR asked to fail\"); }}");
    project.write("src/main.rs", &TinyProject::SERVING.replace(body, &says));
    project.write(
        "stages/service.toml",
        "service = \"tiny\"\n[functions.tiny]\n[routes]\n\"$connect\" = \"tiny\"\n\"$default\" = \"tiny\"\n",
    );
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let result = deployer.result(&["up", "local"]);
    let url = result["url"].as_str().expect("a URL").to_owned();
    (project, deployer, url)
}

/// The status, once it is so.
fn until(deployer: &Deployer, holds: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = deployer.result(&["status", "local"]);
        if holds(&status) {
            return status;
        }
        assert!(Instant::now() < end, "still not as waited for: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_hour_of_functions_and_gateway_is_counted() {
    let (_project, deployer, url) = stage();
    let before = deployer.result(&["status", "local"]);
    assert_eq!(before["gateway"]["messages"], 0, "{before}");
    let function = &before["functions"][0];
    let nothing =
        json!({ "invocations": 0, "errors": 0, "throttles": 0, "p50_ms": null, "max_ms": null });
    assert_eq!(function["figures"], nothing);
    assert_eq!(function["version"], "1");
    assert!(
        function["code_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 1_000),
        "{function}"
    );
    assert!(
        function["modified"]
            .as_str()
            .is_some_and(|at| at.starts_with("20")),
        "{function}"
    );
    assert_eq!(before["notes"], json!([]));

    let mut client = Client::connect(&url).await.expect("it is let in");
    client.send("hello").await;
    client.send(r#"{"body":"fail"}"#).await;
    client.send("fail").await;
    // The frame about the one that fails.
    let frame = client.text().await;
    assert!(frame.contains("Internal server error"), "{frame}");
    deployer.until_idle().await;
    let counted = until(&deployer, |status| status["gateway"]["messages"] == 3);
    assert_eq!(counted["gateway"]["connects"], 1, "{counted}");
    assert_eq!(counted["gateway"]["integration_errors"], 1, "{counted}");
    assert_eq!(counted["connections"], 1);
    let function = &counted["functions"][0];
    let figures = &function["figures"];
    assert_eq!(
        (&figures["invocations"], &figures["errors"]),
        (&json!(4), &json!(1))
    );
    let ms = |what: &str| figures[what].as_f64().expect("a duration");
    assert!(
        0.0 < ms("p50_ms") && ms("p50_ms") <= ms("max_ms"),
        "{figures}"
    );
    let error = &function["last_error"];
    assert_eq!(error["message"], "ERROR asked to fail", "{function}");
    let text = deployer.succeed(&["status", "local"]);
    for said in [
        "  drift    as the stage file says; code isn't compared\n",
        "  gateway  1 connect, 3 messages, 0 refused, 1 integration error, ",
        "  clients  1 connected to the local cloud now\n",
        " 4 invocations, 1 error, 0 throttles, ",
        ": ERROR asked to fail\n",
    ] {
        assert!(text.contains(said), "{said:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_from_the_file_and_changes_by_hand_are_counted_without_building() {
    let (project, deployer, _) = stage();
    // It couldn't be built.
    project.write("src/main.rs", "no Rust");
    let status = deployer.result(&["status", "local"]);
    assert_eq!(status["drift"], json!({ "differences": 0, "by_hand": 0 }));
    let call = Call {
        service: "lambda",
        method: "PUT",
        path: "/2015-03-31/functions/tiny-local-tiny/configuration",
        headers: &[("content-type", "application/json")],
        body: r#"{"MemorySize":512}"#,
    };
    assert_eq!(send(deployer.port(), call).await, 200);
    let drift = deployer.result(&["status", "local"])["drift"].clone();
    assert!(
        drift["by_hand"].as_u64().is_some_and(|count| count > 0),
        "{drift}"
    );
    let text = deployer.succeed(&["status", "local"]);
    assert!(
        text.contains(" made by hand: deployer plan local\n"),
        "{text}"
    );
    // A stage that no file describes is compared with none.
    std::fs::remove_file(project.path().join("stages/local.toml")).expect("it is there");
    let port = deployer.port().to_string();
    let status = deployer.result(&["status", "local", "--local", "--port", &port]);
    assert_eq!(status["drift"], Value::Null, "{status}");
    project.write("stages/local.toml", "target = \"local\"\n");
}

#[test]
fn watching_shows_it_again_and_again_and_ends_well() {
    let (_project, deployer, _) = stage();
    let mut command = deployer.command(&["status", "local", "--json", "--watch=1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    for line in stdout.lines().take(2) {
        let status: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        assert_eq!(status["stage"], "local");
    }
    let id = nix::unistd::Pid::from_raw(child.id().try_into().expect("a pid"));
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("it runs");
    assert!(child.wait().expect("it ends").success());
    // What can't be looked at isn't watched.
    let ran = deployer.run(&["status", "nowhere", "--watch"]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
}
