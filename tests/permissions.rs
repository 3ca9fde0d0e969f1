//! What whoever deploys must be allowed: the policies of docs/PERMISSIONS.md, no less
//! and no more than needed.

use serde_json::{Value, json};
use std::path::Path;
use testkit::by_hand::{Operation, call, succeed};
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// Something of everything that a stage may have.
const SERVICE: &str = r#"
service = "tiny"
keep_releases = 1
[functions.tiny]
memory_mb = 128
reserved_concurrency = 1
[functions.gate]
package = "tiny"
[functions.own]
package = "tiny"
permissions_boundary = "arn:aws:iam::000000000000:policy/bounds"
tables.OWN = { table = "own", actions = ["GetItem"] }
[[functions.own.iam]]
actions = ["sqs:SendMessage"]
resources = ["*"]
[routes]
"$connect" = "tiny"
"$default" = "tiny"
own = "own"
[authorizer]
function = "gate"
[api_stage]
variables = { colour = "blue" }
[tables.own]
partition_key = "pk"
ttl = "expires"
on_down = "remove"
[tags]
team = "tiny"
"#;

const LOGS: &str = "[api_stage.access_logs]\n[api_stage.execution_logs]\nlevel = \"error\"\n";

/// The statements of the policies in the document, for the service `tiny`.
fn documented() -> Vec<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERMISSIONS.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let text = text
        .replace("SERVICE", "tiny")
        .replace("REGION", local_cloud::REGION)
        .replace("ACCOUNT", local_cloud::ACCOUNT_ID);
    let blocks = text.split("```json\n").skip(1);
    let policies = blocks.map(|block| {
        let (policy, _) = block.split_once("```").expect("an end of the block");
        let policy: Value = serde_json::from_str(policy).expect("a policy");
        policy["Statement"].as_array().expect("statements").clone()
    });
    policies.collect()
}

/// An account that enforces IAM, and a deployer in a session of its role `ci`.
struct Ci {
    world: World,
    project: TinyProject,
    deployer: Deployer,
    /// What it signs with: key, secret and token.
    keys: [String; 3],
}

impl Ci {
    async fn new() -> Self {
        let world = World::enforcing_iam().await;
        let project = TinyProject::new();
        project.write("stages/alpha.toml", "target = \"aws\"\n");
        project.write("stages/service.toml", SERVICE);
        let port = world.port();
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", local_cloud::ACCOUNT_ID) },
        }] });
        let form = format!(
            "Action=CreateRole&RoleName=ci&AssumeRolePolicyDocument={}",
            encoded(&trust)
        );
        succeed(port, Operation::Iam(&form), &Value::Null).await;
        let bounds = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
        ] });
        let form = format!(
            "Action=CreatePolicy&PolicyName=bounds&PolicyDocument={}",
            encoded(&bounds)
        );
        succeed(port, Operation::Iam(&form), &Value::Null).await;
        let form =
            "Action=AssumeRole&RoleSessionName=run&RoleArn=arn:aws:iam::000000000000:role/ci";
        let (_, session) = call(port, Operation::Sts(form), &Value::Null).await;
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
        deployer.set("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"));
        deployer.set("AWS_REGION", local_cloud::REGION);
        let keys = ["AccessKeyId", "SecretAccessKey", "SessionToken"];
        let keys = keys.map(|name| element(&session, name).to_owned());
        for (variable, value) in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ]
        .into_iter()
        .zip(&keys)
        {
            deployer.set(variable, value);
        }
        Self {
            world,
            project,
            deployer,
            keys,
        }
    }

    /// The session as a profile of AWS's configuration.
    fn profile(&self, name: &str) -> String {
        let [key, secret, token] = &self.keys;
        format!(
            "[profile {name}]\nregion = {}\nendpoint_url = http://127.0.0.1:{}\naws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = {token}\n",
            local_cloud::REGION,
            self.world.port(),
        )
    }

    async fn allow(&self, statements: &[Value]) {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        let document = encoded(&policy);
        let form =
            format!("Action=PutRolePolicy&RoleName=ci&PolicyName=p&PolicyDocument={document}");
        succeed(self.world.port(), Operation::Iam(&form), &Value::Null).await;
    }

    async fn run(&self, arguments: &'static [&'static str]) -> Ran {
        let command = self.deployer.command(arguments);
        let output = spawn_blocking(move || { command }.output()).await;
        Ran::from(output.expect("it ends").expect("it runs"))
    }

    async fn succeed(&self, arguments: &'static [&'static str]) {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
}

fn encoded(document: &Value) -> String {
    percent_encoding::utf8_percent_encode(&document.to_string(), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).expect(name);
    rest.split("</").next().unwrap_or_default()
}

/// The whole life of a stage.
async fn lives(ci: &Ci) {
    ci.succeed(&["up", "alpha"]).await;
    ci.project
        .write("src/main.rs", "fn main() { println!(\"second\") }\n");
    let changed = SERVICE
        .replace("memory_mb = 128", "memory_mb = 256")
        .replace("reserved_concurrency = 1\n", "")
        .replace(
            "permissions_boundary = \"arn:aws:iam::000000000000:policy/bounds\"\n",
            "",
        )
        .replace("team = \"tiny\"", "colour = \"blue\"")
        .replace("\nown = \"own\"", "\nother = \"own\"")
        .replace("ttl = \"expires\"", "point_in_time_recovery = true");
    let logs = ci.project.path().join("stages/alpha.toml");
    let alpha = std::fs::read_to_string(logs).expect("the stage's file");
    ci.project.write("stages/service.toml", &changed);
    ci.succeed(&["plan", "alpha"]).await;
    ci.succeed(&["up", "alpha"]).await;
    ci.succeed(&["status", "alpha"]).await;
    ci.succeed(&["history", "alpha"]).await;
    ci.succeed(&["logs", "alpha"]).await;
    ci.succeed(&["list"]).await;
    // Without the function that has a role of its own.
    let (before, rest) = changed.split_once("[functions.own]").expect("it is there");
    let (_, after) = rest.split_once("[routes]").expect("they are there");
    let without = format!("{before}[routes]{after}")
        .replace("other = \"own\"\n", "")
        .replace("[authorizer]\n", "[authorizer]\nenabled = false\n");
    let (before, rest) = without.split_once("[tables.own]").expect("it is there");
    let (_, after) = rest.split_once("[tags]").expect("they are there");
    let without = format!("{before}[tags]{after}");
    ci.project.write("stages/service.toml", &without);
    ci.project.write("stages/alpha.toml", &alpha);
    ci.succeed(&["up", "alpha"]).await;
    ci.succeed(&["down", "alpha"]).await;
}

/// The policy is for one service: journals of others are seen, their tags aren't.
async fn another_service_is_named_and_not_listed(ci: &Ci) {
    let other = json!({ "logGroupName": "/deployer/other-alpha", "tags": { "deployer:schema": "1",
        "deployer:service": "other", "deployer:stage": "alpha" } });
    let (port, create) = (ci.world.port(), "Logs_20140328.CreateLogGroup");
    succeed(port, Operation::Json("logs", create), &other).await;
    let listed = ci.run(&["list"]).await;
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    assert!(listed.stdout.starts_with("no stage lives in account"));
    let hidden = "these credentials may not read its tags: /deployer/other-alpha";
    assert!(listed.stderr.contains(hidden), "{}", listed.stderr);
    let other = json!({ "logGroupName": "/deployer/other-alpha" });
    let delete = "Logs_20140328.DeleteLogGroup";
    succeed(port, Operation::Json("logs", delete), &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_policy_is_enough_for_the_whole_life_of_a_stage() {
    let ci = Ci::new().await;
    let policies = documented();
    ci.allow(&policies[0]).await;
    lives(&ci).await;
    another_service_is_named_and_not_listed(&ci).await;
    // With logs of API Gateway it takes the second policy, too.
    ci.project
        .write("stages/alpha.toml", &format!("target = \"aws\"\n{LOGS}"));
    ci.project.write("stages/service.toml", SERVICE);
    let refused = ci.run(&["up", "alpha"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    // Which of the missing permissions it is told of depends on which answer comes first.
    let next = "next: logs of API Gateway need one role for the whole account";
    assert!(refused.stderr.contains(next), "{}", refused.stderr);
    ci.allow(&policies.concat()).await;
    lives(&ci).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_promoted_out_of_an_account_in_which_one_may_only_read() {
    let ci = Ci::new().await;
    let policies = documented();
    ci.allow(&policies[0]).await;
    ci.succeed(&["up", "alpha"]).await;
    // That policy isn't in the other account.
    let boundary = "permissions_boundary = \"arn:aws:iam::000000000000:policy/bounds\"\n";
    let unbounded = SERVICE.replace(boundary, "");
    ci.project.write("stages/service.toml", &unbounded);
    let target = World::new().await;
    let port = target.port();
    let config = format!(
        "[profile target]\nregion = {}\nendpoint_url = http://127.0.0.1:{port}\naws_access_key_id = {}\naws_secret_access_key = {}\n{}",
        local_cloud::REGION,
        local_cloud::USER_ACCESS_KEY_ID,
        local_cloud::USER_SECRET_ACCESS_KEY,
        ci.profile("source"),
    );
    ci.project.write("config", &config);
    for (stage, profile) in [("alpha", "source"), ("prod", "target")] {
        let file = format!("target = \"aws\"\naws_profile = \"{profile}\"\n");
        ci.project.write(&format!("stages/{stage}.toml"), &file);
    }
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), ci.project.path());
    let config = ci.project.path().join("config");
    deployer.set("AWS_CONFIG_FILE", config.to_str().expect("a legible path"));
    let promote = async || {
        let command = deployer.command(&["promote", "alpha", "prod"]);
        let output = spawn_blocking(move || { command }.output()).await;
        Ran::from(output.expect("it ends").expect("it runs"))
    };
    let reading = &policies[2];
    for missing in reading {
        let others: Vec<Value> = reading
            .iter()
            .filter(|it| *it != missing)
            .cloned()
            .collect();
        ci.allow(&others).await;
        let refused = promote().await;
        assert_eq!(refused.code, 1, "{missing}: {}", refused.stderr);
        let action = missing["Action"].as_str().expect("a text");
        let denied = format!("is not authorized to perform: {action}");
        assert!(
            refused.stderr.contains(&denied),
            "{action}: {}",
            refused.stderr
        );
        assert!(target.is_empty().await, "{action}");
    }
    ci.allow(reading).await;
    let promoted = promote().await;
    assert_eq!(promoted.code, 0, "{}", promoted.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_of_its_statements_the_error_names_what_is_missing() {
    let ci = Ci::new().await;
    let statements = documented().swap_remove(0);
    for missing in &statements {
        let others: Vec<Value> = statements
            .iter()
            .filter(|it| *it != missing)
            .cloned()
            .collect();
        ci.allow(&others).await;
        let refused = ci.run(&["up", "alpha"]).await;
        let sid = &missing["Sid"];
        assert_eq!(refused.code, 1, "{sid}: {}", refused.stderr);
        let text = &refused.stderr;
        let denied =
            text.contains("AccessDenied") && text.contains("is not authorized to perform: ");
        assert!(denied, "{sid}: {text}");
        let actions = match &missing["Action"] {
            Value::Array(actions) => actions.clone(),
            one => vec![one.clone()],
        };
        let named = |action: &Value| text.contains(action.as_str().expect("a text"));
        assert!(actions.iter().any(named), "{sid}: {text}");
    }
    ci.allow(&statements).await;
    ci.succeed(&["up", "alpha"]).await;
    ci.succeed(&["down", "alpha"]).await;
}
