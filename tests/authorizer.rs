//! A stage with an authorizer over the wire, with the real function: who gets in, what
//! later events tell, what becomes of changes by hand, of turning it off and on, and of
//! going back.

use deployer_core::desired::Desired;
use deployer_core::release::ReleaseHash;
use deployer_engine::cloud::Artifacts;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::observe::Known;
use deployer_engine::rollback::rollback;
use deployer_engine::up::{make_plan, up};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use testkit::by_hand::{self, Operation};
use testkit::{Client, Release, World};

const KEY: &str = "a key of thirty-two bytes or more";

/// A service whose `[authorizer]` ends so.
macro_rules! gated {
    ($authorizer:literal) => {
        Release {
            service: concat!(
                r#"
service = "chat"
[functions.room]
timeout_seconds = 20
[functions.gate]
timeout_seconds = 20
secrets = { TOKEN_KEY = "ssm:/chat/token-key" }
[routes]
"$connect" = "room"
"$default" = "room"
[authorizer]
function = "gate"
"#,
                $authorizer
            ),
            code: "fixture",
        }
    };
}

const GUARDED: Release = gated!("");
const OFF: Release = gated!("enabled = false");

const WITHOUT: Release = Release {
    service: r#"
service = "chat"
[functions.room]
timeout_seconds = 20
[routes]
"$connect" = "room"
"$default" = "room"
"#,
    code: "fixture",
};

/// Programs of the workspace, built by a cargo invocation of their own.
struct Programs {
    authorize: PathBuf,
    /// Does what a message says: `event` posts the event it got.
    scripted: PathBuf,
}

fn programs() -> &'static Programs {
    static BUILT: OnceLock<Programs> = OnceLock::new();
    BUILT.get_or_init(|| {
        let scripted = ["--package", "local-cloud", "--example", "scripted_function"];
        cargo("build", &["--package", "authorize"]);
        cargo("build", &scripted);
        let folder = std::env::current_exe().expect("this test's path");
        let folder = folder.parent().and_then(Path::parent).expect("target");
        Programs {
            authorize: folder.join("authorize"),
            scripted: folder.join("examples/scripted_function"),
        }
    })
}

fn cargo(verb: &str, arguments: &[&str]) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ran = Command::new(cargo)
        .arg(verb)
        .args(["--locked", "--quiet"])
        .args(arguments)
        .env("TOKEN_KEY", KEY)
        .current_dir(workspace.expect("the deployer lies in the workspace"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

/// As the documents say how to make one.
fn token(seconds: &str) -> String {
    let example = ["--package", "authorize", "--example", "token"];
    cargo(
        "run",
        &[example.as_slice(), &["--", "ann", seconds]].concat(),
    )
}

/// The release with real code.
fn built(world: &World, release: Release) -> (Desired, Artifacts) {
    let (mut desired, mut artifacts) = world.session.desired(release);
    for (key, function) in &mut desired.functions {
        let binary = match key.as_str() {
            "gate" => &programs().authorize,
            _ => &programs().scripted,
        };
        let binary = std::fs::read(binary).expect("it was built");
        let package = deployer_package::package(&binary).expect("a zip");
        function.code.sha256 = package.sha256.as_str().into();
        artifacts.insert(key.clone(), Arc::clone(&package.zip));
    }
    (desired, artifacts)
}

/// Where clients connect.
async fn bring_up(world: &World, release: Release) -> String {
    let (desired, artifacts) = built(world, release);
    let interrupt = Interrupt::default();
    let writer = &world.session.cloud;
    let means = world
        .session
        .means(&desired, &artifacts, writer, &interrupt);
    let done = up(&desired, &means).await.expect("up works");
    assert!(done.outcome.complete(), "{:?}", done.outcome.failed);
    done.url.expect("it is live")
}

async fn plan_of(world: &World, release: Release) -> String {
    let (desired, _) = built(world, release);
    let looked = make_plan(&world.session.cloud, &desired).await;
    looked.expect("it reads").0.to_string()
}

async fn roll_back_to(world: &World, release: Release) {
    let (desired, artifacts) = built(world, release);
    let interrupt = Interrupt::default();
    let writer = &world.session.cloud;
    let means = world
        .session
        .means(&desired, &artifacts, writer, &interrupt);
    let name = ReleaseHash::of(&desired).to_string();
    let done = rollback(&Known::of(&desired), Some(&name), &means).await;
    let done = done.expect("it is kept");
    assert!(done.outcome.complete(), "{:?}", done.outcome.failed);
}

async fn with_key() -> World {
    let world = World::new().await;
    let put = json!({ "Name": "/chat/token-key", "Value": KEY, "Type": "SecureString" });
    let operation = Operation::Json("ssm", "AmazonSSM.PutParameter");
    by_hand::succeed(world.port(), operation, &put).await;
    world
}

async fn refusal(url: &str) -> Option<u16> {
    Client::connect(url).await.err()
}

/// What an event tells of whoever sent a message.
async fn who(client: &mut Client) -> Value {
    client.send(r#"{"do":"event"}"#).await;
    let event: Value = serde_json::from_str(&client.text().await).expect("an event");
    event["requestContext"]["authorizer"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_token_connects_and_later_events_tell_the_name() {
    let world = with_key().await;
    let url = bring_up(&world, GUARDED).await;
    assert_eq!(refusal(&url).await, Some(401));
    let (good, expired) = (token("600"), token("0"));
    let with = |token: &str| format!("{url}?token={token}");
    assert_eq!(refusal(&with("nonsense")).await, Some(403));
    assert_eq!(refusal(&with(&expired)).await, Some(403));
    assert_eq!(refusal(&with(&format!("{good}A"))).await, Some(403));

    let mut client = Client::connect(&with(&good)).await.expect("let in");
    let ann = json!({ "principalId": "ann", "name": "ann" });
    assert_eq!(who(&mut client).await, ann);

    // A browser offers it as a subprotocol, and another, which `$connect` chooses.
    let choice = r#"answer {"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat.json"}}"#;
    let choice = percent_encoding::utf8_percent_encode(choice, percent_encoding::NON_ALPHANUMERIC);
    let choosing = format!("{url}?do={choice}");
    let offered = format!("chat.json, token.{good}");
    let connected = Client::connect_offering(&choosing, &offered).await;
    assert_eq!(who(&mut connected.expect("let in")).await, ann);
    let offered = format!("chat.json, token.{expired}");
    let refused = Client::connect_offering(&choosing, &offered).await;
    assert_eq!(refused.err(), Some(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_turns_its_authorizer_off_is_open_and_going_back_closes_it() {
    let world = with_key().await;
    let url = bring_up(&world, GUARDED).await;
    assert_eq!(refusal(&url).await, Some(401));

    let open = bring_up(&world, OFF).await;
    assert_eq!(open, url);
    assert_eq!(refusal(&url).await, None);
    let nothing = "chat/alpha: nothing to do";
    assert_eq!(plan_of(&world, OFF).await, nothing);
    // What was frozen comes back, though the draft's authorizer is gone.
    roll_back_to(&world, GUARDED).await;
    assert_eq!(refusal(&url).await, Some(401));
    let good = format!("{url}?token={}", token("600"));
    assert_eq!(refusal(&good).await, None);
    roll_back_to(&world, OFF).await;
    assert_eq!(refusal(&url).await, None);
    assert_eq!(plan_of(&world, OFF).await, nothing);

    bring_up(&world, GUARDED).await;
    assert_eq!(refusal(&url).await, Some(401));
    bring_up(&world, WITHOUT).await;
    assert_eq!(refusal(&url).await, None);
    assert_eq!(plan_of(&world, WITHOUT).await, nothing);
    let parameter = json!({ "Name": "/chat/token-key" });
    let operation = Operation::Json("ssm", "AmazonSSM.DeleteParameter");
    by_hand::succeed(world.port(), operation, &parameter).await;
    world.empty(WITHOUT, "down").await;
}

/// One request to API Gateway, by hand.
async fn gateway(world: &World, method: &str, path: &str, body: &str) {
    let call = testkit::Call {
        service: "apigateway",
        method,
        path,
        headers: &[("content-type", "application/json")],
        body,
    };
    let status = testkit::send(world.port(), call).await;
    assert!((200..300).contains(&status), "{method} {path}: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_by_hand_is_seen_and_mended() {
    let world = World::new().await;
    world.converge(GUARDED, "a first up").await;
    let (desired, _) = world.session.desired(GUARDED);
    let looked = make_plan(&world.session.cloud, &desired).await;
    let api = looked.expect("it reads").1.apis.remove(0);
    let api_path = format!("/v2/apis/{}", api.api_id);
    let connect = api.routes.iter().find(|it| it.route_key == "$connect");
    let route = format!("{api_path}/routes/{}", connect.expect("a route").route_id);
    let authorizer = &api.authorizers[0];
    let guard = format!("{api_path}/authorizers/{}", authorizer.authorizer_id);
    let another = json!({
        "name": "by-hand", "authorizerType": "REQUEST", "identitySource": [],
        "authorizerUri": authorizer.uri,
    });
    let authorizers = format!("{api_path}/authorizers");
    let another = another.to_string();
    let changes = [
        (
            "PATCH",
            &route,
            r#"{"authorizationType":"NONE"}"#,
            "authorization: NONE → CUSTOM",
        ),
        (
            "PATCH",
            &guard,
            r#"{"identitySource":["route.request.header.X"]}"#,
            "identity_sources: route.request.header.X → none",
        ),
        (
            "PATCH",
            &guard,
            r#"{"authorizerCredentialsArn":""}"#,
            "~ authorizer      gate",
        ),
        (
            "PATCH",
            &guard,
            r#"{"name":"other"}"#,
            "- authorizer      other",
        ),
        ("POST", &authorizers, &another, "- authorizer      by-hand"),
    ];
    for (method, path, body, change) in changes {
        gateway(&world, method, path, body).await;
        let looked = make_plan(&world.session.cloud, &desired).await;
        let plan = looked.expect("it reads").0.to_string();
        assert!(plan.contains(change), "{change}: {plan}");
        world.converge(GUARDED, change).await;
    }
    world.empty(GUARDED, "down").await;
}
