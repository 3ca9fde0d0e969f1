//! The roles functions run as: one that they share, and one of its own for each
//! that has permissions or a boundary of its own.
//!
//! A role is as wide as all releases need that run as it: before the cut-over
//! those that are there, after it those that are kept. One that none of them
//! needs goes. A function's log group comes before its role and goes after it:
//! a role that a crash left is found by it.

use super::log_group::LogGroupSteps;
use super::prune::Pruning;
use super::roles::{Role, RoleSteps, remove};
use super::{Bindings, Builder, PolicyTemplate, StepId};
use crate::desired::{Desired, DesiredFunction, FunctionRole};
use crate::grants::Grants;
use crate::manifest::Manifest;
use crate::names::{FunctionKey, FunctionName, LogGroupName, RoleName};
use crate::observed::{FunctionState, Observed, RoleState};
use crate::policy::INLINE_POLICY_NAME;
use crate::tags::{Ownership, ownership_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const SERVICE: &str = "lambda.amazonaws.com";
/// The statements that every execution role has.
const COMMON_SIDS: [&str; 2] = ["WriteLogs", "PostToConnections"];

/// What later steps come after.
pub(super) struct ExecutionRoles {
    /// The steps after which each function can be made to run as its role.
    pub usable: BTreeMap<FunctionKey, Vec<StepId>>,
    /// Boundaries and policies.
    pub steps: RoleSteps,
}

/// Who runs as a role, and what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Need {
    log_groups: BTreeSet<LogGroupName>,
    grants: Grants,
}

impl Need {
    fn template(self) -> PolicyTemplate {
        PolicyTemplate::Execution {
            log_groups: self.log_groups.into_iter().collect(),
            grants: self.grants,
        }
    }
}

/// Everything the roles' needs follow from.
pub(super) struct Situation<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub pruning: &'a Pruning<'a>,
}

impl Situation<'_> {
    /// What the desired release and others need of a role, `which` of their functions
    /// run as it.
    fn need<'m>(
        &self,
        role_arn: &str,
        releases: impl Iterator<Item = &'m Manifest>,
        which: impl Fn(&FunctionName) -> bool,
    ) -> Need {
        let mut need = Need::default();
        for function in self.desired.functions.values() {
            if function.configuration.role_arn == role_arn {
                need.log_groups.insert(function.log_group.clone());
                need.grants.extend(&function.grants);
            }
        }
        let shared = self.shared_arn();
        for function in releases.flat_map(|release| release.functions.values()) {
            let runs_as = function.role_arn.as_ref().unwrap_or(&shared);
            if which(&function.name) && runs_as == role_arn {
                let log_group = self.desired.names.log_group(&function.name);
                need.log_groups.insert(log_group);
                need.grants.extend(&function.grants);
            }
        }
        need
    }

    /// After the cut-over.
    fn exact(&self, role_arn: &str, state: Option<&RoleState>) -> Need {
        // One that leaves the file goes with all releases that invoke it.
        let stay = |name: &FunctionName| {
            let mut functions = self.desired.functions.values();
            functions.any(|function| function.name == *name)
        };
        let mut need = self.need(role_arn, self.pruning.kept_manifests(), stay);
        if self.pruning.keeps_unreadable() {
            // Then versions stay, too.
            need.log_groups.extend(self.running_as(role_arn, stay));
            self.carry(&mut need, state);
        }
        need
    }

    /// Before it: whatever runs as the role may be live.
    fn wide(&self, role_arn: &str, state: Option<&RoleState>) -> Need {
        if !self.pruning.replaces() {
            return self.exact(role_arn, state);
        }
        let mut need = self.need(role_arn, self.pruning.present_manifests(), |_| true);
        need.log_groups.extend(self.running_as(role_arn, |_| true));
        if self.pruning.has_unreadable() {
            self.carry(&mut need, state);
        }
        need
    }

    /// Log groups of our functions of which anything runs as a role.
    fn running_as(
        &self,
        role_arn: &str,
        which: impl Fn(&FunctionName) -> bool,
    ) -> BTreeSet<LogGroupName> {
        let names = &self.desired.names;
        let ours = |function: &FunctionState| {
            ownership_of(&function.tags, &names.identity) == Ownership::Ours
        };
        self.observed
            .functions
            .iter()
            .filter(|(name, function)| which(name) && runs_as(function, role_arn) && ours(function))
            .map(|(name, _)| names.log_group(name))
            .collect()
    }

    /// Keeps what a role may do now: a release that can't be read (yet) may need
    /// any of it.
    fn carry(&self, need: &mut Need, state: Option<&RoleState>) {
        let known = need.grants.to_statements();
        let current = state
            .and_then(|state| state.inline_policies.get(INLINE_POLICY_NAME))
            .and_then(|policy| policy["Statement"].as_array());
        for statement in current.into_iter().flatten() {
            let sid = statement["Sid"].as_str().unwrap_or_default();
            if COMMON_SIDS.contains(&sid) || known.contains(statement) {
                continue;
            }
            let mut statement = statement.clone();
            if let Value::Object(members) = &mut statement {
                // Of two with one id IAM would refuse the policy.
                members.remove("Sid");
            }
            need.grants.add_statement(statement);
        }
    }

    fn shared_arn(&self) -> String {
        let names = &self.desired.names;
        self.desired.account.role_arn(&names.execution_role)
    }

    /// The role that functions share, and each function's own, whether it is or
    /// not.
    fn roles(&self) -> Vec<(RoleName, Option<(&FunctionKey, &DesiredFunction)>)> {
        let names = &self.desired.names;
        let own = self.desired.functions.iter();
        let own =
            own.map(|(key, function)| (names.own_role(&function.name), Some((key, function))));
        std::iter::once((names.execution_role.clone(), None))
            .chain(own)
            .collect()
    }

    /// Plans the roles that the new release or a kept one runs as, or the live one.
    pub(super) fn plan(
        &self,
        builder: &mut Builder,
        bindings: &Bindings,
        api_created: Option<StepId>,
        log_groups: &BTreeMap<FunctionKey, LogGroupSteps>,
    ) -> ExecutionRoles {
        let mut planned = ExecutionRoles {
            usable: BTreeMap::new(),
            steps: RoleSteps::default(),
        };
        for (name, owner) in self.roles() {
            let role_arn = self.desired.account.role_arn(&name);
            let state = self.ours(&name);
            let (wide, exact) = (self.wide(&role_arn, state), self.exact(&role_arn, state));
            let needed = match state {
                Some(_) => !wide.log_groups.is_empty(),
                None => !exact.log_groups.is_empty(),
            };
            if !needed {
                continue;
            }
            let (boundary, purpose, after, tags) = match owner {
                None => (
                    self.desired.permissions_boundary.as_deref(),
                    "functions run as this role",
                    Vec::new(),
                    &self.desired.tags,
                ),
                Some((key, function)) => (
                    own_boundary(self.desired, function),
                    "one function runs as this role",
                    log_groups
                        .get(key)
                        .and_then(|g| g.created)
                        .into_iter()
                        .collect(),
                    &function.tags,
                ),
            };
            let (exists, permitted) = planned.steps.plan(
                builder,
                self.desired,
                self.observed,
                bindings,
                Role {
                    name: &name,
                    service: SERVICE,
                    purpose,
                    permissions_boundary: boundary,
                    after,
                    // What nobody needs afterwards is removed, not narrowed.
                    exact: match exact.log_groups.is_empty() {
                        true => wide.clone().template(),
                        false => exact.template(),
                    },
                    wide: wide.template(),
                    policy_after: api_created,
                    tags,
                },
            );
            for (key, function) in &self.desired.functions {
                if function.configuration.role_arn == role_arn {
                    // Lambda takes a function that sends traces only if its role may.
                    let permitted = permitted.filter(|_| function.grants.tracing);
                    let after = exists.into_iter().chain(permitted).collect();
                    planned.usable.insert(key.clone(), after);
                }
            }
        }
        planned
    }

    /// Deletes, `after` the cut-over, roles that no kept release runs as.
    pub(super) fn delete(&self, builder: &mut Builder, after: &[StepId]) -> Vec<StepId> {
        let names = &self.desired.names;
        let mut deleted = Vec::new();
        for (name, state) in &self.observed.roles {
            let is_execution_role = *name != names.invoke_role && self.ours(name).is_some();
            if is_execution_role && self.stays(name).is_none() {
                deleted.push(remove(builder, name, state, after));
            }
        }
        deleted
    }

    /// An execution role of ours that something runs as also after the cut-over.
    pub(super) fn stays(&self, name: &RoleName) -> Option<(&RoleName, &RoleState)> {
        let (name, state) = self.observed.roles.get_key_value(name)?;
        self.ours(name)?;
        // Roles of functions that left the file are nobody's.
        let current = self.roles().into_iter().any(|(role, _)| role == *name);
        let role_arn = self.desired.account.role_arn(name);
        let needed = current
            && (self.pruning.keeps_unreadable()
                || !self.exact(&role_arn, Some(state)).log_groups.is_empty());
        needed.then_some((name, state))
    }

    fn ours(&self, name: &RoleName) -> Option<&RoleState> {
        let identity = &self.desired.names.identity;
        let state = self.observed.roles.get(name)?;
        (ownership_of(&state.tags, identity) == Ownership::Ours).then_some(state)
    }
}

/// A role that only a former release runs as is bounded as the others are.
fn own_boundary<'a>(desired: &'a Desired, function: &'a DesiredFunction) -> Option<&'a str> {
    match &function.role {
        FunctionRole::Own {
            permissions_boundary,
            ..
        } => permissions_boundary.as_deref(),
        FunctionRole::Shared | FunctionRole::Given => desired.permissions_boundary.as_deref(),
    }
}

fn runs_as(function: &FunctionState, role_arn: &str) -> bool {
    let versions = function.versions.iter().map(|v| &v.configuration);
    std::iter::once(&function.configuration)
        .chain(versions)
        .any(|configuration| configuration.role_arn == role_arn)
}
