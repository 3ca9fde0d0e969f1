//! A plain GET on a stage's endpoint: tells whether it is live without running
//! `$connect`.

use crate::connect::Cloud;
use crate::error::causes;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use deployer_engine::error::{CloudError, CloudErrorKind};
use std::time::Duration;
use tokio::time::timeout;

/// For connecting, and again for the answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

impl Cloud {
    /// The status with which `url` (`ws://` or `wss://`) answers.
    pub(crate) async fn get_status(&self, url: &str) -> Result<u16, CloudError> {
        let no_answer = |message: String| CloudError {
            service: "execute-api",
            operation: "GET".to_owned(),
            resource: url.to_owned(),
            kind: CloudErrorKind::NoAnswer,
            code: None,
            message,
            request_id: None,
        };
        let request =
            HttpRequest::get(http_url(url)).map_err(|error| no_answer(error.to_string()))?;
        let answer = match &self.probes {
            Some(wire) => wire.call(request),
            None => connector(url).call(request),
        };
        let response = timeout(PROBE_TIMEOUT * 2, answer)
            .await
            .map_err(|_| no_answer("no answer in time".to_owned()))?
            .map_err(|error| no_answer(causes(&error)))?;
        Ok(response.status().as_u16())
    }
}

/// Plain for the local cloud's `ws://` and `http://`, else TLS with the platform's roots.
pub(crate) fn connector(url: &str) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(PROBE_TIMEOUT)
        .read_timeout(PROBE_TIMEOUT)
        .build();
    let builder = Connector::builder()
        .connector_settings(settings)
        .sleep_impl(crate::connect::sleep());
    match url.starts_with("ws://") || url.starts_with("http://") {
        true => builder.build_http(),
        false => builder
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build(),
    }
}

/// The URL that a plain GET goes to.
fn http_url(url: &str) -> String {
    match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
        (Some(rest), _) => format!("http://{rest}"),
        (_, Some(rest)) => format!("https://{rest}"),
        (None, None) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scheme_is_changed() {
        assert_eq!(
            http_url("ws://127.0.0.1:9100/a/ws"),
            "http://127.0.0.1:9100/a/ws"
        );
        assert_eq!(
            http_url("wss://a.amazonaws.com/alpha"),
            "https://a.amazonaws.com/alpha"
        );
        assert_eq!(
            http_url("http://a.amazonaws.com/b"),
            "http://a.amazonaws.com/b"
        );
    }
}
