//! What the planner will not touch: a resource that has our name but not our
//! ownership tags. What nobody has tagged may be adopted, if that is asked for;
//! what another stage has tagged never.

use super::account_logging;
use super::action::Adopted;
use crate::account_logging::{is_shared, role_name};
use crate::desired::{Desired, DesiredTable, FunctionRole};
use crate::manifest::journal;
use crate::names::{ApiId, Names, StageIdentity};
use crate::observed::Observed;
use crate::table::TableState;
use crate::tags::{Ownership, Tags, claimant, ownership_of};
use std::fmt;

/// Why a resource is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody's tags.
    Untagged,
    /// The tags of another stage, `service/stage`.
    OtherStage(String),
    /// Ours, but of a scheme this version doesn't know.
    UnknownSchema,
    /// One of several that have our name: nobody knows which.
    OneOfSeveral,
    /// A role at a path, so that its ARN isn't the one its name implies.
    AtPath(String),
    /// What DynamoDB can't change differs: which part, how it is, how the files want it.
    Unchangeable {
        /// E.g. `key`.
        part: &'static str,
        /// In the account.
        found: String,
        /// In the files.
        wanted: String,
    },
    /// It has the name of what the deployer makes for an account, but not its tags.
    NotShared,
    /// The file names an API that isn't there.
    NotThere,
    /// The file names an API, and the stage has this other one.
    HasAnother(ApiId),
    /// The file names a function that isn't the stage's, and it isn't there.
    Missing,
    /// The file names a function that isn't the stage's, and it is in another account or
    /// region.
    Elsewhere,
    /// The file says of one of the stage's own functions that it isn't.
    Own,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untagged => write!(
                f,
                "exists without this stage's ownership tags: delete or rename it, choose another service or stage name, or take it over with `up --adopt`"
            ),
            Self::OtherStage(owner) => write!(
                f,
                "belongs to the stage {owner}: choose another service or stage name"
            ),
            Self::UnknownSchema => write!(
                f,
                "was tagged by another version of the deployer: use that version"
            ),
            Self::OneOfSeveral => write!(
                f,
                "is one of several with this name, none of them tagged: delete or rename all but the one to adopt"
            ),
            Self::NotThere => write!(
                f,
                "isn't a WebSocket API of this account and region: look at both, or, if it is gone, remove `adopt` under [api], and `up` makes a new one"
            ),
            Self::HasAnother(api_id) => write!(
                f,
                "can't be adopted, because the stage has the API {api_id} already: `down` removes that one, or remove `adopt` under [api]"
            ),
            Self::Missing => write!(
                f,
                "isn't there, and the file says that it exists: mend `existing`, or remove it, and the deployer builds the function"
            ),
            Self::Elsewhere => write!(
                f,
                "is in another account or region than the stage, where API Gateway needs its owner's permission: `existing` takes functions of the stage's own"
            ),
            Self::Own => write!(
                f,
                "is one of this stage's own functions, which the deployer builds: remove `existing`"
            ),
            Self::NotShared => write!(
                f,
                "has the name of the deployer's role for the account's logs, but not its tags: delete or rename it"
            ),
            Self::Unchangeable {
                part,
                found,
                wanted,
            } => write!(
                f,
                "has the {part} {found}, and the files want {wanted}, which can't be changed: give it another name in the files, where the new one begins empty"
            ),
            Self::AtPath(arn) => write!(
                f,
                "can't be adopted, because it lies at a path ({arn}): delete or rename it"
            ),
        }
    }
}

/// One resource in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedResource {
    /// E.g. `function`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Why.
    pub obstacle: Obstacle,
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
            let RefusedResource {
                kind,
                name,
                obstacle,
            } = resource;
            write!(f, "\n  {kind} {name} {obstacle}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Refuses when the stage's journal belongs to somebody else: whoever writes keeps
/// the stage's lease there.
///
/// # Errors
/// When there is a journal without the stage's ownership tags.
pub fn check_journal(names: &Names, observed: &Observed) -> Result<(), Refusal> {
    let mut inspection = Inspection::new(&names.identity, false);
    inspection.journal(names, observed);
    inspection.result().map(|_| ())
}

/// What is to be adopted, where that is asked for. Refuses when a name the plan
/// needs belongs to somebody else, or to nobody and isn't to be adopted.
pub(super) fn check(desired: &Desired, observed: &Observed) -> Result<Vec<Adopted>, Refusal> {
    let names = &desired.names;
    let mut inspection = Inspection::new(&names.identity, desired.adopt);
    let own_roles = desired.functions.values().filter_map(|function| {
        let FunctionRole::Own { name, .. } = &function.role else {
            return None;
        };
        Some(name)
    });
    let shared = [&names.execution_role, &names.invoke_role];
    for role in shared.into_iter().chain(own_roles) {
        let Some(state) = observed.roles.get(role) else {
            continue;
        };
        let adopted = Adopted::Role { role: role.clone() };
        if desired.account.role_arn(role) == state.arn {
            inspection.look("role", role.as_str(), &state.tags, adopted);
        } else {
            let obstacle = Obstacle::AtPath(state.arn.clone());
            inspection.look_unless("role", role.as_str(), &state.tags, adopted, Some(obstacle));
        }
    }
    inspection.journal(names, observed);
    inspection.gateway(desired, observed);
    for function in desired.functions.values() {
        if let Some(state) = observed.log_groups.get(&function.log_group) {
            inspection.log_group(&function.log_group, &state.tags);
        }
        if let Some(state) = observed.functions.get(&function.name) {
            let name = function.name.clone();
            let adopted = Adopted::Function { name };
            inspection.look("function", function.name.as_str(), &state.tags, adopted);
        }
    }
    inspection.existing(desired, observed);
    inspection.apis(desired, observed);
    inspection.tables(desired, observed);
    inspection.result()
}

struct Inspection<'a> {
    identity: &'a StageIdentity,
    adopt: bool,
    adopted: Vec<Adopted>,
    refused: Vec<RefusedResource>,
}

impl<'a> Inspection<'a> {
    fn new(identity: &'a StageIdentity, adopt: bool) -> Self {
        Self {
            identity,
            adopt,
            adopted: Vec::new(),
            refused: Vec::new(),
        }
    }

    fn result(self) -> Result<Vec<Adopted>, Refusal> {
        if self.refused.is_empty() {
            return Ok(self.adopted);
        }
        Err(Refusal {
            identity: self.identity.clone(),
            resources: self.refused,
        })
    }

    fn look(&mut self, kind: &'static str, name: &str, tags: &Tags, adopted: Adopted) {
        self.look_unless(kind, name, tags, adopted, None);
    }

    /// `unfit`: why it can't be adopted, whoever asks.
    fn look_unless(
        &mut self,
        kind: &'static str,
        name: &str,
        tags: &Tags,
        adopted: Adopted,
        unfit: Option<Obstacle>,
    ) {
        let claimant = claimant(tags, self.identity);
        let obstacle = match (ownership_of(tags, self.identity), claimant) {
            (Ownership::Ours, _) => return,
            (Ownership::UnknownSchema, _) => Obstacle::UnknownSchema,
            (Ownership::Foreign, Some(other)) => Obstacle::OtherStage(other),
            (Ownership::Foreign, None) if !self.adopt => Obstacle::Untagged,
            (Ownership::Foreign, None) => match unfit {
                Some(obstacle) => obstacle,
                None => return self.adopted.push(adopted),
            },
        };
        self.refused.push(RefusedResource {
            kind,
            name: name.to_owned(),
            obstacle,
        });
    }

    fn log_group(&mut self, log_group: &crate::names::LogGroupName, tags: &Tags) {
        let adopted = Adopted::LogGroup {
            log_group: log_group.clone(),
        };
        self.look("log group", log_group.as_str(), tags, adopted);
    }

    fn journal(&mut self, names: &Names, observed: &Observed) {
        if let Some(state) = &observed.journal {
            self.log_group(&journal(names), &state.tags);
        }
    }

    /// What the access logs and the account's logging need.
    fn gateway(&mut self, desired: &Desired, observed: &Observed) {
        if let (Some(state), Some(_)) = (
            &observed.access_log_group,
            desired.gateway.access_log_retention_days,
        ) {
            self.log_group(&desired.names.access_log_group(), &state.tags);
        }
        let logging = observed.account_logging.as_ref();
        let role = logging.and_then(|logging| logging.shared_role.as_ref());
        if account_logging::is_ours(desired, observed)
            && role.is_some_and(|role| !is_shared(&role.tags))
        {
            self.refused.push(RefusedResource {
                kind: "role",
                name: role_name(&desired.account.region).to_string(),
                obstacle: Obstacle::NotShared,
            });
        }
    }

    fn tables(&mut self, desired: &Desired, observed: &Observed) {
        for (name, table) in &desired.tables {
            let Some(state) = observed.tables.get(name).filter(|it| it.is_there()) else {
                continue;
            };
            let adopted = Adopted::Table {
                name: name.clone(),
                arn: state.arn.clone(),
            };
            let before = self.refused.len();
            self.look("table", name.as_str(), &state.tags, adopted);
            let obstacle = unchangeable(table, state).filter(|_| self.refused.len() == before);
            self.refused
                .extend(obstacle.map(|obstacle| RefusedResource {
                    kind: "table",
                    name: name.to_string(),
                    obstacle,
                }));
        }
    }

    /// Functions that aren't the stage's and that it is to invoke.
    fn existing(&mut self, desired: &Desired, observed: &Observed) {
        for (key, function) in &desired.existing {
            let tags = observed.existing.get(key);
            let ours = |tags| ownership_of(tags, self.identity) == Ownership::Ours;
            let obstacle = match tags {
                _ if !function.is_in(&desired.account) => Obstacle::Elsewhere,
                None => Obstacle::Missing,
                Some(tags) if ours(tags) => Obstacle::Own,
                Some(_) => continue,
            };
            self.refused.push(RefusedResource {
                kind: "function",
                name: function.to_string(),
                obstacle,
            });
        }
    }

    /// The API that the file names, where it isn't ours yet.
    fn named_api(
        &mut self,
        named: &ApiId,
        ours: Option<&ApiId>,
        desired: &Desired,
        observed: &Observed,
    ) {
        let mut unowned = observed.unowned_apis.iter();
        let obstacle = match (ours, unowned.find(|api| api.api_id == *named)) {
            (Some(other), _) => Obstacle::HasAnother(other.clone()),
            (None, None) => Obstacle::NotThere,
            (None, Some(api)) => {
                let adopted = Adopted::Api {
                    api_id: named.clone(),
                    name: desired.names.api.clone(),
                };
                return self.look("api", named.as_str(), &api.tags, adopted);
            }
        };
        self.refused.push(RefusedResource {
            kind: "api",
            name: named.to_string(),
            obstacle,
        });
    }

    /// Names of APIs aren't unique, and ours is found by its tags: an untagged one
    /// is in the way only while none is ours.
    fn apis(&mut self, desired: &Desired, observed: &Observed) {
        let names = &desired.names;
        let mut ours: Vec<&ApiId> = Vec::new();
        for api in &observed.apis {
            match ownership_of(&api.tags, self.identity) {
                Ownership::Ours => ours.push(&api.api_id),
                Ownership::UnknownSchema => self.refused.push(RefusedResource {
                    kind: "api",
                    name: api.api_id.to_string(),
                    obstacle: Obstacle::UnknownSchema,
                }),
                Ownership::Foreign => {}
            }
        }
        match &desired.api {
            Some(named) if ours.contains(&named) => return,
            Some(named) => return self.named_api(named, ours.first().copied(), desired, observed),
            None if !ours.is_empty() => return,
            None => {}
        }
        let several = observed.unowned_apis.len() > 1;
        for api in &observed.unowned_apis {
            let adopted = Adopted::Api {
                api_id: api.api_id.clone(),
                name: names.api.clone(),
            };
            let unfit = several.then_some(Obstacle::OneOfSeveral);
            let name = format!("{} ({})", names.api, api.api_id);
            self.look_unless("api", &name, &api.tags, adopted, unfit);
        }
    }
}

/// What of a table would have to change and can't. Its time to live can be turned off
/// and on, but not moved: DynamoDB takes one change an hour.
fn unchangeable(table: &DesiredTable, state: &TableState) -> Option<Obstacle> {
    let different = |part, found: String, wanted: String| {
        (found != wanted).then_some(Obstacle::Unchangeable {
            part,
            found,
            wanted,
        })
    };
    let found = state
        .key
        .as_ref()
        .map_or_else(|| "of another form".to_owned(), ToString::to_string);
    let key = different("key", found, table.key.to_string());
    let now = state.settings.as_ref().and_then(|it| it.ttl.clone());
    key.or_else(|| different("ttl", now?, table.settings.ttl.clone()?))
}
