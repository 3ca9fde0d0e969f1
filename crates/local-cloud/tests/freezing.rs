//! Between events a function's processes stand still.

mod support;

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use support::TestCloud;
use support::deploy::Function;
use support::proc::{is_frozen, lives};

const PATH: &str = "/2015-03-31/functions/scripted/invocations";

async fn start() -> TestCloud {
    let cloud = TestCloud::start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    cloud
}

async fn invoke(cloud: &TestCloud, script: &str) {
    let answer = cloud.lambda("POST", PATH, &json!({ "do": script })).await;
    let outcome = (answer.status, answer.header("x-amz-function-error"));
    assert_eq!(outcome, (200, None), "{answer:?}");
}

/// What a script posts to its client.
async fn told(cloud: &TestCloud, script: &str) -> String {
    let role = "arn:aws:iam::000000000000:role/all";
    let stage = cloud.stage(&[("$default", "scripted")], role, 29_000).await;
    let mut client = cloud.connect(&stage).await;
    client.tell(script).await;
    client.text().await
}

async fn frozen(cloud: &TestCloud, pid: &str) {
    cloud
        .until("the process is frozen", async |_| {
            is_frozen(pid).then_some(())
        })
        .await;
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_in_the_background_stands_still_between_events() {
    let cloud = start().await;
    let file = cloud.dir.path().join("work");
    let pid = told(&cloud, "pid").await;
    invoke(&cloud, &format!("background {}", file.display())).await;
    frozen(&cloud, &pid).await;
    let before = size(&file);
    // Two hundred times as long as the work takes to show.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(size(&file), before);
    invoke(&cloud, "sleep 50").await;
    assert!(size(&file) > before, "it goes on with the next event");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_freezing_work_in_the_background_goes_on() {
    let cloud = TestCloud::start_with(|config| config.freeze = false).await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let file = cloud.dir.path().join("work");
    invoke(&cloud, &format!("background {}", file.display())).await;
    let before = size(&file);
    cloud
        .until("the work goes on", async |_| {
            (size(&file) > before).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_started_stands_still_with_it() {
    let cloud = start().await;
    let child = told(&cloud, "child").await;
    frozen(&cloud, &child).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_that_is_killed_is_replaced() {
    let cloud = start().await;
    let pid = told(&cloud, "pid").await;
    frozen(&cloud, &pid).await;
    kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    cloud
        .until("the process is gone", async |cloud| {
            (cloud.health().await["processes"] == 0).then_some(())
        })
        .await;
    invoke(&cloud, "reveal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_cloud_ends_frozen_processes_and_their_children() {
    let cloud = start().await;
    let child = told(&cloud, "child").await;
    let pid = told(&cloud, "pid").await;
    frozen(&cloud, &child).await;
    frozen(&cloud, &pid).await;
    cloud.running.stop().await;
    assert!(!lives(&child) && !lives(&pid));
}

/// Where the cloud that is to be killed tells which processes it has.
const TELLS: &str = "CLOUD_TO_BE_KILLED_TELLS";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the test below"]
async fn the_cloud_to_be_killed() {
    let Some(tells) = std::env::var_os(TELLS) else {
        return;
    };
    let cloud = start().await;
    let child = told(&cloud, "child").await;
    let pid = told(&cloud, "pid").await;
    frozen(&cloud, &child).await;
    frozen(&cloud, &pid).await;
    let complete = Path::new(&tells).with_extension("part");
    std::fs::write(&complete, format!("{child} {pid}")).unwrap();
    std::fs::rename(complete, tells).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_killed_leaves_no_frozen_process() {
    let dir = tempfile::tempdir().unwrap();
    let tells = dir.path().join("tells");
    // Under nohup, whose children ignore it, the kernel's SIGHUP would end nothing.
    let mut cloud = std::process::Command::new("env")
        .arg("--default-signal=HUP")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_cloud_to_be_killed", "--ignored"])
        .env(TELLS, &tells)
        .env("TMPDIR", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let told = || std::fs::read_to_string(&tells).ok();
    let pids = support::until("the cloud tells its processes", async || told()).await;
    cloud.kill().unwrap();
    cloud.wait().unwrap();
    support::until("its processes are gone", async || {
        pids.split(' ').all(|pid| !lives(pid)).then_some(())
    })
    .await;
}
