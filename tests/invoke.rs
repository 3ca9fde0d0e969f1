//! `deployer invoke`: one event for one function of the live release. And what shells are
//! told of functions.

use serde_json::{Value, json};
use std::process::Command;
use testkit::{Deployer, Ran, TinyProject};

const SERVICE: &str = r#"
service = "tiny"
[functions.tiny]
[functions.other]
package = "tiny"
[routes]
"$connect" = "tiny"
"$default" = "tiny"
other = "other"
"#;

fn project() -> (TinyProject, Deployer) {
    let project = TinyProject::new();
    project.write("src/main.rs", TinyProject::SERVING);
    project.write("stages/service.toml", SERVICE);
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    (project, deployer)
}

fn live() -> (TinyProject, Deployer) {
    let (project, deployer) = project();
    deployer.succeed(&["up", "local"]);
    (project, deployer)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_live_version_answers_with_what_it_logged() {
    let (_project, deployer) = live();
    let arguments = ["invoke", "local", "tiny", "--body", "hi"];
    let Ran {
        code,
        stdout,
        stderr,
    } = deployer.run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        json_of(&stdout),
        json!({"statusCode": 200, "body": "served"})
    );
    assert!(stderr.contains("plain words about $default"), "{stderr}");
    assert!(
        stderr.contains("tiny, version 1: answered after "),
        "{stderr}"
    );
    let with_json = deployer.succeed(&["invoke", "local", "tiny", "--body", "hi", "--json"]);
    let result = json_of(&with_json);
    assert_eq!(result["ok"], true);
    assert_eq!(result["version"], "1");
    assert_eq!(result["response"]["statusCode"], 200);
    assert!(result["request_id"].is_string() && result["milliseconds"].is_number());
}

#[test]
fn a_function_that_fails_gives_exit_code_1_and_lambdas_words() {
    let (_project, deployer) = live();
    let Ran {
        code,
        stdout,
        stderr,
    } = deployer.run(&["invoke", "local", "tiny", "--body", "fail"]);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(json_of(&stdout)["errorType"], "Failed");
    assert!(
        stderr.contains("next: deployer logs local tiny"),
        "{stderr}"
    );
}

#[test]
fn the_event_is_the_gateways_and_can_be_given_by_a_file() {
    let (project, deployer) = live();
    let made = deployer.succeed(&[
        "invoke",
        "local",
        "tiny",
        "--event",
        "connect",
        "--query",
        "token=x",
        "--authorizer",
        "principalId=me",
        "--show-event",
    ]);
    let event = json_of(&made);
    let context = &event["requestContext"];
    assert_eq!(context["routeKey"], "$connect");
    assert_eq!(context["stage"], "local");
    assert_eq!(context["authorizer"]["principalId"], "me");
    assert_eq!(event["queryStringParameters"]["token"], "x");
    let domain = context["domainName"].as_str().expect("a domain name");
    assert!(domain.ends_with(context["apiId"].as_str().expect("an API")));
    project.write("event.json", &made);
    let path = project.path().join("event.json");
    let path = path.to_str().expect("UTF-8");
    let result = deployer.succeed(&["invoke", "local", "other", "--event", path, "--json"]);
    let log = json_of(&result)["log"].as_str().map(str::to_owned);
    assert!(log.expect("a log").contains("about $connect"));
}

#[test]
fn what_would_not_reach_the_function_is_refused_before_anything_is_invoked() {
    let (project, deployer) = live();
    project.write("broken.json", "{\n  \"body\": \n");
    let path = project.path().join("broken.json");
    let path = path.to_str().expect("UTF-8");
    for (arguments, said) in [
        (vec!["other", "--body", "hi"], "to it lead other"),
        (vec!["othr"], "did you mean `other`?"),
        (
            vec!["other", "--event", "connect"],
            "`$connect` doesn't lead to `other`",
        ),
        (vec!["other", "--event", path], "broken.json:3:0: no JSON"),
        (
            vec!["other", "--event", "missing.json"],
            "can't read missing.json",
        ),
    ] {
        let arguments = [&["invoke", "local"], arguments.as_slice()].concat();
        let Ran { code, stderr, .. } = deployer.run(&arguments);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert!(!deployer.succeed(&["logs", "local"]).contains("served"));
}

#[test]
fn a_stage_that_is_not_live_says_how_to_deploy_it() {
    let (_project, deployer) = project();
    let Ran { code, stderr, .. } = deployer.run(&["invoke", "local", "tiny"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("tiny/local is not live"), "{stderr}");
    assert!(stderr.contains("next: deployer up local"), "{stderr}");
}

#[test]
fn a_shell_completes_the_projects_stages_and_the_stages_functions() {
    let (project, _deployer) = project();
    let complete = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_deployer"))
            .current_dir(project.path())
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_IFS", "\n")
            .arg("--")
            .args(words)
            .output()
            .expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let stages = complete(&["deployer", "plan", ""]);
    assert!(stages.lines().any(|it| it == "local"), "{stages}");
    let functions = complete(&["deployer", "invoke", "local", ""]);
    for function in ["other", "tiny"] {
        assert!(functions.lines().any(|it| it == function), "{functions}");
    }
    let sources = complete(&["deployer", "logs", "local", "gate"]);
    assert_eq!(sources.trim(), "gateway");
}
