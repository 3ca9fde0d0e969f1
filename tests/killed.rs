//! The local cloud is killed with SIGKILL: what it has answered is there when it is
//! started again, and a stage goes on, or goes, as if nothing had been.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use local_cloud::client::health;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use testkit::by_hand::{Operation, succeed, try_call};
use testkit::{Client, Deployer, Ran, TinyProject};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// For the port of a killed process. Generous: it only passes when a test fails.
const DEADLINE: Duration = Duration::from_secs(20);

const BINARY: &str = env!("CARGO_BIN_EXE_deployer");

/// Who writes at the same time, and how many answers are waited for before each kill.
const WRITERS: usize = 6;
const ANSWERS_BEFORE_KILLS: [usize; 3] = [40, 150, 90];

/// Kills the local cloud that `up` has started in the background.
async fn kill_background(port: u16) {
    let pid = health(port).await.expect("it runs").pid;
    kill_process(pid);
    // It isn't this process's child: nobody can wait for it but by its port.
    let gone = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, gone).await.expect("it is gone");
}

fn kill_process(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a process"));
    kill(pid, Signal::SIGKILL).expect("it can be killed");
}

/// A local cloud in the foreground, which listens.
fn foreground(deployer: &Deployer, arguments: &[&str]) -> Child {
    let port = deployer.port().to_string();
    let mut command = deployer.command(&[&["local-cloud", "--port", &port], arguments].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let stdout = child.stdout.take().expect("its output");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it says something");
    assert!(line.starts_with("listening on "), "{line}");
    child
}

fn data_dir(project: &Path, deployer: &Deployer) -> PathBuf {
    project.join(format!(".deployer/local-cloud-{}", deployer.port()))
}

fn logs(operation: &'static str) -> Operation<'static> {
    Operation::Json("logs", operation)
}

const CREATE_GROUP: &str = "Logs_20140328.CreateLogGroup";
const CREATE_STREAM: &str = "Logs_20140328.CreateLogStream";
const PUT_EVENTS: &str = "Logs_20140328.PutLogEvents";
const GET_EVENTS: &str = "Logs_20140328.GetLogEvents";
const PUT_PARAMETER: Operation<'_> = Operation::Json("ssm", "AmazonSSM.PutParameter");
const GET_PARAMETER: Operation<'_> = Operation::Json("ssm", "AmazonSSM.GetParameter");

fn stream_of(writer: usize) -> Value {
    json!({ "logGroupName": format!("/writer/{writer}"), "logStreamName": "s" })
}

async fn prepare(port: u16, writer: usize) {
    let mut group = stream_of(writer);
    group
        .as_object_mut()
        .expect("members")
        .remove("logStreamName");
    succeed(port, logs(CREATE_GROUP), &group).await;
    succeed(port, logs(CREATE_STREAM), &stream_of(writer)).await;
}

/// Writes numbers until nobody answers: each first into the stream, then into the
/// parameter. Tells of each number that both have answered.
async fn write(
    port: u16,
    writer: usize,
    first: u64,
    answered: mpsc::UnboundedSender<usize>,
) -> u64 {
    let mut number = first;
    loop {
        let mut event = stream_of(writer);
        let at = jiff::Timestamp::now().as_millisecond();
        event["logEvents"] = json!([{ "timestamp": at, "message": number.to_string() }]);
        let parameter = json!({
            "Name": format!("/writer/{writer}"), "Value": number.to_string(),
            "Type": "String", "Overwrite": true,
        });
        for (operation, body) in [(logs(PUT_EVENTS), event), (PUT_PARAMETER, parameter)] {
            match try_call(port, operation, &body).await {
                Some((200, _)) => {}
                Some(refused) => panic!("{refused:?}"),
                None => return number,
            }
        }
        number += 1;
        let _nobody_counts = answered.send(writer);
    }
}

/// Everything up to `next` is there, and at most what was on its way beside it.
async fn check(port: u16, writer: usize, next: u64) -> u64 {
    let mut stream = stream_of(writer);
    stream["startFromHead"] = json!(true);
    let events = succeed(port, logs(GET_EVENTS), &stream).await;
    let events = events["events"].as_array().expect("events").clone();
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["message"].as_str()?.parse().ok())
        .collect();
    let sequence: Vec<u64> = (0..numbers.len() as u64).collect();
    assert_eq!(numbers, sequence, "writer {writer}");
    let count = numbers.len() as u64;
    assert!(count == next || count == next + 1, "{count}, not {next}");
    let parameter = json!({ "Name": format!("/writer/{writer}") });
    let read = succeed(port, GET_PARAMETER, &parameter).await;
    let value: u64 = read["Parameter"]["Value"]
        .as_str()
        .and_then(|value| value.parse().ok())
        .expect("a number");
    assert!(value + 1 == next || value == next, "{value}, not {next}");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answered_write_outlives_the_local_cloud_whenever_it_is_killed() {
    let project = TinyProject::new();
    let deployer = Deployer::new(BINARY, project.path());
    let port = deployer.port();
    let folder = tempfile::tempdir().expect("a folder");
    let data = ["--data", folder.path().to_str().expect("text")];
    let mut child = foreground(&deployer, &data);
    for writer in 0..WRITERS {
        prepare(port, writer).await;
    }
    let mut next = [0; WRITERS];
    for answers in ANSWERS_BEFORE_KILLS {
        let (answered, mut count) = mpsc::unbounded_channel();
        let begin =
            |writer: usize| tokio::spawn(write(port, writer, next[writer], answered.clone()));
        let writers: Vec<_> = (0..WRITERS).map(begin).collect();
        for _ in 0..answers {
            count.recv().await.expect("writers write");
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        for (writer, task) in writers.into_iter().enumerate() {
            next[writer] = task.await.expect("it was answered well");
        }
        child = foreground(&deployer, &data);
        for (writer, next) in next.iter_mut().enumerate() {
            *next = check(port, writer, *next).await;
        }
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it has ended");
}

#[tokio::test]
async fn a_stage_goes_on_and_goes_after_the_local_cloud_was_killed() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = project.parent().expect("the workspace");
    let deployer = Deployer::new(BINARY, project);
    let url = url(&deployer.succeed(&["up", "local", "--json"]));
    let before = deployer.succeed(&["status", "local"]);
    kill_background(deployer.port()).await;

    // Whoever asks for what is in it starts it again.
    assert_eq!(deployer.succeed(&["status", "local"]), before);
    let again = deployer.succeed(&["up", "local"]);
    assert!(again.starts_with("chat/local: nothing to do"), "{again}");
    let mut client = Client::connect(&url).await.expect("it is let in");
    client.send("hi there").await;
    assert_eq!(client.text().await, "hi there");
    deployer.until_idle().await;
    client.send(r#"{"action":"join","room":"r"}"#).await;
    let joined = client.text().await;
    assert!(joined.ends_with("has joined to Room r"), "{joined}");

    kill_background(deployer.port()).await;
    let plan = deployer.succeed(&["plan", "local"]);
    assert!(plan.starts_with("chat/local: nothing to do"), "{plan}");
    let releases = deployer.succeed(&["history", "local"]);
    assert!(releases.contains("live"), "{releases}");

    kill_background(deployer.port()).await;
    let down = deployer.succeed(&["down", "local"]);
    assert!(down.contains("chat/local is gone"), "{down}");
    assert!(down.contains("the local cloud has stopped"), "{down}");
    let left = data_dir(project, &deployer);
    assert!(!left.exists(), "{}", left.display());
}

fn url(json: &str) -> String {
    let last = json.lines().last().expect("a result");
    let result: Value = serde_json::from_str(last).expect("a line of JSON");
    result["url"].as_str().expect("a URL").to_owned()
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_named_with_what_to_do_and_can_be_set_aside() {
    let project = TinyProject::new();
    let deployer = Deployer::new(BINARY, project.path());
    deployer.succeed(&["up", "local"]);
    kill_background(deployer.port()).await;
    let dir = data_dir(project.path(), &deployer);
    let file = dir.join("state/account.json");
    let whole = fs::read_to_string(&file).expect("the account");
    fs::write(&file, whole.replacen("\"format\":1", "\"format\":2", 1)).expect("a file");
    for verb in ["status", "up", "down"] {
        let Ran { code, stderr, .. } = deployer.run(&[verb, "local"]);
        assert_eq!(code, 1, "{verb}: {stderr}");
        assert!(stderr.contains("state/account.json"), "{verb}: {stderr}");
        assert!(stderr.contains("--fresh"), "{verb}: {stderr}");
        assert!(file.exists(), "{verb} leaves it alone");
    }
    let mut child = foreground(&deployer, &["--fresh"]);
    let status = deployer.succeed(&["status", "local"]);
    assert!(status.contains("is not deployed"), "{status}");
    deployer.succeed(&["up", "local"]);
    let down = deployer.succeed(&["down", "local"]);
    assert!(down.contains("the local cloud has stopped"), "{down}");
    child.wait().expect("it has ended");
    let left = fs::read_dir(&dir).expect("the folder").flatten();
    let left: Vec<String> = left
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        left.len() == 1 && left[0].starts_with("state-until-"),
        "{left:?}"
    );
}
