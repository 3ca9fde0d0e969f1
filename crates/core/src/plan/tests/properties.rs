//! What must hold for every service, not just for the chat.

use super::account::Ledger;
use super::{Desired, desired_with, down, linted, permitted, up};
use crate::names::FunctionVersion;
use crate::permissions::Purpose;
use crate::plan::{Action, Plan, Verb, rollback};
use proptest::collection::btree_map;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;

/// Settings of a function that may stand beside each other.
const SETTINGS: [&str; 7] = [
    "secrets = { KEY = \"ssm:/key\" }",
    "iam = [{ actions = [\"s3:GetObject\"], resources = [\"*\"] }]",
    "permissions_boundary = \"arn:aws:iam::123456789012:policy/b\"",
    "tracing = \"active\"",
    "ephemeral_storage_mb = 1024",
    "log_format = \"json\"",
    "tags = { team = \"chat\" }",
];

/// Services of one to five functions with one to three routes each.
fn services() -> impl Strategy<Value = Desired> {
    let of_one = proptest::sample::subsequence(SETTINGS.to_vec(), 0..=2);
    let function = (
        1_u32..=3,
        proptest::option::of(1_u32..5),
        128_u32..512,
        of_one,
        proptest::option::weighted(0.2, "(live|7)?"),
    );
    let functions = btree_map("[a-e]", function, 1..=5);
    let all = (
        functions,
        any::<bool>(),
        settings(),
        authorizer(),
        stage_tables(),
    );
    all.prop_map(
        |(functions, new_code, settings, authorizer, stage_tables)| {
            let mut tables = String::from("service = \"chat\"\n");
            let mut routes = String::from("[routes]\n\"$connect\" = \"");
            routes += functions.keys().next().expect("at least one");
            routes += "\"\n";
            for (name, (count, reserved, memory, of_one, exists)) in &functions {
                for index in 0..*count {
                    routes += &format!("{name}{index} = \"{name}\"\n");
                }
                if let Some(qualifier) = exists {
                    let existing = format!("Stack-{name}:{qualifier}");
                    let existing = existing.trim_end_matches(':');
                    tables += &format!("[functions.{name}]\nexisting = \"{existing}\"\n");
                    continue;
                }
                tables += &format!("[functions.{name}]\nmemory_mb = {memory}\n");
                if let Some(reserved) = reserved {
                    tables += &format!("reserved_concurrency = {reserved}\n");
                }
                for setting in of_one {
                    tables += &format!("{setting}\n");
                }
            }
            let settings = match authorizer.is_empty() || authorizer.contains("false") {
                true => settings,
                false => settings.replace("\"iam\"", "\"custom\""),
            };
            desired_with(
                &format!("{tables}{routes}{settings}{authorizer}{stage_tables}"),
                if new_code { "two" } else { "one" },
            )
        },
    )
}

/// An authorizer, one that is off, or none.
fn authorizer() -> impl Strategy<Value = String> {
    let tables = [
        "",
        "[functions.gate]\n[authorizer]\nfunction = \"gate\"\n",
        "[functions.gate]\n[authorizer]\nfunction = \"gate\"\nenabled = false\n",
        "[functions.gate]\nmemory_mb = 512\n[authorizer]\nfunction = \"gate\"\nidentity_sources = [\"route.request.querystring.token\"]\n",
        "[functions.door]\n[authorizer]\nfunction = \"door\"\n",
    ];
    proptest::sample::select(tables.map(str::to_owned).to_vec())
}

/// No table, or one with this or that.
fn stage_tables() -> impl Strategy<Value = String> {
    let table = |rest: &str| {
        format!(
            "[defaults.tables]\nT = {{ table = \"t\", actions = [\"GetItem\"] }}\n[tables.t]\npartition_key = \"pk\"\non_down = \"remove\"\n{rest}"
        )
    };
    let tables = [
        String::new(),
        table(""),
        table("ttl = \"expires\"\n"),
        table("point_in_time_recovery = true\n"),
        table("enabled = false\n"),
    ];
    proptest::sample::select(tables.to_vec())
}

/// Settings of the API, each there or not.
fn settings() -> impl Strategy<Value = String> {
    let lines = [
        "[api]\ndisable_execute_api_endpoint = true\n",
        "[api_stage.variables]\none = \"1\"\n",
        "[api_stage.variables]\none = \"2\"\ntwo = \"2\"\n",
        "[api_stage.throttling]\nburst_limit = 7\n",
        "[api_stage.access_logs]\nretention_days = 7\n",
        "[api_stage.access_logs]\nformat = \"$context.requestId\"\n",
        "[api_stage.execution_logs]\nlevel = \"error\"\n",
        "[api_stage.execution_logs]\nlevel = \"info\"\nretention_days = 3\n",
        "[route_settings.\"$connect\"]\nauthorization = \"iam\"\n",
        "[route_settings.\"$connect\".throttling]\nrate_limit = 0.5\n",
        "[tags]\nteam = \"a\"\n",
        "[tags]\nteam = \"b\"\ncost = \"c\"\n",
    ];
    proptest::sample::subsequence(lines.to_vec(), 0..=lines.len()).prop_map(|lines| {
        // Two of the same table can't stand in one file: the first counts.
        let mut seen = std::collections::BTreeSet::new();
        let header = |line: &str| line.lines().next().unwrap_or_default().to_owned();
        lines
            .into_iter()
            .filter(|line| seen.insert(header(line)))
            .collect()
    })
}

fn apply_all(ledger: &mut Ledger, plan: &Plan) {
    ledger.apply(plan, plan.steps.len());
}

fn prunes(action: &Action) -> bool {
    matches!(
        action,
        Action::DeleteVersion { .. }
            | Action::PutRolePolicy { .. }
            | Action::DeleteRolePolicy { .. }
            | Action::DetachRolePolicy { .. }
            | Action::DeleteRole { .. }
    )
}

/// The plan with its steps in another order that respects what each comes after: of
/// those that may be next, the lots choose.
fn reordered(plan: &Plan, lots: &[Index]) -> Plan {
    let mut left: Vec<usize> = (0..plan.steps.len()).collect();
    let mut lots = lots.iter().cycle();
    let mut steps = Vec::new();
    while !left.is_empty() {
        let may_be_next = |at: &&usize| {
            let after = &plan.steps[**at].after;
            after.iter().all(|earlier| !left.contains(earlier))
        };
        let ready: Vec<usize> = left.iter().filter(may_be_next).copied().collect();
        let next = *lots.next().unwrap().get(&ready);
        left.retain(|at| *at != next);
        steps.push(plan.steps[next].clone());
    }
    let Plan {
        identity, bindings, ..
    } = plan.clone();
    Plan {
        identity,
        bindings,
        steps,
        unnamed_tables: Vec::new(),
    }
}

/// Nothing that serves now is touched before the cut-over.
fn assert_live_is_untouched(plan: &Plan) {
    let Some(cut_over) = plan
        .steps
        .iter()
        .position(|step| step.action.verb() == Verb::Release)
    else {
        return;
    };
    for (index, step) in plan.steps.iter().enumerate() {
        let destroys = matches!(
            step.action,
            Action::DeleteFunction { .. }
                | Action::DeleteLogGroup { .. }
                | Action::DeleteRole { .. }
                | Action::DeleteApi { .. }
        );
        assert!(
            !destroys || step.after.contains(&cut_over) || index > cut_over,
            "{plan}"
        );
    }
}

/// What may happen to a stage. An index says after how many steps it stopped; an
/// `up` without one went through.
#[derive(Debug, Clone)]
enum Happening {
    Up(Box<Desired>, Option<Index>),
    Rollback(Index),
    Down(Index),
    /// Somebody published, changed or attached something by hand.
    ByHand(Index),
    /// Somebody turned `autoDeploy` on.
    DeploysByItself,
    /// Manifests can't be read.
    Forgotten,
}

fn happenings() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (services(), any::<Index>()).prop_map(|(desired, at)| Happening::Up(Box::new(desired), Some(at))),
        2 => services().prop_map(|desired| Happening::Up(Box::new(desired), None)),
        2 => any::<Index>().prop_map(Happening::Rollback),
        1 => any::<Index>().prop_map(Happening::Down),
        2 => any::<Index>().prop_map(Happening::ByHand),
        1 => proptest::strategy::Just(Happening::DeploysByItself),
        1 => proptest::strategy::Just(Happening::Forgotten),
    ]
}

/// Makes it happen; each plan on the way is linted.
fn happen(ledger: &mut Ledger, happening: &Happening) {
    let stopping = |plan: &Plan, at: &Index| at.index(plan.steps.len() + 1);
    let names = ledger.names().clone();
    match happening {
        Happening::Up(desired, at) => {
            let plan = up(desired, &ledger.observed).unwrap();
            let count = at
                .as_ref()
                .map_or(plan.steps.len(), |at| stopping(&plan, at));
            ledger.apply(&plan, count);
        }
        Happening::Rollback(at) => {
            let kept: Vec<String> = ledger
                .observed
                .releases
                .values()
                .map(|manifest| manifest.release.to_string())
                .collect();
            let asked = (!kept.is_empty()).then(|| at.get(&kept).as_str());
            if let Ok(plan) = rollback(&names, &ledger.observed, asked) {
                let plan = permitted(plan, Purpose::Rollback);
                let plan = linted(plan, &ledger.observed, &names);
                apply_all(ledger, &plan);
            }
        }
        Happening::Down(at) => {
            let plan = down(&names, &ledger.observed);
            ledger.apply(&plan, stopping(&plan, at));
        }
        Happening::ByHand(at) => {
            for state in ledger.observed.functions.values_mut() {
                state.configuration.memory_mb = 1024;
                let mut by_hand = state
                    .versions
                    .first()
                    .cloned()
                    .into_iter()
                    .collect::<Vec<_>>();
                for version in &mut by_hand {
                    version.version = FunctionVersion::new(format!("9{}", at.index(1000)));
                }
                state.versions.extend(by_hand);
            }
            for role in ledger.observed.roles.values_mut() {
                role.attached_policies
                    .push("arn:aws:iam::aws:policy/ReadOnlyAccess".into());
                role.attached_policies.dedup();
            }
            for api in &mut ledger.observed.apis {
                for route in &mut api.routes {
                    route.authorization = "NONE".into();
                    route.authorizer_id = None;
                }
                for authorizer in &mut api.authorizers {
                    authorizer.name = "by-hand".into();
                    authorizer.uri = String::new();
                }
                api.authorizers.truncate(1);
            }
        }
        Happening::DeploysByItself => ledger.deploy_by_itself(),
        Happening::Forgotten => ledger.observed.releases.clear(),
    }
}

proptest! {
    #[test]
    fn no_history_leads_to_an_unsound_plan_or_away_from_the_goal(
        history in proptest::collection::vec(happenings(), 1..8),
        last in services(),
    ) {
        let mut ledger = Ledger::new(&last);
        for happening in &history {
            happen(&mut ledger, happening);
        }
        let plan = up(&last, &ledger.observed).unwrap();
        apply_all(&mut ledger, &plan);
        // A manifest that was recorded by this plan lets the next one prune versions,
        // and what only they needed.
        let plan = up(&last, &ledger.observed).unwrap();
        prop_assert!(plan.steps.iter().all(|step| prunes(&step.action)), "{plan}");
        apply_all(&mut ledger, &plan);
        prop_assert!(up(&last, &ledger.observed).unwrap().is_empty());
        let plan = down(&last.names, &ledger.observed);
        apply_all(&mut ledger, &plan);
        // The account's role is no stage's.
        ledger.observed.account_logging = None;
        prop_assert_eq!(&ledger.observed, &Default::default());
    }

    #[test]
    fn applying_once_is_enough(first in services(), second in services()) {
        let mut ledger = Ledger::new(&first);
        for desired in [&first, &second] {
            let plan = up(desired, &ledger.observed).unwrap();
            assert_live_is_untouched(&plan);
            apply_all(&mut ledger, &plan);
            let again = up(desired, &ledger.observed).unwrap();
            prop_assert!(again.is_empty(), "{again}");
        }
    }

    #[test]
    fn any_order_that_a_plan_allows_leads_to_the_goal(
        first in services(),
        second in services(),
        lots in proptest::collection::vec(any::<Index>(), 1..40),
    ) {
        let mut ledger = Ledger::new(&first);
        for desired in [&first, &second] {
            let plan = up(desired, &ledger.observed).unwrap();
            apply_all(&mut ledger, &reordered(&plan, &lots));
            let again = up(desired, &ledger.observed).unwrap();
            prop_assert!(again.is_empty(), "{again}");
        }
        let plan = down(&first.names, &ledger.observed);
        apply_all(&mut ledger, &reordered(&plan, &lots));
        ledger.observed.account_logging = None;
        prop_assert_eq!(&ledger.observed, &Default::default());
    }

    #[test]
    fn an_up_that_stopped_anywhere_is_finished_by_the_next(
        first in services(),
        second in services(),
        at in any::<Index>(),
    ) {
        let mut ledger = Ledger::new(&first);
        let plan = up(&first, &ledger.observed).unwrap();
        apply_all(&mut ledger, &plan);
        let plan = up(&second, &ledger.observed).unwrap();
        ledger.apply(&plan, at.index(plan.steps.len() + 1));
        let plan = up(&second, &ledger.observed).unwrap();
        apply_all(&mut ledger, &plan);
        let left = up(&second, &ledger.observed).unwrap();
        prop_assert!(left.is_empty(), "{left} after {plan}");
        prop_assert_eq!(ledger.observed.apis.len(), 1);
    }

    #[test]
    fn down_empties_any_half_built_stage(desired in services(), at in any::<Index>()) {
        let mut ledger = Ledger::new(&desired);
        let plan = up(&desired, &ledger.observed).unwrap();
        ledger.apply(&plan, at.index(plan.steps.len() + 1));
        let plan = down(&desired.names, &ledger.observed);
        let stopped = at.index(plan.steps.len() + 1);
        ledger.apply(&plan, stopped);
        let plan = down(&desired.names, &ledger.observed);
        apply_all(&mut ledger, &plan);
        // The account's role is no stage's.
        ledger.observed.account_logging = None;
        prop_assert_eq!(&ledger.observed, &Default::default());
    }

    #[test]
    fn every_step_comes_after_earlier_ones(first in services(), second in services()) {
        let mut ledger = Ledger::new(&first);
        apply_all(&mut ledger, &up(&first, &Ledger::new(&first).observed).unwrap());
        let plan = up(&second, &ledger.observed).unwrap();
        for (index, step) in plan.steps.iter().enumerate() {
            prop_assert!(step.after.iter().all(|earlier| *earlier < index));
        }
    }
}
