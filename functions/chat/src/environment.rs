//! Where and as whom a function calls AWS: what Lambda says in its environment.
//!
//! Deliberately absent: the SDK's configuration and credential chains. Lambda
//! gives credentials and region in the environment, and looking anywhere else
//! costs size and start-up time. Proxies are absent likewise.

use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{
    self, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// AWS's services drop idle connections after about a minute; one that was idle
/// for longer than this is not tried.
const KEEP_IDLE: Duration = Duration::from_secs(30);

/// A variable of the environment that must be set and is not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {0} is not set")]
pub struct MissingVariable(pub(crate) &'static str);

/// Variables that are set and not empty, and one way to the network for all clients.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: BTreeMap<&'static str, String>,
    http: SharedHttpClient,
}

const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

impl Environment {
    /// This process's.
    pub fn of_process() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// From any source of variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&'static str| Some((*name, variable(name)?));
        let variables = VARIABLES.iter().filter_map(set);
        Self {
            variables: variables.filter(|(_, value)| !value.is_empty()).collect(),
            http: http_client(),
        }
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<String, MissingVariable> {
        self.optional(name).ok_or(MissingVariable(name))
    }

    /// What all clients of AWS's services have in common: where, as whom, by what.
    pub(crate) fn clients(&self) -> Result<sdk_config::Builder, MissingVariable> {
        let credentials = Credentials::new(
            self.required("AWS_ACCESS_KEY_ID")?,
            self.required("AWS_SECRET_ACCESS_KEY")?,
            self.optional("AWS_SESSION_TOKEN"),
            // Lambda replaces a process before its credentials expire.
            None,
            "environment",
        );
        Ok(SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.required("AWS_REGION")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http.clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled()))
    }

    /// Where a service is, unless it is where AWS has it. The service is named as in
    /// `AWS_ENDPOINT_URL_<SERVICE>`.
    #[cfg(any(feature = "dynamodb", feature = "relay"))]
    pub(crate) fn endpoint(&self, service: &str) -> Option<String> {
        let own = self.optional(&format!("AWS_ENDPOINT_URL_{service}"));
        own.or_else(|| self.optional("AWS_ENDPOINT_URL"))
    }
}

/// Trusts the platform's certificates, or those that `SSL_CERT_FILE` says instead.
/// They are loaded once, when the first call is made.
fn http_client() -> SharedHttpClient {
    let trust = TrustStore::empty().with_native_roots(true);
    let context = TlsContext::builder().with_trust_store(trust).build();
    aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(KEEP_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.expect("a context without own certificates is valid"))
        .build_https()
}

#[cfg(all(test, feature = "dynamodb"))]
mod tests {
    use super::Environment;

    #[test]
    fn a_services_own_endpoint_wins_over_the_one_of_all() {
        let with = |set: &'static [(&str, &str)]| {
            Environment::from_variables(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
            .endpoint("DYNAMODB")
        };
        assert_eq!(with(&[]), None);
        let all = with(&[("AWS_ENDPOINT_URL", "http://all")]);
        assert_eq!(all, Some("http://all".into()));
        let both = with(&[
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://own"),
        ]);
        assert_eq!(both, Some("http://own".into()));
    }
}
