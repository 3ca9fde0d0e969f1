//! [`Post`] over the `@connections` API of API Gateway.
//!
//! One attempt a post: [`fan_out`](crate::fan_out) tries again, and says when.

use crate::endpoint::{endpoint_url, stage_url};
use crate::environment::{Environment, MissingVariable};
use crate::event::{Event, EventError};
use crate::post::{Post, PostError};
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_types::SdkConfig;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::iter::successors;
use std::time::Duration;

/// Of reaching the gateway. The answer's timeout is the fan-out's, as are retries:
/// a post that is to be tried again must not hold a place that others need.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Addresses with a client of their own: an API has its execute-api domain and
/// perhaps custom ones. At one more, all are built anew.
const CLIENTS: usize = 8;

const HTTP_GONE: u16 = 410;
const HTTP_TOO_MANY: u16 = 429;

/// Reaches the connections of whatever address an event came from, with one
/// client an address.
#[derive(Debug)]
pub struct Gateway {
    config: SdkConfig,
    clients: RefCell<BTreeMap<String, Client>>,
}

impl Gateway {
    /// With the region and credentials that the environment says.
    ///
    /// # Errors
    /// Names the variable that is not set or empty.
    pub fn new(environment: &Environment) -> Result<Self, MissingVariable> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let config = environment
            .clients()?
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        Ok(Self {
            config: config.build(),
            clients: RefCell::default(),
        })
    }

    /// The connections of the API and stage an event came from.
    ///
    /// # Errors
    /// When the event does not say where it came from.
    pub fn at(&self, event: &Event) -> Result<Connections, EventError> {
        Ok(self.connections(endpoint_url(event)?))
    }

    /// The connections of an API's domain and stage.
    pub fn of_stage(&self, domain_name: &str, stage: &str) -> Connections {
        self.connections(stage_url(domain_name, stage))
    }

    fn connections(&self, url: String) -> Connections {
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= CLIENTS && !clients.contains_key(&url) {
            clients.clear();
        }
        let client = clients.entry(url);
        let client = client.or_insert_with_key(|url| self.client(url));
        Connections(client.clone())
    }

    fn client(&self, url: &str) -> Client {
        let config = Builder::from(&self.config).endpoint_url(url).build();
        Client::from_conf(config)
    }
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
        return PostError::Passing(causes.join(": "));
    };
    // The status decides, not the code: 410 comes without one now and then.
    match response.status().as_u16() {
        HTTP_GONE => PostError::Gone,
        status => {
            let code = error.code().unwrap_or("without an error code");
            let message = error.message().unwrap_or_default();
            let told = format!("HTTP {status} {code} {message}");
            let told = told.trim_end().to_owned();
            match status {
                HTTP_TOO_MANY => PostError::Throttled(told),
                500.. => PostError::Passing(told),
                _ => PostError::Other(told),
            }
        }
    }
}

#[cfg(test)]
mod tests;
