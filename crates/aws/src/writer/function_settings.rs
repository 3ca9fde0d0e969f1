//! Disk, traces and logs of a function for the SDK. Always all of it, defaults
//! too: an absent field means "no change".

use crate::error::Call;
use aws_sdk_lambda::types::{
    ApplicationLogLevel, EphemeralStorage, LogFormat, LoggingConfig, SystemLogLevel, TracingConfig,
    TracingMode,
};
use deployer_core::desired::FunctionConfiguration;
use deployer_core::names::LogGroupName;
use deployer_engine::error::CloudError;

pub(super) fn storage(
    call: Call<'_>,
    configuration: &FunctionConfiguration,
) -> Result<EphemeralStorage, CloudError> {
    let size = configuration.facilities.ephemeral_storage_mb;
    EphemeralStorage::builder()
        .size(i32::try_from(size).unwrap_or(i32::MAX))
        .build()
        .map_err(|_| call.incomplete("size of the storage"))
}

pub(super) fn tracing(configuration: &FunctionConfiguration) -> TracingConfig {
    let mode = configuration.facilities.tracing.as_aws();
    TracingConfig::builder()
        .mode(TracingMode::from(mode))
        .build()
}

/// Levels go with JSON only: Lambda refuses them with text, and forgets them when
/// the format becomes text.
pub(super) fn logging(
    configuration: &FunctionConfiguration,
    log_group: &LogGroupName,
) -> LoggingConfig {
    let logging = configuration.facilities.logging;
    let application = logging.application().map(|level| level.as_aws());
    let system = logging.system().map(|level| level.as_aws());
    LoggingConfig::builder()
        .log_format(LogFormat::from(logging.format().as_aws()))
        .set_application_log_level(application.map(ApplicationLogLevel::from))
        .set_system_log_level(system.map(SystemLogLevel::from))
        .log_group(log_group.as_str())
        .build()
}
