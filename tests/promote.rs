//! What is live on one stage is released on another: the same bytes and routes, the other
//! file's settings, from account to account, without source. Nothing of the first is
//! written, and nothing of the second before all is here.

use deployer_core::observed::FunctionState;
use deployer_engine::cloud::CloudReader;
use serde_json::Value;
use std::fs;
use std::path::Path;
use testkit::proxy::{Call, Fault, Point, Proxy};
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// Lambda's name of this machine's processor.
const PROCESSOR: &str = match cfg!(target_arch = "x86_64") {
    true => "x86_64",
    false => "arm64",
};

const SERVICE: &str = r#"
service = "tiny"
[functions.tiny]
[functions.second]
package = "tiny"
[routes]
"$default" = "tiny"
join = "second"
"#;

/// The files have gone on since: another function, and other routes.
const GONE_ON: &str = r#"
service = "tiny"
[functions.tiny]
[functions.second]
package = "tiny"
[functions.third]
package = "tiny"
[routes]
"$default" = "second"
leave = "third"
shout = "tiny"
"#;

/// `alpha` in one account, `prod` in another, and a proxy in front of the first.
struct Stages {
    alpha: World,
    prod: World,
    proxy: Proxy,
    project: TinyProject,
    /// Where there is nothing but stage files.
    elsewhere: tempfile::TempDir,
}

impl Stages {
    async fn new() -> Self {
        let (alpha, prod) = (World::new().await, World::new().await);
        let proxy = Proxy::start(alpha.port()).await;
        let project = TinyProject::new();
        let config: String = [("one", proxy.endpoint()), ("other", endpoint(&prod))]
            .map(|(profile, endpoint)| {
                format!(
                    "[profile {profile}]\nregion = {}\nendpoint_url = {endpoint}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                    local_cloud::REGION,
                    local_cloud::USER_ACCESS_KEY_ID,
                    local_cloud::USER_SECRET_ACCESS_KEY,
                )
            })
            .concat();
        project.write("config", &config);
        project.write(".gitignore", "/target\n/.deployer\n/config\n/Cargo.lock\n");
        project.write("stages/service.toml", SERVICE);
        let defaults = format!("[defaults]\narchitecture = \"{PROCESSOR}\"\n");
        for (stage, profile) in [("alpha", "one"), ("prod", "other")] {
            let file = format!("target = \"aws\"\naws_profile = \"{profile}\"\n{defaults}");
            project.write(&format!("stages/{stage}.toml"), &file);
        }
        project.git(&["init", "--quiet"]);
        project.git(&["add", "."]);
        project.git(&["commit", "--quiet", "-m", "all"]);
        proxy.begin(None);
        let elsewhere = tempfile::tempdir().expect("a folder");
        let stages = Self {
            alpha,
            prod,
            proxy,
            project,
            elsewhere,
        };
        stages.copy_stage_files();
        stages
    }

    /// The stage files as they are now.
    fn copy_stage_files(&self) {
        let from = self.project.path().join("stages");
        let to = self.elsewhere.path().join("stages");
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, to.join(name)).expect("a copy");
        }
    }

    fn write_elsewhere(&self, path: &str, text: &str) {
        fs::write(self.elsewhere.path().join(path), text).expect("a file");
    }

    /// Adds to a stage's file where there is nothing else.
    fn add_elsewhere(&self, stage: &str, text: &str) {
        let path = self.elsewhere.path().join(format!("stages/{stage}.toml"));
        let file = fs::read_to_string(&path).expect("a file");
        fs::write(path, format!("{text}\n{file}")).expect("a file");
    }

    fn deployer(&self, folder: &Path) -> Deployer {
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), folder);
        let config = self.project.path().join("config");
        deployer.set("AWS_CONFIG_FILE", config.to_str().expect("a legible path"));
        deployer
    }

    /// Where the source and cargo are.
    async fn here(&self, arguments: &[&str]) -> Ran {
        run(self.deployer(self.project.path()), arguments).await
    }

    /// Where nothing is but stage files: no source, and no program that could be run.
    async fn there(&self, arguments: &[&str]) -> Ran {
        let mut deployer = self.deployer(self.elsewhere.path());
        for name in ["PATH", "CARGO", "RUSTC"] {
            deployer.set(name, "/nonexistent");
        }
        run(deployer, arguments).await
    }

    async fn succeeds(&self, arguments: &[&str]) -> String {
        succeeded(self.there(arguments).await)
    }

    /// It says this, with this exit code, and nothing has become of `prod`.
    async fn refused(&self, arguments: &[&str], code: i32, said: &[&str]) {
        let ran = self.there(arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        for part in said {
            assert!(ran.stderr.contains(part), "no {part:?} in {}", ran.stderr);
        }
        assert!(self.prod.is_empty().await, "{arguments:?}");
    }

    /// The calls to `alpha`'s account since the last look.
    fn calls(&self) -> Vec<Call> {
        let calls = self.proxy.calls();
        self.proxy.begin(None);
        calls
    }

    async fn down(&self) {
        for stage in ["alpha", "prod"] {
            self.succeeds(&["down", stage, "--confirm", "prod"]).await;
        }
        assert!(self.alpha.is_empty().await && self.prod.is_empty().await);
    }
}

fn endpoint(world: &World) -> String {
    format!("http://127.0.0.1:{}", world.port())
}

async fn run(deployer: Deployer, arguments: &[&str]) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(|&it| it.to_owned()).collect();
    let ran = spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        deployer.run(&arguments)
    });
    ran.await.expect("it ends")
}

fn succeeded(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

async fn function(world: &World, name: &str) -> Option<FunctionState> {
    let found = world.session.cloud.find_function(&name.into()).await;
    found.expect("it reads")
}

/// A result: the last line.
fn json(text: &str) -> Value {
    let last = text.lines().last().expect("a line");
    serde_json::from_str(last).expect("a line of JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_and_routes_of_one_accounts_release_go_live_in_another_without_source() {
    let stages = Stages::new().await;
    let up = json(&succeeded(stages.here(&["up", "alpha", "--json"]).await));
    stages.calls();
    // Files that have gone on, with settings of prod's own.
    stages.write_elsewhere("stages/service.toml", GONE_ON);
    stages.add_elsewhere(
        "prod",
        "protected = true\nclean_git = true\nkeep_releases = 2",
    );
    let prod = stages.elsewhere.path().join("stages/prod.toml");
    let file = fs::read_to_string(&prod).expect("a file");
    fs::write(&prod, format!("{file}memory_mb = 256\n")).expect("a file");

    let plan = stages
        .succeeds(&["promote", "alpha", "prod", "--plan"])
        .await;
    assert!(
        plan.contains("+ function        tiny-prod-second"),
        "{plan}"
    );
    assert!(!plan.contains("third"), "{plan}");
    assert!(stages.prod.is_empty().await);
    let is_download = |call: &Call| call.point.what.contains("/_local/code/");
    assert!(
        !stages.calls().iter().any(is_download),
        "a plan needs no code"
    );

    let promoted = stages
        .succeeds(&["promote", "alpha", "prod", "--json"])
        .await;
    let promoted = json(&promoted);
    assert_eq!(promoted["changed"], true);
    let source = &up["release"];
    assert_eq!(promoted["promoted_from"]["stage"], "alpha");
    assert_eq!(promoted["promoted_from"]["release"], *source);
    let calls = stages.calls();
    assert!(calls.iter().any(is_download), "{calls:?}");
    for call in &calls {
        assert!(call.point.reads(), "{}", call.point);
    }
    for name in ["tiny", "second"] {
        let from = function(&stages.alpha, &format!("tiny-alpha-{name}")).await;
        let to = function(&stages.prod, &format!("tiny-prod-{name}")).await;
        let (from, to) = (from.expect("it is there"), to.expect("it is there"));
        assert_eq!(from.code, to.code, "{name}");
        assert_eq!(from.configuration.memory_mb, 128);
        assert_eq!(to.configuration.memory_mb, 256);
    }
    assert!(function(&stages.prod, "tiny-prod-third").await.is_none());
    let status = json(&stages.succeeds(&["status", "prod", "--json"]).await);
    assert_eq!(status["routes"], serde_json::json!(["$default", "join"]));
    assert_eq!(status["release"], promoted["release"]);

    let history = |stage| ["history", stage, "--json"];
    let from = json(&stages.succeeds(&history("alpha")).await);
    let to = json(&stages.succeeds(&history("prod")).await);
    let (from, to) = (&from["releases"][0], &to["releases"][0]);
    assert_eq!(from["git_revision"], to["git_revision"]);
    assert!(to["git_revision"].is_string(), "{to}");
    assert_eq!(to["promoted_from"]["release"], *source);
    let text = stages.succeeds(&["history", "prod"]).await;
    assert!(text.contains("promoted from alpha's"), "{text}");

    let again = stages.succeeds(&["promote", "alpha", "prod"]).await;
    assert!(again.contains("tiny/prod: nothing to do"), "{again}");
    assert!(again.contains("from  alpha's release"), "{again}");
    // What is built from the same source is the same release.
    let prod = fs::read_to_string(&prod).expect("a file");
    stages
        .project
        .write("stages/prod.toml", &prod.replace("clean_git = true\n", ""));
    let up = succeeded(stages.here(&["up", "prod"]).await);
    assert!(up.contains("tiny/prod: nothing to do"), "{up}");
    stages.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_promoted_is_what_is_live_and_not_what_was_drafted_last() {
    let stages = Stages::new().await;
    let first = json(&succeeded(stages.here(&["up", "alpha", "--json"]).await));
    let renamed = SERVICE.replace("join", "enter");
    stages.project.write("stages/service.toml", &renamed);
    let second = json(&succeeded(stages.here(&["up", "alpha", "--json"]).await));
    stages.succeeds(&["rollback", "alpha"]).await;
    let short = &second["release"].as_str().expect("a hash")[..8];
    let other = ["promote", "alpha", "prod", "--release", short];
    let live = first["release"].as_str().expect("a hash");
    stages.refused(&other, 2, &[live, "live, not", short]).await;

    stages
        .succeeds(&["promote", "alpha", "prod", "--release", live])
        .await;
    let status = json(&stages.succeeds(&["status", "prod", "--json"]).await);
    assert_eq!(status["routes"], serde_json::json!(["$default", "join"]));
    // On it goes, and prod's own way back is there.
    stages.succeeds(&["rollback", "alpha", short]).await;
    stages.succeeds(&["promote", "alpha", "prod"]).await;
    let status = json(&stages.succeeds(&["status", "prod", "--json"]).await);
    assert_eq!(status["routes"], serde_json::json!(["$default", "enter"]));
    stages.succeeds(&["rollback", "prod"]).await;
    stages.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doesnt_fit_is_refused_before_anything_is_touched() {
    let stages = Stages::new().await;
    let promote = ["promote", "alpha", "prod"];
    let nothing = [
        "nothing is live on tiny/alpha",
        "next: run: deployer up alpha",
    ];
    stages.refused(&promote, 2, &nothing).await;
    let itself = ["`alpha` can't be promoted to itself"];
    stages
        .refused(&["promote", "alpha", "alpha"], 2, &itself)
        .await;
    let local = ["never deployed to AWS"];
    stages
        .refused(&["promote", "local", "prod"], 2, &local)
        .await;
    stages
        .refused(&["promote", "alpha", "pord"], 2, &["did you mean `prod`?"])
        .await;

    succeeded(stages.here(&["up", "alpha"]).await);
    let other = ["x86_64", "arm64"].into_iter().find(|it| *it != PROCESSOR);
    let other = other.expect("there are two");
    let without = "service = \"tiny\"\n[functions.tiny]\n[functions.gate]\n[routes]\n\"$connect\" = \"tiny\"\n[authorizer]\nfunction = \"gate\"\n";
    stages.write_elsewhere("stages/service.toml", without);
    let file = format!(
        "target = \"aws\"\naws_profile = \"other\"\n[defaults]\narchitecture = \"{other}\"\n"
    );
    stages.write_elsewhere("stages/prod.toml", &file);
    let all = [
        "the release of tiny/alpha doesn't fit the file of tiny/prod:",
        "\n  the release has the function `second`, and by the files the stage has none of that name",
        &format!("\n  `tiny` was built for {PROCESSOR}, and is to run on {other}"),
        "\n  [authorizer] names the function `gate`, which the release doesn't have",
        "\n  who may connect is decided at `$connect`, a route that the release doesn't have",
        "of the revision that alpha's release was built from (",
    ];
    stages.refused(&promote, 2, &all).await;

    stages.copy_stage_files();
    stages.add_elsewhere("prod", "account_id = \"123456789012\"");
    let account = ["`prod` lives in the account 123456789012"];
    stages.refused(&promote, 2, &account).await;
    stages.copy_stage_files();
    stages.add_elsewhere("alpha", "account_id = \"123456789012\"");
    let account = ["`alpha` lives in the account 123456789012"];
    stages.refused(&promote, 2, &account).await;
    stages.copy_stage_files();
    stages.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_takes_committed_sources_takes_no_release_of_others() {
    let stages = Stages::new().await;
    stages
        .project
        .write("src/main.rs", "fn main() { println!() }\n");
    succeeded(stages.here(&["up", "alpha"]).await);
    stages.add_elsewhere("prod", "clean_git = true");
    let said = [
        "`prod` takes committed sources only (`clean_git`), and `alpha`'s release is built with something that isn't committed",
        "next: commit, and run `deployer up alpha`",
    ];
    stages
        .refused(&["promote", "alpha", "prod"], 2, &said)
        .await;
    stages
        .succeeds(&["promote", "alpha", "prod", "--plan"])
        .await;
    stages.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_at_any_call_leaves_the_other_stage_as_it_was() {
    let stages = Stages::new().await;
    succeeded(stages.here(&["up", "alpha"]).await);
    let promote = ["promote", "alpha", "prod"];
    stages.calls();
    stages.succeeds(&promote).await;
    let points: Vec<Point> = stages.calls().into_iter().map(|call| call.point).collect();
    stages.succeeds(&["down", "prod"]).await;
    let downloads = points.iter().filter(|it| it.what.contains("/_local/code/"));
    assert_eq!(downloads.count(), 2, "{points:?}");
    for point in &points {
        stages.proxy.begin(Some((point.clone(), Fault::Refuse)));
        stages
            .refused(&promote, 1, &["AccessDenied", "next: "])
            .await;
        assert!(stages.proxy.reached(), "{point}");
    }
    // An answer that gets lost is asked for again.
    for point in points.iter().filter(|it| it.what.contains("/_local/code/")) {
        stages.proxy.begin(Some((point.clone(), Fault::Garble)));
        let said = [
            "its code has the SHA-256",
            "and was released with",
            "what was live before goes on serving",
        ];
        stages.refused(&promote, 1, &said).await;
        stages.proxy.begin(Some((point.clone(), Fault::LostAnswer)));
        stages.succeeds(&promote).await;
        assert!(stages.proxy.reached(), "{point}");
        stages.succeeds(&["down", "prod"]).await;
    }
    stages.down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_live_on_aws_can_be_had_on_the_local_cloud() {
    let stages = Stages::new().await;
    succeeded(stages.here(&["up", "alpha"]).await);
    let mut deployer = stages.deployer(stages.elsewhere.path());
    deployer.set("PATH", "/nonexistent");
    let promoted = spawn_blocking(move || {
        let promoted = deployer.succeed(&["promote", "alpha", "local"]);
        let again = deployer.succeed(&["promote", "alpha", "local"]);
        deployer.succeed(&["down", "local"]);
        (promoted, again)
    });
    let (promoted, again) = promoted.await.expect("it ends");
    assert!(promoted.contains("tiny/local is live"), "{promoted}");
    assert!(again.contains("tiny/local: nothing to do"), "{again}");
    stages.down().await;
}
