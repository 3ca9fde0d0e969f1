//! Invoke.

use crate::connect::Cloud;
use crate::error::Call;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::types::{InvocationType, LogType};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use deployer_core::operations::Operation;
use deployer_engine::error::CloudError;
use deployer_engine::invoke::{Invocation, Invoked, Invoker};
use std::time::Duration;

/// A function may take up to 15 minutes to answer, and a moment to start.
const READ_TIMEOUT: Duration = Duration::from_secs(15 * 60 + 30);

impl Invoker for Cloud {
    async fn invoke(&self, invocation: Invocation<'_>) -> Result<Invoked, CloudError> {
        let Invocation {
            function,
            version,
            event,
            asynchronous,
        } = invocation;
        let resource = format!("{function}:{version}");
        let call = Call::new(Operation::Invoke, &resource);
        let (kind, log) = match asynchronous {
            true => (InvocationType::Event, LogType::None),
            false => (InvocationType::RequestResponse, LogType::Tail),
        };
        let patience = TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build();
        let output = self
            .lambda
            .invoke()
            .function_name(function.as_str())
            .qualifier(version.as_str())
            .invocation_type(kind)
            .log_type(log)
            .payload(event.to_vec().into())
            .customize()
            // What was lost on the way back may have been carried out.
            .config_override(
                Builder::new()
                    .timeout_config(patience)
                    .retry_config(RetryConfig::disabled()),
            )
            .send()
            .await
            .map_err(|error| call.error(error))?;
        let log_tail = output.log_result().unwrap_or_default();
        let log_tail = aws_smithy_types::base64::decode(log_tail).unwrap_or_default();
        Ok(Invoked {
            request_id: output.request_id().map(str::to_owned),
            function_error: output.function_error,
            payload: output.payload.map(|it| it.into_inner()).unwrap_or_default(),
            log_tail: String::from_utf8_lossy(&log_tail).into_owned(),
        })
    }
}
