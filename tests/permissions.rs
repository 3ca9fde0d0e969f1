//! What whoever deploys must be allowed: the policy that `deployer permissions` prints is
//! enough on a local cloud that enforces IAM, and an error names what is missing. That
//! nothing in it is too much is told by `crates/simulation/tests/permissions.rs`.

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

    /// Puts what the deployer says it needs into the role's policy.
    async fn allow_what_is_printed(&self, more: &'static [&'static str]) {
        self.allow(&self.printed(more).await).await;
    }

    /// The policy that the deployer prints, without asking anybody.
    async fn printed(&self, more: &'static [&'static str]) -> Value {
        let account = ["--account", local_cloud::ACCOUNT_ID];
        let mut command = self.deployer.command(&["permissions", "alpha"]);
        command.args(account).args(more);
        command.env_remove("AWS_ENDPOINT_URL");
        command.env_remove("AWS_ACCESS_KEY_ID");
        let output = spawn_blocking(move || { command }.output()).await;
        let ran = Ran::from(output.expect("it ends").expect("it runs"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("a policy")
    }

    async fn allow(&self, policy: &Value) {
        let document = encoded(policy);
        let form =
            format!("Action=PutRolePolicy&RoleName=ci&PolicyName=p&PolicyDocument={document}");
        succeed(self.world.port(), Operation::Iam(&form), &Value::Null).await;
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        let command = self.deployer.command(arguments);
        let output = spawn_blocking(move || { command }.output()).await;
        Ran::from(output.expect("it ends").expect("it runs"))
    }

    async fn succeed(&self, arguments: &[&str]) {
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

/// The whole life of a stage, each time with the policy for its files as they are.
async fn lives(ci: &Ci) {
    ci.allow_what_is_printed(&[]).await;
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
    ci.allow_what_is_printed(&["--for", "plan"]).await;
    ci.succeed(&["plan", "alpha"]).await;
    let out = ci.project.path().join("exported").display().to_string();
    for format in ["terraform", "cloudformation"] {
        let export = [
            "export", "alpha", "--force", "--format", format, "--out", &out,
        ];
        ci.succeed(&export).await;
    }
    ci.allow_what_is_printed(&[]).await;
    ci.succeed(&["up", "alpha"]).await;
    ci.succeed(&["status", "alpha"]).await;
    ci.succeed(&["history", "alpha"]).await;
    // What functions say isn't for everybody who deploys.
    let refused = ci.run(&["logs", "alpha"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("--for logs"), "{}", refused.stderr);
    ci.allow_what_is_printed(&["--for", "logs"]).await;
    ci.succeed(&["logs", "alpha"]).await;
    ci.allow_what_is_printed(&[]).await;
    ci.succeed(&["list"]).await;
    // Without the function that has a role of its own, and its table.
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
    // The table is still there, and the files no longer name it.
    ci.allow_what_is_printed(&[]).await;
    let refused = ci.run(&["up", "alpha"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--former-tables"),
        "{}",
        refused.stderr
    );
    ci.allow_what_is_printed(&["--former-tables"]).await;
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
async fn the_printed_policy_is_enough_for_the_whole_life_of_a_stage() {
    let ci = Ci::new().await;
    lives(&ci).await;
    another_service_is_named_and_not_listed(&ci).await;
    // With logs of API Gateway it takes more.
    let without = ci.printed(&[]).await;
    ci.project
        .write("stages/alpha.toml", &format!("target = \"aws\"\n{LOGS}"));
    ci.project.write("stages/service.toml", SERVICE);
    ci.allow(&without).await;
    let refused = ci.run(&["up", "alpha"]).await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    lives(&ci).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_promoted_out_of_an_account_in_which_one_may_only_read() {
    let ci = Ci::new().await;
    ci.allow_what_is_printed(&[]).await;
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
    let reading = reads_of_a_promotion();
    let allow = async |statements: &[Value]| {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        ci.allow(&policy).await;
    };
    for missing in &reading {
        let others: Vec<Value> = reading
            .iter()
            .filter(|it| *it != missing)
            .cloned()
            .collect();
        allow(&others).await;
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
    allow(&reading).await;
    let promoted = promote().await;
    assert_eq!(promoted.code, 0, "{}", promoted.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_doctor_may_not_ask_is_not_checked_and_names_the_action() {
    let ci = Ci::new().await;
    let logs = format!("target = \"aws\"\n{LOGS}");
    ci.project.write("stages/alpha.toml", &logs);
    let unanswered = async || {
        let ran = ci.run(&["doctor", "alpha", "--json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).expect("a line of JSON");
        let all = report["findings"].as_array().expect("findings").clone();
        let mut unanswered = all.into_iter().filter(|it| it["status"] == "not_checked");
        let first = unanswered.next();
        first.map(|it| (it["found"].to_string(), it["remedy"].to_string()))
    };
    let whole = ci.printed(&["--for", "doctor"]).await;
    ci.allow(&whole).await;
    assert_eq!(unanswered().await, None);
    let statements = whole["Statement"].as_array().expect("statements");
    let mut named = 0;
    for (at, statement) in statements.iter().enumerate() {
        for action in statement["Action"].as_array().expect("actions") {
            let mut less = whole.clone();
            let rest = less["Statement"][at]["Action"]
                .as_array_mut()
                .expect("actions");
            rest.retain(|other| other != action);
            if rest.is_empty() {
                less["Statement"]
                    .as_array_mut()
                    .expect("statements")
                    .remove(at);
            }
            ci.allow(&less).await;
            let (found, remedy) = unanswered().await.expect("something can't be asked");
            let action = action.as_str().expect("a text");
            assert!(found.contains(&format!("that needs {action}")), "{found}");
            assert!(
                remedy.contains("deployer permissions alpha --for doctor"),
                "{remedy}"
            );
            named += 1;
        }
    }
    assert_eq!(named, 3, "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_goes_without_what_it_may_not_read_and_says_which_action_that_is() {
    let ci = Ci::new().await;
    ci.allow_what_is_printed(&[]).await;
    ci.succeed(&["up", "alpha"]).await;
    let status = async || {
        let ran = ci.run(&["status", "alpha", "--json"]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).expect("a line of JSON")
    };
    // What functions say is for whoever may read it.
    ci.allow_what_is_printed(&["--for", "plan"]).await;
    let seen = status().await;
    assert_eq!(seen["functions"][0]["figures"]["invocations"], 0, "{seen}");
    assert_eq!(seen["drift"]["differences"], 0, "{seen}");
    let notes =
        |seen: &Value| serde_json::from_value::<Vec<String>>(seen["notes"].clone()).expect("texts");
    let [note] = notes(&seen).try_into().expect("one note");
    assert!(
        note.starts_with("no last errors: ") && note.contains("logs:FilterLogEvents"),
        "{note}"
    );
    assert!(
        note.contains("deployer permissions STAGE --for logs"),
        "{note}"
    );
    ci.allow_what_is_printed(&["--for", "plan,logs"]).await;
    assert_eq!(status().await["notes"], json!([]));
    let mut less = ci.printed(&["--for", "plan,logs"]).await;
    let statements = less["Statement"].as_array_mut().expect("statements");
    for statement in statements.iter_mut() {
        let actions = statement["Action"].as_array_mut().expect("actions");
        actions.retain(|action| action != "cloudwatch:GetMetricData");
    }
    statements.retain(|statement| statement["Action"] != json!([]));
    ci.allow(&less).await;
    let seen = status().await;
    assert_eq!(seen["functions"][0]["figures"], Value::Null, "{seen}");
    let [note] = notes(&seen).try_into().expect("one note");
    assert!(note.starts_with("no figures: "), "{note}");
    assert!(
        note.contains("is not authorized to perform: cloudwatch:GetMetricData "),
        "{note}"
    );
    ci.allow_what_is_printed(&[]).await;
    ci.succeed(&["down", "alpha"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lacks_something_is_told_what_and_what_prints_it() {
    let ci = Ci::new().await;
    let policy = ci.printed(&[]).await;
    // A read, what comes with a write, a write, and what is handed on by one.
    for (missing, command) in [
        ("iam:GetRole", "plan"),
        ("logs:TagResource", "up"),
        ("lambda:CreateFunction", "up"),
        ("iam:PassRole", "up"),
    ] {
        let mut less = policy.clone();
        let statements = less["Statement"].as_array_mut().expect("statements");
        for statement in statements.iter_mut() {
            let actions = statement["Action"].as_array_mut().expect("actions");
            actions.retain(|action| action != missing);
        }
        statements.retain(|statement| statement["Action"] != json!([]));
        ci.allow(&less).await;
        let refused = match command {
            "plan" => ci.run(&["plan", "alpha"]).await,
            _ => ci.run(&["up", "alpha"]).await,
        };
        let text = &refused.stderr;
        assert_eq!(refused.code, 1, "{missing}: {text}");
        let denied = format!("is not authorized to perform: {missing} ");
        let next =
            format!("next: the caller lacks {missing}: a policy with {{\"Effect\": \"Allow\"");
        assert!(text.contains(&denied) && text.contains(&next), "{text}");
    }
    ci.allow(&policy).await;
    ci.succeed(&["up", "alpha"]).await;
    ci.succeed(&["down", "alpha"]).await;
}

/// The statements that the document has for the account that is promoted from.
fn reads_of_a_promotion() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/PERMISSIONS.md")).expect("the document");
    let (_, after) = text.split_once("`promote` needs").expect("its section");
    let (_, shown) = after.split_once("```json\n").expect("a policy");
    let (shown, _) = shown.split_once("```").expect("its end");
    let shown = shown
        .replace("ACCOUNT", local_cloud::ACCOUNT_ID)
        .replace("REGION", local_cloud::REGION)
        .replace("SERVICE", "tiny");
    let policy: Value = serde_json::from_str(&shown).expect("JSON");
    policy["Statement"].as_array().expect("statements").clone()
}

/// The JSON of the document, as it is for the shipped stage `alpha`.
#[test]
fn the_document_shows_what_is_printed_for_the_shipped_stage() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), &root);
    let mut command = deployer.command(&["permissions", "alpha"]);
    command.args(["--account", "123456789012", "--region", "eu-central-1"]);
    let output = command.output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let text = std::fs::read_to_string(root.join("docs/PERMISSIONS.md")).expect("the document");
    let (_, shown) = text.split_once("```json\n").expect("a policy");
    let (shown, _) = shown.split_once("```").expect("its end");
    assert_eq!(shown, printed, "the document should show: {printed}");
}

#[test]
fn bad_arguments_are_refused() {
    let project = TinyProject::new();
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    for arguments in [
        ["permissions", "local", "--account=1234"].as_slice(),
        &["permissions", "nowhere"],
        &["permissions"],
        &["permissions", "local", "--for=package"],
        &["permissions", "local", "--as=*"],
        &["plan", "local", "--markdown", "--json"],
    ] {
        let output = deployer.command(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
