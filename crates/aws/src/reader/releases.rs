//! The manifests in a stage's journal.

use crate::error::{Call, found};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogStream;
use deployer_core::manifest::{Manifest, STREAM_PREFIX};
use deployer_core::names::DeploymentId;
use deployer_engine::error::CloudError;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// GetLogEvents allows 10 calls a second and more in large regions.
const READS_IN_FLIGHT: usize = 5;

pub(super) async fn list(
    logs: &Client,
    journal: &str,
) -> Result<BTreeMap<DeploymentId, Manifest>, CloudError> {
    let Some(names) = found(streams(logs, journal, STREAM_PREFIX).await)? else {
        return Ok(BTreeMap::new());
    };
    stream::iter(
        names
            .into_iter()
            .map(|name| async move { read(logs, journal, name).await }),
    )
    .buffer_unordered(READS_IN_FLIGHT)
    .try_filter_map(|release| async move { Ok(release) })
    .try_collect()
    .await
}

/// The names of a log group's streams that begin with `prefix`.
pub(crate) async fn streams(
    logs: &Client,
    log_group: &str,
    prefix: &str,
) -> Result<Vec<String>, CloudError> {
    let call = Call::new("logs", "DescribeLogStreams", log_group);
    let streams: Result<Vec<LogStream>, _> = logs
        .describe_log_streams()
        .log_group_name(log_group)
        .log_stream_name_prefix(prefix)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let streams = streams.map_err(|error| call.error(error))?;
    Ok(streams
        .into_iter()
        .filter_map(|stream| stream.log_stream_name)
        .collect())
}

/// `None` when it isn't there (yet), or isn't a manifest that this version reads.
async fn read(
    logs: &Client,
    journal: &str,
    stream: String,
) -> Result<Option<(DeploymentId, Manifest)>, CloudError> {
    let Some(deployment) = stream.strip_prefix(STREAM_PREFIX) else {
        return Ok(None);
    };
    let call = Call::new("logs", "GetLogEvents", journal);
    let answer = logs
        .get_log_events()
        .log_group_name(journal)
        .log_stream_name(&stream)
        .start_from_head(true)
        .limit(1)
        .send()
        .await;
    let Some(output) = found(answer.map_err(|error| call.error(error)))? else {
        return Ok(None);
    };
    let manifest = output
        .events()
        .first()
        .and_then(|event| serde_json::from_str(event.message()?).ok());
    Ok(manifest.map(|manifest| (DeploymentId::new(deployment), manifest)))
}
