//! Reads everything a stage has in its account: two rounds of parallel reads,
//! the second only for functions the file no longer names.

use crate::cloud::CloudReader;
use crate::error::CloudError;
use deployer_core::manifest;
use deployer_core::names::{FunctionName, Names, RoleName};
use deployer_core::observed::{Observed, RoleState};
use futures_util::future::{try_join, try_join3, try_join4};
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// Reads in flight at once. Lambda's GetFunction allows 100 a second.
const READS_IN_FLIGHT: usize = 16;

/// What the account holds under `names`. `known` are functions the stage file
/// names; functions it no longer names are found by their log groups, which are
/// made before them, and by the integrations that invoke them.
///
/// # Errors
/// The first read that fails.
pub async fn observe<R: CloudReader>(
    reader: &R,
    names: &Names,
    known: &[FunctionName],
) -> Result<Observed, CloudError> {
    let prefix = names.log_group_prefix();
    let journal_name = manifest::journal(names);
    let roles = try_join(
        reader.find_role(&names.execution_role),
        reader.find_role(&names.invoke_role),
    );
    let log_groups = try_join3(
        reader.list_log_groups(&prefix),
        reader.find_log_group(&journal_name),
        reader.list_releases(&journal_name),
    );
    let functions = try_join(
        find_functions(reader, known.to_vec()),
        find_own_roles(reader, own_roles_of(names, known)),
    );
    let (
        (execution_role, invoke_role),
        (log_groups, journal, releases),
        apis,
        (mut functions, mut own_roles),
    ) = try_join4(roles, log_groups, reader.list_apis(names), functions).await?;
    let mut others: Vec<FunctionName> = log_groups
        .keys()
        .filter_map(|name| name.as_str().strip_prefix("/aws/lambda/"))
        .map(FunctionName::new)
        .chain(
            apis.iter()
                .flat_map(|api| &api.integrations)
                .filter_map(|integration| deployer_core::plan::function_of_uri(&integration.uri)),
        )
        .filter(|name| !known.contains(name))
        .collect();
    others.sort();
    others.dedup();
    own_roles.extend(find_own_roles(reader, own_roles_of(names, &others)).await?);
    functions.extend(find_functions(reader, others).await?);
    let roles = [
        (&names.execution_role, execution_role),
        (&names.invoke_role, invoke_role),
    ]
    .into_iter()
    .filter_map(|(name, state)| Some((name.clone(), state?)))
    .chain(own_roles)
    .collect();
    Ok(Observed {
        roles,
        log_groups,
        functions: functions.into_iter().collect(),
        apis,
        journal,
        releases,
    })
}

/// Each function may have a role of its own, also one that a crash left.
fn own_roles_of(names: &Names, functions: &[FunctionName]) -> Vec<RoleName> {
    let roles = functions.iter();
    roles.map(|function| names.own_role(function)).collect()
}

async fn find_own_roles<R: CloudReader>(
    reader: &R,
    roles: Vec<RoleName>,
) -> Result<Vec<(RoleName, RoleState)>, CloudError> {
    stream::iter(roles.into_iter().map(|name| async move {
        let state = reader.find_role(&name).await?;
        Ok(state.map(|state| (name, state)))
    }))
    .buffer_unordered(READS_IN_FLIGHT)
    .try_filter_map(|found| async move { Ok(found) })
    .try_collect()
    .await
}

async fn find_functions<R: CloudReader>(
    reader: &R,
    names: Vec<FunctionName>,
) -> Result<Vec<(FunctionName, deployer_core::observed::FunctionState)>, CloudError> {
    stream::iter(names.into_iter().map(|name| async move {
        let state = reader.find_function(&name).await?;
        Ok(state.map(|state| (name, state)))
    }))
    .buffer_unordered(READS_IN_FLIGHT)
    .try_filter_map(|found| async move { Ok(found) })
    .try_collect()
    .await
}
