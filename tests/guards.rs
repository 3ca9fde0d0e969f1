//! What a stage file wants to hold before anything is done to its stage.

use testkit::proxy::Proxy;
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// A stage `alpha` on AWS whose file says this, and its deployer.
struct Guarded {
    world: World,
    proxy: Proxy,
    project: TinyProject,
    deployer: Deployer,
}

impl Guarded {
    async fn by(guard: &str) -> Self {
        let world = World::new().await;
        let proxy = Proxy::start(world.port()).await;
        let project = TinyProject::new();
        project.write("stages/alpha.toml", &format!("target = \"aws\"\n{guard}\n"));
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
        deployer.set("AWS_ENDPOINT_URL", &proxy.endpoint());
        deployer.set("AWS_REGION", local_cloud::REGION);
        deployer.set("AWS_ACCESS_KEY_ID", local_cloud::USER_ACCESS_KEY_ID);
        deployer.set("AWS_SECRET_ACCESS_KEY", local_cloud::USER_SECRET_ACCESS_KEY);
        proxy.begin(None);
        Self {
            world,
            proxy,
            project,
            deployer,
        }
    }

    async fn run(&self, arguments: &'static [&'static str]) -> Ran {
        let command = self.deployer.command(arguments);
        let output = spawn_blocking(move || { command }.output()).await;
        Ran::from(output.expect("it ends").expect("it runs"))
    }

    async fn succeeds(&self, arguments: &'static [&'static str]) {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    }

    /// It says this, and asks the cloud for nothing but these.
    async fn refuses(&self, arguments: &'static [&'static str], said: &[&str], calls: &[&str]) {
        self.proxy.begin(None);
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        for part in said {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
        let made: Vec<String> = self
            .proxy
            .calls()
            .into_iter()
            .map(|call| call.point.what.trim().to_owned())
            .collect();
        assert_eq!(made, calls, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_than_the_stages_is_refused_before_anything_is_looked_at() {
    let guarded = Guarded::by("account_id = \"123456789012\"").await;
    for verb in [
        &["up", "alpha"],
        &["plan", "alpha"],
        &["status", "alpha"],
        &["down", "alpha"],
        &["rollback", "alpha"],
    ] {
        let said = [
            "`alpha` lives in the account 123456789012",
            "lead to 000000000000",
            "AWS_PROFILE",
        ];
        guarded.refuses(verb, &said, &["GetCallerIdentity"]).await;
    }
    assert!(guarded.world.is_empty().await);
    let right = "target = \"aws\"\naccount_id = \"000000000000\"\n";
    guarded.project.write("stages/alpha.toml", right);
    guarded.succeeds(&["up", "alpha"]).await;
    guarded.succeeds(&["down", "alpha"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_stage_goes_down_only_where_its_name_is_said() {
    let guarded = Guarded::by("protected = true").await;
    guarded.succeeds(&["up", "alpha"]).await;
    let next = "deployer down alpha --confirm alpha";
    let said = ["`alpha` is protected", next];
    guarded.refuses(&["down", "alpha"], &said, &[]).await;
    let wrong = &["down", "alpha", "--confirm", "beta"];
    guarded.refuses(wrong, &said, &[]).await;
    guarded.succeeds(&["status", "alpha"]).await;
    guarded
        .succeeds(&["down", "alpha", "--confirm", "alpha"])
        .await;
    assert!(guarded.world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_wants_a_clean_tree_takes_what_is_committed_and_nothing_else() {
    let guarded = Guarded::by("clean_git = true").await;
    let up = &["up", "alpha"];
    let nothing = ["`clean_git`", "no git repository with a commit"];
    guarded.refuses(up, &nothing, &[]).await;
    guarded.project.git(&["init", "--quiet"]);
    guarded.project.write(".gitignore", "/target\n/.deployer\n");
    guarded.project.git(&["add", "."]);
    guarded.project.git(&["commit", "--quiet", "-m", "all"]);
    guarded.succeeds(up).await;
    guarded
        .project
        .write("src/main.rs", "fn main() { println!() }\n");
    let changed = ["`clean_git`", "something isn't committed", "git status"];
    guarded.refuses(up, &changed, &[]).await;
    guarded.succeeds(&["plan", "alpha"]).await;
    guarded.succeeds(&["down", "alpha"]).await;
}
