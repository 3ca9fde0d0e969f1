//! DynamoDB tables of a stage: what the files may ask for, and what can be seen of one.
//!
//! A table is no part of a release: its items outlive releases, so a rollback leaves it,
//! and an `up` that no longer finds it in the files does, too. Only `down` removes
//! tables, those that say so by a tag of theirs.
//!
//! Deliberately absent: provisioned capacity, indexes, streams, replicas.

use crate::tags::Tags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Says of a table what `down` does with it, so that it needs no stage file.
pub const ON_DOWN_TAG: &str = "deployer:on-down";
/// On a stage's journal: the stage has, or had, tables. Without it nobody looks for any.
pub const TABLES_TAG: &str = "deployer:tables";
/// The tag's value.
pub const TABLES_NOTED: &str = "true";
/// DynamoDB's limit for a table's name, in characters (service model).
pub const TABLE_NAME_LIMIT: usize = 255;

/// What `down` does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum OnDown {
    Remove,
    Retain,
}

impl OnDown {
    /// The word of the stage files, which is the tag's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Retain => "retain",
        }
    }

    /// What a table's tags say. One that says nothing we know is left alone.
    pub fn of(tags: &Tags) -> Self {
        match tags.get(ON_DOWN_TAG).map(String::as_str) {
            Some("remove") => Self::Remove,
            _ => Self::Retain,
        }
    }
}

/// The type of a key's attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "documented variants would turn the schema's plain `enum` into alternatives"
)]
pub enum KeyType {
    String,
    Number,
    Binary,
}

impl KeyType {
    /// DynamoDB's letter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    /// The type of this letter.
    pub fn of(letter: &str) -> Option<Self> {
        [Self::String, Self::Number, Self::Binary]
            .into_iter()
            .find(|it| it.as_str() == letter)
    }
}

/// An attribute of a table's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// A table's key: what it can't do without, and can't change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableKey {
    /// By which items are spread.
    pub partition: KeyAttribute,
    /// By which items of one partition are ordered.
    pub sort: Option<KeyAttribute>,
}

impl TableKey {
    /// Its attributes, the partition's first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }
}

impl fmt::Display for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |it: &KeyAttribute| format!("{} ({})", it.name, it.kind.as_str());
        let all: Vec<String> = self.attributes().map(one).collect();
        f.write_str(&all.join(", "))
    }
}

/// What of a table can be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableSettings {
    /// The attribute that says when an item expires, if items do.
    pub ttl: Option<String>,
    /// Whether it can be restored to any second of the last 35 days.
    pub point_in_time_recovery: bool,
}

/// Whether a table can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TableStatus {
    /// It can.
    Active,
    /// It is about to go: what is next made has to wait.
    Deleting,
    /// It will be: DynamoDB's word.
    Other(String),
}

/// A table as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableState {
    /// Its ARN.
    pub arn: String,
    /// Its tags.
    pub tags: Tags,
    /// Its key; `None`: one that isn't known here.
    pub key: Option<TableKey>,
    /// Whether it is paid by the request.
    pub on_demand: bool,
    /// Whether it can be used.
    pub status: TableStatus,
    /// `None`: an emulated DynamoDB that has no such settings.
    pub settings: Option<TableSettings>,
}

impl TableState {
    /// Whether it stays.
    pub fn is_there(&self) -> bool {
        self.status != TableStatus::Deleting
    }
}

/// What a function may do with the items of a table.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[expect(
    missing_docs,
    reason = "the variants are DynamoDB's actions; documented, they would turn the schema's plain `enum` into alternatives"
)]
pub enum ItemAction {
    BatchGetItem,
    BatchWriteItem,
    ConditionCheckItem,
    DeleteItem,
    GetItem,
    PutItem,
    Query,
    Scan,
    UpdateItem,
}

impl ItemAction {
    /// As policies have it.
    pub fn as_action(self) -> String {
        format!("dynamodb:{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_whose_tags_say_nothing_we_know_is_retained() {
        let tags = |value: &str| Tags::from([(ON_DOWN_TAG.to_owned(), value.to_owned())]);
        assert_eq!(OnDown::of(&tags("remove")), OnDown::Remove);
        for other in [tags("retain"), tags("REMOVE"), Tags::new()] {
            assert_eq!(OnDown::of(&other), OnDown::Retain);
        }
    }

    #[test]
    fn actions_are_written_as_policies_have_them() {
        assert_eq!(
            ItemAction::ConditionCheckItem.as_action(),
            "dynamodb:ConditionCheckItem"
        );
    }
}
