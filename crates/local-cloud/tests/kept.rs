//! The account in its files: what was answered is there whatever becomes of the process,
//! and what is there is gone on with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use local_cloud::{Config, Keeping, Running, StartError, StateError};
use serde_json::{Value, json};
use support::TestCloud;
use support::deploy::{Function, Stage};
use support::http::signed;
use tempfile::TempDir;

async fn start() -> TestCloud {
    TestCloud::start_with(|config| config.keeping = Keeping::Account).await
}

async fn start_in(dir: &Path, keeping: Keeping) -> Result<Running, StartError> {
    let mut config = Config::new(0, dir);
    config.keeping = keeping;
    local_cloud::start(config).await
}

/// A cloud that goes on in a directory.
async fn go_on(dir: TempDir) -> TestCloud {
    let running = start_in(dir.path(), Keeping::Account).await.unwrap();
    let port = running.port();
    TestCloud { running, port, dir }
}

/// A cloud that goes on with the files as they are now: as if the other had been killed.
async fn as_if_killed(cloud: &TestCloud) -> TestCloud {
    let copy = tempfile::tempdir().unwrap();
    copy_all(&cloud.dir.path().join("state"), &copy.path().join("state"));
    go_on(copy).await
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}

async fn create_group(port: u16, name: &str) -> u16 {
    let headers = [
        ("x-amz-target", "Logs_20140328.CreateLogGroup"),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    let body = json!({ "logGroupName": name }).to_string();
    let answer = signed("logs", port, "POST", "/", &headers, body.as_bytes()).await;
    answer.status
}

async fn groups(cloud: &TestCloud) -> Vec<String> {
    let listed = cloud.health().await["inventory"]["log_groups"]["names"].clone();
    serde_json::from_value(listed).unwrap()
}

async fn echoes(cloud: &TestCloud, stage: &Stage) {
    let mut client = cloud.connect(stage).await;
    client.tell("echo hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_goes_on_after_a_restart_on_another_port_too() {
    let cloud = start().await;
    let stage = cloud.scripted().await;
    echoes(&cloud, &stage).await;
    let (port, dir) = (cloud.port, cloud.dir);
    cloud.running.stop().await;
    let cloud = go_on(dir).await;
    assert_ne!(cloud.port, port);
    echoes(&cloud, &stage).await;
    let path = format!("/v2/apis/{}", stage.api_id);
    let api = cloud.api("GET", &path, &Value::Null).await;
    let url = format!("ws://127.0.0.1:{}/{}", cloud.port, stage.api_id);
    assert_eq!(api["apiEndpoint"], url);
    let starts = cloud.log_lines("scripted").await;
    let starts = starts.iter().filter(|line| line.starts_with("START"));
    assert!(starts.count() >= 2, "the former process's lines are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_in_the_files_already() {
    let cloud = start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let stream = json!({ "logGroupName": "/aws/lambda/scripted", "logStreamName": "lease" });
    cloud.logs("CreateLogStream", &stream).await;
    let mut put = stream.clone();
    let at = jiff::Timestamp::now().as_millisecond();
    put["logEvents"] = json!([{ "timestamp": at, "message": "held" }]);
    cloud.logs("PutLogEvents", &put).await;
    let other = as_if_killed(&cloud).await;
    assert_eq!(
        cloud.health().await["inventory"],
        other.health().await["inventory"]
    );
    assert_eq!(other.log_lines("scripted").await, ["held"]);
    let path = "/2015-03-31/functions/scripted/invocations";
    let answer = other.lambda("POST", path, &json!({ "do": "reveal" })).await;
    assert_eq!(answer.json(), json!({ "do": "reveal" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writes_at_once_are_all_in_the_files_when_they_are_answered() {
    let cloud = start().await;
    let port = cloud.port;
    let names: Vec<String> = (0..64)
        .map(|number| format!("/group/{number:02}"))
        .collect();
    let writes = names
        .clone()
        .into_iter()
        .map(|name| tokio::spawn(async move { create_group(port, &name).await }));
    for write in writes.collect::<Vec<_>>() {
        assert_eq!(write.await.unwrap(), 200);
    }
    assert_eq!(groups(&as_if_killed(&cloud).await).await, names);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_write_nothing() {
    let cloud = start().await;
    let stage = cloud.scripted().await;
    let file = cloud.dir.path().join("state/account.json");
    // A file that is replaced has another number.
    let number = || fs::metadata(&file).unwrap().ino();
    let before = number();
    cloud.api("GET", "/v2/apis", &Value::Null).await;
    cloud.logs("DescribeLogGroups", &json!({})).await;
    echoes(&cloud, &stage).await;
    assert_eq!(number(), before);
    assert_eq!(create_group(cloud.port, "/another").await, 200);
    assert_ne!(number(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_cannot_be_kept_fails_and_is_kept_with_the_next_one() {
    let cloud = start().await;
    let (state, away) = (
        cloud.dir.path().join("state"),
        cloud.dir.path().join("away"),
    );
    fs::rename(&state, &away).unwrap();
    assert_eq!(create_group(cloud.port, "/first").await, 500);
    fs::rename(&away, &state).unwrap();
    assert_eq!(create_group(cloud.port, "/second").await, 200);
    let other = as_if_killed(&cloud).await;
    assert_eq!(groups(&other).await, ["/first", "/second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_goes_from_the_files_with_the_last_function_that_has_it() {
    let cloud = start().await;
    let role = cloud.role("all").await;
    cloud.function(&Function::default(), &role).await;
    let code = cloud.dir.path().join("state/code");
    let count = || fs::read_dir(&code).unwrap().count();
    assert_eq!(count(), 1);
    let path = "/2015-03-31/functions/scripted";
    let answer = cloud.lambda("DELETE", path, &json!({})).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clouds_never_keep_their_account_in_one_directory() {
    let cloud = start().await;
    match start_in(cloud.dir.path(), Keeping::Account).await {
        Err(StartError::State(StateError::InUse(dir))) => assert_eq!(dir, cloud.dir.path()),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two clouds write into the same files"),
    }
    let beside = start_in(cloud.dir.path(), Keeping::Nothing).await;
    assert!(beside.is_ok(), "who keeps nothing disturbs nobody");
    let dir = cloud.dir;
    cloud.running.stop().await;
    go_on(dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_read_is_refused_by_its_file_and_set_aside_on_request() {
    let cloud = start().await;
    assert_eq!(create_group(cloud.port, "/kept").await, 200);
    let dir = cloud.dir;
    cloud.running.stop().await;
    let file = dir.path().join("state/account.json");
    let whole = fs::read_to_string(&file).unwrap();
    let newer = whole.replacen("\"format\":1", "\"format\":99", 1);
    for (text, reason) in [
        (&whole[..40], "EOF"),
        ("", "empty"),
        (&newer, "format is 99"),
    ] {
        fs::write(&file, text).unwrap();
        let Err(refused) = start_in(dir.path(), Keeping::Account).await else {
            panic!("{reason}: it starts");
        };
        let said = refused.to_string();
        assert!(said.contains(reason), "{said}");
        assert!(said.contains(&file.display().to_string()), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is as it was");
    }
    let anew = start_in(dir.path(), Keeping::AccountAnew).await.unwrap();
    assert!(!file.exists());
    anew.stop().await;
    let beside = fs::read_dir(dir.path()).unwrap().flatten();
    let aside = beside.map(|entry| entry.path().join("account.json"));
    let texts: Vec<_> = aside
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect();
    assert_eq!(texts, [newer]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_unless_it_is_asked_for() {
    let cloud = TestCloud::start().await;
    cloud.scripted().await;
    assert!(!local_cloud::is_kept(cloud.dir.path()));
    assert!(!cloud.dir.path().join("state").exists());
    assert!(!cloud.dir.path().join("state.lock").exists());
}
