//! What must hold for every service, not just for the chat.

use super::account::Ledger;
use super::{Desired, desired_with, down, up};
use crate::plan::{Action, Plan, Verb};
use proptest::collection::btree_map;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

/// Settings that may stand beside each other.
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
    let settings = proptest::sample::subsequence(SETTINGS.to_vec(), 0..=2);
    let function = (
        1_u32..=3,
        proptest::option::of(1_u32..5),
        128_u32..512,
        settings,
    );
    (btree_map("[a-e]", function, 1..=5), any::<bool>()).prop_map(|(functions, new_code)| {
        let mut tables = String::from("service = \"chat\"\n");
        let mut routes = String::from("[routes]\n");
        for (name, (count, reserved, memory, settings)) in &functions {
            tables += &format!("[functions.{name}]\nmemory_mb = {memory}\n");
            if let Some(reserved) = reserved {
                tables += &format!("reserved_concurrency = {reserved}\n");
            }
            for setting in settings {
                tables += &format!("{setting}\n");
            }
            for index in 0..*count {
                routes += &format!("{name}{index} = \"{name}\"\n");
            }
        }
        desired_with(
            &format!("{tables}{routes}"),
            if new_code { "two" } else { "one" },
        )
    })
}

fn apply_all(ledger: &mut Ledger, plan: &Plan) {
    ledger.apply(plan, plan.steps.len());
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

proptest! {
    #[test]
    fn applying_once_is_enough(first in services(), second in services()) {
        let mut ledger = Ledger::new(&first);
        for desired in [&first, &second] {
            let plan = up(desired, &ledger.observed).unwrap();
            assert_live_is_untouched(&plan);
            apply_all(&mut ledger, &plan);
            prop_assert_eq!(up(desired, &ledger.observed).unwrap().to_string(), "chat/alpha: nothing to do");
        }
    }

    #[test]
    fn an_up_that_stopped_anywhere_is_finished_by_the_next(
        first in services(),
        second in services(),
        at in any::<proptest::sample::Index>(),
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
    fn down_empties_any_half_built_stage(desired in services(), at in any::<proptest::sample::Index>()) {
        let mut ledger = Ledger::new(&desired);
        let plan = up(&desired, &ledger.observed).unwrap();
        ledger.apply(&plan, at.index(plan.steps.len() + 1));
        let plan = down(&desired.names, &ledger.observed);
        let stopped = at.index(plan.steps.len() + 1);
        ledger.apply(&plan, stopped);
        let plan = down(&desired.names, &ledger.observed);
        apply_all(&mut ledger, &plan);
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
