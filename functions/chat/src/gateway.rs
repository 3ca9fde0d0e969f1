//! [`Post`] over the `@connections` API of API Gateway.
//!
//! Deliberately absent: the SDK's configuration and credential chains. Lambda
//! gives credentials and region in the environment, and looking anywhere else
//! costs size and start-up time. Proxies are absent likewise.

use crate::endpoint::endpoint_url;
use crate::event::{Event, EventError};
use crate::post::{Post, PostError};
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::iter::successors;
use std::time::Duration;

/// Of one post, all attempts and pauses included. There is no timeout of an
/// attempt: a post that timed out may have been delivered, and another attempt
/// would deliver it twice.
const POST_TIMEOUT: Duration = Duration::from_secs(3);
/// Of reaching the gateway, within an attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Retried are throttling, which also means a connection that reads slowly,
/// server errors and connections that Lambda's freezing between events has cut.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// API Gateway drops idle connections after about a minute; one that was idle
/// for longer than this is not tried.
const KEEP_IDLE: Duration = Duration::from_secs(30);
/// Addresses with a client of their own: an API has its execute-api domain and
/// perhaps custom ones. At one more, all are built anew.
const CLIENTS: usize = 8;

const HTTP_GONE: u16 = 410;

/// A variable of the environment that must be set and is not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {0} is not set")]
pub struct MissingVariable(&'static str);

/// Reaches the connections of whatever address an event came from, with one
/// client an address.
#[derive(Debug)]
pub struct Gateway {
    region: Region,
    credentials: Credentials,
    clients: RefCell<BTreeMap<String, Client>>,
}

impl Gateway {
    /// Takes region and credentials from the environment.
    ///
    /// # Errors
    /// Names the variable that is not set or empty.
    pub fn from_env() -> Result<Self, MissingVariable> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), from any source of variables.
    ///
    /// # Errors
    /// Names the variable that is not set or empty.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, MissingVariable> {
        let optional = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| optional(name).ok_or(MissingVariable(name));
        Ok(Self {
            region: Region::new(required("AWS_REGION")?),
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                // Lambda replaces a process before its credentials expire.
                None,
                "environment",
            ),
            clients: RefCell::default(),
        })
    }

    /// The connections of the API and stage an event came from.
    ///
    /// # Errors
    /// When the event does not say where it came from.
    pub fn at(&self, event: &Event) -> Result<Connections, EventError> {
        let url = endpoint_url(event)?;
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= CLIENTS && !clients.contains_key(&url) {
            clients.clear();
        }
        let client = clients.entry(url);
        let client = client.or_insert_with_key(|url| self.client(url));
        Ok(Connections(client.clone()))
    }

    fn client(&self, url: &str) -> Client {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_PAUSE)
            .with_max_backoff(LONGEST_PAUSE);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_timeout(POST_TIMEOUT)
            .build();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .endpoint_url(url)
            .http_client(http_client())
            .retry_config(retries)
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Client::from_conf(config)
    }
}

/// Trusts the platform's certificates, or those that `SSL_CERT_FILE` says instead.
/// They are loaded once, when the first event comes.
fn http_client() -> SharedHttpClient {
    let trust = TrustStore::empty().with_native_roots(true);
    let context = TlsContext::builder().with_trust_store(trust).build();
    aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(KEEP_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.expect("a context without own certificates is valid"))
        .build_https()
}

/// The connections of one API and stage.
#[derive(Debug, Clone)]
pub struct Connections(Client);

impl Post for Connections {
    async fn post(&self, connection_id: &str, text: &str) -> Result<(), PostError> {
        let post = self.0.post_to_connection().connection_id(connection_id);
        match post.data(Blob::new(text)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(post_error(&error)),
        }
    }
}

fn post_error(error: &SdkError<PostToConnectionError>) -> PostError {
    let Some(response) = error.raw_response() else {
        let causes = successors(Some(error as &dyn Error), |cause| (*cause).source());
        let causes: Vec<_> = causes.map(ToString::to_string).collect();
        return PostError::Other(causes.join(": "));
    };
    // The status decides, not the code: 410 comes without one now and then.
    match response.status().as_u16() {
        HTTP_GONE => PostError::Gone,
        status => {
            let code = error.code().unwrap_or("without an error code");
            let message = error.message().unwrap_or_default();
            PostError::Other(
                format!("HTTP {status} {code} {message}")
                    .trim_end()
                    .to_owned(),
            )
        }
    }
}

#[cfg(test)]
mod tests;
