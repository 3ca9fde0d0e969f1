//! What the planner will not touch: a resource that has our name but not our
//! ownership tags.

use crate::desired::{Desired, FunctionRole};
use crate::manifest::journal;
use crate::names::StageIdentity;
use crate::observed::Observed;
use crate::tags::{Ownership, Tags, ownership_of};
use std::fmt;

/// One resource in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedResource {
    /// E.g. `function`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Ours, but of a scheme this version doesn't know.
    pub unknown_schema: bool,
}

/// Everything in the way of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose plan it would have been.
    pub identity: StageIdentity,
    /// At least one.
    pub resources: Vec<RefusedResource>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} will not touch what it doesn't own:", self.identity)?;
        for resource in &self.resources {
            let why = if resource.unknown_schema {
                "was tagged by another version of the deployer: use that version"
            } else {
                "exists without this stage's ownership tags: delete or rename it, or choose another service or stage name"
            };
            write!(f, "\n  {} {} {why}", resource.kind, resource.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Refuses when a name the plan needs belongs to somebody else.
pub(super) fn check(desired: &Desired, observed: &Observed) -> Result<(), Refusal> {
    let identity = &desired.names.identity;
    let mut resources = Vec::new();
    let mut look = |kind: &'static str, name: &str, tags: &Tags| {
        let ownership = ownership_of(tags, identity);
        if ownership != Ownership::Ours {
            resources.push(RefusedResource {
                kind,
                name: name.to_owned(),
                unknown_schema: ownership == Ownership::UnknownSchema,
            });
        }
    };
    let own_roles = desired.functions.values().filter_map(|function| {
        let FunctionRole::Own { name, .. } = &function.role else {
            return None;
        };
        Some(name)
    });
    let shared = [&desired.names.execution_role, &desired.names.invoke_role];
    for role in shared.into_iter().chain(own_roles) {
        if let Some(state) = observed.roles.get(role) {
            look("role", role.as_str(), &state.tags);
        }
    }
    if let Some(state) = &observed.journal {
        look("log group", journal(&desired.names).as_str(), &state.tags);
    }
    for function in desired.functions.values() {
        if let Some(state) = observed.log_groups.get(&function.log_group) {
            look("log group", function.log_group.as_str(), &state.tags);
        }
        if let Some(state) = observed.functions.get(&function.name) {
            look("function", function.name.as_str(), &state.tags);
        }
    }
    // An API of our name without our tags is no obstacle: names of APIs aren't
    // unique, and ours is found by its tags.
    for api in &observed.apis {
        if ownership_of(&api.tags, identity) == Ownership::UnknownSchema {
            look("api", api.api_id.as_str(), &api.tags);
        }
    }
    if resources.is_empty() {
        Ok(())
    } else {
        Err(Refusal {
            identity: identity.clone(),
            resources,
        })
    }
}
