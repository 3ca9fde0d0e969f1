//! The policy that `deployer permissions` prints is enough, and nothing of it is too much:
//! whole lives of a stage by the engine and the real SDK clients, in-process, on an account
//! that enforces IAM. Each life ends, and is told what is missing, as soon as the policy
//! lacks one action.

use bytes::Bytes;
use cloud_model::{Caller, Cloud as Model, IdSource, Settings, Snapshot, policy_allows};
use deployer_aws::{Clock, Cloud, Exchange, Wire};
use deployer_core::account::Account;
use deployer_core::desired::{Desired, FunctionCode};
use deployer_core::manifest::journal;
use deployer_core::permissions::{Document, Purpose, Scope, of_stage};
use deployer_core::provenance::Provenance;
use deployer_core::stage_file::{self, FileText, StageDefinition};
use deployer_engine::apply::{Means, Outcome};
use deployer_engine::cloud::Artifacts;
use deployer_engine::down::Removal;
use deployer_engine::events::Event;
use deployer_engine::figures::figures;
use deployer_engine::interrupt::Interrupt;
use deployer_engine::lease::{LeaseRequest, Reads, Waiting};
use deployer_engine::observe::{Known, observe_for};
use deployer_engine::verify::Verify;
use deployer_engine::{causes, exclusive};
use dynamodb_double::{Tables, is_for_dynamodb};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulation::somebody::{self, Hand};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::123456789012:role/ci";

/// As it was before.
const BEFORE: &str = r#"
service = "chat"
keep_releases = 2
[functions.connect]
reserved_concurrency = 1
[functions.room]
permissions_boundary = "arn:aws:iam::123456789012:policy/bounds"
tables.TABLE = { table = "t", actions = ["GetItem"] }
[functions.own]
iam = [{ actions = ["sqs:SendMessage"], resources = ["*"] }]
[functions.hall]
iam = [{ actions = ["sqs:SendMessage"], resources = ["*"] }]
[functions.gate]
[routes]
"$connect" = "connect"
join = "room"
leave = "own"
old = "hall"
[authorizer]
function = "gate"
[route_settings.join.throttling]
burst_limit = 2
[api_stage.access_logs]
[api_stage.execution_logs]
level = "error"
[tables.t]
partition_key = "pk"
on_down = "remove"
[tags]
team = "a"
"#;

/// As its file is now: something of everything that a stage may have.
const NOW: &str = r#"
service = "chat"
keep_releases = 2
description = "Another"
[functions.connect]
memory_mb = 256
[functions.room]
reserved_concurrency = 1
tables.TABLE = { table = "t", actions = ["GetItem"] }
[functions.own]
permissions_boundary = "arn:aws:iam::123456789012:policy/bounds"
iam = [{ actions = ["sqs:SendMessage"], resources = ["*"] }]
[functions.given]
role_arn = "arn:aws:iam::123456789012:role/somebodys"
[functions.gate]
[functions.old]
existing = "somebodys:1"
[routes]
"$connect" = "connect"
join = "own"
leave = "room"
new = "given"
old = "old"
[authorizer]
function = "gate"
identity_sources = ["route.request.querystring.token"]
[api_stage]
variables = { colour = "blue" }
[api_stage.access_logs]
retention_days = 3
[api_stage.execution_logs]
level = "error"
[tables.t]
partition_key = "pk"
ttl = "expires"
point_in_time_recovery = true
on_down = "remove"
[tags]
cost = "b"
"#;

/// The account behind the wire.
#[derive(Debug)]
struct Place {
    started: tokio::time::Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    model: Model,
    tables: Tables,
    ids: Numbers,
    /// `None`: whoever asks may do anything.
    policy: Option<Value>,
    /// Actions and resources that were needed.
    needed: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone)]
struct Numbers(u64);

impl IdSource for Numbers {
    fn next_u64(&mut self) -> u64 {
        // Any odd factor: equal runs have equal ids.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0
    }
}

/// An account to go on from.
struct Kept {
    model: Snapshot,
    tables: Tables,
    ids: Numbers,
}

fn settings() -> Settings {
    Settings {
        account_id: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        websocket_base: "ws://gateway".to_owned(),
        code_base: String::new(),
        code_key: String::new(),
        function_activation: SignedDuration::ZERO,
        realism: None,
        enforce_iam: true,
    }
}

impl Place {
    fn new() -> Arc<Self> {
        let place = Self {
            started: tokio::time::Instant::now(),
            state: Mutex::new(State {
                model: Model::new(settings()),
                tables: Tables::new(&format!("{REGION}:{ACCOUNT}")),
                ids: Numbers(7),
                policy: None,
                needed: BTreeSet::new(),
            }),
        };
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "lambda.amazonaws.com" },
        }] });
        let trust = ("AssumeRolePolicyDocument", &*trust.to_string());
        place.iam("CreateRole", &[("RoleName", "ci"), trust]);
        let anything = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
        ] });
        let bounds = [
            ("PolicyName", "bounds"),
            ("PolicyDocument", &anything.to_string()),
        ];
        place.iam("CreatePolicy", &bounds);
        {
            let now = place.now();
            let State { model, ids, .. } = &mut *place.state();
            somebody::make(model, ids, now);
        }
        Arc::new(place)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.started.elapsed()).expect("not for ever");
        Timestamp::from_second(1_767_225_600).expect("2026") + since
    }

    /// A call to IAM by somebody who may do anything.
    fn iam(&self, action: &str, parameters: &[(&str, &str)]) {
        let now = self.now();
        let State { model, ids, .. } = &mut *self.state();
        let cloud = model;
        Hand { cloud, ids, now }.iam(action, parameters);
    }

    /// From now on whoever asks may do just this.
    fn allow(&self, policy: Value) {
        let text = policy.to_string();
        self.iam(
            "PutRolePolicy",
            &[
                ("RoleName", "ci"),
                ("PolicyName", "p"),
                ("PolicyDocument", &text),
            ],
        );
        self.state().policy = Some(policy);
    }

    fn keep(&self) -> Kept {
        let state = self.state();
        Kept {
            model: state.model.snapshot(),
            tables: state.tables.clone(),
            ids: state.ids.clone(),
        }
    }

    fn restore(&self, kept: &Kept) {
        let mut state = self.state();
        state.model = Model::restore(settings(), &kept.model).expect("it was kept");
        state.tables = kept.tables.clone();
        state.ids = kept.ids.clone();
    }

    fn serve(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let now = self.now();
        let State {
            model,
            tables,
            ids,
            policy,
            needed,
        } = &mut *self.state();
        if is_for_dynamodb(request) {
            for (action, resource) in of_dynamodb(request) {
                let allowed = policy.as_ref().is_none_or(|policy| {
                    policy_allows(policy, &action, &resource).expect("a policy")
                });
                if !allowed {
                    return denied(&action, &resource);
                }
                needed.insert((action, resource));
            }
            return tables.handle(request);
        }
        needed.extend(model.needs(request));
        let caller = policy.is_some().then(|| Caller {
            role_arn: ROLE.to_owned(),
            session_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/ci/run"),
        });
        let handled = model.handle_as(request, caller.as_ref(), now, ids);
        let mut answer = handled.response;
        let date = jiff::fmt::rfc2822::DateTimePrinter::new();
        let date = date.timestamp_to_rfc9110_string(&now).expect("a date");
        let date = date.try_into().expect("plain text");
        answer.headers_mut().insert(http::header::DATE, date);
        answer
    }
}

/// What a call to DynamoDB needs (service authorization reference).
fn of_dynamodb(request: &Request<Bytes>) -> Vec<(String, String)> {
    let target = request.headers()["x-amz-target"]
        .to_str()
        .expect("plain text");
    let (_, operation) = target.rsplit_once('.').expect("an operation");
    let input: Value = serde_json::from_slice(request.body()).expect("JSON");
    let resource = match (&input["TableName"], &input["ResourceArn"]) {
        (Value::String(name), _) => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"),
        (_, Value::String(arn)) => arn.clone(),
        _ => "*".to_owned(),
    };
    let mut needs = vec![(format!("dynamodb:{operation}"), resource.clone())];
    if operation == "CreateTable" && input["Tags"].is_array() {
        needs.push(("dynamodb:TagResource".to_owned(), resource));
    }
    needs
}

fn denied(action: &str, resource: &str) -> Response<Bytes> {
    let message = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/ci/run is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"
    );
    let body =
        json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "message": message });
    let answer = Response::builder()
        .status(400)
        .header("content-type", "application/x-amz-json-1.0");
    answer
        .body(Bytes::from(body.to_string()))
        .expect("an answer")
}

#[derive(Debug)]
struct Line(Arc<Place>);

impl Wire for Line {
    fn send(&self, request: Request<Bytes>) -> Exchange {
        let place = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(place.serve(&request))
        })
    }
}

impl Clock for Place {
    fn now(&self) -> SystemTime {
        Self::now(self).into()
    }
}

/// What is deployed.
struct Content {
    definition: StageDefinition,
    desired: Desired,
    artifacts: Artifacts,
}

fn content(service: &str, code: &str) -> Content {
    let service = FileText {
        path: "stages/service.toml",
        text: service,
    };
    let stage = FileText {
        path: "stages/alpha.toml",
        text: "target = \"aws\"",
    };
    let definition = stage_file::read("alpha", service, stage).expect("a legal stage");
    let mut artifacts = Artifacts::new();
    let mut codes = BTreeMap::new();
    for key in definition.functions.keys() {
        let package = deployer_package::package(format!("{key} of {code}").as_bytes());
        let package = package.expect("a zip");
        artifacts.insert(key.clone(), package.zip);
        let code = FunctionCode {
            sha256: package.sha256.as_str().into(),
            architecture: "x86_64".into(),
        };
        codes.insert(key.clone(), code);
    }
    let account = Account {
        caller_arn: ROLE.to_owned(),
        partition: "aws".to_owned(),
        account_id: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
    };
    // Releases follow each other.
    let second = code.len() - usize::from(service.text == BEFORE);
    let provenance = Provenance {
        at: format!("2026-01-01T00:00:0{second}Z"),
        ..Provenance::default()
    };
    Content {
        desired: Desired::new(&definition, account, &codes, provenance),
        definition,
        artifacts,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Plan,
    /// What `status` reads beside that.
    Figures,
    Up,
    Rollback,
    Down,
}

/// Runs a command; what it says and what to do, if it failed.
async fn run(place: &Arc<Place>, content: &Content, command: Command) -> Result<(), String> {
    let clock: Arc<dyn Clock> = Arc::clone(place) as Arc<dyn Clock>;
    let cloud = Cloud::over(Arc::new(Line(Arc::clone(place))), clock, REGION);
    let desired = &content.desired;
    let (interrupt, quiet) = (Interrupt::default(), |_: Event| {});
    let means = Means {
        reader: &cloud,
        writer: &cloud,
        account: &desired.account,
        names: &desired.names,
        artifacts: &content.artifacts,
        events: &quiet,
        interrupt: &interrupt,
        verify: Verify::Nothing,
    };
    let lease = LeaseRequest {
        store: &cloud,
        journal: journal(&desired.names),
        tags: desired.tags.clone(),
        holder: "ci".to_owned(),
        is_gone: &|_| false,
        waiting: Waiting::DontWait,
        reads: Reads::Later,
    };
    let known = Known::of(desired);
    let ended = |outcome: Outcome| match outcome.failed.into_iter().next() {
        None => Ok(()),
        Some((_, error)) => Err(format!("{error}\n{}", causes::next_step(&error))),
    };
    match command {
        Command::Plan => {
            let observed = observe_for(&cloud, desired).await;
            observed.map(|_| ()).map_err(|error| error.to_string())
        }
        Command::Figures => {
            let read = figures(&cloud, &known.functions, None, place.now().as_second()).await;
            read.map(|_| ()).map_err(|error| error.to_string())
        }
        Command::Up => match exclusive::up(desired, &means, &lease).await {
            Ok(up) => ended(up.outcome),
            Err(error) => Err(error.to_string()),
        },
        Command::Rollback => match exclusive::rollback(&known, None, &means, &lease).await {
            Ok(rollback) => ended(rollback.outcome),
            Err(error) => Err(error.to_string()),
        },
        Command::Down => match exclusive::down(&known, &Removal::default(), &means, &lease).await {
            Ok(down) => ended(down.outcome),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// Somebody's hand, after which an `up` has to put right what no file changes.
fn by_hand(place: &Place) {
    let role = "chat-alpha-eu-central-1-gateway";
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": ["apigateway.amazonaws.com", "lambda.amazonaws.com"] },
    }] })
    .to_string();
    let other = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sqs:*", "Resource": "*" },
    ] })
    .to_string();
    for role in [role, "deployer-account-eu-central-1-gateway-logs"] {
        let document = [("RoleName", role), ("PolicyDocument", trust.as_str())];
        place.iam("UpdateAssumeRolePolicy", &document);
    }
    place.iam(
        "PutRolePolicy",
        &[
            ("RoleName", role),
            ("PolicyName", "other"),
            ("PolicyDocument", &other),
        ],
    );
    let attached = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    place.iam(
        "AttachRolePolicy",
        &[("RoleName", role), ("PolicyArn", attached)],
    );
    let provisioned = json!({ "TableName": "chat-alpha-t", "BillingMode": "PROVISIONED" });
    let update = Request::post("/").header("x-amz-target", "DynamoDB_20120810.UpdateTable");
    let update = update
        .body(Bytes::from(provisioned.to_string()))
        .expect("a request");
    assert!(place.state().tables.handle(&update).status().is_success());
}

/// A command of a life, and the account that it begins with.
struct Phase {
    command: Command,
    content: Content,
    begins: Kept,
    needed: BTreeSet<(String, String)>,
}

/// Lives the stage's lives with this policy, and remembers them.
async fn lives(place: &Arc<Place>, policy: &Value) -> Vec<Phase> {
    let mut phases = Vec::new();
    let begin = place.keep();
    let from_nothing = [(Command::Up, "one"), (Command::Down, "one")];
    let from_before = [
        (Command::Plan, "one"),
        (Command::Up, "one"),
        (Command::Figures, "one"),
        (Command::Up, "other"),
        (Command::Rollback, "other"),
        (Command::Down, "other"),
    ];
    for (before, life) in [(false, from_nothing.as_slice()), (true, &from_before)] {
        place.restore(&begin);
        place.state().policy = None;
        if before {
            let before = content(BEFORE, "one");
            run(place, &before, Command::Up)
                .await
                .expect("nobody is kept from it");
            by_hand(place);
        }
        place.allow(policy.clone());
        for (command, code) in life {
            let content = content(NOW, code);
            place.state().needed.clear();
            let begins = place.keep();
            let ran = run(place, &content, *command).await;
            ran.unwrap_or_else(|error| panic!("{command:?}: {error}"));
            phases.push(Phase {
                command: *command,
                content,
                begins,
                needed: std::mem::take(&mut place.state().needed),
            });
        }
        let left = place.state().tables.names();
        assert!(left.is_empty(), "{left:?}");
    }
    phases
}

fn policy_for(purposes: &[Purpose]) -> Value {
    let content = content(NOW, "one");
    let scope = Scope::new(&content.definition, Some(ACCOUNT), Some(REGION));
    serde_json::to_value(Document::new(&of_stage(&scope, purposes))).expect("a policy")
}

/// The policy without one action of one statement, for each of them.
fn each_action_less(policy: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let statements = policy["Statement"].as_array().expect("statements");
    for (at, statement) in statements.iter().enumerate() {
        for action in statement["Action"].as_array().expect("actions") {
            let mut less = policy.clone();
            let statement = &mut less["Statement"][at];
            let rest = statement["Action"].as_array_mut().expect("actions");
            rest.retain(|other| other != action);
            if rest.is_empty() {
                less["Statement"]
                    .as_array_mut()
                    .expect("statements")
                    .remove(at);
            }
            all.push((action.as_str().expect("a text").to_owned(), less));
        }
    }
    all
}

/// Whether a pattern with `*` matches.
fn matches(pattern: &str, text: &str) -> bool {
    let statement = json!({ "Effect": "Allow", "Action": "a:b", "Resource": pattern });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
    policy_allows(&policy, "a:b", text).expect("a policy")
}

#[tokio::test(start_paused = true)]
async fn a_stages_policy_is_enough_and_without_any_of_its_actions_the_error_names_it() {
    let place = Place::new();
    let policy = policy_for(Purpose::ALL);
    let phases = lives(&place, &policy).await;
    let needed: BTreeSet<&(String, String)> = phases.iter().flat_map(|it| &it.needed).collect();

    for statement in policy["Statement"].as_array().expect("statements") {
        let texts = |member: &str| -> Vec<String> {
            serde_json::from_value(statement[member].clone()).expect("texts")
        };
        let resources = texts("Resource");
        for action in texts("Action") {
            for resource in &resources {
                // A log group is one thing by two names.
                let group = resource.trim_end_matches(":*");
                let streams = format!("{group}:*");
                let used = needed.iter().any(|(what, on)| {
                    *what == action && (matches(group, on) || matches(&streams, on))
                });
                assert!(used, "nobody needs {action} on {resource}");
            }
        }
    }

    for (action, less) in each_action_less(&policy) {
        let mut refused = None;
        for phase in &phases {
            if !phase.needed.iter().any(|(needed, _)| *needed == action) {
                continue;
            }
            place.restore(&phase.begins);
            place.allow(less.clone());
            let ran = run(&place, &phase.content, phase.command).await;
            refused = ran.err();
            if refused.is_some() {
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("without {action} all goes well"));
        let named = format!("is not authorized to perform: {action} ");
        assert!(
            refused.contains("AccessDenied") && refused.contains(&named),
            "{action}: {refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_for_one_command_is_enough_for_it() {
    let place = Place::new();
    let phases = lives(&place, &policy_for(Purpose::ALL)).await;
    for phase in phases {
        let purpose = match phase.command {
            Command::Plan | Command::Figures => Purpose::Plan,
            Command::Up => Purpose::Up,
            Command::Rollback => Purpose::Rollback,
            Command::Down => Purpose::Down,
        };
        place.restore(&phase.begins);
        place.allow(policy_for(&[purpose]));
        let ran = run(&place, &phase.content, phase.command).await;
        ran.unwrap_or_else(|error| panic!("{purpose:?}: {error}"));
        // Who may only look changes nothing.
        if phase.command == Command::Up {
            place.restore(&phase.begins);
            place.allow(policy_for(&[Purpose::Plan]));
            let refused = run(&place, &phase.content, phase.command).await;
            assert!(refused.is_err_and(|error| error.contains("is not authorized to perform")));
        }
    }
}
