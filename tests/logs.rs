//! `deployer logs`: what functions and gateway have logged, as one sequence.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use testkit::{Client, Deployer, TinyProject};

/// Generous: it only passes when a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

const SERVICE: &str = r#"
service = "tiny"
[functions.tiny]
[functions.other]
package = "tiny"
[routes]
"$connect" = "tiny"
"$default" = "tiny"
other = "other"
[api_stage.access_logs]
"#;

/// A stage whose functions have served something.
async fn stage() -> (TinyProject, Deployer, String) {
    let project = TinyProject::new();
    project.write("src/main.rs", TinyProject::SERVING);
    project.write("stages/service.toml", SERVICE);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let result = deployer.result(&["up", "local"]);
    let url = result["url"].as_str().expect("a URL").to_owned();
    (project, deployer, url)
}

/// Sends a message that has no answer, and waits until its function has logged.
async fn say(deployer: &Deployer, client: &mut Client, text: &str, route: &str) {
    client.send(text).await;
    let until = Instant::now() + PATIENCE;
    let logged = format!("routeKey={route}");
    while !deployer.succeed(&["logs", "local"]).contains(&logged) {
        assert!(Instant::now() < until, "nobody has served {route}");
    }
    deployer.until_idle().await;
}

fn events(json: &str) -> Vec<Value> {
    let lines = json.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sources_come_in_time_order_and_can_be_chosen_and_searched() {
    let (_project, deployer, url) = stage().await;
    let mut client = Client::connect(&url).await.expect("it is let in");
    say(&deployer, &mut client, "hi", "$default").await;
    say(&deployer, &mut client, r#"{"action":"other"}"#, "other").await;
    let all = events(&deployer.succeed(&["logs", "local", "--json"]));
    let mut sources: Vec<&str> = all.iter().filter_map(|it| it["source"].as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources, ["gateway:access", "other", "tiny"]);
    let times: Vec<i64> = all
        .iter()
        .filter_map(|it| it["timestamp"].as_i64())
        .collect();
    assert_eq!(times.len(), all.len());
    assert!(times.is_sorted(), "{times:?}");
    let first = &all[0];
    for field in [
        "ingestionTime",
        "logGroupName",
        "logStreamName",
        "eventId",
        "message",
    ] {
        assert!(!first[field].is_null(), "{field}: {first}");
    }

    let text = deployer.succeed(&["logs", "local", "tiny"]);
    assert!(text.contains("  tiny  INFO served requestId="), "{text}");
    assert!(
        text.contains("  tiny  plain words about $connect\n"),
        "{text}"
    );
    assert!(text.contains("  tiny  report "), "{text}");
    assert!(!text.contains("  other "), "{text}");
    let found = deployer.succeed(&["logs", "local", "other", "gateway", "--grep", "plain words"]);
    assert!(
        found.ends_with("  other           plain words about other\n"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_goes_on_with_each_event_once_and_ends_well() {
    let (_project, deployer, url) = stage().await;
    let mut command = deployer.command(&["logs", "local", "tiny", "-f", "--grep", "plain"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let next = || lines.recv_timeout(PATIENCE).expect("a line in time");
    for _ in 0..3 {
        let client = Client::connect(&url).await.expect("it is let in");
        let line = next();
        assert!(line.ends_with("plain words about $connect"), "{line}");
        drop(client);
    }
    deployer.until_idle().await;
    let id = nix::unistd::Pid::from_raw(child.id().try_into().expect("a pid"));
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("it runs");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    // Nothing came twice.
    assert!(lines.recv_timeout(PATIENCE).is_err());
}

#[test]
fn what_is_not_there_is_said() {
    let project = TinyProject::new();
    project.write("src/main.rs", TinyProject::SERVING);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let ran = deployer.run(&["logs", "local"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("tiny/local has no logs\n  next: deployer up local")
    );
    deployer.succeed(&["up", "local"]);
    let ran = deployer.run(&["logs", "local", "tyny"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("did you mean `tiny`?"),
        "{}",
        ran.stderr
    );
    let ran = deployer.run(&["logs", "local"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.starts_with("nothing since "), "{}", ran.stderr);
    for wrong in [["--since", "soon"], ["--grep", "("]] {
        let ran = deployer.run(&["logs", "local", wrong[0], wrong[1]]);
        assert_eq!(ran.code, 2, "{wrong:?}: {}", ran.stderr);
    }
}
