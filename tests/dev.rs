//! `deployer dev`: what is saved is live on open connections, what is wrong is shown and
//! changes nothing, and what happens is seen. The binary, cargo and the functions are real.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use testkit::{Client, Deployer, Received, TinyProject};

/// For whatever is waited for. Generous: it only passes when a test fails.
const PATIENCE: Duration = Duration::from_secs(120);

const SERVICE: &str = r#"
service = "tiny"
[functions.tiny]
[routes]
"$connect" = "tiny"
"$disconnect" = "tiny"
"$default" = "tiny"
"#;

fn project() -> (TinyProject, Deployer) {
    let project = TinyProject::new();
    project.write("src/main.rs", &TinyProject::answering("one"));
    project.write("stages/service.toml", SERVICE);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    (project, deployer)
}

/// A running `dev`.
struct Dev {
    child: Child,
    stdout: mpsc::Receiver<String>,
    stderr: mpsc::Receiver<String>,
}

fn lines(stream: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn until(lines: &mpsc::Receiver<String>, wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(line) = lines.recv_timeout(left) else {
            panic!("it didn't come after:\n{}", seen.join("\n"));
        };
        if wanted(&line) {
            return line;
        }
        seen.push(line);
    }
}

impl Dev {
    fn start(deployer: &Deployer, arguments: &[&str]) -> Self {
        let mut command = deployer.command(&[&["dev"], arguments].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The next line of stdout in which this stands.
    fn says(&self, part: &str) -> String {
        until(&self.stdout, |line| line.contains(part))
    }

    /// The next line of stderr in which this stands.
    fn complains(&self, part: &str) -> String {
        until(&self.stderr, |line| line.contains(part))
    }

    /// With `--json`: the next event that is so.
    fn tells(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let event = |line: &str| serde_json::from_str(line).expect("a line of JSON");
        let line = until(&self.stdout, |line| wanted(&event(line)));
        event(&line)
    }

    fn live(&self) -> Value {
        self.tells(|event| event["event"] == "live")
    }

    fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, Signal::SIGINT).expect("it runs");
    }

    /// Ctrl-C, and the exit code.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        self.interrupt();
        let code = self.child.wait().expect("it ends").code();
        (code, self.stderr.iter().collect())
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // After a failed assertion.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn answer(client: &mut Client) -> String {
    client.send("hi").await;
    client.text().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_is_live_on_the_same_connection() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &["--json"]);
    let live = dev.live();
    let url = live["url"].as_str().expect("a URL");
    let mut client = Client::connect(url).await.expect("it is let in");
    assert_eq!(answer(&mut client).await, "one");
    let message = dev.tells(|event| event["traffic"]["eventType"] == "MESSAGE");
    assert_eq!(message["event"], "traffic");
    assert_eq!(message["traffic"]["kind"], "request");
    assert_eq!(message["traffic"]["body"], "hi");
    project.write("src/main.rs", &TinyProject::answering("two"));
    let changed = dev.tells(|event| event["event"] == "changed");
    assert_eq!(changed["paths"][0], "src/main.rs");
    let second = dev.live();
    assert_ne!(second["release"], live["release"]);
    assert_eq!(answer(&mut client).await, "two");
    // As editors save: a new file takes the old one's name.
    project.write("src/main.rs.new", &TinyProject::answering("three"));
    let file = |name: &str| project.path().join("src").join(name);
    std::fs::rename(file("main.rs.new"), file("main.rs")).expect("it is renamed");
    dev.tells(|event| event["event"] == "live" && event["changed"] == true);
    assert_eq!(answer(&mut client).await, "three");
    let (code, said) = dev.end();
    assert_eq!(code, Some(0));
    assert!(said.iter().any(|line| line.contains("deployer down local")));
    // It goes on without us.
    assert_eq!(answer(&mut client).await, "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_flight_at_a_cut_over_are_all_answered_and_none_goes_back() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &["--json"]);
    let url = dev.live()["url"].as_str().expect("a URL").to_owned();
    let mut client = Client::connect(&url).await.expect("it is let in");
    project.write("src/main.rs", &TinyProject::answering("two"));
    let mut answers = vec![answer(&mut client).await];
    let deadline = Instant::now() + PATIENCE;
    while answers.last().is_some_and(|last| last == "one") {
        assert!(Instant::now() < deadline, "it doesn't come");
        answers.push(answer(&mut client).await);
    }
    for _ in 0..20 {
        answers.push(answer(&mut client).await);
    }
    answers.dedup();
    assert_eq!(answers, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_compile_is_shown_and_the_old_goes_on() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &[]);
    dev.says("tiny/local is live: release ");
    let url = dev.says("ws://").trim().to_owned();
    dev.says("watching ");
    let mut client = Client::connect(&url).await.expect("it is let in");
    project.write("src/main.rs", "fn main() { no_such_function() }\n");
    dev.says("saved     src/main.rs");
    dev.complains("error[E0425]: cannot find function `no_such_function`");
    dev.complains("src/main.rs:1:13");
    dev.complains("what was live before goes on serving");
    assert_eq!(answer(&mut client).await, "one");
    project.write("src/main.rs", &TinyProject::answering("two"));
    dev.says("live      release ");
    assert_eq!(answer(&mut client).await, "two");
    assert_eq!(dev.end().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_never_compiled_is_waited_for() {
    let (project, deployer) = project();
    project.write("src/main.rs", "fn main() { no_such_function() }\n");
    let dev = Dev::start(&deployer, &[]);
    dev.complains("cannot find function");
    project.write("src/main.rs", &TinyProject::answering("one"));
    dev.says("tiny/local is live: release ");
    assert_eq!(dev.end().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_stage_file_is_applied_and_a_broken_one_told() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &[]);
    dev.says("tiny/local is live: release ");
    let url = dev.says("ws://").trim().to_owned();
    dev.says("watching ");
    let mut client = Client::connect(&url).await.expect("it is let in");
    project.write(
        "stages/service.toml",
        &SERVICE.replace("[routes]", "[rootes]"),
    );
    dev.complains("stages/service.toml:4:");
    assert_eq!(answer(&mut client).await, "one");
    let without = SERVICE.lines().filter(|line| !line.contains("$default"));
    let without: Vec<&str> = without.collect();
    let mended = format!("{}\nother = \"tiny\"\n", without.join("\n"));
    project.write("stages/service.toml", &mended);
    dev.says("live      release ");
    assert!(answer(&mut client).await.contains("Forbidden"));
    client.send(r#"{"action":"other"}"#).await;
    assert_eq!(client.receive().await, Received::Text("one".to_owned()));
    // Another stage's file is none of its business; its own is.
    project.write("stages/other.toml", "target = \"aws\"\n");
    project.write("stages/local.toml", "target = \"aws\"\n");
    dev.complains("`local` is on AWS, and `dev` works on a local cloud only");
    project.write(
        "stages/local.toml",
        "target = \"local\"\n[defaults]\nmemory_mb = 256\n",
    );
    dev.says("saved     stages/local.toml");
    dev.says("live      release ");
    assert_eq!(dev.end().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_shown_between_what_functions_log() {
    let (_project, deployer) = project();
    let dev = Dev::start(&deployer, &[]);
    let url = dev.says("ws://").trim().to_owned();
    dev.says("watching ");
    let mut client = Client::connect(&url).await.expect("it is let in");
    dev.says("plain words about $connect");
    let connect = dev.says("→ $connect");
    assert!(connect.contains("  tiny  200  "), "{connect}");
    assert!(connect.contains("  cold, start "), "{connect}");
    assert_eq!(answer(&mut client).await, "one");
    let message = dev.says("→ $default");
    assert!(message.contains("  tiny  200  "), "{message}");
    client.send("deny").await;
    let denied = dev.says("→ $default");
    assert!(denied.contains("  tiny  403  "), "{denied}");
    client.send("fail").await;
    let failed = dev.says("→ $default");
    assert!(failed.contains("  tiny  500  "), "{failed}");
    assert!(failed.contains("asked to fail"), "{failed}");
    drop(client);
    let gone = dev.says("→ $disconnect");
    assert!(gone.contains("closed with 1006"), "{gone}");
    assert_eq!(dev.end().0, Some(0));
}

#[test]
fn a_stage_on_aws_is_refused_before_anything_is_done() {
    let (project, deployer) = project();
    project.write("stages/alpha.toml", "target = \"aws\"\n");
    let ran = deployer.run(&["dev", "alpha"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("`alpha` is on AWS"), "{}", ran.stderr);
    assert!(ran.stderr.contains("deployer up alpha"), "{}", ran.stderr);
    assert!(!project.path().join(".deployer").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_amid_a_build_ends_it_and_nothing_is_half_done() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &["--json"]);
    let live = dev.live();
    // A build that waits until it is killed.
    project.write(
        "build.rs",
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)) }\n",
    );
    dev.tells(|event| event["event"] == "building");
    let (code, said) = dev.end();
    assert_eq!(code, Some(0), "{said:?}");
    let status = deployer.result(&["status", "local"]);
    assert_eq!(status["release"], live["release"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_beside_it_goes_on_and_so_does_dev() {
    let (project, deployer) = project();
    let dev = Dev::start(&deployer, &["--json"]);
    dev.live();
    project.write("src/main.rs", &TinyProject::answering("two"));
    let result = deployer.result(&["up", "local"]);
    let live = dev.live();
    assert_eq!(live["release"], result["release"]);
    project.write("src/main.rs", &TinyProject::answering("three"));
    let third = dev.tells(|event| event["event"] == "live" && event["changed"] == true);
    assert_ne!(third["release"], result["release"]);
}
