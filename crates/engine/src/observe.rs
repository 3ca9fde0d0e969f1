//! Reads everything a stage has in its account: two rounds of parallel reads,
//! the second only for functions the file no longer names.

use crate::cloud::CloudReader;
use crate::error::CloudError;
use deployer_core::account_logging::role_name;
use deployer_core::desired::Desired;
use deployer_core::manifest;
use deployer_core::names::{FunctionName, Names};
use deployer_core::observed::{AccountLogging, Observed};
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
    let access_log_group = names.access_log_group();
    let log_groups = try_join3(
        reader.list_log_groups(&prefix),
        reader.find_log_group(&journal_name),
        reader.list_releases(&journal_name),
    );
    let gateway_log_groups = try_join(
        reader.find_log_group(&access_log_group),
        reader.list_execution_log_groups(&names.api_stage),
    );
    let (
        (execution_role, invoke_role),
        ((log_groups, journal, releases), (access_log_group, execution_log_groups)),
        apis,
        mut functions,
    ) = try_join4(
        roles,
        try_join(log_groups, gateway_log_groups),
        reader.list_apis(names),
        find_functions(reader, known.to_vec()),
    )
    .await?;
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
    functions.extend(find_functions(reader, others).await?);
    let roles = [
        (&names.execution_role, execution_role),
        (&names.invoke_role, invoke_role),
    ]
    .into_iter()
    .filter_map(|(name, state)| Some((name.clone(), state?)))
    .collect();
    Ok(Observed {
        roles,
        log_groups,
        functions: functions.into_iter().collect(),
        apis,
        journal,
        releases,
        access_log_group,
        execution_log_groups,
        account_logging: None,
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
    let names = &desired.names;
    let mut observed = observe(reader, names, &desired.function_names()).await?;
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
