//! Commands that stop midway, by Ctrl-C or by a failure: what is said, and that the
//! next command goes on. The deployer is the real binary, the signals are real; the
//! local cloud stands behind a proxy that lets single calls take their time.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::process::{Output, Stdio};
use std::time::Duration;
use testkit::proxy::{Fault, Point, Proxy, When};
use testkit::{Deployer, TinyProject, World};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long the chosen call takes: long enough for a signal to arrive meanwhile.
const SLOW: Duration = Duration::from_secs(3);
/// For whatever is waited for here. Generous: it only passes when a test fails.
const DEADLINE: Duration = Duration::from_secs(60);

const SECOND: &str = "fn main() { println!(\"another\"); }\n";

/// A project of one tiny function, deployed through the proxy.
struct Scene {
    deployer: Deployer,
    proxy: Proxy,
    project: TinyProject,
    world: World,
}

impl Scene {
    async fn new() -> Self {
        let project = TinyProject::new();
        let world = World::new().await;
        let proxy = Proxy::start(world.port()).await;
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), project.path());
        let port = proxy.endpoint().rsplit(':').next().map(str::to_owned);
        deployer.set("DEPLOYER_LOCAL_PORT", &port.expect("a port"));
        Self {
            deployer,
            proxy,
            project,
            world,
        }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::from(self.deployer.command(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).spawn().expect("it starts")
    }

    fn came(&self, what: &str) -> bool {
        self.proxy
            .calls()
            .iter()
            .any(|call| call.point.what.contains(what))
    }

    async fn succeed(&self, arguments: &[&str]) -> String {
        let output = ended(self.start(arguments)).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The next `up` ends where it should, and `down` leaves nothing.
    async fn converge(&self) {
        self.proxy.begin(None);
        let up = self.succeed(&["up", "local"]).await;
        assert!(up.contains("tiny/local"), "{up}");
        let again = self.succeed(&["up", "local"]).await;
        assert!(again.contains("nothing to do"), "{again}");
    }

    async fn down(&self) {
        // Not through the proxy, which listens also when the cloud has stopped.
        let mut deployer = Deployer::new(env!("CARGO_BIN_EXE_deployer"), self.project.path());
        deployer.set("DEPLOYER_LOCAL_PORT", &self.world.port().to_string());
        let down = tokio::task::spawn_blocking(move || deployer.succeed(&["down", "local"])).await;
        let down = down.expect("it ends");
        assert!(down.contains("is gone"), "{down}");
    }
}

fn point(service: &str, what: &str) -> Point {
    Point {
        service: service.to_owned(),
        what: what.to_owned(),
        nth: 0,
    }
}

fn create_function() -> Point {
    point("lambda", "POST /2015-03-31/functions")
}

fn interrupt(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    kill(Pid::from_raw(pid.expect("it runs")), Signal::SIGINT).expect("it can be signalled");
}

async fn ended(child: Child) -> Output {
    let output = timeout(DEADLINE, child.wait_with_output()).await;
    output.expect("it ends").expect("its output")
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_finishes_the_call_in_flight_and_says_what_is_done_and_left() {
    let scene = Scene::new().await;
    scene
        .proxy
        .begin(Some((create_function(), Fault::Delay(SLOW))));
    let child = scene.start(&["up", "local", "--json"]);
    scene.proxy.until_called(&create_function()).await;
    interrupt(&child);
    let output = ended(child).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("finishing the calls in flight; Ctrl-C again stops at once"),
        "{stderr}"
    );
    assert!(
        stderr.contains("left; nothing is live yet\n  done:\n"),
        "{stderr}"
    );
    assert!(stderr.contains("\n  left:\n"), "{stderr}");
    assert!(
        stderr.contains("the next `up` (or `down`) goes on from here"),
        "{stderr}"
    );
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines = stdout.lines().map(serde_json::from_str);
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().expect("lines of JSON");
    let of_stage = |line: &Value| line["stage"] == "local" && line["at"].is_string();
    assert!(lines.iter().all(of_stage), "{stdout}");
    let (json, events) = lines.split_last().expect("a result");
    let happened = |event: &str| events.iter().any(|line| line["event"] == event);
    for event in ["building", "planned", "step_started", "step_done"] {
        assert!(happened(event), "no {event} in {stdout}");
    }
    assert!(!happened("result"), "{stdout}");
    assert_eq!(json["event"], "result");
    assert_eq!(
        (&json["ok"], &json["exit_code"]),
        (&false.into(), &130.into())
    );
    assert_eq!(json["interrupted"], true);
    assert_eq!(json["serving"], "nothing is live yet");
    let steps =
        |name: &str| -> Vec<String> { serde_json::from_value(json[name].clone()).expect("texts") };
    assert!(
        steps("done").contains(&"create function tiny-local-tiny".to_owned()),
        "{json}"
    );
    assert!(
        steps("left").contains(&"release stage local".to_owned()),
        "{json}"
    );
    assert!(!scene.came("/deployments"), "nothing new was begun");
    scene.converge().await;

    // A change: the old release serves on.
    scene.project.write("src/main.rs", SECOND);
    let upload = point("lambda", "PUT /2015-03-31/functions/tiny-local-tiny/code");
    scene
        .proxy
        .begin(Some((upload.clone(), Fault::Delay(SLOW))));
    let child = scene.start(&["up", "local"]);
    scene.proxy.until_called(&upload).await;
    interrupt(&child);
    let output = ended(child).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("left; the old release is still serving"),
        "{stderr}"
    );
    scene.converge().await;
    scene.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_stops_at_once_and_the_next_up_looks_first() {
    let scene = Scene::new().await;
    scene
        .proxy
        .begin(Some((create_function(), Fault::Delay(SLOW))));
    let mut child = scene.start(&["up", "local"]);
    scene.proxy.until_called(&create_function()).await;
    interrupt(&child);
    // Signals aren't counted: the second must not arrive before the first is seen.
    let mut lines = tokio::io::BufReader::new(child.stderr.take().expect("piped"));
    let mut seen = String::new();
    while !seen.contains("Ctrl-C again stops at once") {
        use tokio::io::AsyncBufReadExt;
        let read = timeout(DEADLINE, lines.read_line(&mut seen)).await;
        assert!(read.expect("a line in time").expect("text") > 0, "{seen}");
    }
    interrupt(&child);
    let output = ended(child).await;
    assert_eq!(output.status.code(), Some(130));
    let calls = scene.proxy.calls();
    let slow = calls.iter().find(|call| call.point == create_function());
    assert_eq!(
        slow.and_then(|call| call.status),
        None,
        "it wasn't waited for"
    );
    scene.proxy.until_alone().await;
    scene.converge().await;
    scene.down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_up_says_that_the_old_release_keeps_serving() {
    let scene = Scene::new().await;
    scene.proxy.begin(None);
    scene.succeed(&["up", "local"]).await;
    scene.project.write("src/main.rs", SECOND);
    let fail = async |point: Point, fault: Fault| {
        scene.proxy.begin(Some((point, fault)));
        let output = ended(scene.start(&["up", "local"])).await;
        assert!(scene.proxy.reached(), "not reached");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // Before the first write.
    let lease = point("logs", "CreateLogStream /deployer/tiny-local");
    let said = fail(lease, Fault::Fail(When::Before)).await;
    assert!(
        said.contains("what was live before goes on serving"),
        "{said}"
    );
    // At a write before the cut-over.
    let freeze = point("apigateway", "POST /v2/apis/*/deployments");
    let said = fail(freeze, Fault::Refuse).await;
    assert!(
        said.contains("left; the old release is still serving"),
        "{said}"
    );
    scene.converge().await;
    // The build fails.
    scene.project.write("src/main.rs", "fn main() { no }\n");
    let output = ended(scene.start(&["up", "local"])).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("what was live before goes on serving"),
        "{said}"
    );
    scene.project.write("src/main.rs", SECOND);
    scene.down().await;
}
