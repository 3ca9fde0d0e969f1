//! One call of a command goes wrong on the wire, any call in any way, or the
//! deployer is killed at it: the next, undisturbed command ends where it should.
//!
//! Every command runs once without a fault; its recorded calls are the points at
//! which it is then hit, and every one must be reached. Whether the disturbed
//! command itself succeeds is left open: the SDK's retries may heal it.

use deployer_core::release::ReleaseHash;
use deployer_engine::up::make_plan;
use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::proxy::{Answer, Fault, Point, Proxy, When};
use testkit::{Release, Session, World};
use tokio::process::Command as Process;
use tokio::time::timeout;

const SERVICE: Release = Release {
    service: r#"
service = "chat"
[functions.room]
reserved_concurrency = 1
[routes]
join = "room"
send = "room"
"#,
    code: "first",
};

const OTHER_CODE: Release = Release {
    code: "second",
    ..SERVICE
};

/// The journal says what is retained.
const RETAINING: Release = Release {
    service: r#"
service = "chat"
retain = ["logs"]
[functions.room]
reserved_concurrency = 1
[routes]
join = "room"
send = "room"
"#,
    ..SERVICE
};

const ROUTE_REMOVED: Release = Release {
    service: r#"
service = "chat"
[functions.room]
reserved_concurrency = 1
[routes]
join = "room"
"#,
    ..SERVICE
};

const RENAMED: Release = Release {
    service: r#"
service = "chat"
[functions.hall]
reserved_concurrency = 1
[routes]
join = "hall"
send = "hall"
"#,
    ..SERVICE
};

/// A service whose `[authorizer]` ends so.
macro_rules! gated {
    ($authorizer:literal) => {
        Release {
            service: concat!(
                r#"
service = "chat"
[functions.room]
reserved_concurrency = 1
[functions.gate]
[routes]
"$connect" = "room"
join = "room"
[authorizer]
function = "gate"
"#,
                $authorizer
            ),
            ..SERVICE
        }
    };
}

const GUARDED: Release = gated!(r#"identity_sources = ["route.request.querystring.token"]"#);
const OPENED: Release = gated!("enabled = false");

/// A service with a table that is set up so.
macro_rules! with_table {
    ($settings:literal) => {
        Release {
            service: concat!(
                r#"
service = "chat"
[functions.room]
reserved_concurrency = 1
tables.ROOMS = { table = "rooms", actions = ["GetItem"] }
[routes]
join = "room"
[tables.rooms]
partition_key = "pk"
on_down = "remove"
"#,
                $settings
            ),
            ..SERVICE
        }
    };
}

const TABLE: Release = with_table!(r#"ttl = "expires""#);
const OTHER_TABLE: Release = with_table!("point_in_time_recovery = true");

/// What is run.
#[derive(Debug, Clone, Copy)]
enum Command {
    Up(Release),
    /// From `OTHER_CODE` to `SERVICE`.
    Rollback,
    Down,
}

/// A command and what was there before it.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    name: &'static str,
    before: &'static [Release],
    command: Command,
}

const FIRST_UP: Scenario = Scenario {
    name: "first up",
    before: &[],
    command: Command::Up(SERVICE),
};
const CODE_CHANGE: Scenario = Scenario {
    name: "code change",
    before: &[SERVICE],
    command: Command::Up(OTHER_CODE),
};
const REMOVED_ROUTE: Scenario = Scenario {
    name: "route removed",
    before: &[SERVICE],
    command: Command::Up(ROUTE_REMOVED),
};
const RENAME: Scenario = Scenario {
    name: "function renamed",
    before: &[SERVICE],
    command: Command::Up(RENAMED),
};
const DOWN: Scenario = Scenario {
    name: "down",
    before: &[SERVICE],
    command: Command::Down,
};
const ROLLBACK: Scenario = Scenario {
    name: "rollback",
    before: &[SERVICE, OTHER_CODE],
    command: Command::Rollback,
};
const CLOSING: Scenario = Scenario {
    name: "authorizer turned on",
    before: &[OPENED],
    command: Command::Up(GUARDED),
};
const OPENING: Scenario = Scenario {
    name: "authorizer turned off",
    before: &[GUARDED],
    command: Command::Up(OPENED),
};
const TABLE_MADE: Scenario = Scenario {
    name: "first up with a table",
    before: &[],
    command: Command::Up(TABLE),
};
const TABLE_CHANGED: Scenario = Scenario {
    name: "table changed",
    before: &[TABLE],
    command: Command::Up(OTHER_TABLE),
};
const TABLE_GONE: Scenario = Scenario {
    name: "down with a table that its files know nothing of",
    before: &[TABLE],
    command: Command::Down,
};
const JOURNAL_MENDED: Scenario = Scenario {
    name: "what the journal says of the stage is mended",
    before: &[RETAINING],
    command: Command::Up(SERVICE),
};
const SCENARIOS: [Scenario; 12] = [
    FIRST_UP,
    CODE_CHANGE,
    REMOVED_ROUTE,
    RENAME,
    CLOSING,
    OPENING,
    ROLLBACK,
    DOWN,
    TABLE_MADE,
    TABLE_CHANGED,
    TABLE_GONE,
    JOURNAL_MENDED,
];

/// Everything that can happen on the wire to a write.
const ON_THE_WIRE: [Fault; 8] = [
    Fault::Fail(When::Before),
    Fault::Fail(When::After),
    Fault::LostAnswer,
    Fault::Reset,
    Fault::Throttle,
    Fault::Delay(Duration::from_millis(20)),
    Fault::Twice(Answer::First),
    Fault::Twice(Answer::Second),
];

/// Everything that can happen to the deployer at a call.
const KILLED: [Fault; 2] = [Fault::Kill(When::Before), Fault::Kill(When::After)];

/// What can happen at the point with this number. A read leaves no trace: it is
/// all the same whether it was carried out, how often, and when. What is left
/// takes turns, since the SDK tries reads again whatever the error.
fn faults_at(number: usize, point: &Point, faults: &[Fault]) -> Vec<Fault> {
    if !point.reads() {
        return faults.to_vec();
    }
    let at_reads = |fault: &&Fault| {
        matches!(
            fault,
            Fault::Fail(When::Before)
                | Fault::LostAnswer
                | Fault::Throttle
                | Fault::Kill(When::Before)
        )
    };
    let fitting: Vec<Fault> = faults.iter().filter(at_reads).copied().collect();
    vec![fitting[number % fitting.len()]]
}

/// Local clouds at once: while some wait, others work.
const WORLDS: usize = 6;
/// For one case, with all its commands.
const CASE_DEADLINE: Duration = Duration::from_secs(60);
/// How the process to be killed learns what to do.
const ENDPOINT_VARIABLE: &str = "FAULTS_ENDPOINT";
const SCENARIO_VARIABLE: &str = "FAULTS_SCENARIO";

#[tokio::test(flavor = "multi_thread")]
async fn a_first_up_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(FIRST_UP, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_change_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(CODE_CHANGE, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_routes_removal_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(REMOVED_ROUTE, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(RENAME, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_turned_on_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(CLOSING, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorizer_turned_off_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(OPENING, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_up_with_a_table_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(TABLE_MADE, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_table_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(TABLE_CHANGED, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_down_with_a_table_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(TABLE_GONE, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_the_journal_says_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(JOURNAL_MENDED, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(ROLLBACK, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_down_hit_at_any_call_is_finished_by_the_next() {
    every_fault_at_every_call(DOWN, &ON_THE_WIRE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployer_killed_at_any_call_is_finished_by_the_next() {
    for scenario in SCENARIOS {
        every_fault_at_every_call(scenario, &KILLED).await;
    }
}

#[tokio::test]
#[ignore = "the process that a_deployer_killed_at_any_call… starts and kills"]
async fn a_command_in_a_process_of_its_own() {
    let variable = |name| std::env::var(name).ok();
    let (Some(endpoint), Some(name)) = (variable(ENDPOINT_VARIABLE), variable(SCENARIO_VARIABLE))
    else {
        return;
    };
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
    run(scenario.expect("a scenario's name").command, endpoint).await;
}

/// One fault at one call.
type Case = (Point, Fault);

async fn every_fault_at_every_call(scenario: Scenario, faults: &[Fault]) {
    let points = Arena::new().await.record(scenario).await;
    let cases: VecDeque<Case> = points
        .iter()
        .enumerate()
        .flat_map(|(number, point)| {
            let faults = faults_at(number, point, faults);
            faults.into_iter().map(|fault| (point.clone(), fault))
        })
        .collect();
    let expected = cases.len();
    let cases = Arc::new(Mutex::new(cases));
    let workers: Vec<_> = (0..WORLDS)
        .map(|_| {
            let cases = Arc::clone(&cases);
            tokio::spawn(async move {
                let arena = Arena::new().await;
                let mut reached = 0;
                while let Some(case) = next(&cases) {
                    let what = format!("{}, {:?} at {}", scenario.name, case.1, case.0);
                    timeout(CASE_DEADLINE, arena.hit(scenario, case, &what))
                        .await
                        .unwrap_or_else(|_| panic!("{what}: takes too long"));
                    reached += 1;
                }
                reached
            })
        })
        .collect();
    let mut reached = 0;
    for worker in workers {
        match worker.await {
            Ok(count) => reached += count,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    assert_eq!(reached, expected, "every recorded call was hit");
}

fn next(cases: &Mutex<VecDeque<Case>>) -> Option<Case> {
    cases.lock().expect("nobody panics with it").pop_front()
}

/// A local cloud and the proxy in front of it.
struct Arena {
    world: World,
    proxy: Proxy,
}

impl Arena {
    async fn new() -> Self {
        let world = World::new().await;
        let proxy = Proxy::start(world.port()).await;
        Self { world, proxy }
    }

    /// The calls of the command when nothing goes wrong.
    async fn record(&self, scenario: Scenario) -> Vec<Point> {
        self.prepare(scenario).await;
        self.proxy.begin(None);
        run(scenario.command, self.proxy.endpoint()).await;
        let calls = self.proxy.calls();
        assert!(calls.iter().all(|call| call.status.is_some()));
        self.check(scenario, scenario.name).await;
        calls.into_iter().map(|call| call.point).collect()
    }

    /// Runs the command with a fault, and checks what the next one makes of it.
    async fn hit(&self, scenario: Scenario, (point, fault): Case, what: &str) {
        self.prepare(scenario).await;
        self.proxy.begin(Some((point, fault)));
        if let Fault::Kill(_) = fault {
            self.run_and_kill(scenario).await;
        } else {
            run(scenario.command, self.proxy.endpoint()).await;
        }
        self.proxy.until_alone().await;
        assert!(self.proxy.reached(), "{what}: not reached");
        self.check(scenario, what).await;
    }

    async fn prepare(&self, scenario: Scenario) {
        for before in scenario.before {
            let up = self.world.session.up(*before).await.expect("up works");
            assert!(up.outcome.complete(), "{:?}", up.outcome.failed);
        }
    }

    /// The next command, undisturbed, and a `down` after all.
    async fn check(&self, scenario: Scenario, what: &str) {
        match scenario.command {
            Command::Up(release) => self.world.converge(release, what).await,
            Command::Rollback => self.roll_back_again(what).await,
            Command::Down => {}
        }
        self.world.empty(SERVICE, what).await;
    }

    /// The next rollback ends where the disturbed one should have; then an `up` makes
    /// the file's release live again.
    async fn roll_back_again(&self, what: &str) {
        let session = &self.world.session;
        let again = session.rollback(OTHER_CODE).await;
        // It was done already where there is no release before the live one.
        let again = again.is_ok_and(|rollback| rollback.outcome.complete());
        let (desired, _) = session.desired(SERVICE);
        let (_, observed) = make_plan(&session.cloud, &desired).await.expect("it reads");
        let live = observed.apis[0].live_deployment(&desired.names.api_stage);
        let live = live.and_then(|it| ReleaseHash::from_description(&it.description));
        assert_eq!(
            live,
            Some(ReleaseHash::of(&desired)),
            "{what}, again: {again}"
        );
        self.world.converge(OTHER_CODE, what).await;
    }

    /// Runs the command in a process that is killed when the fault strikes.
    async fn run_and_kill(&self, scenario: Scenario) {
        let mut deployer = Process::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "a_command_in_a_process_of_its_own", "--ignored"])
            .env(ENDPOINT_VARIABLE, self.proxy.endpoint())
            .env(SCENARIO_VARIABLE, scenario.name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("this test runs");
        tokio::select! {
            () = self.proxy.until_reached() => deployer.kill().await.expect("it can be killed"),
            status = deployer.wait() => panic!("it ended unkilled: {status:?}"),
        }
    }
}

/// Runs the command as far as it gets.
async fn run(command: Command, endpoint: String) {
    let Ok(session) = Session::connect(endpoint).await else {
        return;
    };
    let _may_fail = match command {
        Command::Up(release) => session.up(release).await.is_ok(),
        Command::Rollback => session.rollback(OTHER_CODE).await.is_ok(),
        Command::Down => session.down(SERVICE).await.is_ok(),
    };
}
