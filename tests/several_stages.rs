//! One command for several stages: those on AWS side by side, with one build; those
//! of a local cloud in turn. A stage that fails doesn't hold up the others.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use testkit::proxy::{Fault, Point, Proxy};
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::spawn_blocking;

/// How long a call takes that a signal is to arrive in.
const SLOW: Duration = Duration::from_secs(3);

/// By the path that leads to AWS, with a local cloud as the endpoint of all services.
fn on_aws(project: &TinyProject, endpoint: &str) -> Deployer {
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    deployer.set("AWS_ENDPOINT_URL", endpoint);
    deployer.set("AWS_REGION", local_cloud::REGION);
    deployer.set("AWS_ACCESS_KEY_ID", "AKIALOCALCLOUDUSER00");
    deployer.set("AWS_SECRET_ACCESS_KEY", "local");
    deployer
}

/// The stages whose results have `member`.
fn stages_with(member: &str, stdout: &str) -> BTreeSet<String> {
    let results = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"));
    results
        // `up` says events, too.
        .filter(|line: &Value| line.get("event").is_none_or(|event| event == "result"))
        .filter(|result| result.get(member).is_some())
        .map(|result| result["stage"].as_str().expect("it names its stage").into())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_on_aws_go_side_by_side_with_one_build_and_one_that_fails_hides_no_other() {
    let project = TinyProject::new();
    // Three that are released: CreateDeployment's quota lets the last one wait for 10 s.
    for stage in ["a", "b", "c", "d"] {
        project.write(&format!("stages/{stage}.toml"), "target = \"aws\"\n");
    }
    let world = World::new().await;
    let proxy = Proxy::start(world.port()).await;
    let refused = Point {
        service: "logs".to_owned(),
        what: "CreateLogGroup /aws/lambda/tiny-b-tiny".to_owned(),
        nth: 0,
    };
    proxy.begin(Some((refused, Fault::Refuse)));
    let deployer = on_aws(&project, &proxy.endpoint());
    let run = async |arguments: &'static [&'static str]| -> Ran {
        let command = deployer.command(arguments);
        let output = spawn_blocking(move || { command }.output()).await;
        let output = output.expect("it ends").expect("it runs");
        Ran::from(output)
    };

    let up = run(&["up", "a", "b", "c", "d", "a", "--json"]).await;
    assert!(proxy.reached(), "{}", up.stderr);
    assert_eq!(up.code, 1, "{}", up.stderr);
    let named = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
    assert_eq!(stages_with("url", &up.stdout), named(&["a", "c", "d"]));
    assert_eq!(stages_with("left", &up.stdout), named(&["b"]));
    assert_eq!(up.stderr.matches("building tiny").count(), 1);
    for line in [
        "error: b: ",
        "\n3 of 4 stages done; failed: b\n",
        "\na:   create function tiny-a-tiny (",
        "\nc:   create function tiny-c-tiny (",
    ] {
        assert!(up.stderr.contains(line), "no {line:?} in {}", up.stderr);
    }
    // One after the other, no call for `c` would come before the last one for `a`.
    let calls = proxy.calls();
    let place = |stage: &str, last: bool| {
        let of = |call: &_| is_of(call, stage);
        match last {
            true => calls.iter().rposition(of),
            false => calls.iter().position(of),
        }
    };
    assert!(place("c", false) < place("a", true));
    assert!(place("a", false) < place("c", true));

    proxy.begin(None);
    let again = run(&["up", "a", "b", "c", "d"]).await;
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.stdout.matches("nothing to do").count(), 3);
    // The stage `local` is none of them.
    let status = run(&["status", "--all", "--json"]).await;
    assert_eq!(
        stages_with("url", &status.stdout),
        named(&["a", "b", "c", "d"])
    );
    let down = run(&["down", "--all"]).await;
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert_eq!(down.stdout.matches("is gone").count(), 4, "{}", down.stdout);
    assert!(down.stderr.ends_with("4 of 4 stages done\n"));
    assert!(world.is_empty().await);
}

/// Whether a call names the stage.
fn is_of(call: &testkit::proxy::Call, stage: &str) -> bool {
    call.point.what.contains(&format!("tiny-{stage}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_that_dont_build_say_so_once_and_nothing_is_touched() {
    let project = TinyProject::new();
    project.write("src/main.rs", "fn main() { no }\n");
    for stage in ["a", "b"] {
        project.write(&format!("stages/{stage}.toml"), "target = \"aws\"\n");
    }
    let world = World::new().await;
    let deployer = on_aws(&project, &format!("http://127.0.0.1:{}", world.port()));
    let ran = spawn_blocking(move || deployer.run(&["up", "a", "b"])).await;
    let Ran { code, stderr, .. } = ran.expect("it ends");
    assert_eq!(code, 3, "{stderr}");
    assert_eq!(
        stderr.matches("cannot find value `no`").count(),
        1,
        "{stderr}"
    );
    assert!(
        stderr.contains("the functions don't build, as said above"),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("0 of 2 stages done; failed: a, b\n"),
        "{stderr}"
    );
    assert!(world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_of_one_local_cloud_go_in_turn_and_it_stops_with_the_last() {
    let project = TinyProject::new();
    project.write("stages/other.toml", "target = \"local\"\n");
    let deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let ran = spawn_blocking(move || {
        let up = deployer.succeed(&["up", "local", "other"]);
        let down = deployer.run(&["down", "other", "local"]);
        (up, down, deployer.port())
    });
    let (up, down, port) = ran.await.expect("it ends");
    for stage in ["tiny/local", "tiny/other"] {
        assert!(up.contains(stage), "{up}");
    }
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(
        down.stderr.ends_with("2 of 2 stages done\n"),
        "{}",
        down.stderr
    );
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ctrl_c_what_is_not_begun_is_named() {
    let project = TinyProject::new();
    project.write("stages/other.toml", "target = \"local\"\n");
    let world = World::new().await;
    let proxy = Proxy::start(world.port()).await;
    let slow = Point {
        service: "lambda".to_owned(),
        what: "POST /2015-03-31/functions".to_owned(),
        nth: 0,
    };
    proxy.begin(Some((slow.clone(), Fault::Delay(SLOW))));
    let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
    let port = proxy.endpoint().rsplit(':').next().map(str::to_owned);
    deployer.set("DEPLOYER_LOCAL_PORT", &port.expect("a port"));
    let mut command = deployer.command(&["up", "local", "other"]);
    let child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    proxy.until_called(&slow).await;
    let pid = i32::try_from(child.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it can be signalled");
    let output = spawn_blocking(move || child.wait_with_output()).await;
    let Ran { code, stderr, .. } = Ran::from(output.expect("it ends").expect("its output"));
    assert_eq!(code, 130, "{stderr}");
    assert!(
        stderr.ends_with("0 of 2 stages done; failed: local; not begun: other\n"),
        "{stderr}"
    );
}
