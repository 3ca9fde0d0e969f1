//! What a workflow for pull requests uses: `plan --exit-code` and `plan --markdown`, and
//! `up --json`, whose last line is the result.

use serde_json::{Value, json};
use testkit::by_hand::{Operation, succeed};
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// Two stages by the path that leads to AWS, with a local cloud behind it.
async fn scene() -> (World, TinyProject, Deployer) {
    let project = TinyProject::new();
    for stage in ["alpha", "beta"] {
        project.write(&format!("stages/{stage}.toml"), "target = \"aws\"\n");
    }
    let world = World::new().await;
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let endpoint = format!("http://127.0.0.1:{}", world.port());
    deployer.set("AWS_ENDPOINT_URL", &endpoint);
    deployer.set("AWS_REGION", local_cloud::REGION);
    deployer.set("AWS_ACCESS_KEY_ID", "AKIALOCALCLOUDUSER00");
    deployer.set("AWS_SECRET_ACCESS_KEY", "local");
    (world, project, deployer)
}

async fn run(deployer: &Deployer, arguments: &[&str]) -> Ran {
    let command = deployer.command(arguments);
    let output = spawn_blocking(move || { command }.output()).await;
    Ran::from(output.expect("it ends").expect("it runs"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_learns_by_the_exit_code_and_a_comment_what_would_change() {
    let (world, project, deployer) = scene().await;
    let plain = run(&deployer, &["plan", "alpha"]).await;
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let first = run(&deployer, &["plan", "alpha", "--exit-code", "--markdown"]).await;
    assert_eq!(first.code, 7, "{}", first.stderr);
    let head = "<!-- deployer plan -->\n## Deploy plan: changes\n\n### tiny/alpha: ";
    assert!(first.stdout.starts_with(head), "{}", first.stdout);
    let row = "\n| create | function `tiny-alpha-tiny` |  |\n";
    assert!(first.stdout.contains(row), "{}", first.stdout);

    // The result is the last line, and what comes before it are events.
    let up = run(&deployer, &["up", "alpha", "--json"]).await;
    assert_eq!(up.code, 0, "{}", up.stderr);
    let lines = up.stdout.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("lines of JSON");
    let (result, events) = lines.split_last().expect("a result");
    assert_eq!(
        (&result["event"], &result["ok"]),
        (&json!("result"), &json!(true))
    );
    assert!(
        result["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("ws"))
    );
    let count = |event: &str| events.iter().filter(|line| line["event"] == event).count();
    assert_eq!(count("result"), 0, "{}", up.stdout);
    assert_eq!(json!(count("step_done")), result["steps"], "{}", up.stdout);
    assert_eq!(count("planned"), 1, "{}", up.stdout);
    assert!(events.iter().all(|line| line["stage"] == "alpha"));

    // One of two stages would change.
    let both = ["plan", "alpha", "beta", "--exit-code", "--markdown"];
    let both = run(&deployer, &both).await;
    assert_eq!(both.code, 7, "{}", both.stderr);
    let (alpha, beta) = both.stdout.split_once("\n### tiny/beta: ").expect("both");
    assert!(
        alpha.contains("## Deploy plan: changes in 1 of 2 stages\n"),
        "{alpha}"
    );
    assert!(alpha.contains("\n### tiny/alpha: no changes\n"), "{alpha}");
    assert!(beta.contains("tiny-beta-tiny"), "{beta}");
    let unchanged = run(&deployer, &["plan", "alpha", "--exit-code"]).await;
    assert_eq!(unchanged.code, 0, "{}", unchanged.stderr);

    // A hand in the account is told from a change of the files.
    let path = "/2015-03-31/functions/tiny-alpha-tiny/configuration";
    let by_hand = json!({ "MemorySize": 512 });
    succeed(world.port(), Operation::Lambda("PUT", path), &by_hand).await;
    let marked = run(&deployer, &["plan", "alpha", "--markdown"]).await;
    let row = "| change ⚠ | configuration `tiny-alpha-tiny` | `memory_mb`: `512` → `128` |";
    assert!(marked.stdout.contains(row), "{}", marked.stdout);
    project.write(
        "stages/service.toml",
        "service = \"tiny\"\n[functions.tiny]\nmemory_mb = 256\n[routes]\n\"$default\" = \"tiny\"\n",
    );
    let changed = run(&deployer, &["plan", "alpha", "--markdown"]).await;
    let row = "| change | configuration `tiny-alpha-tiny` | `memory_mb`: `512` → `256` |";
    assert!(changed.stdout.contains(row), "{}", changed.stdout);

    // What can't be planned has the last word, and its place in the document.
    project.write(
        "stages/beta.toml",
        "target = \"aws\"\naccount_id = \"123456789012\"\n",
    );
    let failed = ["plan", "alpha", "beta", "--exit-code", "--markdown"];
    let failed = run(&deployer, &failed).await;
    assert_eq!(failed.code, 2, "{}", failed.stderr);
    assert!(
        failed.stdout.contains(", 1 can't be planned\n"),
        "{}",
        failed.stdout
    );
    assert!(
        failed.stdout.contains("\n### beta: can't be planned\n\n`"),
        "{}",
        failed.stdout
    );

    let down = run(&deployer, &["down", "alpha", "--json"]).await;
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_fails_ends_with_a_result_that_says_why() {
    let (_world, _project, mut deployer) = scene().await;
    deployer.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    deployer.set("AWS_MAX_ATTEMPTS", "1");
    let up = run(&deployer, &["up", "alpha", "--json"]).await;
    assert_eq!(up.code, 1, "{}", up.stderr);
    let last = up.stdout.lines().last().expect("a result");
    let result: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(
        (&result["event"], &result["ok"]),
        (&json!("result"), &json!(false))
    );
    assert_eq!(result["exit_code"], 1);
    let error = result["error"].as_str().expect("a text");
    assert!(up.stderr.contains(error), "{error}: {}", up.stderr);
    assert!(
        result["next_step"]
            .as_str()
            .is_some_and(|step| !step.is_empty())
    );
}
