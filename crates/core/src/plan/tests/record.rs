//! What the journal says of its stage: it comes with the journal, and is mended.

use super::account::Ledger;
use super::{Desired, SERVICE, deployed, desired_with, down, up};
use crate::record::{EXPIRES_TAG, Expiry, OWNER_TAG, PROTECTED_TAG, RETAIN_TAG, Record};
use crate::stage_file::Retained;
use crate::tags::Tags;

const ME: &str = "arn:aws:iam::123456789012:user/me";
const AT: &str = "2026-11-26T00:00:00Z";

fn plain() -> Desired {
    desired_with(SERVICE, "one")
}

fn special() -> Desired {
    Desired {
        expiry: Expiry::At(AT.parse().unwrap()),
        retain: [Retained::Logs].into(),
        ..plain()
    }
}

fn tags(ledger: &mut Ledger) -> &mut Tags {
    let journal = ledger.observed.journal.as_mut();
    &mut journal.expect("it is there").tags
}

/// The whole plan, which is applied.
fn plan(desired: &Desired, ledger: &mut Ledger) -> Vec<String> {
    let plan = up(desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    changes.map(ToString::to_string).collect()
}

#[test]
fn the_journal_is_made_with_all_that_it_says() {
    let mut ledger = deployed(&special());
    assert_eq!(
        Record::of(tags(&mut ledger)),
        Record {
            owner: Some(ME.to_owned()),
            expires: AT.parse().ok(),
            retain: [Retained::Logs].into(),
            protected: false,
        }
    );
    let mut ledger = deployed(&plain());
    let own: Vec<_> = tags(&mut ledger).keys().cloned().collect();
    assert_eq!(
        own,
        [
            "deployer:owner",
            "deployer:schema",
            "deployer:service",
            "deployer:stage"
        ]
    );
}

#[test]
fn what_the_files_say_otherwise_is_mended_and_what_they_dont_say_is_cleared() {
    let mut ledger = deployed(&plain());
    let set = [
        format!("{EXPIRES_TAG}: none → {AT}"),
        format!("{RETAIN_TAG}: none → logs"),
    ];
    assert_eq!(plan(&special(), &mut ledger), set);
    assert!(plan(&special(), &mut ledger).is_empty());
    let protected = Desired {
        protected: true,
        expiry: Expiry::Never,
        ..plain()
    };
    let changed = [
        format!("{EXPIRES_TAG}: {AT} → none"),
        format!("{RETAIN_TAG}: logs → none"),
        format!("{PROTECTED_TAG}: none → true"),
    ];
    assert_eq!(plan(&protected, &mut ledger), changed);
    let cleared = [format!("{PROTECTED_TAG}: true → none")];
    assert_eq!(plan(&plain(), &mut ledger), cleared);
}

#[test]
fn an_up_that_says_nothing_of_an_end_leaves_the_one_there_is() {
    let mut ledger = deployed(&special());
    let kept = Desired {
        expiry: Expiry::Keep,
        ..special()
    };
    assert!(plan(&kept, &mut ledger).is_empty());
    let renewed = Desired {
        expiry: Expiry::At("2026-12-01T00:00:00Z".parse().unwrap()),
        ..special()
    };
    let later = [format!("{EXPIRES_TAG}: {AT} → 2026-12-01T00:00:00Z")];
    assert_eq!(plan(&renewed, &mut ledger), later);
    let for_ever = Desired {
        expiry: Expiry::Never,
        ..special()
    };
    plan(&for_ever, &mut ledger);
    assert_eq!(Record::of(tags(&mut ledger)).expires, None);
}

#[test]
fn whoever_made_a_stage_stays_its_owner_and_nobody_is_made_one_afterwards() {
    let mut ledger = deployed(&plain());
    let mut other = plain();
    other.provenance.by = "arn:aws:iam::123456789012:user/other".into();
    assert!(plan(&other, &mut ledger).is_empty());
    // As an earlier version left it.
    tags(&mut ledger).remove(OWNER_TAG);
    assert!(plan(&other, &mut ledger).is_empty());
    assert!(!down(&plain().names, &ledger.observed).is_empty());
}
