//! [`Relay`] over Lambda: asynchronous invocations of this function's own version, so
//! that a release tells with one version alone.

use crate::environment::{Environment, MissingVariable};
use crate::split::{Chunk, Relay};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Of one attempt: Lambda only queues the event.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// A part that is taken twice is told once: its progress says so.
const ATTEMPTS: u32 = 3;

/// Invokes this function's version.
#[derive(Debug)]
pub struct LambdaRelay {
    client: Client,
    function: String,
    version: String,
}

impl LambdaRelay {
    /// As the environment says.
    ///
    /// # Errors
    /// Names the variable that is not set or empty.
    pub fn new(environment: &Environment) -> Result<Self, MissingVariable> {
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut config = environment
            .clients()?
            .retry_config(retries)
            .timeout_config(timeouts);
        config.set_endpoint_url(environment.endpoint("LAMBDA"));
        Ok(Self {
            client: Client::new(&config.build()),
            function: environment.required("AWS_LAMBDA_FUNCTION_NAME")?,
            version: environment.required("AWS_LAMBDA_FUNCTION_VERSION")?,
        })
    }
}

impl Relay for LambdaRelay {
    fn splits(&self) -> bool {
        true
    }

    async fn relay(&self, chunk: &Chunk) -> Result<(), String> {
        let payload = serde_json::to_vec(chunk).map_err(|error| error.to_string())?;
        let call = self.client.invoke().function_name(&self.function);
        let call = call
            .qualifier(&self.version)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(payload));
        let sent = call.send().await;
        sent.map_err(|error| DisplayErrorContext(error).to_string())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
