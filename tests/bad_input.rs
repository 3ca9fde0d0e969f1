//! Bad input gets a clear error before anything is touched.

use std::net::TcpListener;
use std::path::Path;
use testkit::{Deployer, Ran, TinyProject};

/// A project with one tiny function, and this stage file.
fn project(stage: &str, main: &str) -> TinyProject {
    let project = TinyProject::new();
    project.write("src/main.rs", main);
    project.write("stages/alpha.toml", stage);
    project
}

fn deployer(project: &Path) -> Deployer {
    Deployer::new(env!("CARGO_BIN_EXE_deployer"), project)
}

fn nothing_was_started(deployer: &Deployer) {
    assert!(std::net::TcpStream::connect(("127.0.0.1", deployer.port())).is_err());
}

const AWS: &str = "target = \"aws\"\n";

#[test]
fn an_unknown_stage_is_answered_with_the_ones_there_are() {
    let dir = project(AWS, TinyProject::MAIN);
    let Ran { code, stderr, .. } = deployer(dir.path()).run(&["up", "alfa"]);
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "error: there is no stage `alfa`; the stages are alpha, local\n  next: did you mean `alpha`?\n"
    );
}

#[test]
fn three_mistakes_of_a_stage_file_are_all_shown() {
    let dir = project(
        "target = \"moon\"\nregionn = \"x\"\n[defaults]\nmemory_mb = 1\n",
        TinyProject::MAIN,
    );
    let Ran { code, stderr, .. } = deployer(dir.path()).run(&["plan", "alpha"]);
    assert_eq!(code, 2);
    for mistake in [
        "stages/alpha.toml:1:10: `target` must be one of \"local\", \"aws\"",
        "stages/alpha.toml:2:1: unknown key `regionn` (did you mean `region`?)",
        "stages/alpha.toml:4:13: `defaults.memory_mb` must be at least 128",
    ] {
        assert!(stderr.contains(mistake), "{mistake}: {stderr}");
    }
}

#[test]
fn stages_whose_names_differ_by_case_alone_are_refused() {
    let dir = project(AWS, "");
    dir.write("stages/Alpha.toml", AWS);
    let deployer = deployer(dir.path());
    let refused = deployer.run(&["plan", "alpha"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let said = "the stages `Alpha` and `alpha` differ by case alone";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
}

#[test]
fn a_mistake_in_one_stage_keeps_all_of_them_from_being_touched() {
    let dir = project("target = 1\n", TinyProject::MAIN);
    let deployer = deployer(dir.path());
    let Ran { code, stderr, .. } = deployer.run(&["up", "local", "alpha"]);
    assert_eq!(code, 2, "{stderr}");
    nothing_was_started(&deployer);
}

#[test]
fn a_function_that_does_not_compile_shows_the_compilers_words_and_touches_nothing() {
    let dir = project(AWS, "fn main() { no_such_function() }\n");
    let deployer = deployer(dir.path());
    let Ran { code, stderr, .. } = deployer.run(&["up", "local"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stderr.contains("cannot find function `no_such_function`"),
        "{stderr}"
    );
    assert!(stderr.contains("src/main.rs:1:13"), "{stderr}");
    nothing_was_started(&deployer);
}

#[test]
fn without_a_region_aws_stages_fail_at_once_and_say_what_to_set() {
    let dir = project(AWS, TinyProject::MAIN);
    let Ran { code, stderr, .. } = deployer(dir.path()).run(&["up", "alpha"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("no AWS region is set"), "{stderr}");
    assert!(stderr.contains("AWS_REGION"), "{stderr}");
}

#[test]
fn without_credentials_aws_stages_fail_at_once_and_say_what_to_set() {
    let dir = project(
        "target = \"aws\"\nregion = \"eu-central-1\"\n",
        TinyProject::MAIN,
    );
    for verb in ["up", "plan", "down", "status"] {
        let Ran { code, stderr, .. } = deployer(dir.path()).run(&[verb, "alpha"]);
        assert_eq!(code, 4, "{verb}: {stderr}");
        assert!(stderr.contains("no AWS credentials"), "{verb}: {stderr}");
        assert!(stderr.contains("AWS_PROFILE"), "{verb}: {stderr}");
        assert!(!stderr.contains("Compiling"), "{verb}: {stderr}");
    }
}

#[test]
fn a_port_that_another_program_has_is_named() {
    let dir = project(AWS, TinyProject::MAIN);
    let deployer = deployer(dir.path());
    // It accepts and says nothing, or anything but what a local cloud says.
    let listener = TcpListener::bind(("127.0.0.1", deployer.port())).expect("the free port");
    std::thread::spawn(move || {
        use std::io::Write;
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"SSH-2.0-other\r\n"));
        }
    });
    for verb in ["up", "status", "down"] {
        let Ran { code, stderr, .. } = deployer.run(&[verb, "local"]);
        assert_eq!(code, 1, "{verb}: {stderr}");
        let wanted = format!(
            "port {} of 127.0.0.1: another program listens there",
            deployer.port()
        );
        assert!(stderr.contains(&wanted), "{verb}: {stderr}");
    }
}

#[test]
fn a_second_local_cloud_on_one_port_is_refused_with_a_clear_word() {
    let dir = project(AWS, TinyProject::MAIN);
    let deployer = deployer(dir.path());
    let port = deployer.port().to_string();
    deployer.succeed(&["up", "local"]);
    let Ran { code, stderr, .. } = deployer.run(&["local-cloud", "--port", &port]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("is in use by another local cloud"),
        "{stderr}"
    );
    let down = deployer.succeed(&["down", "local"]);
    assert!(down.contains("the local cloud has stopped"), "{down}");
}

#[test]
fn outside_a_project_the_command_says_where_it_looked() {
    let dir = tempfile::tempdir().expect("a folder");
    let Ran { code, stderr, .. } = deployer(dir.path()).run(&["up", "local"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("there is no stages/service.toml in"),
        "{stderr}"
    );
}

#[test]
fn results_go_to_stdout_and_errors_to_stderr() {
    let dir = project(AWS, TinyProject::MAIN);
    let deployer = deployer(dir.path());
    let ran = deployer.run(&["status", "local", "--json"]);
    assert_eq!(ran.code, 0);
    let status: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(status["url"], serde_json::Value::Null);
    assert_eq!(ran.stderr, "");
    let wrong = deployer.run(&["status", "nobody"]);
    assert_eq!(wrong.stdout, "");
}
