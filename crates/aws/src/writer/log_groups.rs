//! Writes to CloudWatch Logs.

use crate::error::{Call, gone};
use crate::lease::unless_it_exists;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use deployer_core::manifest::{ManifestDraft, ManifestKey};
use deployer_core::names::LogGroupName;
use deployer_core::operations::Operation;
use deployer_core::plan::Action;
use deployer_core::tags::Tags;
use deployer_engine::cloud::{Produced, WriteContext};
use deployer_engine::error::CloudError;

pub(super) async fn perform(
    logs: &Client,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let operation = action.call();
    match action {
        Action::CreateLogGroup { log_group, tags } => create(logs, log_group, tags).await?,
        Action::PutRetentionPolicy { log_group, days } => {
            put_retention(logs, log_group, *days).await?;
        }
        Action::CreateExecutionLogGroup { tags } => {
            create(logs, &execution_log_group(operation, context)?, tags).await?;
        }
        Action::PutExecutionLogRetention { days } => {
            put_retention(logs, &execution_log_group(operation, context)?, *days).await?;
        }
        Action::DeleteLogStream {
            log_group,
            log_stream,
        } => {
            let call = Call::new(operation, log_stream);
            let request = logs.delete_log_stream().log_group_name(log_group.as_str());
            let answer = request.log_stream_name(log_stream).send().await;
            gone(answer.map_err(|error| call.error(error)))?;
        }
        Action::RecordRelease {
            journal,
            manifest,
            key,
        } => {
            record(logs, journal.as_str(), manifest, key.as_ref(), context).await?;
        }
        Action::DeleteLogGroup { log_group } => {
            let call = Call::new(operation, log_group.as_str());
            let answer = logs
                .delete_log_group()
                .log_group_name(log_group.as_str())
                .send()
                .await;
            gone(answer.map_err(|error| call.error(error)))?;
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
    Ok(Produced::Nothing)
}

async fn create(logs: &Client, log_group: &LogGroupName, tags: &Tags) -> Result<(), CloudError> {
    let call = Call::new(Operation::CreateLogGroup, log_group.as_str());
    let request = logs.create_log_group().log_group_name(log_group.as_str());
    let tags = Some(tags.clone().into_iter().collect());
    let answer = request.set_tags(tags).send().await;
    // Reads may lag behind: what a moment ago wasn't there may be, made with the
    // lease or by an `up` that was interrupted. The plan refused what wasn't ours.
    unless_it_exists(answer.map_err(|error| call.error(error)))?;
    Ok(())
}

async fn put_retention(
    logs: &Client,
    log_group: &LogGroupName,
    days: u32,
) -> Result<(), CloudError> {
    let call = Call::new(Operation::PutRetentionPolicy, log_group.as_str());
    logs.put_retention_policy()
        .log_group_name(log_group.as_str())
        .retention_in_days(i32::try_from(days).unwrap_or(i32::MAX))
        .send()
        .await
        .map_err(|error| call.error(error))?;
    Ok(())
}

/// The group that API Gateway uses for this stage.
fn execution_log_group(
    operation: Operation,
    context: &WriteContext<'_>,
) -> Result<LogGroupName, CloudError> {
    let call = Call::new(operation, "");
    let api_id = context.bindings.api_id.as_ref();
    let api_id = api_id.ok_or_else(|| call.incomplete("id of the API"))?;
    Ok(context.names.execution_log_group(api_id))
}

/// One event in a stream of its own. Written twice, it says the same twice; the
/// first one is read.
async fn record(
    logs: &Client,
    journal: &str,
    draft: &ManifestDraft,
    key: Option<&ManifestKey>,
    context: &WriteContext<'_>,
) -> Result<(), CloudError> {
    let call = Call::new(Operation::PutLogEvents, journal);
    let manifest = draft.complete(&context.bindings.versions);
    let manifest = manifest.ok_or_else(|| call.incomplete("version of a function"))?;
    let text = serde_json::to_string(&manifest).map_err(|_| call.incomplete("manifest"))?;
    let event = InputLogEvent::builder()
        .timestamp(now_ms(logs))
        .message(text)
        .build();
    let event = event.map_err(|_| call.incomplete("event"))?;
    let stream = match key {
        Some(key) => key.stream(),
        None => manifest.key().stream(),
    };
    let create = Call::new(Operation::CreateLogStream, &stream);
    let request = logs
        .create_log_stream()
        .log_group_name(journal)
        .log_stream_name(&stream);
    unless_it_exists(request.send().await.map_err(|error| create.error(error)))?;
    let request = logs
        .put_log_events()
        .log_group_name(journal)
        .log_stream_name(&stream);
    request
        .log_events(event)
        .send()
        .await
        .map_err(|error| call.error(error))?;
    Ok(())
}

/// CloudWatch Logs refuses events without a recent time. The clients' clock: a
/// simulation has one of its own.
fn now_ms(logs: &Client) -> i64 {
    let clock = logs.config().time_source().unwrap_or_default();
    let now = clock.now().duration_since(std::time::UNIX_EPOCH);
    now.ok()
        .and_then(|now| i64::try_from(now.as_millis()).ok())
        .unwrap_or_default()
}
