//! What a deploy stage should look like in its account: the stage's definition
//! with the account, the names and the built code filled in.

use crate::account::Account;
use crate::authorizer::{Authorization, Authorizer};
use crate::existing::ExistingFunction;
use crate::facilities::Facilities;
use crate::grants::Grants;
use crate::names::{
    ApiId, CodeSha256, FunctionKey, FunctionName, LogGroupName, Names, RoleName, RouteKey, TableId,
    TableName,
};
use crate::provenance::Provenance;
use crate::record::{self, Expiry};
use crate::secrets;
use crate::stage_file::{
    ApiDefinition, Architecture, FunctionDefinition, Retained, StageDefinition, TableDefinition,
};
use crate::stage_settings::{AccessLog, ApiSettings, StageSettings};
use crate::table::{ON_DOWN_TAG, TableKey, TableSettings};
use crate::tags::{self, Tags};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Lambda's runtime for a self-contained binary named `bootstrap`.
pub const RUNTIME: &str = "provided.al2023";
/// Lambda wants a handler even where the runtime ignores it.
pub const HANDLER: &str = "bootstrap";

/// A deploy stage as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Desired {
    /// Where it lives.
    pub account: Account,
    /// What everything is called.
    pub names: Names,
    /// The tags everything taggable carries: the ownership tags and the file's. What
    /// is of one function carries [`DesiredFunction::tags`].
    pub tags: Tags,
    /// The API's description.
    pub description: String,
    /// How a message finds its route.
    pub route_selection_expression: String,
    /// The functions.
    pub functions: BTreeMap<FunctionKey, DesiredFunction>,
    /// Functions that aren't the stage's, and that it invokes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub existing: BTreeMap<FunctionKey, ExistingFunction>,
    /// The tables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<TableName, DesiredTable>,
    /// Which function serves which route.
    pub routes: BTreeMap<RouteKey, FunctionKey>,
    /// How many releases are kept, the live one included.
    pub keep_releases: usize,
    /// What is left in the account when it is no longer needed.
    pub retain: BTreeSet<Retained>,
    /// Settings of the API, its API stage and its routes.
    pub gateway: DesiredGateway,
    /// Whether a `down` wants the stage's name said.
    pub protected: bool,
    /// When the stage expires. A protected one never does.
    pub expiry: Expiry,
    /// Who deploys, when, from what.
    pub provenance: Provenance,
    /// ARN of the policy that bounds the roles all functions share.
    pub permissions_boundary: Option<String>,
    /// Whether what has our names and nobody's tags is taken over.
    pub adopt: bool,
    /// The API that the stage has or is to take over; `None`: one that it makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiId>,
}

/// Settings of the API, its API stage and its routes, as they should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DesiredGateway {
    /// Of the API; part of the release.
    pub api: ApiSettings,
    /// Routes whose callers must sign; part of the release.
    pub iam_routes: BTreeSet<RouteKey>,
    /// Who decides whom `$connect` lets in; part of the release.
    pub authorizer: Option<Authorizer>,
    /// Of the API stage.
    pub stage: StageSettings,
    /// Days; `None`: there are no access logs.
    pub access_log_retention_days: Option<u32>,
    /// Days; `None`: there are no execution logs.
    pub execution_log_retention_days: Option<u32>,
}

impl DesiredGateway {
    fn new(definition: &ApiDefinition, account: &Account, names: &Names) -> Self {
        let access_log = definition.access_logs.as_ref().map(|logs| AccessLog {
            destination_arn: account.log_group_arn(&names.access_log_group()),
            format: logs.format.clone(),
        });
        Self {
            api: definition.settings.clone(),
            iam_routes: definition.iam_routes.clone(),
            authorizer: definition.authorizer.clone(),
            stage: StageSettings {
                variables: definition.variables.clone(),
                default_route: definition.default_route.clone(),
                routes: definition.route_settings.clone(),
                access_log,
            },
            access_log_retention_days: definition
                .access_logs
                .as_ref()
                .map(|logs| logs.retention_days),
            execution_log_retention_days: definition.execution_log_retention_days,
        }
    }

    /// Who may use a route.
    pub fn authorization(&self, route: &RouteKey) -> Authorization {
        let authorizer = self.authorizer.as_ref();
        if authorizer.is_some_and(|authorizer| authorizer.guards(route)) {
            Authorization::Custom
        } else if self.iam_routes.contains(route) {
            Authorization::Iam
        } else {
            Authorization::None
        }
    }
}

/// A table as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredTable {
    /// Its key.
    pub key: TableKey,
    /// What can be changed.
    pub settings: TableSettings,
    /// Its tags; they say what `down` does with it.
    pub tags: Tags,
}

/// A function as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredFunction {
    /// Its name in the account.
    pub name: FunctionName,
    /// Where its output goes.
    pub log_group: LogGroupName,
    /// Days.
    pub log_retention_days: u32,
    /// What runs.
    pub code: FunctionCode,
    /// How it runs.
    pub configuration: FunctionConfiguration,
    /// `None`: unreserved.
    pub reserved_concurrency: Option<u32>,
    /// The role it runs as.
    pub role: FunctionRole,
    /// What it may do beside logging and posting to connections.
    pub grants: Grants,
    /// The tags it, its log group and a role of its own carry: the ownership tags,
    /// the file's for everything, and its own, which win over those.
    pub tags: Tags,
}

/// Which role a function runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FunctionRole {
    /// The one that functions of the stage share.
    Shared,
    /// One of its own.
    Own {
        /// Its name.
        name: RoleName,
        /// ARN of the policy that bounds it.
        permissions_boundary: Option<String>,
    },
    /// Somebody else's, which is left alone.
    Given,
}

/// What a function runs: changed by UpdateFunctionCode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionCode {
    /// Of the zip.
    pub sha256: CodeSha256,
    /// AWS's word, e.g. `arm64`.
    pub architecture: String,
}

/// How a function runs: changed by UpdateFunctionConfiguration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionConfiguration {
    /// What it is for; may be empty.
    pub description: String,
    /// The role it runs as.
    pub role_arn: String,
    /// E.g. `provided.al2023`.
    pub runtime: String,
    /// MB.
    pub memory_mb: u32,
    /// Seconds.
    pub timeout_seconds: u32,
    /// Environment variables, those that hold references to secrets included.
    pub environment: BTreeMap<String, String>,
    /// Disk, traces and logs. Left out where it is as everybody has it, so that
    /// hashes of releases from before it existed stay what they were.
    #[serde(skip_serializing_if = "Facilities::is_default")]
    pub facilities: Facilities,
}

impl Desired {
    /// Fills a definition in. `code` holds what was built for each function.
    ///
    /// # Panics
    /// When `code` lacks a function: the caller builds all of them first.
    pub fn new(
        definition: &StageDefinition,
        account: Account,
        code: &BTreeMap<FunctionKey, FunctionCode>,
        provenance: Provenance,
    ) -> Self {
        let names = Names::new(definition.identity.clone(), &account.region);
        let functions = definition
            .functions
            .iter()
            .map(|(key, function)| {
                let name = names.function(key);
                let role = role(definition, function, &names, &name);
                let role_arn = match &role {
                    FunctionRole::Shared => account.role_arn(&names.execution_role),
                    FunctionRole::Own { name, .. } => account.role_arn(name),
                    FunctionRole::Given => function.role_arn.clone().unwrap_or_default(),
                };
                let desired = DesiredFunction {
                    log_group: names.log_group(&name),
                    log_retention_days: function.log_retention_days,
                    code: code.get(key).expect("every function was built").clone(),
                    configuration: FunctionConfiguration {
                        description: function.description.clone(),
                        role_arn,
                        runtime: RUNTIME.to_owned(),
                        memory_mb: function.memory_mb,
                        timeout_seconds: function.timeout_seconds,
                        environment: environment(function, &account, &names),
                        facilities: function.facilities.clone(),
                    },
                    reserved_concurrency: function.reserved_concurrency,
                    role,
                    grants: grants(function, &account, &names, &name),
                    tags: function_tags(definition, function),
                    name,
                };
                (key.clone(), desired)
            })
            .collect();
        Self {
            gateway: DesiredGateway::new(&definition.api, &account, &names),
            account,
            tags: tags::with_own(&names.identity, &definition.tags),
            tables: tables(definition, &names),
            names,
            description: definition.description.clone(),
            route_selection_expression: definition.route_selection_expression.clone(),
            functions,
            existing: definition.existing.clone(),
            routes: definition.routes.clone(),
            keep_releases: definition.keep_releases,
            retain: definition.retain.clone(),
            permissions_boundary: definition.permissions_boundary.clone(),
            protected: definition.guards.protected,
            expiry: match definition.guards.protected {
                true => Expiry::Never,
                false => Expiry::Keep,
            },
            provenance,
            adopt: false,
            api: definition.api.adopt.clone(),
        }
    }

    /// The tags of the stage's journal, made by who deploys now.
    pub fn journal_tags(&self) -> Tags {
        let mut tags = self.tags.clone();
        tags.extend(record::first(self));
        tags
    }

    /// The functions' names.
    pub fn function_names(&self) -> Vec<FunctionName> {
        self.functions
            .values()
            .map(|function| function.name.clone())
            .collect()
    }

    /// The ARNs of the functions that aren't the stage's.
    pub fn existing_arns(&self) -> BTreeMap<FunctionKey, String> {
        let existing = self.existing.iter();
        existing
            .map(|(key, function)| (key.clone(), function.arn(&self.account)))
            .collect()
    }

    /// ARN of what a route or the authorizer leads to; of the stage's own functions
    /// without the version.
    ///
    /// # Panics
    /// When there is no such function: the stage files' rules look for it.
    pub fn arn_of(&self, key: &FunctionKey) -> String {
        match self.existing.get(key) {
            Some(existing) => existing.arn(&self.account),
            None => self.account.function_arn(&self.functions[key].name),
        }
    }

    /// The tables' names.
    pub fn table_names(&self) -> Vec<TableName> {
        self.tables.keys().cloned().collect()
    }

    /// The functions that routes lead to. An authorizer's is none of them.
    pub fn routed_functions(&self) -> BTreeSet<&FunctionKey> {
        self.routes.values().collect()
    }

    /// The functions' log groups.
    pub fn log_groups(&self) -> Vec<LogGroupName> {
        self.functions
            .values()
            .map(|function| function.log_group.clone())
            .collect()
    }
}

/// A role of its own is for what others must not have: permissions, or another
/// boundary than theirs.
fn role(
    definition: &StageDefinition,
    function: &FunctionDefinition,
    names: &Names,
    name: &FunctionName,
) -> FunctionRole {
    let own = !function.statements.is_empty()
        || !function.secrets.is_empty()
        || !function.tables.is_empty()
        || function.invokes_itself
        || function.permissions_boundary != definition.permissions_boundary;
    match (&function.role_arn, own) {
        (Some(_), _) => FunctionRole::Given,
        (None, true) => FunctionRole::Own {
            name: names.own_role(name),
            permissions_boundary: function.permissions_boundary.clone(),
        },
        (None, false) => FunctionRole::Shared,
    }
}

fn tables(definition: &StageDefinition, names: &Names) -> BTreeMap<TableName, DesiredTable> {
    let desired = |(id, table): (&TableId, &TableDefinition)| {
        let mut tags = tags::with_own(&definition.identity, &definition.tags);
        tags.insert(ON_DOWN_TAG.to_owned(), table.on_down.as_str().to_owned());
        let desired = DesiredTable {
            key: table.key.clone(),
            settings: table.settings.clone(),
            tags,
        };
        (names.table(id), desired)
    };
    definition.tables.iter().map(desired).collect()
}

fn environment(
    function: &FunctionDefinition,
    account: &Account,
    names: &Names,
) -> BTreeMap<String, String> {
    let mut environment = function.environment.clone();
    for (variable, used) in &function.tables {
        environment.insert(variable.clone(), names.table(&used.table).to_string());
    }
    for (name, reference) in &function.secrets {
        environment.insert(secrets::variable(name), reference.arn(account));
    }
    environment
}

fn grants(
    function: &FunctionDefinition,
    account: &Account,
    names: &Names,
    name: &FunctionName,
) -> Grants {
    let mut grants = Grants::default();
    for used in function.tables.values() {
        let actions = used.actions.iter().map(|it| it.as_action()).collect();
        grants.add_statement(allow(actions, account.table_arn(&names.table(&used.table))));
    }
    if function.invokes_itself {
        // Any version of it: kept releases run as the same role.
        let versions = format!("{}:*", account.function_arn(name));
        grants.add_statement(allow(vec!["lambda:InvokeFunction".to_owned()], versions));
    }
    for reference in function.secrets.values() {
        grants.add_secret(reference, account);
    }
    if let (Some(key), false) = (&function.secrets_kms_key, function.secrets.is_empty()) {
        grants.keys.insert(key.clone());
    }
    grants.tracing = function.facilities.tracing == crate::facilities::Tracing::Active;
    for statement in &function.statements {
        grants.add_statement(statement.clone());
    }
    grants
}

fn allow(actions: Vec<String>, resource: String) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": [resource] })
}

fn function_tags(definition: &StageDefinition, function: &FunctionDefinition) -> Tags {
    let mut own = definition.tags.clone();
    own.extend(function.tags.clone());
    tags::with_own(&definition.identity, &own)
}

/// The processor a function of this stage must be built for.
pub fn architecture_for(
    definition: &StageDefinition,
    key: &FunctionKey,
    host: Architecture,
) -> Architecture {
    match definition.place {
        crate::stage_file::Place::Local { .. } => host,
        crate::stage_file::Place::Aws { .. } => definition.functions[key].architecture,
    }
}
