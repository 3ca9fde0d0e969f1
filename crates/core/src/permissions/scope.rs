//! The resources of a stage as ARNs, with `*` for what isn't known before.

use super::needs::On;
use crate::account_logging::role_name;
use crate::existing::ExistingFunction;
use crate::manifest::journal;
use crate::names::{EXECUTION_LOG_PREFIX, LogGroupName, Names};
use crate::stage_file::StageDefinition;

/// For an account or a region that isn't known.
const UNKNOWN: &str = "*";

/// A stage and where it lives, as far as policies go.
#[derive(Debug, Clone)]
pub struct Scope {
    names: Names,
    partition: &'static str,
    account_id: String,
    region: String,
    /// Roles of others that functions run as.
    given_roles: Vec<String>,
    reserving: bool,
    not_reserving: bool,
    bounded: bool,
    unbounded: bool,
    gateway_logs: bool,
    tables: bool,
    /// Functions that aren't the stage's.
    existing: Vec<ExistingFunction>,
}

impl Scope {
    /// Of a stage, or of several if there is a `*` in its name (`pr-*`). Where account or
    /// region isn't known, policies allow any.
    pub fn new(
        definition: &StageDefinition,
        account_id: Option<&str>,
        region: Option<&str>,
    ) -> Self {
        let region = region.unwrap_or(UNKNOWN);
        let functions = || definition.functions.values();
        let reserving = |it: bool| functions().any(|f| f.reserved_concurrency.is_some() == it);
        let mut boundaries = vec![definition.permissions_boundary.is_some()];
        let own = functions().filter(|function| function.role_arn.is_none());
        boundaries.extend(own.map(|function| function.permissions_boundary.is_some()));
        Self {
            names: Names::new(definition.identity.clone(), region),
            partition: partition(region),
            account_id: account_id.unwrap_or(UNKNOWN).to_owned(),
            region: region.to_owned(),
            given_roles: functions().filter_map(|f| f.role_arn.clone()).collect(),
            reserving: reserving(true),
            not_reserving: reserving(false),
            bounded: boundaries.contains(&true),
            unbounded: boundaries.contains(&false),
            gateway_logs: definition.api.write_logs(),
            tables: !definition.tables.is_empty(),
            existing: definition.existing.values().cloned().collect(),
        }
    }

    /// The same of a stage that has tables which its files no longer name.
    pub fn with_tables(self) -> Self {
        Self {
            tables: true,
            ..self
        }
    }

    pub(super) fn resources(&self, on: On) -> Vec<String> {
        let names = &self.names;
        let one = |there: bool, arn: String| there.then_some(arn).into_iter().collect();
        let prefix = names.function_prefix();
        match on {
            On::Anything => one(true, "*".to_owned()),
            On::Apis => one(true, self.gateway("/apis")),
            On::InApis => one(true, self.gateway("/apis/*")),
            On::ApiStage => {
                let path = format!("/apis/*/stages/{}", names.api_stage);
                one(true, self.gateway(&path))
            }
            On::ApiTags => one(true, self.gateway("/tags/*")),
            On::GatewayAccount => one(self.gateway_logs, self.gateway("/account")),
            On::Functions => one(true, self.arn("lambda", &format!("function:{prefix}*"))),
            On::Existing => {
                let names = self.existing.iter().map(|it| it.name.to_string());
                self.functions(names)
            }
            On::ExistingAsNamed => {
                let both = |it: &ExistingFunction| [it.name.to_string(), it.to_string()];
                self.functions(self.existing.iter().flat_map(both))
            }
            On::Reserving | On::NotReserving => {
                let there = match on {
                    On::Reserving => self.reserving,
                    _ => self.not_reserving,
                };
                match there {
                    true => self.resources(On::Functions),
                    false => Vec::new(),
                }
            }
            On::Roles => one(true, self.role(&format!("{}*", self.role_prefix()))),
            On::Bounded => one(self.bounded, self.role(&format!("{}*", self.role_prefix()))),
            On::Unbounded => one(
                self.unbounded,
                self.role(&format!("{}*", self.role_prefix())),
            ),
            On::RunAs => {
                let mut roles = self.resources(On::Roles);
                roles.extend(self.given_roles.clone());
                roles
            }
            On::Invoking if self.region == UNKNOWN || self.several().is_some() => {
                self.resources(On::Roles)
            }
            On::Invoking => one(true, self.role(names.invoke_role.as_str())),
            On::Logging => {
                let name = role_name(&self.region);
                one(self.gateway_logs, self.role(name.as_str()))
            }
            On::LogGroups => one(true, self.arn("logs", "log-group:*")),
            On::Journal => self.log_group(&journal(names)),
            On::FunctionLogs => {
                let pattern = format!("log-group:{}*", names.log_group_prefix());
                one(true, self.arn("logs", &pattern))
            }
            On::GatewayLogs => {
                let execution = format!("{EXECUTION_LOG_PREFIX}*/{}", names.api_stage);
                [names.access_log_group(), LogGroupName::new(execution)]
                    .iter()
                    .flat_map(|name| self.log_group(name))
                    .collect()
            }
            On::WantedGatewayLogs => match self.gateway_logs {
                true => self.resources(On::GatewayLogs),
                false => Vec::new(),
            },
            On::Tables => {
                let pattern = format!("table/{}*", names.table_prefix());
                one(self.tables, self.arn("dynamodb", &pattern))
            }
            On::AllTables => one(self.tables, "*".to_owned()),
        }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            partition,
            account_id,
            region,
            ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account_id}:{resource}")
    }

    fn functions(&self, names: impl Iterator<Item = String>) -> Vec<String> {
        let arns = names.map(|name| self.arn("lambda", &format!("function:{name}")));
        arns.collect()
    }

    fn gateway(&self, path: &str) -> String {
        format!("arn:{}:apigateway:{}::{path}", self.partition, self.region)
    }

    fn role(&self, name: &str) -> String {
        format!(
            "arn:{}:iam::{}:role/{name}",
            self.partition, self.account_id
        )
    }

    /// Tags are of the group itself, all else is of its streams.
    fn log_group(&self, name: &LogGroupName) -> Vec<String> {
        let group = self.arn("logs", &format!("log-group:{name}"));
        vec![format!("{group}:*"), group]
    }

    /// What comes after service and stage may be cut, by the length of stage and region.
    fn role_prefix(&self) -> String {
        match (self.several(), self.region == UNKNOWN) {
            (Some(beginning), _) => beginning,
            (None, true) => self.names.function_prefix().to_owned(),
            (None, false) => self.names.role_prefix(),
        }
    }

    /// What the names of several stages begin with, if it is for such.
    fn several(&self) -> Option<String> {
        let (beginning, _) = self.names.identity.stage.split_once('*')?;
        Some(format!("{}-{beginning}", self.names.identity.service))
    }
}

/// Where a region lies.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
