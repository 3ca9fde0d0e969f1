//! Accounts as former versions left them: this version must understand them, bring
//! them up to date, and take them down whole.
//!
//! Each version has a folder of its own in `tests/fixtures/accounts`, with the
//! service as it was and, for each state, the writes that led to it, as they went
//! over the wire. They are played back on an empty local cloud; ids that the cloud
//! makes up are replaced by those it makes up now.
//!
//! `cargo test -p deployer --test compatibility -- --ignored` records the accounts of
//! the version at hand. Those of a released version are never written again:
//! `SHA256SUMS` says what they are.

use deployer_core::desired::Desired;
use deployer_core::manifest::journal;
use deployer_core::names::Names;
use deployer_core::provenance::Provenance;
use deployer_engine::apply::Means;
use deployer_engine::cloud::{Artifacts, CloudWriter};
use deployer_engine::directory::find_residents;
use deployer_engine::down::{ByRecord, Removal};
use deployer_engine::exclusive;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{LeaseRequest, Reads, Waiting};
use deployer_engine::observe::Known;
use deployer_engine::up::make_plan;
use deployer_engine::verify::Verify;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use testkit::proxy::{Exchange, Proxy};
use testkit::{Fault, FaultyWriter, Release, Session, WireCall, World};

/// The version at hand.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The service as it was, beside the states.
const SERVICE_FILE: &str = "service.toml";
/// What the files of all versions are.
const SUMS: &str = "SHA256SUMS";
/// Ids that API Gateway makes up.
const MADE_UP: [&str; 4] = ["apiId", "integrationId", "routeId", "deploymentId"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the deployer lies in the workspace")
}

fn accounts() -> PathBuf {
    workspace().join("tests/fixtures/accounts")
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders of the versions.
fn versions() -> Vec<PathBuf> {
    entries(&accounts())
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

fn release(service: String, code: &'static str) -> Release {
    Release {
        service: service.leak(),
        code,
    }
}

#[tokio::test]
async fn every_account_that_a_version_left_is_brought_up_to_date_and_taken_down() {
    for version in versions() {
        let service = read(&version.join(SERVICE_FILE));
        let first = release(service, "first");
        for path in entries(&version) {
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let what = path
                    .strip_prefix(accounts())
                    .expect("below it")
                    .display()
                    .to_string();
                let world = World::new().await;
                play(&read(&path), world.port()).await;
                let is_first = path.file_stem().is_some_and(|stem| stem == "up");
                Box::pin(live_on(
                    &world,
                    first,
                    is_first && version.ends_with(VERSION),
                    &what,
                ))
                .await;
            }
        }
    }
}

#[tokio::test]
async fn every_account_that_a_version_left_is_listed_and_taken_down_by_the_account_alone() {
    for path in versions().iter().flat_map(|version| entries(version)) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let what = path.display();
        let world = World::new().await;
        play(&read(&path), world.port()).await;
        let session = &world.session;
        let census = find_residents(&session.cloud, None).await;
        let residents = census
            .unwrap_or_else(|error| panic!("{what}: {error}"))
            .residents;
        let [resident] = residents.as_slice() else {
            panic!("{what}: {residents:?}");
        };
        assert_eq!(resident.identity.to_string(), "chat/alpha", "{what}");
        assert_eq!(resident.record.expires, None, "{what}");
        let names = Names::new(resident.identity.clone(), &session.account.region);
        let (interrupt, artifacts) = (Interrupt::default(), Artifacts::new());
        let means = Means {
            reader: &session.cloud,
            writer: &session.cloud,
            account: &session.account,
            names: &names,
            artifacts: &artifacts,
            events: &|_| {},
            interrupt: &interrupt,
            verify: Verify::default(),
        };
        let lease = LeaseRequest {
            store: &session.cloud,
            journal: journal(&names),
            tags: resident.tags.clone(),
            holder: "me@here pid 2".to_owned(),
            is_gone: &|holder| holder == "me@here pid 1",
            waiting: Waiting::DontWait,
            reads: Reads::Later,
        };
        let removal = Removal {
            by_record: Some(ByRecord::default()),
            ..Removal::default()
        };
        let known = Known::default();
        let down = Box::pin(exclusive::down(&known, &removal, &means, &lease)).await;
        let down = down.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(down.outcome.complete(), "{what}: {:?}", down.outcome.failed);
        assert!(world.is_empty().await, "{what}: {}", down.left);
    }
}

/// This version at work on what another left.
async fn live_on(world: &World, release: Release, up_to_date: bool, what: &str) {
    let (desired, artifacts) = world.session.desired(release);
    let looked = make_plan(&world.session.cloud, &desired).await;
    let (plan, observed) = looked.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(!up_to_date || plan.is_empty(), "{what}: {plan}");
    let live = observed
        .apis
        .iter()
        .find_map(|api| api.live_deployment(&desired.names.api_stage));
    if let Some(live) = live {
        let manifest = observed.manifest_of(live);
        assert!(
            manifest.is_some(),
            "{what}: the live release's manifest can't be read"
        );
    }
    up(&world.session, &desired, &artifacts, &world.session.cloud).await;
    world.converge(release, what).await;
    world.empty(release, what).await;
}

#[test]
fn the_accounts_of_released_versions_are_what_they_were() {
    let listed = read(&accounts().join(SUMS));
    assert_eq!(
        sums(),
        listed,
        "the files differ from {SUMS}: a released version's must not change"
    );
    let own = accounts().join(VERSION);
    assert!(
        own.is_dir(),
        "the accounts of {VERSION} are not recorded: see CONTRIBUTING.md"
    );
}

/// A line a file.
fn sums() -> String {
    let mut lines = String::new();
    for path in versions().iter().flat_map(|version| entries(version)) {
        let bytes = std::fs::read(&path).expect("a file");
        let sum: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = path.strip_prefix(accounts()).expect("below it");
        lines += &format!("{sum}  {}\n", name.display());
    }
    lines
}

/// Sends the writes again.
async fn play(text: &str, port: u16) {
    let fixture: Value = serde_json::from_str(text).expect("JSON");
    let mut now_called: BTreeMap<String, String> = BTreeMap::new();
    for call in fixture["calls"].as_array().expect("a list") {
        let mut text = call.to_string();
        for (then, now) in &now_called {
            text = text.replace(then, now);
        }
        let mut renamed: Value = serde_json::from_str(&text).expect("still JSON");
        let answer = wire_call(&mut renamed).succeed(port).await;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        for (name, then) in call["made"].as_object().into_iter().flatten() {
            let then = then.as_str().expect("an id");
            let now = answer[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}: {answer}"));
            now_called
                .entry(then.to_owned())
                .or_insert_with(|| now.to_owned());
        }
    }
}

fn wire_call(call: &mut Value) -> WireCall {
    // CloudWatch Logs takes only events of late.
    for event in log_events(call) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        event["timestamp"] = json!(u64::try_from(now.as_millis()).expect("not that late"));
    }
    let body = match (&call["form"], &call["json"]) {
        (Value::Object(form), _) => encoded(form),
        (_, Value::Null) => String::new(),
        (_, json) => json.to_string(),
    };
    let text = |name: &str| call[name].as_str().map(str::to_owned);
    let method = text("method").and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    WireCall {
        service: text("service").expect("a service"),
        method: method.expect("a method"),
        path: text("path").expect("a path"),
        target: text("target"),
        body,
    }
}

fn log_events(call: &mut Value) -> impl Iterator<Item = &mut Value> {
    // Not by index, which would put a null where there is nothing.
    let events = call
        .pointer_mut("/json/logEvents")
        .and_then(Value::as_array_mut);
    events.into_iter().flatten()
}

fn encoded(form: &Map<String, Value>) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = form.iter().map(|(key, value)| {
        format!(
            "{}={}",
            encode(key),
            encode(value.as_str().unwrap_or_default())
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn decoded(form: &str) -> Value {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (decode(key), Value::String(decode(value))))
        .collect::<Map<_, _>>()
        .into()
}

/// A write as it stands in a fixture; `None`: nothing came of it.
fn recorded(exchange: &Exchange) -> Option<Value> {
    if exchange.reads || !(200..300).contains(&exchange.status) {
        return None;
    }
    let WireCall {
        service,
        method,
        path,
        target,
        body,
    } = &exchange.call;
    let mut call = json!({ "service": service, "method": method.as_str(), "path": path });
    if let Some(target) = target {
        call["target"] = json!(target);
    }
    match (service.as_str(), serde_json::from_str::<Value>(body)) {
        ("iam", _) => call["form"] = decoded(body),
        (_, Ok(json)) => call["json"] = json,
        (_, Err(_)) => {}
    }
    for event in log_events(&mut call) {
        event["timestamp"] = json!(0);
    }
    let answer: Value = serde_json::from_str(&exchange.answer).unwrap_or_default();
    if service == "apigateway" && method == Method::POST {
        let ids = MADE_UP
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), answer.get(*name)?.clone())));
        let ids: Map<String, Value> = ids
            .filter(|(_, id)| !path.contains(id.as_str().unwrap_or("/")))
            .collect();
        if !ids.is_empty() {
            call["made"] = ids.into();
        }
    }
    Some(call)
}

/// What leads to a state, from an empty account.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Up(&'static str),
    /// An `up` that stops after so many hundredths of its writes.
    StoppedUp(&'static str, usize),
    Rollback,
    /// A `down` that stops after so many hundredths of its writes.
    StoppedDown(usize),
}

const STATES: &[(&str, &[Deed])] = &[
    ("up", &[Deed::Up("first")]),
    ("change", &[Deed::Up("first"), Deed::Up("second")]),
    (
        "rollback",
        &[Deed::Up("first"), Deed::Up("second"), Deed::Rollback],
    ),
    ("half-built-25", &[Deed::StoppedUp("first", 25)]),
    ("half-built-50", &[Deed::StoppedUp("first", 50)]),
    ("half-built-90", &[Deed::StoppedUp("first", 90)]),
    (
        "half-changed-30",
        &[Deed::Up("first"), Deed::StoppedUp("second", 30)],
    ),
    (
        "half-changed-80",
        &[Deed::Up("first"), Deed::StoppedUp("second", 80)],
    ),
    ("half-removed", &[Deed::Up("first"), Deed::StoppedDown(50)]),
];

async fn up<W: CloudWriter>(
    session: &Session,
    desired: &Desired,
    artifacts: &Artifacts,
    writer: &W,
) {
    let interrupt = Interrupt::default();
    let means = session.means(desired, artifacts, writer, &interrupt);
    let lease = session.lease(desired, "me@here pid 1", Waiting::DontWait);
    let up = Box::pin(exclusive::up(desired, &means, &lease)).await;
    up.expect("reading works");
}

async fn happen(session: &Session, service: &str, deed: Deed, number: usize) {
    let code = match deed {
        Deed::Up(code) | Deed::StoppedUp(code, _) => code,
        Deed::Rollback | Deed::StoppedDown(_) => "first",
    };
    let (mut desired, artifacts) = session.desired(release(service.to_owned(), code));
    desired.provenance = Provenance {
        by: session.account.caller_arn.clone(),
        at: format!("2026-01-01T00:00:0{number}.000Z"),
        git_revision: Some("0123456789ab".to_owned()),
        promoted_from: None,
    };
    let interrupt = Interrupt::default();
    let known = Known::of(&desired);
    let lease = session.lease(&desired, "me@here pid 1", Waiting::DontWait);
    let part = |steps: usize, hundredths: usize| steps * hundredths / 100;
    match deed {
        Deed::Up(_) => up(session, &desired, &artifacts, &session.cloud).await,
        Deed::StoppedUp(_, hundredths) => {
            let (plan, _) = make_plan(&session.cloud, &desired).await.expect("it reads");
            let at = part(plan.steps.len(), hundredths);
            let writer = FaultyWriter::new(&session.cloud, Fault::Before, at);
            up(session, &desired, &artifacts, &writer).await;
        }
        Deed::Rollback => {
            let means = session.means(&desired, &artifacts, &session.cloud, &interrupt);
            let done = Box::pin(exclusive::rollback(&known, None, &means, &lease)).await;
            assert!(done.expect("there is one before").outcome.complete());
        }
        Deed::StoppedDown(hundredths) => {
            let (plan, _) = make_plan(&session.cloud, &desired).await.expect("it reads");
            assert!(plan.is_empty(), "{plan}");
            let at = part(desired.functions.len() * 2 + 5, hundredths);
            let writer = FaultyWriter::new(&session.cloud, Fault::Before, at);
            let means = session.means(&desired, &artifacts, &writer, &interrupt);
            let removal = Removal::retaining(desired.retain.clone());
            let down = Box::pin(exclusive::down(&known, &removal, &means, &lease)).await;
            assert!(!down.expect("it reads").outcome.complete());
        }
    }
}

#[tokio::test]
#[ignore = "records the accounts of the version at hand: see CONTRIBUTING.md"]
async fn record_the_accounts_of_this_version() {
    let changelog = read(&workspace().join("CHANGELOG.md"));
    let heading = |line: &str| line.starts_with("## ") && line.contains(VERSION);
    assert!(
        !changelog.lines().any(heading),
        "{VERSION} is released: its accounts stay as they are"
    );
    let dir = accounts().join(VERSION);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the former recording can go");
    }
    std::fs::create_dir_all(&dir).expect("a folder");
    let service = read(&workspace().join("stages/service.toml"));
    std::fs::write(dir.join(SERVICE_FILE), &service).expect("a file");
    for (name, deeds) in STATES {
        let world = World::new().await;
        let proxy = Proxy::start(world.port()).await;
        let session = Session::connect(proxy.endpoint())
            .await
            .expect("it answers");
        proxy.begin(None);
        for (number, deed) in deeds.iter().enumerate() {
            happen(&session, &service, *deed, number).await;
        }
        let calls: Vec<Value> = proxy.exchanges().iter().filter_map(recorded).collect();
        let deeds = format!("{deeds:?}");
        let fixture = json!({ "version": VERSION, "state": name, "deeds": deeds, "calls": calls });
        std::fs::write(dir.join(format!("{name}.json")), format!("{fixture:#}\n")).expect("a file");
    }
    std::fs::write(accounts().join(SUMS), sums()).expect("a file");
}
