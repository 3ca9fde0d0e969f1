//! Permissions as policy documents: each action once, with all resources it is for.

use super::Permission;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// IAM's limit for a managed policy, in characters, without white space (IAM User Guide,
/// "IAM and AWS STS quotas").
pub const MANAGED_POLICY_LIMIT: usize = 6_144;

/// A policy, as IAM takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    version: &'static str,
    /// What it allows.
    pub statement: Vec<Statement>,
}

/// A statement that allows something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    effect: &'static str,
    /// What is allowed.
    pub action: Vec<&'static str>,
    /// On what.
    pub resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl Document {
    /// One document with all of it, however long.
    pub fn new(permissions: &BTreeSet<Permission>) -> Self {
        Self::of(statements(permissions))
    }

    fn of(statement: Vec<Statement>) -> Self {
        Self {
            version: "2012-10-17",
            statement,
        }
    }

    /// How long it is as IAM counts, in characters.
    pub fn size(&self) -> usize {
        size(self)
    }

    /// The same as documents of at most `limit` characters each, in order. A statement that
    /// is longer by itself is divided, too.
    pub fn split(self, limit: usize) -> Vec<Self> {
        let mut documents: Vec<Vec<Statement>> = vec![Vec::new()];
        let mut rest: Vec<Statement> = self.statement;
        rest.reverse();
        while let Some(statement) = rest.pop() {
            let last = documents.last_mut().expect("there is always one");
            last.push(statement);
            if size(&Self::of(last.clone())) <= limit {
                continue;
            }
            let Some(statement) = last.pop() else {
                continue;
            };
            match (last.is_empty(), statement.halves()) {
                (true, Some((one, other))) => rest.extend([other, one]),
                // Nothing shorter says the same.
                (true, None) => {
                    last.push(statement);
                    documents.push(Vec::new());
                }
                (false, _) => {
                    documents.push(Vec::new());
                    rest.push(statement);
                }
            }
        }
        documents.retain(|statements| !statements.is_empty());
        documents.into_iter().map(Self::of).collect()
    }
}

impl Statement {
    fn halves(&self) -> Option<(Self, Self)> {
        let (one, other) = match (self.resource.len(), self.action.len()) {
            (2.., _) => {
                let (one, other) = self.resource.split_at(self.resource.len() / 2);
                let with = |resource: &[String]| Self {
                    resource: resource.to_vec(),
                    ..self.clone()
                };
                (with(one), with(other))
            }
            (_, 2..) => {
                let (one, other) = self.action.split_at(self.action.len() / 2);
                let with = |action: &[&'static str]| Self {
                    action: action.to_vec(),
                    ..self.clone()
                };
                (with(one), with(other))
            }
            _ => return None,
        };
        Some((one, other))
    }
}

fn size(document: &Document) -> usize {
    let text = json!(document).to_string();
    text.chars().filter(|it| !it.is_whitespace()).count()
}

type Condition = Option<&'static str>;

fn statements(permissions: &BTreeSet<Permission>) -> Vec<Statement> {
    let mut of_action: BTreeMap<(&'static str, Condition), BTreeSet<&str>> = BTreeMap::new();
    for permission in permissions {
        let action = (permission.action, permission.passed_to);
        let resources = of_action.entry(action).or_default();
        resources.insert(&permission.resource);
    }
    let mut together: BTreeMap<(BTreeSet<&str>, Condition), Vec<&'static str>> = BTreeMap::new();
    for ((action, condition), resources) in of_action {
        let covered = |one: &&str| {
            let mut others = resources.iter().filter(|other| *other != one);
            others.any(|other| covers(other, one))
        };
        let least = resources.iter().filter(|one| !covered(one)).copied();
        let actions = together.entry((least.collect(), condition)).or_default();
        actions.push(action);
    }
    let mut statements: Vec<Statement> = together
        .into_iter()
        .map(|((resources, condition), action)| Statement {
            effect: "Allow",
            action,
            resource: resources.into_iter().map(str::to_owned).collect(),
            condition: condition
                .map(|service| json!({ "StringEquals": { "iam:PassedToService": service } })),
        })
        .collect();
    statements.sort_by(|one, other| one.action.cmp(&other.action));
    statements
}

/// Whether one pattern allows all that the other does. Only a `*` at its end is looked at:
/// no others make a difference here.
fn covers(pattern: &str, other: &str) -> bool {
    pattern
        .strip_suffix('*')
        .is_some_and(|prefix| other.starts_with(prefix))
}
