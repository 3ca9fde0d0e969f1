//! `[tables]` in stage files, right and wrong.

use super::definition::StageDefinition;
use super::tests::read_on_aws;
use crate::table::{ItemAction, OnDown};

const SERVICE: &str = r#"
service = "chat"
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["GetItem", "PutItem"] }
invokes_itself = true
[routes]
join = "room"
[tables.rooms]
partition_key = "pk"
sort_key = "at"
sort_key_type = "number"
ttl = "expires"
on_down = "retain"
"#;

fn definition(service: &str, stage: &str) -> StageDefinition {
    read_on_aws(service, stage).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(service: &str, stage: &str) -> String {
    read_on_aws(service, stage).expect_err(stage)
}

#[test]
fn a_table_is_of_both_files_together_and_the_stage_wins_key_by_key() {
    let stage = "[tables.rooms]\non_down = \"remove\"\npoint_in_time_recovery = true";
    let definition = definition(SERVICE, stage);
    let table = &definition.tables[&"rooms".into()];
    assert_eq!(table.key.to_string(), "pk (S), at (N)");
    assert_eq!(table.settings.ttl.as_deref(), Some("expires"));
    assert!(table.settings.point_in_time_recovery);
    assert_eq!(table.on_down, OnDown::Remove);
    let room = &definition.functions[&"room".into()];
    let used = &room.tables["ROOMS"];
    assert_eq!(used.table.as_str(), "rooms");
    let actions = [ItemAction::GetItem, ItemAction::PutItem];
    assert_eq!(used.actions, actions.into());
    assert!(room.invokes_itself);
}

#[test]
fn a_table_that_a_stage_turns_off_is_not_there_for_its_functions() {
    let definition = definition(SERVICE, "[tables.rooms]\nenabled = false");
    assert!(definition.tables.is_empty());
    assert!(definition.functions[&"room".into()].tables.is_empty());
}

#[test]
fn every_mistake_about_tables_is_said_with_its_place() {
    let service = r#"
service = "chat"
[functions.room]
tables.ROOMS = { table = "rooms", actions = ["GetItem"] }
tables.OTHER = { table = "roms", actions = ["Query"] }
tables.AWS_REGION = { table = "rooms", actions = ["Query"] }
environment = { ROOMS = "x" }
role_arn = "arn:aws:iam::123456789012:role/mine"
invokes_itself = true
[routes]
join = "room"
[tables.rooms]
sort_key_type = "number"
[tables.unused]
partition_key = "pk"
sort_key = "pk"
ttl = "pk"
on_down = "remove"
"#;
    insta::assert_snapshot!(mistakes(service, ""));
}

#[test]
fn a_stage_may_have_a_table_of_its_own() {
    let stage = r#"
[functions.room.tables]
SEEN = { table = "seen", actions = ["UpdateItem"] }
[tables.seen]
partition_key = "who"
on_down = "remove"
"#;
    let definition = definition(SERVICE, stage);
    assert_eq!(definition.tables.len(), 2);
    let room = &definition.functions[&"room".into()];
    assert_eq!(room.tables.len(), 2);
}
