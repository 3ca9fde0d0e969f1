//! Reads everything a stage has in its account: two rounds of parallel reads —
//! what there is, then what is in it — and a third only for functions the file
//! no longer names.

use crate::cloud::{CloudReader, JournalStreams};
use crate::error::CloudError;
use crate::lease::Seen;
use deployer_core::account_logging::role_name;
use deployer_core::desired::Desired;
use deployer_core::manifest::{self, Manifest, ManifestKey};
use deployer_core::names::{FunctionName, LogGroupName, Names, RoleName};
use deployer_core::observed::{
    AccountLogging, ApiState, FunctionState, LogGroupState, Observed, RoleState,
};
use deployer_core::tags::{Ownership, ownership_of};
use futures_util::future::{try_join, try_join4};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Reads in flight at once. Lambda's GetFunction allows 100 a second.
const READS_IN_FLIGHT: usize = 16;
/// GetLogEvents allows 10 calls a second and more in large regions.
const MANIFESTS_IN_FLIGHT: usize = 5;

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
    known: &[FunctionName],
) -> Result<Observed, CloudError> {
    Ok(look(reader, names, known).await?.observed)
}

/// What the account holds under `names`. `known` are functions the stage file
/// names; functions it no longer names are found by their names' beginning, by their
/// log groups, which are made before them, and by the integrations and
/// authorizers that invoke them.
///
/// # Errors
/// The first read that fails.
pub async fn look<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &[FunctionName],
) -> Result<Look, CloudError> {
    // On the heap: so many reads at once are too large for small stacks.
    Box::pin(read_all(reader, names, known)).await
}

async fn read_all<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &[FunctionName],
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
        ((mut functions, mut own_roles), listed_functions),
    ) = try_join4(
        roles,
        logs,
        reader.list_apis(names),
        try_join(
            with_own_roles(reader, names, known.to_vec()),
            reader.list_functions(names.function_prefix()),
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
                .filter_map(deployer_core::plan::function_of_uri),
        )
        .chain(listed_functions)
        .filter(|name| !known.contains(name))
        .collect();
    others.sort();
    others.dedup();
    let (other_functions, other_roles) = with_own_roles(reader, names, others).await?;
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
    let observed = observe(reader, &desired.names, &desired.function_names()).await?;
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
