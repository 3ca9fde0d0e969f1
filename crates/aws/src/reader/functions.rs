//! Lambda functions with their versions.

use crate::error::{Call, found};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    FunctionConfiguration as Sdk, LastUpdateStatus, LogFormat as SdkLogFormat, State,
};
use deployer_core::desired::{FunctionCode, FunctionConfiguration};
use deployer_core::existing::ExistingFunction;
use deployer_core::facilities::{
    ApplicationLogLevel, DEFAULT_STORAGE_MB, Facilities, Logging, SystemLogLevel, Tracing,
};
use deployer_core::names::{CodeSha256, FunctionName, FunctionVersion};
use deployer_core::observed::{FunctionState, VersionState};
use deployer_core::operations::Operation;
use deployer_core::tags::Tags;
use deployer_engine::cloud::{CodeLocation, PublishedCode, Readiness};
use deployer_engine::error::CloudError;

/// Lambda has no filter by name: it lists all of the account and region, 50 a page.
pub(super) async fn list(lambda: &Client, prefix: &str) -> Result<Vec<FunctionName>, CloudError> {
    let call = Call::new(Operation::ListFunctions, prefix);
    let functions: Result<Vec<Sdk>, _> = lambda
        .list_functions()
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let functions = functions.map_err(|error| call.error(error))?;
    let names = functions.iter().filter_map(Sdk::function_name);
    Ok(names
        .filter(|name| name.starts_with(prefix))
        .map(FunctionName::new)
        .collect())
}

pub(super) async fn find(lambda: &Client, name: &str) -> Result<Option<FunctionState>, CloudError> {
    found(get(lambda, name).await)
}

/// The tags of a function that is there, and what of it is named, too.
pub(super) async fn find_existing(
    lambda: &Client,
    function: &ExistingFunction,
) -> Result<Option<Tags>, CloudError> {
    let name = function.name.as_str();
    let Some(output) = found(get_with_tags(lambda, name).await)? else {
        return Ok(None);
    };
    let tags = super::sorted(output.tags());
    let Some(qualifier) = &function.qualifier else {
        return Ok(Some(tags));
    };
    let call = Call::new(Operation::GetFunction, name);
    let request = lambda.get_function().function_name(name);
    let answer = request.qualifier(qualifier).send().await;
    let named = found(answer.map_err(|error| call.error(error)))?;
    Ok(named.map(|_| tags))
}

/// A function as it is called by its name alone.
async fn get_with_tags(lambda: &Client, name: &str) -> Result<GetFunctionOutput, CloudError> {
    let call = Call::new(Operation::GetFunction, name);
    let answer = lambda.get_function().function_name(name).send().await;
    let output = answer.map_err(|error| call.error(error))?;
    // Who may not list them gets no tags and no error: the function would look like
    // somebody else's.
    match output.tags_error() {
        Some(error) => Err(call.refused(error.error_code(), error.message())),
        None => Ok(output),
    }
}

async fn get(lambda: &Client, name: &str) -> Result<FunctionState, CloudError> {
    let call = Call::new(Operation::GetFunction, name);
    let output = get_with_tags(lambda, name).await?;
    let versions = list_versions(lambda, name).await?;
    let configuration = output
        .configuration()
        .ok_or_else(|| call.incomplete("Configuration"))?;
    let reserved = output
        .concurrency()
        .and_then(|c| c.reserved_concurrent_executions());
    Ok(FunctionState {
        tags: super::sorted(output.tags()),
        code: code(configuration),
        configuration: settings(configuration),
        versions,
        reserved_concurrency: reserved.and_then(|count| u32::try_from(count).ok()),
    })
}

async fn list_versions(lambda: &Client, name: &str) -> Result<Vec<VersionState>, CloudError> {
    let call = Call::new(Operation::ListVersionsByFunction, name);
    let versions: Result<Vec<Sdk>, _> = lambda
        .list_versions_by_function()
        .function_name(name)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let versions = versions.map_err(|error| call.error(error))?;
    let mut numbered: Vec<(u64, VersionState)> = versions
        .iter()
        .filter_map(|version| {
            // `$LATEST` isn't a number: it is not a published version.
            let number = version.version()?.parse().ok()?;
            let state = VersionState {
                version: FunctionVersion::new(version.version()?),
                code: code(version),
                configuration: settings(version),
                code_bytes: u64::try_from(version.code_size()).unwrap_or_default(),
                modified: version.last_modified().map(str::to_owned),
            };
            Some((number, state))
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, state)| state).collect())
}

pub(super) async fn find_code(
    lambda: &Client,
    name: &str,
    version: &str,
) -> Result<Option<PublishedCode>, CloudError> {
    let call = Call::new(Operation::GetFunction, name);
    let output = lambda
        .get_function()
        .function_name(name)
        .qualifier(version)
        .send()
        .await
        .map_err(|error| call.error(error));
    let Some(output) = found(output)? else {
        return Ok(None);
    };
    let configuration = output
        .configuration()
        .ok_or_else(|| call.incomplete("Configuration"))?;
    let location = output.code().and_then(|code| code.location());
    let location = location.ok_or_else(|| call.incomplete("Code.Location"))?;
    Ok(Some(PublishedCode {
        code: code(configuration),
        bytes: u64::try_from(configuration.code_size()).unwrap_or_default(),
        location: CodeLocation::new(location),
    }))
}

pub(super) async fn readiness(
    lambda: &Client,
    function: &FunctionName,
    version: Option<&FunctionVersion>,
) -> Result<Readiness, CloudError> {
    let call = Call::new(Operation::GetFunction, function.as_str());
    let output = lambda
        .get_function()
        .function_name(function.as_str())
        .set_qualifier(version.map(ToString::to_string))
        .send()
        .await
        .map_err(|error| call.error(error))?;
    let configuration = output
        .configuration()
        .ok_or_else(|| call.incomplete("Configuration"))?;
    let failed = |reason: Option<&str>, otherwise: &str| {
        Readiness::Failed(reason.unwrap_or(otherwise).to_owned())
    };
    let reasons = (
        configuration.state_reason(),
        configuration.last_update_status_reason(),
    );
    Ok(
        match readiness_of(configuration.state(), configuration.last_update_status()) {
            Readiness::Failed(what) if configuration.state() == Some(&State::Failed) => {
                failed(reasons.0, &what)
            }
            Readiness::Failed(what) => failed(reasons.1, &what),
            other => other,
        },
    )
}

/// What a function's two states mean together.
pub(crate) fn readiness_of(
    state: Option<&State>,
    last_update: Option<&LastUpdateStatus>,
) -> Readiness {
    match (state, last_update) {
        (Some(State::Failed), _) => Readiness::Failed("State is Failed".to_owned()),
        (_, Some(LastUpdateStatus::Failed)) => {
            Readiness::Failed("LastUpdateStatus is Failed".to_owned())
        }
        (_, Some(LastUpdateStatus::InProgress)) => Readiness::Pending("InProgress".to_owned()),
        // `Inactive` functions serve: they only start slowly.
        (None | Some(State::Active | State::Inactive), _) => Readiness::Ready,
        (Some(state), _) => Readiness::Pending(state.as_str().to_owned()),
    }
}

fn code(sdk: &Sdk) -> FunctionCode {
    FunctionCode {
        sha256: CodeSha256::new(sdk.code_sha256().unwrap_or_default()),
        architecture: sdk
            .architectures()
            .first()
            .map_or("x86_64", |a| a.as_str())
            .to_owned(),
    }
}

fn settings(sdk: &Sdk) -> FunctionConfiguration {
    let number = |value: Option<i32>| {
        value
            .and_then(|v| u32::try_from(v).ok())
            .unwrap_or_default()
    };
    let environment = sdk.environment().and_then(|e| e.variables());
    FunctionConfiguration {
        description: sdk.description().unwrap_or_default().to_owned(),
        role_arn: sdk.role().unwrap_or_default().to_owned(),
        runtime: sdk
            .runtime()
            .map_or_else(String::new, |r| r.as_str().to_owned()),
        memory_mb: number(sdk.memory_size()),
        timeout_seconds: number(sdk.timeout()),
        environment: super::sorted(environment),
        facilities: facilities(sdk),
    }
}

/// What an answer doesn't say is as everybody has it.
fn facilities(sdk: &Sdk) -> Facilities {
    let storage = sdk.ephemeral_storage().map(|storage| storage.size());
    let tracing = sdk.tracing_config().and_then(|tracing| tracing.mode());
    Facilities {
        ephemeral_storage_mb: storage
            .and_then(|size| u32::try_from(size).ok())
            .unwrap_or(DEFAULT_STORAGE_MB),
        tracing: tracing
            .and_then(|mode| Tracing::from_aws(mode.as_str()))
            .unwrap_or(Tracing::PassThrough),
        logging: logging(sdk),
    }
}

fn logging(sdk: &Sdk) -> Logging {
    let Some(config) = sdk.logging_config() else {
        return Logging::Text;
    };
    if config.log_format() != Some(&SdkLogFormat::Json) {
        return Logging::Text;
    }
    let application = config.application_log_level().map(|level| level.as_str());
    let system = config.system_log_level().map(|level| level.as_str());
    Logging::Json {
        application: application
            .and_then(ApplicationLogLevel::from_aws)
            .unwrap_or(ApplicationLogLevel::Info),
        system: system
            .and_then(SystemLogLevel::from_aws)
            .unwrap_or(SystemLogLevel::Info),
    }
}
