//! Signs the handshake of a WebSocket connection whose `$connect` IAM authorizes.
//!
//! Deliberately absent: the connection.

use crate::connect::{Destination, config, reason};
use crate::sign_in::{ConnectError, no_credentials, no_region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use std::time::SystemTime;

/// What API Gateway's endpoints are called in a signature.
const SERVICE: &str = "execute-api";

/// Whose name handshakes are signed with.
#[derive(Debug, Clone)]
pub struct Signer {
    destination: Destination,
    region: String,
    credentials: SharedCredentialsProvider,
}

impl Signer {
    /// Finds region and credentials, as for calls. Sends nothing to the account.
    ///
    /// # Errors
    /// When there is no region or there are no credentials.
    pub async fn new(destination: &Destination) -> Result<Self, ConnectError> {
        let config = config(destination).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(no_region(destination).await);
        };
        let credentials = config
            .credentials_provider()
            .ok_or_else(|| missing("no provider"))?;
        Ok(Self {
            destination: destination.clone(),
            region,
            credentials,
        })
    }

    /// The headers that sign a handshake with this URL (`ws://` or `wss://`) now. They hold
    /// for five minutes.
    ///
    /// # Errors
    /// When the credentials can't be obtained (any more), or the URL is none.
    pub async fn headers(&self, url: &str) -> Result<Vec<(String, String)>, ConnectError> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(error) => return Err(no_credentials(&self.destination, reason(&error)).await),
        };
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| missing(&error.to_string()))?
            .into();
        let url = url.replacen("ws", "http", 1);
        let uri: http::Uri = url
            .parse()
            .map_err(|_| missing("the address to sign is no URL"))?;
        let host = uri.authority().map(|it| it.as_str()).unwrap_or_default();
        let signed = [("host", host)].into_iter();
        let request = SignableRequest::new("GET", url.as_str(), signed, SignableBody::Bytes(&[]));
        let request = request.map_err(|error| missing(&error.to_string()))?;
        let output = sign(request, &parameters).map_err(|error| missing(&error.to_string()))?;
        let (instructions, _) = output.into_parts();
        let pairs = instructions.headers();
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

fn missing(reason: &str) -> ConnectError {
    ConnectError::NoCredentials {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handshake_is_signed_for_its_host_and_the_gateways_service() {
        let destination = Destination::Local {
            endpoint: "http://127.0.0.1:9100".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let signer = Signer::new(&destination).await.expect("it has credentials");
        let url = "wss://a1b2c3.execute-api.eu-central-1.amazonaws.com/alpha?x=1";
        let headers = signer.headers(url).await.expect("it is signed");
        let authorization = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let (_, value) = authorization.expect("a header that signs");
        assert!(
            value.contains("/eu-central-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date"),
            "{value}"
        );
    }
}
