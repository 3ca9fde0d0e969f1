//! Stages of one template, and stages that only their account knows: deployed side by
//! side, listed, renewed, and removed by who has no file of them.

use deployer_core::record::Expiry;
use deployer_core::stage_file::Retained;
use deployer_engine::down::{ByRecord, DownError, Removal, Spared};
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::Waiting;
use deployer_engine::observe::{Known, look};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::Path;
use testkit::by_hand::{Operation, succeed};
use testkit::proxy::Proxy;
use testkit::{Deployer, Ran, Release, TinyProject, World};
use tokio::task::spawn_blocking;

const TEMPLATE: &str = "target = \"aws\"\ntemplate = true\nttl = \"3d\"\n";

/// An account on AWS, as far as the deployer knows.
struct Account {
    world: World,
    proxy: Proxy,
}

impl Account {
    async fn new() -> Self {
        let world = World::new().await;
        let proxy = Proxy::start(world.port()).await;
        proxy.begin(None);
        Self { world, proxy }
    }

    /// The command in a folder.
    async fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), folder);
        deployer.set("AWS_ENDPOINT_URL", &self.proxy.endpoint());
        deployer.set("AWS_REGION", local_cloud::REGION);
        deployer.set("AWS_ACCESS_KEY_ID", local_cloud::USER_ACCESS_KEY_ID);
        deployer.set("AWS_SECRET_ACCESS_KEY", local_cloud::USER_SECRET_ACCESS_KEY);
        let command = deployer.command(arguments);
        let output = spawn_blocking(move || { command }.output()).await;
        Ran::from(output.expect("it ends").expect("it runs"))
    }

    async fn succeeds(&self, folder: &Path, arguments: &[&str]) -> String {
        let Ran {
            code,
            stdout,
            stderr,
        } = self.run(folder, arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    }

    /// It says this, and has written nothing.
    async fn refuses(&self, folder: &Path, arguments: &[&str], said: &[&str]) {
        self.proxy.begin(None);
        let Ran { code, stderr, .. } = self.run(folder, arguments).await;
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        for part in said {
            assert!(stderr.contains(part), "no {part:?} in {stderr}");
        }
        let exchanges = self.proxy.exchanges();
        let written: Vec<_> = exchanges.iter().filter(|it| !it.reads).collect();
        assert!(written.is_empty(), "{arguments:?}: {written:?}");
    }

    /// What `list` says of each stage, by their names.
    async fn list(&self, folder: &Path, options: &[&str]) -> Vec<Value> {
        let arguments = [&["list", "--json"], options].concat();
        lines(&self.succeeds(folder, &arguments).await)
    }

    async fn names(&self, folder: &Path, options: &[&str]) -> Vec<String> {
        let listed = self.list(folder, options).await;
        let name = |it: &Value| it["stage"].as_str().expect("a name").to_owned();
        listed.iter().map(name).collect()
    }

    /// Changes a tag of a stage's journal by hand.
    async fn tag(&self, journal: &str, key: &str, value: Option<&str>) {
        let arn = format!(
            "arn:aws:logs:{}:{}:log-group:{journal}",
            local_cloud::REGION,
            local_cloud::ACCOUNT_ID
        );
        let (operation, body) = match value {
            Some(value) => (
                "TagResource",
                json!({ "resourceArn": arn, "tags": { key: value } }),
            ),
            None => (
                "UntagResource",
                json!({ "resourceArn": arn, "tagKeys": [key] }),
            ),
        };
        self.logs(operation, &body).await;
    }

    async fn logs(&self, operation: &str, body: &Value) -> Value {
        let target = format!("Logs_20140328.{operation}");
        succeed(self.world.port(), Operation::Json("logs", &target), body).await
    }
}

/// Results, one a stage; events are left out.
fn lines(stdout: &str) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).expect("a line of JSON");
    let is_result = |line: &Value| line.get("event").is_none_or(|event| event == "result");
    stdout.lines().map(line).filter(is_result).collect()
}

/// A project with a template and nothing else on AWS.
fn project() -> TinyProject {
    let project = TinyProject::new();
    project.write("stages/preview.toml", TEMPLATE);
    project
}

fn elsewhere() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Seconds from now on.
fn from_now(moment: &Value) -> i64 {
    let at: Timestamp = moment
        .as_str()
        .expect("a moment")
        .parse()
        .expect("RFC 3339");
    at.duration_since(Timestamp::now()).as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_of_one_template_live_side_by_side_and_go_when_they_expire_or_are_named() {
    let (account, project, outside) = (Account::new().await, project(), elsewhere());
    let (inside, outside) = (project.path(), outside.path());
    let template = ["stages/preview.toml is a template", "preview --as NAME"];
    account.refuses(inside, &["up", "preview"], &template).await;
    account
        .refuses(inside, &["plan", "preview"], &template)
        .await;
    let none = ["there is no stage on AWS"];
    account.refuses(inside, &["up", "--all"], &none).await;

    let mut up = vec!["up", "preview", "--json"];
    up.extend([
        "--as", "pr-1", "--as", "pr-2", "--as", "pr-30", "--as", "pr-1",
    ]);
    let deployed = lines(&account.succeeds(inside, &up).await);
    assert_eq!(deployed.len(), 3);

    let listed = account.list(outside, &[]).await;
    assert_eq!(listed.len(), 3);
    for stage in &listed {
        let mut all = deployed.iter();
        let by_up = all.find(|it| it["stage"] == stage["stage"]).expect("it");
        for key in ["url", "release", "expires"] {
            assert_eq!(stage[key], by_up[key], "{key}");
        }
        assert_eq!(stage["service"], "tiny");
        assert_eq!(stage["account_id"], local_cloud::ACCOUNT_ID);
        let owner = stage["owner"].as_str().expect("it is known");
        assert!(owner.starts_with("arn:aws:"), "{owner}");
        assert!(from_now(&stage["created"]) <= 1);
        let days = from_now(&stage["expires"]) / 3600;
        assert!((71..=72).contains(&days), "{stage}");
        assert_eq!(
            (&stage["expired"], &stage["protected"]),
            (&json!(false), &json!(false))
        );
    }
    let table = account.succeeds(outside, &["list"]).await;
    assert!(table.contains("tiny/pr-30"), "{table}");

    // An `up` renews; one that says nothing of an end keeps it.
    let week = ["up", "preview", "--as", "pr-1", "--ttl", "1w", "--json"];
    let renewed = &lines(&account.succeeds(inside, &week).await)[0];
    assert!(from_now(&renewed["expires"]) > 6 * 86_400, "{renewed}");
    assert_eq!(
        (&renewed["changed"], &renewed["steps"]),
        (&json!(true), &json!(1))
    );
    project.write("stages/preview.toml", "target = \"aws\"\ntemplate = true\n");
    let silent = ["up", "preview", "--as", "pr-1", "--json"];
    let kept = &lines(&account.succeeds(inside, &silent).await)[0];
    assert_eq!(
        (&kept["changed"], &kept["expires"]),
        (&json!(false), &renewed["expires"])
    );
    let never = ["up", "preview", "--as", "pr-30", "--ttl", "never", "--json"];
    let for_ever = &lines(&account.succeeds(inside, &never).await)[0];
    assert_eq!(for_ever.get("expires"), None, "{for_ever}");

    account
        .tag(
            "/deployer/tiny-pr-2",
            "deployer:expires",
            Some("2026-01-01T00:00:00Z"),
        )
        .await;
    assert_eq!(account.names(outside, &["--expired"]).await, ["pr-2"]);
    assert_eq!(
        account.names(outside, &["--match", "pr-?"]).await,
        ["pr-1", "pr-2"]
    );
    let both = ["down", "--expired", "--match", "*0"];
    let said = account.succeeds(inside, &both).await;
    assert!(
        said.contains("no such stage lives in account 000000000000"),
        "{said}"
    );
    let said = account.succeeds(inside, &["down", "--expired"]).await;
    assert!(said.starts_with("tiny/pr-2 is gone"), "{said}");
    assert_eq!(account.names(outside, &[]).await, ["pr-1", "pr-30"]);
    account.succeeds(inside, &["down", "--expired"]).await;
    assert_eq!(account.names(outside, &[]).await, ["pr-1", "pr-30"]);

    let whose = ["nothing says of which service", "--all-services"];
    account
        .refuses(outside, &["down", "--match", "pr-*"], &whose)
        .await;
    let down = ["down", "--match", "pr-*", "--service", "tiny", "--json"];
    assert_eq!(lines(&account.succeeds(outside, &down).await).len(), 2);
    assert!(account.world.is_empty().await);
    let said = account.succeeds(outside, &["list"]).await;
    assert!(
        said.starts_with("no stage lives in account 000000000000"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_make_no_stage_of_a_file_are_refused_before_anything_is_done() {
    let (account, project) = (Account::new().await, project());
    project.write("stages/alpha.toml", "target = \"aws\"\n");
    project.write("stages/safe.toml", "target = \"aws\"\nprotected = true\n");
    let inside = project.path();
    let cases: [(&[&str], &str); 8] = [
        (
            &["up", "preview", "--as", "pr/1"],
            "`pr/1` can't be a stage's name",
        ),
        (
            &["up", "preview", "--as", "service"],
            "`service` is the file all stages share",
        ),
        (
            &["up", "preview", "--as", "alpha"],
            "`alpha` has a file of its own",
        ),
        (
            &["up", "preview", "alpha", "--as", "pr-1"],
            "the file of one stage",
        ),
        (
            &["up", "previev", "--as", "pr-1"],
            "did you mean `preview`?",
        ),
        (
            &["up", "preview", "--as", "pr-1", "--ttl", "soon"],
            "`soon` is no time to live",
        ),
        (&["up", "safe", "--ttl", "3d"], "can't have a time to live"),
        (
            &["status", "alpha", "--region", "eu-west-1"],
            "stages/alpha.toml says where `alpha` lives",
        ),
    ];
    for (arguments, said) in cases {
        account.refuses(inside, arguments, &[said]).await;
    }
    project.write(
        "stages/safe.toml",
        "target = \"aws\"\nprotected = true\nttl = \"3d\"\n",
    );
    account
        .refuses(
            inside,
            &["plan", "safe"],
            &["stages/safe.toml:3:7: a stage that is `protected`"],
        )
        .await;
    assert!(account.world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_without_a_file_is_looked_at_rolled_back_and_removed_from_any_folder() {
    let (account, project, outside) = (Account::new().await, project(), elsewhere());
    let (inside, outside) = (project.path(), outside.path());
    let up = ["up", "preview", "--as", "pr-1"];
    account.succeeds(inside, &up).await;
    project.write("src/main.rs", "fn main() { println!() }\n");
    account.succeeds(inside, &up).await;

    let plan = account
        .succeeds(inside, &["plan", "preview", "--as", "pr-1"])
        .await;
    assert!(plan.starts_with("tiny/pr-1: "), "{plan}");
    let status = account.succeeds(outside, &["status", "pr-1"]).await;
    assert!(
        status.starts_with("tiny/pr-1 is live") && status.contains("\n  expires  "),
        "{status}"
    );
    let history = account
        .succeeds(outside, &["history", "pr-1", "--json"])
        .await;
    let releases = lines(&history)[0]["releases"].clone();
    assert_eq!(releases.as_array().map(Vec::len), Some(2), "{history}");
    let back = account
        .succeeds(outside, &["rollback", "pr-1", "--json"])
        .await;
    assert_eq!(lines(&back)[0]["to"], releases[1]["release"]);

    // Another service has a stage of that name.
    let other = TinyProject::new();
    other.write("stages/preview.toml", TEMPLATE);
    let service = "service = \"other\"\n[functions.tiny]\n[routes]\n\"$default\" = \"tiny\"\n";
    other.write("stages/service.toml", service);
    account.succeeds(other.path(), &up).await;
    let several = [
        "several services have a stage `pr-1`",
        "other, tiny",
        "--service",
    ];
    account.refuses(outside, &["down", "pr-1"], &several).await;
    let down = ["down", "pr-1", "--service", "other"];
    account.succeeds(outside, &down).await;
    assert_eq!(account.names(outside, &[]).await, ["pr-1"]);

    let down = account.succeeds(outside, &["down", "pr-1"]).await;
    assert!(down.starts_with("tiny/pr-1 is gone"), "{down}");
    assert!(account.world.is_empty().await);
    // A second time, as a job may that is run again.
    let place = "nothing to do, nothing of it is in account 000000000000, region us-east-1";
    let again = account.succeeds(outside, &["down", "pr-1"]).await;
    assert_eq!(
        again,
        format!("pr-1: {place}\n").replace("us-east-1", local_cloud::REGION)
    );
    let again = account.succeeds(inside, &["down", "pr-1"]).await;
    assert!(again.starts_with("tiny/pr-1: nothing to do"), "{again}");
    let near = account.succeeds(inside, &["down", "previev"]).await;
    assert!(near.ends_with("did you mean `preview`?\n"), "{near}");
    let unknown = ["no stage `pr-1` lives in account 000000000000"];
    account
        .refuses(outside, &["status", "pr-1"], &unknown)
        .await;
    let unknown = ["there is no stages/pr-1.toml, and no stage"];
    account
        .refuses(inside, &["rollback", "pr-1"], &unknown)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_files_protect_and_retain_is_protected_and_retained_without_them() {
    let (account, project, outside) = (Account::new().await, project(), elsewhere());
    let (inside, outside) = (project.path(), outside.path());
    project.write(
        "stages/prod.toml",
        "target = \"aws\"\nprotected = true\nretain = [\"logs\"]\n",
    );
    account.succeeds(inside, &["up", "prod"]).await;
    account
        .succeeds(inside, &["up", "preview", "--as", "pr-1"])
        .await;
    let said = ["`prod` is protected", "--confirm prod"];
    account.refuses(outside, &["down", "prod"], &said).await;
    let all = ["down", "--match", "p*", "--all-services"];
    account.refuses(outside, &all, &said).await;
    // By a journal of a version that didn't write it, the file says so.
    account
        .tag("/deployer/tiny-prod", "deployer:protected", None)
        .await;
    account
        .tag("/deployer/tiny-prod", "deployer:retain", None)
        .await;
    account
        .refuses(inside, &["down", "--match", "p*"], &said)
        .await;
    let mended = account.succeeds(inside, &["plan", "prod"]).await;
    for tag in [
        "deployer:protected: none → true",
        "deployer:retain: none → logs",
    ] {
        assert!(mended.contains(tag), "{mended}");
    }
    account.succeeds(inside, &["up", "prod"]).await;
    let down = [
        "down",
        "--match",
        "p*",
        "--service",
        "tiny",
        "--confirm",
        "prod",
    ];
    let said = account.succeeds(outside, &down).await;
    assert!(
        said.contains("\n  retained  /aws/lambda/tiny-prod-tiny"),
        "{said}"
    );
    assert_eq!(account.names(outside, &[]).await, Vec::<String>::new());
    let left = json!({ "logGroupName": "/aws/lambda/tiny-prod-tiny" });
    account.logs("DeleteLogGroup", &left).await;
    assert!(account.world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_whose_journal_is_gone_is_listed_by_its_api_and_removed() {
    let (account, project, outside) = (Account::new().await, project(), elsewhere());
    let outside = outside.path();
    account
        .succeeds(project.path(), &["up", "preview", "--as", "pr-1"])
        .await;
    let journal = json!({ "logGroupName": "/deployer/tiny-pr-1" });
    account.logs("DeleteLogGroup", &journal).await;
    let listed = account.list(outside, &[]).await;
    assert_eq!(listed[0]["stage"], "pr-1");
    assert_eq!(listed[0]["owner"], Value::Null);
    assert!(listed[0]["url"].is_string() && from_now(&listed[0]["created"]) <= 1);
    account.succeeds(outside, &["down", "pr-1"]).await;
    assert!(account.world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_stages_have_other_names_too_and_are_listed_and_removed_where_they_live() {
    let project = TinyProject::new();
    let outside = elsewhere();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let port = deployer.port().to_string();
    let done = spawn_blocking(move || {
        let nobody = deployer.succeed(&["list", "--local"]);
        assert!(nobody.contains("which isn't running"), "{nobody}");
        let nothing = deployer.succeed(&["down", "pr-1", "--local"]);
        assert!(nothing.starts_with("tiny/pr-1: nothing to do"), "{nothing}");
        deployer.succeed(&["up", "local", "--as", "pr-1", "--as", "pr-2", "--ttl", "2h"]);
        let listed = lines(&deployer.succeed(&["list", "--local", "--json"]));
        assert_eq!(listed.len(), 2);
        assert!(
            listed[0]["url"]
                .as_str()
                .expect("a URL")
                .starts_with("ws://127.0.0.1")
        );
        // Elsewhere nobody knows the folder of this local cloud: it goes on.
        let mut there = Deployer::new(env!("CARGO_BIN_EXE_deployer"), outside.path());
        there.set("DEPLOYER_LOCAL_PORT", &port);
        let gone = there.succeed(&["down", "pr-1", "--local"]);
        assert!(gone.starts_with("tiny/pr-1 is gone"), "{gone}");
        let last = deployer.succeed(&["down", "--match", "pr-*", "--local"]);
        assert!(last.contains("the local cloud has stopped"), "{last}");
    });
    done.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_project_a_name_without_a_file_or_account_to_ask_says_both() {
    let project = TinyProject::new();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let ran = spawn_blocking(move || deployer.run(&["down", "locl"])).await;
    let Ran { code, stderr, .. } = ran.expect("it ends");
    assert_eq!(code, 4, "{stderr}");
    assert_eq!(
        stderr,
        "error: there is no stages/locl.toml, so `locl` was to be looked for in the account: no AWS region is set\n  next: did you mean `local`?\n"
    );
}

const CHAT: Release = Release {
    service: r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#,
    code: "first",
};

#[tokio::test]
async fn a_stage_that_is_renewed_after_it_was_listed_as_expired_stays() {
    let world = World::new().await;
    let session = &world.session;
    let (mut desired, artifacts) = session.desired(CHAT);
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().expect("a moment");
    let later: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a moment");
    let interrupt = Interrupt::default();
    let removal = Removal {
        retain: [].into(),
        by_record: Some(ByRecord {
            confirmed: false,
            expired_by: Some(now),
        }),
    };
    let mut seen = None;
    for end in [now, later] {
        desired.expiry = Expiry::At(end);
        let means = session.means(&desired, &artifacts, &session.cloud, &interrupt);
        let lease = session.lease(&desired, "me", Waiting::DontWait);
        if end == later {
            let look = look(&session.cloud, &desired.names, &Known::default()).await;
            seen = Some(look.expect("it reads"));
        }
        let up = Box::pin(exclusive::up(&desired, &means, &lease)).await;
        assert!(up.expect("it reads").outcome.complete());
    }
    let means = session.means(&desired, &artifacts, &session.cloud, &interrupt);
    let lease = session.lease(&desired, "me", Waiting::DontWait);
    let known = Known::default();
    let down = exclusive::down_from(&known, &removal, &means, &lease, seen.expect("it was"));
    match Box::pin(down).await {
        Err(DownError::Spared(Spared::Renewed { until })) => assert_eq!(until, Some(later)),
        other => panic!("{other:?}"),
    }
    world.converge(CHAT, "a down that spared it").await;
    world.empty(CHAT, "a down that spared it").await;
}

#[tokio::test]
async fn what_the_journal_says_is_retained_counts_where_the_caller_knows_nothing() {
    let world = World::new().await;
    let session = &world.session;
    let (mut desired, artifacts) = session.desired(CHAT);
    desired.retain = [Retained::Logs].into();
    let interrupt = Interrupt::default();
    let means = session.means(&desired, &artifacts, &session.cloud, &interrupt);
    let lease = session.lease(&desired, "me", Waiting::DontWait);
    let up = Box::pin(exclusive::up(&desired, &means, &lease)).await;
    assert!(up.expect("it reads").outcome.complete());
    let removal = Removal {
        by_record: Some(ByRecord::default()),
        ..Removal::default()
    };
    let known = Known::default();
    let down = exclusive::down(&known, &removal, &means, &lease);
    let down = Box::pin(down).await.expect("it reads");
    assert!(
        down.outcome.complete() && down.left.is_empty(),
        "{}",
        down.left
    );
    assert_eq!(down.retained.log_groups.len(), 1);
    assert!(!world.is_empty().await);
    world.empty(CHAT, "a down that retained logs").await;
}
