//! `deployer doctor`: what may be in the way, on this machine, in the project's files, and in
//! an account behind the wire.

use serde_json::Value;
use std::net::TcpListener;
use std::process::Stdio;
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// Its report, and how it ended.
async fn doctor(deployer: &Deployer, stages: &'static [&'static str]) -> (i32, Value) {
    let mut command = deployer.command(&[&["doctor", "--json"], stages].concat());
    let output = spawn_blocking(move || command.output()).await;
    let ran = Ran::from(output.expect("it ends").expect("it runs"));
    assert_eq!(
        ran.stdout.lines().count(),
        1,
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let report = serde_json::from_str(&ran.stdout).expect("a line of JSON");
    (ran.code, report)
}

/// The findings of a check.
fn of<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().expect("findings");
    all.iter().filter(|it| it["check"] == check).collect()
}

fn status<'a>(report: &'a Value, check: &str) -> &'a str {
    match of(report, check).as_slice() {
        [one] => one["status"].as_str().expect("a text"),
        other => panic!("{check}: {other:?}"),
    }
}

/// A deployer whose AWS is a local cloud.
fn at(world: &World, project: &TinyProject) -> Deployer {
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let endpoint = format!("http://127.0.0.1:{}", world.port());
    deployer.set("AWS_ENDPOINT_URL", &endpoint);
    deployer.set("AWS_REGION", local_cloud::REGION);
    deployer.set("AWS_ACCESS_KEY_ID", local_cloud::USER_ACCESS_KEY_ID);
    deployer.set("AWS_SECRET_ACCESS_KEY", local_cloud::USER_SECRET_ACCESS_KEY);
    deployer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_looked_at_as_its_stages_need_it() {
    let world = World::new().await;
    let project = TinyProject::new();
    project.write(
        "stages/alpha.toml",
        "target = \"aws\"\n[functions.tiny]\nreserved_concurrency = 3\n[api_stage.access_logs]\n",
    );
    let deployer = at(&world, &project);
    let (code, report) = doctor(&deployer, &["alpha"]).await;
    for check in [
        "cargo",
        "rustc",
        "credentials",
        "region",
        "clock",
        "concurrency",
        "code",
        "roles",
        "APIs",
        "logging role",
    ] {
        assert_eq!(status(&report, check), "ok", "{check}: {report}");
    }
    assert_eq!(code, i32::from(report["ok"] == false), "{report}");
    let caller = of(&report, "credentials")[0]["found"].as_str();
    assert_eq!(caller, Some("arn:aws:iam::000000000000:user/local"));
    assert_eq!(of(&report, "roles")[0]["found"], "0 of 1000");
    // More than the account has, in another account than the stage's.
    project.write(
        "stages/alpha.toml",
        "target = \"aws\"\naccount_id = \"123456789012\"\n[functions.tiny]\nreserved_concurrency = 950\n",
    );
    let (code, report) = doctor(&deployer, &["alpha"]).await;
    assert_eq!(code, 1);
    assert_eq!(status(&report, "account"), "problem");
    assert_eq!(status(&report, "concurrency"), "problem");
    let remedy = of(&report, "concurrency")[0]["remedy"].as_str();
    assert!(
        remedy.is_some_and(|it| it.starts_with("aws service-quotas request")),
        "{report}"
    );
    assert!(of(&report, "logging role").is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_account_is_a_problem_and_the_rest_is_looked_at() {
    let project = TinyProject::new();
    project.write(
        "stages/alpha.toml",
        "target = \"aws\"\nregion = \"eu-central-1\"\naws_profile = \"nobodys\"\n",
    );
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let (code, report) = doctor(&deployer, &[]).await;
    assert_eq!(code, 1);
    assert_eq!(status(&report, "credentials"), "problem");
    assert_eq!(status(&report, "roles"), "not_checked");
    assert_eq!(status(&report, "port"), "ok");
    assert_eq!(
        of(&report, "credentials")[0]["stages"],
        serde_json::json!(["alpha"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_stages_port_account_and_tables_are_looked_at() {
    let project = TinyProject::new();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let (_, report) = doctor(&deployer, &[]).await;
    assert_eq!(
        of(&report, "port")[0]["found"],
        format!("{} is free", deployer.port())
    );
    assert!(of(&report, "kept account").is_empty() && of(&report, "tables").is_empty());

    deployer.succeed(&["up", "local"]);
    let (_, report) = doctor(&deployer, &[]).await;
    let found = of(&report, "port")[0]["found"].as_str().expect("a text");
    assert!(found.contains("the local cloud 0."), "{found}");
    assert_eq!(status(&report, "kept account"), "ok");
    let service = "service = \"tiny\"\n[functions.tiny]\ntables.T = { table = \"t\", actions = [\"GetItem\"] }\n[tables.t]\npartition_key = \"pk\"\non_down = \"remove\"\n[routes]\n\"$default\" = \"tiny\"\n";
    project.write("stages/service.toml", service);
    let (code, report) = doctor(&deployer, &[]).await;
    assert_eq!(
        (code, status(&report, "tables")),
        (1, "problem"),
        "{report}"
    );
    let remedy = of(&report, "tables")[0]["remedy"].as_str();
    assert!(
        remedy.is_some_and(|it| it.contains("DEPLOYER_LOCAL_DYNAMODB")),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_program_has_and_an_account_that_is_damaged_are_problems() {
    let project = TinyProject::new();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let kept = format!(
        ".deployer/local-cloud-{}/state/account.json",
        deployer.port()
    );
    project.write(&kept, "no account");
    let other = TcpListener::bind(("127.0.0.1", deployer.port())).expect("it was free");
    let deaf = std::thread::spawn(move || drop(other.accept()));
    let (code, report) = doctor(&deployer, &["local"]).await;
    deaf.join().expect("it ends");
    assert_eq!(code, 1);
    assert_eq!(status(&report, "port"), "problem");
    assert_eq!(status(&report, "kept account"), "problem");
    std::fs::remove_dir_all(project.path().join(".deployer")).expect("it is there");
}

#[test]
fn all_mistakes_in_stage_files_are_told_and_the_other_stages_looked_at() {
    let project = TinyProject::new();
    project.write("stages/alpha.toml", "target = \"moon\"\nmemmory = 1\n");
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let ran = deployer.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for text in [
        "stages/alpha.toml:1:10: ",
        "stages/alpha.toml:2:1: ",
        "is free",
    ] {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("1 problem"), "{}", ran.stderr);
    let ran = deployer.run(&["doctor", "alhpa"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("did you mean `alpha`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn outside_of_a_project_this_machine_and_the_environments_account_are_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = TinyProject::new();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let run = |arguments: &[&str]| {
        let mut command = deployer.command(arguments);
        command.current_dir(folder.path()).stdin(Stdio::null());
        Ran::from(command.output().expect("it runs"))
    };
    let ran = run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(status(&report, "rustc"), "ok");
    // Nobody asked for AWS.
    assert_eq!(status(&report, "region"), "not_checked", "{report}");
    assert!(of(&report, "target").is_empty());
    assert_eq!(run(&["doctor", "alpha"]).code, 2);
}
