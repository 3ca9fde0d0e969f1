//! Tables: made before the release, settled, kept, removed by `down` where they say so.

use super::account::Ledger;
use super::{Desired, deployed, desired_with, down, up};
use crate::desired::FunctionRole;
use crate::names::TableName;
use crate::plan::{Action, Plan, retained_tables};
use crate::table::{KeyAttribute, KeyType, ON_DOWN_TAG, TABLES_TAG, TableState, TableStatus};

const SERVICE: &str = r#"
service = "chat"
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["Query", "GetItem"] }
invokes_itself = true
[routes]
join = "room"
[tables.rooms]
partition_key = "pk"
sort_key = "sk"
ttl = "expires"
point_in_time_recovery = true
on_down = "remove"
"#;

const WITHOUT: &str = r#"
service = "chat"
[functions.room]
[routes]
join = "room"
"#;

fn with(old: &str, new: &str) -> Desired {
    assert!(SERVICE.contains(old), "{old}");
    desired_with(&SERVICE.replace(old, new), "one")
}

fn name() -> TableName {
    TableName::new("chat-alpha-rooms")
}

fn table(ledger: &mut Ledger) -> &mut TableState {
    ledger
        .observed
        .tables
        .get_mut(&name())
        .expect("it is there")
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|it| it.action.operation()).collect()
}

/// What an `up` does about the tables.
fn changes(desired: &Desired, ledger: &Ledger) -> Vec<String> {
    let plan = up(desired, &ledger.observed).unwrap();
    let actions = plan.steps.iter().map(|step| step.action.to_string());
    actions.filter(|it| it.contains("rooms")).collect()
}

#[test]
fn a_first_up_notes_that_there_are_tables_makes_them_and_only_then_releases() {
    let desired = with("", "");
    let plan = up(&desired, &Ledger::new(&desired).observed).unwrap();
    insta::assert_snapshot!(plan);
    let of = |operation| {
        let mut steps = plan.steps.iter();
        steps
            .position(|it| it.action.operation() == operation)
            .expect(operation)
    };
    let is_before = |earlier: usize, later: usize| {
        let mut before = vec![later];
        let mut at = 0;
        while let Some(step) = before.get(at).copied() {
            before.extend(&plan.steps[step].after);
            at += 1;
        }
        before.contains(&earlier)
    };
    assert!(is_before(of("TagResource"), of("CreateTable")));
    assert!(is_before(
        of("UpdateContinuousBackups"),
        of("CreateDeployment")
    ));
    assert_eq!(
        up(&desired, &deployed(&desired).observed).unwrap().steps,
        []
    );
}

#[test]
fn a_function_is_told_its_tables_name_and_may_do_with_it_what_the_file_says() {
    let desired = with("", "");
    let room = &desired.functions[&"room".into()];
    assert_eq!(room.configuration.environment["ROOMS"], "chat-alpha-rooms");
    assert!(matches!(room.role, FunctionRole::Own { .. }));
    let statements = serde_json::to_string_pretty(&room.grants.to_statements()).unwrap();
    insta::assert_snapshot!(statements);
}

#[test]
fn what_somebody_changed_by_hand_is_mended() {
    let desired = with("", "");
    let mut ledger = deployed(&desired);
    let state = table(&mut ledger);
    state.on_demand = false;
    state.tags.remove(ON_DOWN_TAG);
    let settings = state.settings.as_mut().unwrap();
    settings.ttl = None;
    settings.point_in_time_recovery = false;
    let plan = up(&desired, &ledger.observed).unwrap();
    assert_eq!(
        operations(&plan),
        [
            "TagResource",
            "UpdateTable",
            "UpdateTimeToLive",
            "UpdateContinuousBackups"
        ]
    );
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn settings_are_turned_off_where_the_file_no_longer_has_them() {
    let ledger = deployed(&with("", ""));
    let desired = with("ttl = \"expires\"\npoint_in_time_recovery = true\n", "");
    assert_eq!(
        changes(&desired, &ledger),
        [
            "change time to live chat-alpha-rooms",
            "change backups chat-alpha-rooms"
        ]
    );
}

#[test]
fn what_an_emulated_dynamodb_does_not_have_is_left_alone() {
    let desired = with("", "");
    let mut ledger = deployed(&desired);
    table(&mut ledger).settings = None;
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());
}

#[test]
fn another_key_or_another_time_to_live_is_refused_by_name() {
    let ledger = deployed(&with("", ""));
    let refused = |desired: Desired| up(&desired, &ledger.observed).unwrap_err().to_string();
    let key = refused(with("sort_key = \"sk\"", "sort_key = \"at\""));
    assert!(
        key.contains("table chat-alpha-rooms has the key pk (S), sk (S)"),
        "{key}"
    );
    assert!(key.contains("the files want pk (S), at (S)"), "{key}");
    let ttl = refused(with("\"expires\"", "\"until\""));
    assert!(
        ttl.contains("has the ttl expires, and the files want until"),
        "{ttl}"
    );
}

#[test]
fn a_table_of_somebody_else_is_refused_and_one_of_nobody_can_be_adopted() {
    let mut desired = with("", "");
    let mut ledger = deployed(&desired);
    let theirs = table(&mut ledger);
    theirs.tags.insert("deployer:stage".into(), "beta".into());
    let refusal = up(&desired, &ledger.observed).unwrap_err().to_string();
    assert!(
        refusal.contains("belongs to the stage chat/beta"),
        "{refusal}"
    );

    table(&mut ledger).tags.clear();
    let refusal = up(&desired, &ledger.observed).unwrap_err().to_string();
    assert!(refusal.contains("--adopt"), "{refusal}");
    desired.adopt = true;
    let plan = up(&desired, &ledger.observed).unwrap();
    assert!(
        matches!(plan.steps[0].action, Action::Adopt { .. }),
        "{plan}"
    );
    ledger.apply(&plan, plan.steps.len());
    assert!(up(&desired, &ledger.observed).unwrap().is_empty());

    table(&mut ledger).tags.clear();
    table(&mut ledger).key.as_mut().unwrap().partition = KeyAttribute {
        name: "id".into(),
        kind: KeyType::Number,
    };
    let refusal = up(&desired, &ledger.observed).unwrap_err().to_string();
    assert!(refusal.contains("has the key id (N), sk (S)"), "{refusal}");
}

#[test]
fn down_removes_a_table_that_says_so_whatever_the_files_say_by_then() {
    let mut ledger = deployed(&with("", ""));
    let plan = down(ledger.names(), &ledger.observed);
    assert!(operations(&plan).contains(&"DeleteTable"), "{plan}");
    ledger.apply(&plan, plan.steps.len());
    assert!(ledger.observed.tables.is_empty());
}

#[test]
fn down_keeps_a_table_that_says_so_or_says_nothing() {
    let mut ledger = deployed(&with("\"remove\"", "\"retain\""));
    let kept = |ledger: &Ledger| {
        let plan = down(ledger.names(), &ledger.observed);
        assert!(!operations(&plan).contains(&"DeleteTable"), "{plan}");
        retained_tables(ledger.names(), &ledger.observed)
    };
    assert_eq!(kept(&ledger), [name()]);
    table(&mut ledger).tags.remove(ON_DOWN_TAG);
    assert_eq!(kept(&ledger), [name()]);
}

#[test]
fn a_change_of_on_down_is_written_to_the_table() {
    let mut ledger = deployed(&with("", ""));
    let desired = with("\"remove\"", "\"retain\"");
    assert_eq!(
        changes(&desired, &ledger),
        ["change tags table chat-alpha-rooms"]
    );
    let plan = up(&desired, &ledger.observed).unwrap();
    ledger.apply(&plan, plan.steps.len());
    assert_eq!(retained_tables(ledger.names(), &ledger.observed), [name()]);
}

#[test]
fn a_table_that_left_the_files_stays_until_down() {
    let mut ledger = deployed(&with("", ""));
    let desired = desired_with(WITHOUT, "one");
    let plan = up(&desired, &ledger.observed).unwrap();
    let mut actions = plan.steps.iter().map(|step| step.action.to_string());
    assert!(!actions.any(|it| it.contains("rooms")), "{plan}");
    let said = "  = table           chat-alpha-rooms stays with its items";
    assert!(plan.to_string().contains(said), "{plan}");
    ledger.apply(&plan, plan.steps.len());
    let again = up(&desired, &ledger.observed).unwrap().to_string();
    assert!(again.starts_with("chat/alpha: nothing to do"), "{again}");
    assert!(again.contains(said), "{again}");
    let noted = &ledger.observed.journal.as_ref().unwrap().tags;
    assert!(noted.contains_key(TABLES_TAG), "else down wouldn't look");
    let plan = down(ledger.names(), &ledger.observed);
    assert!(operations(&plan).contains(&"DeleteTable"), "{plan}");
}

#[test]
fn a_table_that_is_being_deleted_is_made_again_and_not_deleted_twice() {
    let desired = with("", "");
    let mut ledger = deployed(&desired);
    table(&mut ledger).status = TableStatus::Deleting;
    let made = up(&desired, &ledger.observed).unwrap();
    assert!(operations(&made).contains(&"CreateTable"), "{made}");
    let plan = down(ledger.names(), &ledger.observed);
    assert!(!operations(&plan).contains(&"DeleteTable"), "{plan}");
}

#[test]
fn without_tables_nothing_is_noted() {
    let ledger = deployed(&desired_with(WITHOUT, "one"));
    let tags = &ledger.observed.journal.as_ref().unwrap().tags;
    assert!(!tags.contains_key(TABLES_TAG));
}
