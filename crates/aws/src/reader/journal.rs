//! A stage's journal: what its streams are called, and the manifests in them.

use crate::error::{Call, found};
use crate::server_clock::ServerClock;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogStream;
use deployer_core::manifest::Manifest;
use deployer_core::operations::Operation;
use deployer_engine::cloud::JournalStreams;
use deployer_engine::error::CloudError;
use std::collections::BTreeMap;

/// All streams, with the service's clock as it was when the first of them were
/// listed.
pub(super) async fn list(
    logs: &Client,
    journal: &str,
) -> Result<Option<JournalStreams>, CloudError> {
    let call = Call::new(Operation::DescribeLogStreams, journal);
    let clock = ServerClock::default();
    let mut listed_at_ms = None;
    let mut streams = BTreeMap::new();
    let mut token = None;
    loop {
        let request = logs.describe_log_streams().log_group_name(journal);
        let answer = request
            .set_next_token(token.take())
            .customize()
            .interceptor(clock.clone())
            .send()
            .await
            .map_err(|error| call.error(error));
        let Some(page) = found(answer)? else {
            return Ok(None);
        };
        listed_at_ms = listed_at_ms.or_else(|| clock.last_ms());
        token = page.next_token;
        for stream in page.log_streams.into_iter().flatten() {
            if let Some(name) = stream.log_stream_name {
                streams.insert(name, stream.creation_time);
            }
        }
        if token.is_none() {
            return Ok(Some(JournalStreams {
                listed_at_ms,
                streams,
            }));
        }
    }
}

/// The names of a log group's streams that begin with `prefix`.
pub(crate) async fn streams(
    logs: &Client,
    log_group: &str,
    prefix: &str,
) -> Result<Vec<String>, CloudError> {
    let call = Call::new(Operation::DescribeLogStreams, log_group);
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
pub(super) async fn manifest(
    logs: &Client,
    journal: &str,
    stream: &str,
) -> Result<Option<Manifest>, CloudError> {
    let call = Call::new(Operation::GetLogEvents, journal);
    let answer = logs
        .get_log_events()
        .log_group_name(journal)
        .log_stream_name(stream)
        .start_from_head(true)
        .limit(1)
        .send()
        .await;
    let Some(output) = found(answer.map_err(|error| call.error(error)))? else {
        return Ok(None);
    };
    Ok(output
        .events()
        .first()
        .and_then(|event| serde_json::from_str(event.message()?).ok()))
}
