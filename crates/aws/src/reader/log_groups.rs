//! Log groups with their tags.

use crate::error::{Call, found};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use deployer_core::census::JournalFound;
use deployer_core::names::{EXECUTION_LOG_PREFIX, LogGroupName};
use deployer_core::observed::LogGroupState;
use deployer_engine::error::CloudError;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// ListTagsForResource allows few calls a second.
const TAG_READS_IN_FLIGHT: usize = 5;
/// How CloudWatch Logs says that the caller may not.
const DENIED: &str = "AccessDeniedException";

pub(super) async fn list(
    logs: &Client,
    prefix: &str,
) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
    list_where(logs, prefix, |_| true).await
}

/// Of all APIs of the account: a group whose API is gone is found by its tags.
pub(super) async fn list_of_execution_logs(
    logs: &Client,
    api_stage: &str,
) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
    let is_one = |name: &str| {
        let rest = name.strip_prefix(EXECUTION_LOG_PREFIX);
        rest.and_then(|rest| rest.split_once('/'))
            .is_some_and(|(_, stage)| stage == api_stage)
    };
    list_where(logs, EXECUTION_LOG_PREFIX, is_one).await
}

/// Tags are read of those that hold only: each costs a call.
async fn list_where(
    logs: &Client,
    prefix: &str,
    holds: impl Fn(&str) -> bool,
) -> Result<BTreeMap<LogGroupName, LogGroupState>, CloudError> {
    let groups = describe(logs, prefix).await?;
    stream::iter(
        groups
            .into_iter()
            .filter(|group| group.log_group_name().is_some_and(&holds))
            .map(|group| async move { with_tags(logs, &group).await }),
    )
    .buffer_unordered(TAG_READS_IN_FLIGHT)
    .try_filter_map(|state| async move { Ok(state) })
    .try_collect()
    .await
}

async fn describe(logs: &Client, prefix: &str) -> Result<Vec<LogGroup>, CloudError> {
    let call = Call::new("logs", "DescribeLogGroups", prefix);
    let groups: Result<Vec<LogGroup>, _> = logs
        .describe_log_groups()
        .log_group_name_prefix(prefix)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    groups.map_err(|error| call.error(error))
}

/// Log groups that may be journals. Whoever may deploy one service may not read the tags of
/// another's.
pub(super) async fn list_journals(
    logs: &Client,
    prefix: &str,
) -> Result<Vec<JournalFound>, CloudError> {
    let groups = describe(logs, prefix).await?;
    let looks = groups.into_iter().map(|group| async move {
        let tags = match with_tags(logs, &group).await {
            Err(error) if error.is(DENIED) => None,
            Err(error) => return Err(error),
            // Gone between the two reads.
            Ok(None) => return Ok(None),
            Ok(Some((_, state))) => Some(state.tags),
        };
        Ok(Some(JournalFound {
            log_group: LogGroupName::new(group.log_group_name().unwrap_or_default()),
            created_ms: group.creation_time(),
            tags,
        }))
    });
    stream::iter(looks)
        .buffer_unordered(TAG_READS_IN_FLIGHT)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}

async fn with_tags(
    logs: &Client,
    group: &LogGroup,
) -> Result<Option<(LogGroupName, LogGroupState)>, CloudError> {
    let (Some(name), Some(arn)) = (group.log_group_name(), group.arn()) else {
        return Ok(None);
    };
    let call = Call::new("logs", "ListTagsForResource", name);
    // The ARN that DescribeLogGroups gives ends in `:*`, which tagging refuses.
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    let answer = logs.list_tags_for_resource().resource_arn(arn).send().await;
    // Gone between the two reads: as if it had never been there.
    let Some(output) = found(answer.map_err(|error| call.error(error)))? else {
        return Ok(None);
    };
    let state = LogGroupState {
        tags: super::sorted(output.tags()),
        retention_days: group
            .retention_in_days()
            .and_then(|days| u32::try_from(days).ok()),
    };
    Ok(Some((LogGroupName::new(name), state)))
}
