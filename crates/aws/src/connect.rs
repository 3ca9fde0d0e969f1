//! Clients for one account and region, or for the local cloud.

use crate::layer::Layer;
use crate::limiter::Limiter;
use crate::metrics::Monitoring;
use crate::sign_in::{ConnectError, no_credentials, no_region};
use crate::unanswered::Unanswered;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::time::Duration;

/// Attempts for reads and idempotent writes, the first included.
const ATTEMPTS: u32 = 4;
/// Largest first pause before another attempt on the local cloud: it is near, and
/// never busy for long. AWS gets the SDK's own, a second.
const LOCAL_BACKOFF: Duration = Duration::from_millis(20);
/// Until a connection is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From sending to the answer's beginning. The longest is the upload of a 50 MB
/// zip. Waiting for its turn (`limiter`) doesn't count.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a stage lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The local cloud.
    Local {
        /// E.g. `http://127.0.0.1:9100`.
        endpoint: String,
        /// The region it plays.
        region: String,
    },
    /// AWS.
    Aws {
        /// `None`: the environment's or profile's.
        region: Option<String>,
        /// `None`: the default chain.
        profile: Option<String>,
    },
}

/// Clients for one account and region.
#[derive(Debug, Clone)]
pub struct Cloud {
    pub(crate) region: String,
    pub(crate) apigateway: aws_sdk_apigatewayv2::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) monitoring: Monitoring,
    /// Of all the clients.
    pub(crate) unanswered: Unanswered,
    /// What carries the probe; `None`: a connector of its own.
    pub(crate) probes: Option<SharedHttpConnector>,
}

impl Cloud {
    /// Where it is.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Finds region and credentials and makes the clients, which keep the pace of
    /// `limiter` on AWS. Sends nothing to the account; the credential chain may ask
    /// its own sources.
    ///
    /// # Errors
    /// When there is no region or there are no credentials.
    pub async fn connect(
        destination: &Destination,
        limiter: &Limiter,
    ) -> Result<Self, ConnectError> {
        let config = config(destination).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(no_region(destination).await);
        };
        let Some(credentials) = config.credentials_provider() else {
            return Err(no_credentials(destination, "no provider".to_owned()).await);
        };
        if let Err(error) = credentials.provide_credentials().await {
            return Err(no_credentials(destination, reason(&error)).await);
        }
        let unanswered = Unanswered::default();
        let layered = |service| {
            let Some(http) = config.http_client() else {
                return config.clone();
            };
            // Innermost: a call that waits for its turn isn't on its way.
            let mut http = unanswered.clone().around(http);
            if let Destination::Aws { profile, .. } = destination {
                let place = format!("{}/{region}", profile.as_deref().unwrap_or_default());
                http = limiter.pace(http, service, &place);
            }
            config.to_builder().http_client(http).build()
        };
        Ok(Self {
            apigateway: aws_sdk_apigatewayv2::Client::new(&layered("apigateway")),
            dynamodb: aws_sdk_dynamodb::Client::new(&layered("dynamodb")),
            iam: aws_sdk_iam::Client::new(&layered("iam")),
            lambda: aws_sdk_lambda::Client::new(&layered("lambda")),
            logs: aws_sdk_cloudwatchlogs::Client::new(&layered("logs")),
            sts: aws_sdk_sts::Client::new(&config),
            monitoring: Monitoring::new(&config, credentials),
            unanswered,
            probes: None,
            region,
        })
    }
}

/// How the place is reached, with a region if there is one.
pub(crate) async fn config(destination: &Destination) -> SdkConfig {
    match destination {
        Destination::Local { endpoint, region } => local(endpoint, region),
        Destination::Aws { region, profile } => aws(region.as_deref(), profile.as_deref()).await,
    }
}

/// Nothing of the environment counts: a developer's AWS profile must never make
/// the local stage talk to AWS.
fn local(endpoint: &str, region: &str) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let credentials = Credentials::new("AKIALOCALCLOUDUSER00", "local", None, None, "local cloud");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .retry_config(retries().with_initial_backoff(LOCAL_BACKOFF))
        .timeout_config(timeouts())
        .sleep_impl(sleep())
        .build()
}

async fn aws(region: Option<&str>, profile: Option<&str>) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(retries())
        .stalled_stream_protection(stalls())
        .timeout_config(timeouts());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

pub(crate) fn sleep() -> aws_sdk_apigatewayv2::config::SharedAsyncSleep {
    aws_sdk_apigatewayv2::config::SharedAsyncSleep::new(
        aws_smithy_async::rt::sleep::TokioSleep::new(),
    )
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build()
}

/// An upload that waits for its turn (`limiter`) looks stalled to the SDK; the read
/// timeout ends those that are.
pub(crate) fn stalls() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .build()
}

/// The innermost cause says what to mend; the outer ones only that it failed.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    reason
}
