//! Reads everything a stage has in its account: two rounds of parallel reads —
//! what there is, then what is in it — and a third only for functions the file
//! no longer names.

use crate::cloud::{CloudReader, JournalStreams};
use crate::error::{CloudError, NOT_SERVED};
use crate::lease::Seen;
use deployer_core::account_logging::role_name;
use deployer_core::desired::Desired;
use deployer_core::manifest::{self, Manifest, ManifestKey};
use deployer_core::names::{FunctionKey, FunctionName, LogGroupName, Names, RoleName, TableName};
use deployer_core::observed::{
    AccountLogging, ApiState, FunctionState, LogGroupState, Observed, RoleState,
};
use deployer_core::record::Record;
use deployer_core::table::{TABLES_TAG, TableState};
use deployer_core::tags::{Ownership, Tags, ownership_of};
use futures_util::future::{try_join, try_join3, try_join4};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Reads in flight at once. Lambda's GetFunction allows 100 a second.
const READS_IN_FLIGHT: usize = 16;
/// DescribeContinuousBackups allows 10 calls a second.
const TABLES_IN_FLIGHT: usize = 4;
/// GetLogEvents allows 10 calls a second and more in large regions.
const MANIFESTS_IN_FLIGHT: usize = 5;

/// What the stage file names: it is looked for even where nothing in the account leads
/// there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Functions, by their deployed names.
    pub functions: Vec<FunctionName>,
    /// Tables, by theirs.
    pub tables: Vec<TableName>,
}

impl Known {
    /// What a stage is to have.
    pub fn of(desired: &Desired) -> Self {
        Self {
            functions: desired.function_names(),
            tables: desired.table_names(),
        }
    }
}

/// What was seen, and whether somebody was at work meanwhile.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the account holds.
    pub observed: Observed,
    /// Who was at work meanwhile.
    pub(crate) seen: Seen,
    began: Instant,
}

impl Look {
    /// What the journal says of the stage; nothing where there is none.
    pub fn record(&self) -> Record {
        let journal = self.observed.journal.as_ref();
        journal.map(|it| Record::of(&it.tags)).unwrap_or_default()
    }

    /// How long ago the first read was sent.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }
}

/// What the account holds under `names`.
///
/// # Errors
/// As [`look`].
pub async fn observe<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
) -> Result<Observed, CloudError> {
    Ok(look(reader, names, known).await?.observed)
}

/// What the account holds under `names`. `known` is what the stage file names; functions
/// it no longer names are found by their names' beginning, by their log groups, which are
/// made before them, and by the integrations and authorizers that invoke them. Tables
/// that it doesn't name are looked for where the journal says that the stage had any:
/// nobody else needs the permission.
///
/// # Errors
/// The first read that fails.
pub async fn look<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
) -> Result<Look, CloudError> {
    // On the heap: so many reads at once are too large for small stacks.
    Box::pin(read_all(reader, names, known)).await
}

async fn read_all<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &Known,
) -> Result<Look, CloudError> {
    let began = Instant::now();
    let prefix = names.log_group_prefix();
    let journal_name = manifest::journal(names);
    let roles = try_join(
        reader.find_role(&names.execution_role),
        reader.find_role(&names.invoke_role),
    );
    let access_log_group = names.access_log_group();
    let logs = try_join4(
        reader.list_log_groups(&prefix),
        journal(reader, &journal_name, began),
        reader.find_log_group(&access_log_group),
        reader.list_execution_log_groups(&names.api_stage),
    );
    let (
        (execution_role, invoke_role),
        (log_groups, journal, access_log_group, execution_log_groups),
        apis,
        ((mut functions, mut own_roles), listed_functions, mut tables),
    ) = try_join4(
        roles,
        logs,
        reader.list_apis(names),
        try_join3(
            with_own_roles(reader, names, known.functions.clone()),
            reader.list_functions(names.function_prefix()),
            where_served(find_tables(reader, known.tables.clone())),
        ),
    )
    .await?;
    let (apis, unowned_apis): (Vec<ApiState>, _) = apis
        .into_iter()
        .partition(|api| ownership_of(&api.tags, &names.identity) != Ownership::Foreign);
    let mut others: Vec<FunctionName> = log_groups
        .keys()
        .filter_map(|name| name.as_str().strip_prefix("/aws/lambda/"))
        .map(FunctionName::new)
        .chain(
            apis.iter()
                .flat_map(ApiState::uris)
                .filter_map(deployer_core::plan::function_of_uri)
                // Of somebody else's nothing is asked.
                .filter(|name| name.as_str().starts_with(names.function_prefix())),
        )
        .chain(listed_functions)
        .filter(|name| !known.functions.contains(name))
        .collect();
    others.sort();
    others.dedup();
    let noted = journal.state.as_ref();
    let noted = noted.is_some_and(|state| state.tags.contains_key(TABLES_TAG));
    let other_tables = async {
        if !noted {
            return Ok(BTreeMap::new());
        }
        let mut listed = reader.list_tables(names.table_prefix()).await?;
        listed.retain(|name| !known.tables.contains(name));
        find_tables(reader, listed).await
    };
    let ((other_functions, other_roles), other_tables) =
        try_join(with_own_roles(reader, names, others), other_tables).await?;
    tables.extend(other_tables);
    functions.extend(other_functions);
    own_roles.extend(other_roles);
    let roles = [
        (&names.execution_role, execution_role),
        (&names.invoke_role, invoke_role),
    ]
    .into_iter()
    .filter_map(|(name, state)| Some((name.clone(), state?)))
    .chain(own_roles)
    .collect();
    Ok(Look {
        observed: Observed {
            roles,
            log_groups,
            functions: functions.into_iter().collect(),
            apis,
            unowned_apis,
            journal: journal.state,
            releases: journal.releases,
            access_log_group,
            execution_log_groups,
            tables,
            existing: BTreeMap::new(),
            account_logging: None,
        },
        seen: journal.seen,
        began,
    })
}

struct JournalLook {
    state: Option<LogGroupState>,
    releases: BTreeMap<ManifestKey, Manifest>,
    seen: Seen,
}

/// The journal, its manifests, and what its leases say.
async fn journal<R: CloudReader>(
    reader: &R,
    name: &LogGroupName,
    began: Instant,
) -> Result<JournalLook, CloudError> {
    let releases = async {
        let journal = reader.list_journal(name).await?;
        let seen = Seen::of(journal.as_ref(), began.elapsed());
        let JournalStreams { streams, .. } = journal.unwrap_or_default();
        let names: Vec<String> = streams.into_keys().collect();
        let keys: Vec<ManifestKey> = names
            .iter()
            .filter_map(|stream| ManifestKey::of_stream(stream))
            .collect();
        let manifests = keys.into_iter().map(|key| async move {
            let manifest = reader.find_manifest(name, &key).await?;
            Ok(manifest.map(|manifest| (key, manifest)))
        });
        let releases = present(manifests, MANIFESTS_IN_FLIGHT).await?;
        Ok((releases, seen))
    };
    let (state, (releases, seen)) = try_join(reader.find_log_group(name), releases).await?;
    Ok(JournalLook {
        state,
        releases,
        seen,
    })
}

/// As [`observe`], for what is desired: only where API Gateway is to write logs,
/// it asks by which role, which needs a permission of its own.
///
/// # Errors
/// The first read that fails.
pub async fn observe_for<R: CloudReader>(
    reader: &R,
    desired: &Desired,
) -> Result<Observed, CloudError> {
    let observed = observe(reader, &desired.names, &Known::of(desired)).await?;
    complete_for(reader, desired, observed).await
}

/// The rest of [`observe_for`], after [`observe`] or [`look`].
///
/// # Errors
/// The first read that fails.
pub async fn complete_for<R: CloudReader>(
    reader: &R,
    desired: &Desired,
    mut observed: Observed,
) -> Result<Observed, CloudError> {
    // Those that aren't there yet: an account that can't have any says so now.
    let missing = desired.tables.keys();
    let missing = missing.filter(|name| !observed.tables.contains_key(*name));
    let found = find_tables(reader, missing.cloned().collect()).await?;
    observed.tables.extend(found);
    let (existing, api) = try_join(
        Box::pin(find_existing(reader, desired)),
        Box::pin(find_named_api(reader, desired, &observed)),
    )
    .await?;
    observed.existing = existing;
    // It may have the stage's name, too.
    if let Some(api) = api {
        let apis = &mut observed.unowned_apis;
        apis.retain(|other| other.api_id != api.api_id);
        apis.push(api);
    }
    if desired.gateway.stage.write_logs() {
        let shared = role_name(&desired.account.region);
        let (role_arn, shared_role) =
            try_join(reader.find_logging_role(), reader.find_role(&shared)).await?;
        observed.account_logging = Some(AccountLogging {
            role_arn,
            shared_role,
        });
    }
    Ok(observed)
}

/// Those of the functions that aren't the stage's that are there.
async fn find_existing<R: CloudReader>(
    reader: &R,
    desired: &Desired,
) -> Result<BTreeMap<FunctionKey, Tags>, CloudError> {
    let mut here = desired.existing.clone();
    here.retain(|_, function| function.is_in(&desired.account));
    let functions = here.into_iter().map(|(key, function)| async move {
        let tags = reader.find_existing(&function).await?;
        Ok(tags.map(|tags| (key, tags)))
    });
    present(functions, READS_IN_FLIGHT).await
}

/// The API that the file names, while it isn't ours.
async fn find_named_api<R: CloudReader>(
    reader: &R,
    desired: &Desired,
    observed: &Observed,
) -> Result<Option<ApiState>, CloudError> {
    match &desired.api {
        Some(named) if observed.apis.iter().all(|api| api.api_id != *named) => {
            reader.find_api_state(named).await
        }
        _ => Ok(None),
    }
}

/// Functions, and the role that each may have of its own, also one that a crash
/// left.
async fn with_own_roles<R: CloudReader>(
    reader: &R,
    names: &Names,
    functions: Vec<FunctionName>,
) -> Result<
    (
        Vec<(FunctionName, FunctionState)>,
        Vec<(RoleName, RoleState)>,
    ),
    CloudError,
> {
    let roles: Vec<RoleName> = functions.iter().map(|name| names.own_role(name)).collect();
    let functions = functions.into_iter().map(|name| async move {
        let state = reader.find_function(&name).await?;
        Ok(state.map(|state| (name, state)))
    });
    let roles = roles.into_iter().map(|name| async move {
        let state = reader.find_role(&name).await?;
        Ok(state.map(|state| (name, state)))
    });
    try_join(
        present(functions, READS_IN_FLIGHT),
        present(roles, READS_IN_FLIGHT),
    )
    .await
}

/// No tables where nobody serves any: a `down` needs none. What needs them asks again.
async fn where_served(
    tables: impl Future<Output = Result<BTreeMap<TableName, TableState>, CloudError>>,
) -> Result<BTreeMap<TableName, TableState>, CloudError> {
    match tables.await {
        Err(error) if error.is(NOT_SERVED) => Ok(BTreeMap::new()),
        other => other,
    }
}

async fn find_tables<R: CloudReader>(
    reader: &R,
    tables: Vec<TableName>,
) -> Result<BTreeMap<TableName, TableState>, CloudError> {
    let tables = tables.into_iter().map(|name| async move {
        let state = reader.find_table(&name).await?;
        Ok(state.map(|state| (name, state)))
    });
    present(tables, TABLES_IN_FLIGHT).await
}

/// What is there of what is asked for, so many at once.
async fn present<T, C: Default + Extend<T>>(
    reads: impl Iterator<Item = impl Future<Output = Result<Option<T>, CloudError>>>,
    in_flight: usize,
) -> Result<C, CloudError> {
    stream::iter(reads)
        .buffer_unordered(in_flight)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}
