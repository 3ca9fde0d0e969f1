//! The service and one stage together: every setting with the value it has in
//! that stage.
//!
//! A setting of a function wins over one for all functions; at the same level,
//! the stage's wins over the service's.

use super::api_definition::{self, ApiDefinition};
use super::existing;
use super::merge_settings::Layers;
use super::routes;
use super::tables::{self, TableDefinition, TableGrant};
use super::types::{
    Architecture, FunctionDefaults, FunctionSettings, Retained, ServiceFile, StageFile, StateKept,
    Target,
};
use crate::existing::ExistingFunction;
use crate::facilities::Facilities;
use crate::names::{FunctionKey, RouteKey, StageIdentity, TableId};
use crate::secrets::SecretReference;
use crate::ttl::Ttl;
use std::collections::{BTreeMap, BTreeSet};

/// Port of the local cloud when the stage file names none.
pub const DEFAULT_LOCAL_PORT: u16 = 9100;

/// The environment variable that tells a function where its state is kept.
pub const STATE_VARIABLE: &str = "DEPLOYER_STATE";

/// Releases kept when the files say nothing.
const DEFAULT_KEEP_RELEASES: u16 = 5;

/// One stage of a service, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageDefinition {
    /// Service and stage.
    pub identity: StageIdentity,
    /// What users of the stage must know.
    pub notice: Option<String>,
    /// Where it lives.
    pub place: Place,
    /// Whether its file describes stages of other names only.
    pub template: bool,
    /// How long it lives after an `up`; `None`: the files don't say.
    pub ttl: Option<Ttl>,
    /// What must hold before anything is done to it.
    pub guards: Guards,
    /// The API's description.
    pub description: String,
    /// How a message finds its route.
    pub route_selection_expression: String,
    /// The functions.
    pub functions: BTreeMap<FunctionKey, FunctionDefinition>,
    /// Functions that aren't the stage's, and that its routes lead to.
    pub existing: BTreeMap<FunctionKey, ExistingFunction>,
    /// The tables.
    pub tables: BTreeMap<TableId, TableDefinition>,
    /// Which function serves which route.
    pub routes: BTreeMap<RouteKey, FunctionKey>,
    /// Those of them that the stage's own file says.
    pub own_routes: BTreeMap<RouteKey, FunctionKey>,
    /// How many releases are kept, the live one included.
    pub keep_releases: usize,
    /// What is left in the account when it is no longer needed.
    pub retain: BTreeSet<Retained>,
    /// The settings of the API, its API stage and its routes.
    pub api: ApiDefinition,
    /// Tags beside the deployer's own.
    pub tags: BTreeMap<String, String>,
    /// ARN of the policy that bounds all roles of the stage, if any.
    pub permissions_boundary: Option<String>,
}

impl StageDefinition {
    /// A stage that no file describes: enough to find it and to remove it, and nothing that
    /// an `up` could make. `tags` are its journal's.
    pub fn without_file(
        identity: StageIdentity,
        place: Place,
        tags: BTreeMap<String, String>,
    ) -> Self {
        Self {
            identity,
            notice: None,
            place,
            template: false,
            ttl: None,
            guards: Guards::default(),
            description: String::new(),
            route_selection_expression: String::new(),
            functions: BTreeMap::new(),
            existing: BTreeMap::new(),
            tables: BTreeMap::new(),
            routes: BTreeMap::new(),
            own_routes: BTreeMap::new(),
            keep_releases: usize::from(DEFAULT_KEEP_RELEASES),
            retain: BTreeSet::new(),
            api: ApiDefinition::default(),
            tags,
            permissions_boundary: None,
        }
    }
}

/// What must hold before anything is done to a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// The one account that credentials may lead to.
    pub account_id: Option<String>,
    /// Whether a `down` must be confirmed by the stage's name.
    pub protected: bool,
    /// Whether the source of an `up` must be committed.
    pub clean_git: bool,
}

/// Where a stage lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The local cloud on this port of 127.0.0.1.
    Local {
        /// The port.
        port: u16,
    },
    /// An AWS account.
    Aws {
        /// `None`: the environment's or profile's.
        region: Option<String>,
        /// `None`: the default chain.
        profile: Option<String>,
    },
}

/// A function's settings, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDefinition {
    /// The Cargo package that builds it.
    pub package: String,
    /// What it is for; may be empty.
    pub description: String,
    /// MB.
    pub memory_mb: u32,
    /// Seconds.
    pub timeout_seconds: u32,
    /// The processor on AWS; the local cloud always uses the host's.
    pub architecture: Architecture,
    /// Days.
    pub log_retention_days: u32,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// `None`: shares the account's unreserved concurrency.
    pub reserved_concurrency: Option<u32>,
    /// Where it keeps what outlives an event, if it said so; [`STATE_VARIABLE`] of its
    /// environment says it, too.
    pub state: Option<StateKept>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, SecretReference>,
    /// The key they are encrypted with, if it isn't AWS's own.
    pub secrets_kms_key: Option<String>,
    /// The tables it uses, by the variable that has their name.
    pub tables: BTreeMap<String, TableGrant>,
    /// Whether it may invoke itself.
    pub invokes_itself: bool,
    /// Permissions of its own, as statements of a policy.
    pub statements: Vec<serde_json::Value>,
    /// An existing role to run as.
    pub role_arn: Option<String>,
    /// The boundary of the role it runs as, if any.
    pub permissions_boundary: Option<String>,
    /// Disk, traces and logs.
    pub facilities: Facilities,
    /// Tags beside the deployer's own.
    pub tags: BTreeMap<String, String>,
}

pub(super) fn merge(stage_name: &str, service: &ServiceFile, stage: &StageFile) -> StageDefinition {
    let tables = tables::merge(service, stage);
    let used = routes::functions(service, stage);
    let existing = existing::merge(service, stage, &used);
    let functions = service
        .functions
        .iter()
        .filter(|(key, _)| used.contains(key.as_str()))
        .filter(|(key, _)| !existing.contains_key(&FunctionKey::new(key.as_str())))
        .map(|(key, of_service)| {
            let of_stage = stage.functions.get(key).cloned().unwrap_or_default();
            let definition = merge_function(
                key,
                [&of_stage, of_service],
                [&stage.defaults, &service.defaults],
                &tables,
            );
            (FunctionKey::new(key), definition)
        })
        .collect();
    let place = match stage.target {
        Target::Local => Place::Local {
            port: stage.port.unwrap_or(DEFAULT_LOCAL_PORT),
        },
        Target::Aws => Place::Aws {
            region: stage.region.clone(),
            profile: stage.aws_profile.clone(),
        },
    };
    let mut tags = service.tags.clone();
    tags.extend(stage.tags.clone());
    StageDefinition {
        api: api_definition::merge(service, stage),
        tags,
        identity: StageIdentity {
            service: service.service.clone(),
            stage: stage_name.to_owned(),
        },
        notice: stage.notice.clone(),
        template: stage.template.unwrap_or_default(),
        // The rules have looked at it.
        ttl: stage.ttl.as_ref().and_then(|ttl| ttl.parse().ok()),
        guards: Guards {
            account_id: stage.account_id.clone(),
            protected: stage.protected.unwrap_or_default(),
            clean_git: stage.clean_git.unwrap_or_default(),
        },
        place,
        description: service
            .description
            .clone()
            .unwrap_or_else(|| format!("The {} service", service.service)),
        route_selection_expression: service
            .route_selection_expression
            .clone()
            .unwrap_or_else(|| "$request.body.action".to_owned()),
        functions,
        existing,
        tables,
        permissions_boundary: stage
            .defaults
            .permissions_boundary
            .clone()
            .or_else(|| service.defaults.permissions_boundary.clone()),
        keep_releases: usize::from(
            stage
                .keep_releases
                .or(service.keep_releases)
                .unwrap_or(DEFAULT_KEEP_RELEASES),
        ),
        retain: stage
            .retain
            .clone()
            .or_else(|| service.retain.clone())
            .unwrap_or_default(),
        routes: routes::merge(service, stage)
            .into_iter()
            .map(|(route, function)| (RouteKey::new(route), FunctionKey::new(function)))
            .collect(),
        own_routes: stage
            .routes
            .iter()
            .map(|(route, function)| (RouteKey::new(route), FunctionKey::new(function)))
            .collect(),
    }
}

/// `settings` and `defaults`: the stage's first, then the service's.
fn merge_function(
    key: &str,
    settings: [&FunctionSettings; 2],
    defaults: [&FunctionDefaults; 2],
    stage_tables: &BTreeMap<TableId, TableDefinition>,
) -> FunctionDefinition {
    fn pick<T: Clone>(
        settings: [&FunctionSettings; 2],
        of_one: impl Fn(&FunctionSettings) -> Option<T>,
        defaults: [&FunctionDefaults; 2],
        of_all: impl Fn(&FunctionDefaults) -> Option<T>,
        otherwise: T,
    ) -> T {
        let one = settings.into_iter().find_map(of_one);
        one.or_else(|| defaults.into_iter().find_map(of_all))
            .unwrap_or(otherwise)
    }
    let layers = Layers { settings, defaults };
    let mut environment = BTreeMap::new();
    // The most specific last, so that it wins.
    for layer in [
        &defaults[1].environment,
        &defaults[0].environment,
        &settings[1].environment,
        &settings[0].environment,
    ] {
        environment.extend(layer.clone());
    }
    let state = settings.into_iter().find_map(|s| s.state);
    if let Some(state) = state {
        environment.insert(STATE_VARIABLE.to_owned(), state.as_str().to_owned());
    }
    FunctionDefinition {
        package: settings
            .into_iter()
            .find_map(|s| s.package.clone())
            .unwrap_or_else(|| key.to_owned()),
        description: settings
            .into_iter()
            .find_map(|s| s.description.clone())
            .unwrap_or_default(),
        memory_mb: pick(settings, |s| s.memory_mb, defaults, |d| d.memory_mb, 128),
        timeout_seconds: pick(
            settings,
            |s| s.timeout_seconds,
            defaults,
            |d| d.timeout_seconds,
            10,
        ),
        architecture: pick(
            settings,
            |s| s.architecture,
            defaults,
            |d| d.architecture,
            Architecture::X86_64,
        ),
        log_retention_days: pick(
            settings,
            |s| s.log_retention_days,
            defaults,
            |d| d.log_retention_days,
            14,
        ),
        environment,
        reserved_concurrency: settings.into_iter().find_map(|s| s.reserved_concurrency),
        state,
        secrets: layers.secrets(),
        secrets_kms_key: layers.secrets_kms_key(),
        tables: tables::merge_uses(settings, defaults, stage_tables),
        invokes_itself: settings
            .into_iter()
            .find_map(|s| s.invokes_itself)
            .unwrap_or_default(),
        statements: layers.statements(),
        role_arn: layers.role_arn(),
        permissions_boundary: layers.permissions_boundary(),
        facilities: layers.facilities(),
        tags: layers.tags(),
    }
}
