//! The clients over another wire than sockets, on another clock than the
//! machine's: the SDK's own serialisation, signing, retries and timeouts, with
//! whoever wants to answer them in-process.
//!
//! Deliberately absent: what answers. Timers are tokio's, so that a paused
//! runtime's virtual time is the clients' too.

use crate::connect::{Cloud, READ_TIMEOUT, retries, sleep};
use crate::layer::Layer;
use crate::metrics::Monitoring;
use crate::unanswered::Unanswered;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_apigatewayv2::config::retry::RetryPartition;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

/// The host that requests are addressed to; nothing resolves it.
const ENDPOINT: &str = "http://wire";

/// An answer that is on its way.
pub type Exchange = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, Broken>> + Send>>;

/// Carries a request there and its answer back.
pub trait Wire: Debug + Send + Sync {
    /// One request. Dropping the future is hanging up: the request may have
    /// arrived.
    fn send(&self, request: http::Request<Bytes>) -> Exchange;
}

/// No answer came: the connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection broke")]
pub struct Broken;

/// The time of the day.
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
}

impl Cloud {
    /// Clients that send everything over `wire`, probes too, and sign and stamp
    /// by `clock`. Each has a budget of retries of its own, as processes have.
    pub fn over(wire: Arc<dyn Wire>, clock: Arc<dyn Clock>, region: &str) -> Self {
        let client = Wired(wire);
        // Whoever answers in-process knows nothing of connections.
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(READ_TIMEOUT)
            .build();
        let unanswered = Unanswered::default();
        let probes = SharedHttpConnector::new(client.clone());
        let credentials = Credentials::new("AKIAWIRE000000000000", "wire", None, None, "wire");
        let credentials = SharedCredentialsProvider::new(credentials);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(ENDPOINT)
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials.clone())
            .http_client(unanswered.clone().around(SharedHttpClient::new(client)))
            .time_source(Clocked(clock))
            .retry_config(retries())
            .timeout_config(timeouts)
            .sleep_impl(sleep())
            .build();
        // The SDK's default budgets are shared by the whole process.
        let budget = || RetryPartition::custom("wire").build();
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(&config)
                        .retry_partition(budget())
                        .build(),
                )
            };
        }
        Self {
            region: region.to_owned(),
            apigateway: client!(aws_sdk_apigatewayv2),
            dynamodb: client!(aws_sdk_dynamodb),
            iam: client!(aws_sdk_iam),
            lambda: client!(aws_sdk_lambda),
            logs: client!(aws_sdk_cloudwatchlogs),
            sts: client!(aws_sdk_sts),
            monitoring: Monitoring::new(&config, credentials),
            unanswered,
            probes: Some(probes),
        }
    }
}

#[derive(Debug, Clone)]
struct Wired(Arc<dyn Wire>);

impl HttpClient for Wired {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wired {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(request) = in_memory(request) else {
            let why = "a request that isn't plain HTTP with a body in memory";
            return HttpConnectorFuture::ready(Err(ConnectorError::user(why.into())));
        };
        let exchange = self.0.send(request);
        HttpConnectorFuture::new(async move {
            let answer = exchange
                .await
                .map_err(|broken| ConnectorError::io(broken.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn in_memory(request: HttpRequest) -> Option<http::Request<Bytes>> {
    let (parts, body) = request.try_into_http1x().ok()?.into_parts();
    let body = Bytes::copy_from_slice(body.bytes()?);
    Some(http::Request::from_parts(parts, body))
}

#[derive(Debug)]
struct Clocked(Arc<dyn Clock>);

impl TimeSource for Clocked {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}
