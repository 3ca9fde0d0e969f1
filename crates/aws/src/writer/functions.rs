//! Writes to Lambda.

use super::function_settings as settings;
use crate::error::{Call, gone};
use crate::reader::readiness_of;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, Environment, FunctionCode as SdkCode, Runtime};
use aws_smithy_types::retry::RetryConfig;
use deployer_core::desired::{FunctionCode, FunctionConfiguration, HANDLER};
use deployer_core::names::{FunctionKey, FunctionName, FunctionVersion};
use deployer_core::operations::Operation;
use deployer_core::plan::Action;
use deployer_engine::cloud::{Produced, Readiness, WriteContext};
use deployer_engine::error::CloudError;

pub(super) async fn perform(
    lambda: &Client,
    action: &Action,
    context: &WriteContext<'_>,
) -> Result<Produced, CloudError> {
    let operation = action.call();
    match action {
        Action::CreateFunction {
            key,
            function,
            tags,
        } => {
            let call = Call::new(operation, function.name.as_str());
            let configuration = &function.configuration;
            let created = lambda
                .create_function()
                .function_name(function.name.as_str())
                .description(&configuration.description)
                .role(&configuration.role_arn)
                .runtime(Runtime::from(configuration.runtime.as_str()))
                .handler(HANDLER)
                .memory_size(as_i32(configuration.memory_mb))
                .timeout(as_i32(configuration.timeout_seconds))
                .architectures(Architecture::from(function.code.architecture.as_str()))
                .environment(environment(configuration))
                .ephemeral_storage(settings::storage(call, configuration)?)
                .tracing_config(settings::tracing(configuration))
                .logging_config(settings::logging(configuration, &function.log_group))
                .code(
                    SdkCode::builder()
                        .zip_file(zip(call, key, context)?)
                        .build(),
                )
                .set_tags(Some(tags.clone().into_iter().collect()))
                .publish(true)
                .customize()
                .config_override(
                    aws_sdk_lambda::config::Config::builder().retry_config(RetryConfig::disabled()),
                )
                .send()
                .await
                .map_err(|error| call.error(error))?;
            let ready = readiness_of(created.state(), created.last_update_status());
            version(call, key, created.version(), ready)
        }
        Action::UpdateFunctionConfiguration {
            name,
            configuration,
            ..
        } => {
            let call = Call::new(operation, name.as_str());
            let updated = lambda
                .update_function_configuration()
                .function_name(name.as_str())
                .description(&configuration.description)
                .role(&configuration.role_arn)
                .runtime(Runtime::from(configuration.runtime.as_str()))
                .memory_size(as_i32(configuration.memory_mb))
                .timeout(as_i32(configuration.timeout_seconds))
                .environment(environment(configuration))
                .ephemeral_storage(settings::storage(call, configuration)?)
                .tracing_config(settings::tracing(configuration))
                .logging_config(settings::logging(
                    configuration,
                    &context.names.log_group(name),
                ))
                .send()
                .await
                .map_err(|error| call.error(error))?;
            Ok(Produced::Latest(readiness_of(
                updated.state(),
                updated.last_update_status(),
            )))
        }
        Action::UpdateFunctionCode {
            key,
            name,
            code,
            publish,
        } => {
            let call = Call::new(operation, name.as_str());
            let updated = lambda
                .update_function_code()
                .function_name(name.as_str())
                .architectures(Architecture::from(code.architecture.as_str()))
                .zip_file(zip(call, key, context)?)
                .publish(*publish)
                .send()
                .await
                .map_err(|error| call.error(error))?;
            let ready = readiness_of(updated.state(), updated.last_update_status());
            match (publish, updated.version()) {
                (false, _) => Ok(Produced::Latest(ready)),
                // Where nothing changed, because an answer was lost and the SDK asked
                // again, nothing may have been published either.
                (true, None | Some(LATEST)) => publish_version(lambda, key, name, code).await,
                (true, published) => version(call, key, published, ready),
            }
        }
        Action::PublishVersion { key, name, code } => {
            publish_version(lambda, key, name, code).await
        }
        Action::PutFunctionConcurrency { name, reserved } => {
            let call = Call::new(operation, name.as_str());
            lambda
                .put_function_concurrency()
                .function_name(name.as_str())
                .reserved_concurrent_executions(as_i32(*reserved))
                .send()
                .await
                .map_err(|error| call.error(error))?;
            Ok(Produced::Nothing)
        }
        Action::DeleteFunctionConcurrency { name } => {
            let call = Call::new(operation, name.as_str());
            let answer = lambda
                .delete_function_concurrency()
                .function_name(name.as_str())
                .send()
                .await;
            gone(answer.map_err(|error| call.error(error)))?;
            Ok(Produced::Nothing)
        }
        Action::DeleteVersion { name, version } => {
            let call = Call::new(operation, name.as_str());
            let request = lambda.delete_function().function_name(name.as_str());
            let answer = request.qualifier(version.as_str()).send().await;
            gone(answer.map_err(|error| call.error(error)))?;
            Ok(Produced::Nothing)
        }
        Action::DeleteFunction { name } => {
            let call = Call::new(operation, name.as_str());
            let answer = lambda
                .delete_function()
                .function_name(name.as_str())
                .send()
                .await;
            gone(answer.map_err(|error| call.error(error)))?;
            Ok(Produced::Nothing)
        }
        _ => unreachable!("the writer sends each action to its service"),
    }
}

/// What Lambda calls the version that isn't one.
const LATEST: &str = "$LATEST";

async fn publish_version(
    lambda: &Client,
    key: &FunctionKey,
    name: &FunctionName,
    code: &FunctionCode,
) -> Result<Produced, CloudError> {
    let call = Call::new(Operation::PublishVersion, name.as_str());
    // The guard: if somebody changed `$LATEST` meanwhile, AWS refuses rather than
    // publish code we didn't build.
    let published = lambda
        .publish_version()
        .function_name(name.as_str())
        .code_sha256(code.sha256.as_str())
        .send()
        .await
        .map_err(|error| call.error(error))?;
    let ready = readiness_of(published.state(), published.last_update_status());
    version(call, key, published.version(), ready)
}

fn as_i32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Always sent, even when empty: an absent field means "no change".
fn environment(configuration: &FunctionConfiguration) -> Environment {
    let variables = configuration.environment.clone().into_iter().collect();
    Environment::builder()
        .set_variables(Some(variables))
        .build()
}

fn zip(call: Call<'_>, key: &FunctionKey, context: &WriteContext<'_>) -> Result<Blob, CloudError> {
    let zip = context
        .artifacts
        .get(key)
        .ok_or_else(|| call.incomplete("zip to upload"))?;
    Ok(Blob::new(zip.to_vec()))
}

fn version(
    call: Call<'_>,
    key: &FunctionKey,
    version: Option<&str>,
    ready: Readiness,
) -> Result<Produced, CloudError> {
    let version = version.ok_or_else(|| call.incomplete("Version"))?;
    Ok(Produced::Version(
        key.clone(),
        FunctionVersion::new(version),
        ready,
    ))
}
