//! Asking the services: one signed POST for each value.
//!
//! Not by the SDK's clients: for the one call a function makes of each, they cost
//! more to build and to ship than signing it.

use crate::answer::{self, Answer};
use crate::error::Cause;
use crate::reference::{Reference, Store};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::iter::successors;
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};

/// Of one attempt. Reading twice is harmless.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A secret has at most 64 KiB, which JSON may make six times as much.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Region, credentials and addresses of this function.
pub(crate) struct Client {
    identity: Identity,
    endpoints: BTreeMap<&'static str, String>,
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    pub fn new(variables: &BTreeMap<String, String>) -> Result<Self, Cause> {
        let optional = |name: &str| variables.get(name).filter(|v| !v.is_empty()).cloned();
        let required = |name| optional(name).ok_or(Cause::MissingVariable(name));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            // Lambda replaces a process before its credentials expire.
            None,
            "environment",
        );
        let endpoints = [Store::Parameters, Store::Secrets]
            .map(Store::endpoint_variable)
            .into_iter()
            .filter_map(|name| Some((name, optional(name)?)))
            .collect();
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| Cause::NoAnswer(format!("the platform's certificates: {error}")))?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            identity: credentials.into(),
            endpoints,
            http: Http::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// The value.
    pub async fn get(&self, reference: &Reference) -> Result<String, Cause> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(reference).await {
                Answer::Value(value) => return Ok(value),
                Answer::Wrong(cause) => return Err(cause),
                Answer::Passing(_) => sleep(pause).await,
            }
            pause *= 2;
        }
        match self.attempt(reference).await {
            Answer::Value(value) => Ok(value),
            Answer::Wrong(cause) | Answer::Passing(cause) => Err(cause),
        }
    }

    async fn attempt(&self, reference: &Reference) -> Answer {
        let answer = async {
            let request = self.request(reference).map_err(|error| causes(&*error))?;
            let answer = self.http.request(request).await;
            let answer = answer.map_err(|error| causes(&error))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect();
            let body = body.await.map_err(|error| causes(&*error))?;
            Ok::<_, String>((status, body.to_bytes()))
        };
        match timeout(ATTEMPT_TIMEOUT, answer).await {
            Ok(Ok((status, body))) => answer::read(reference.store, status, &body),
            Ok(Err(why)) => Answer::Passing(Cause::NoAnswer(why)),
            Err(_) => Answer::Passing(Cause::NoAnswer(format!("none within {ATTEMPT_TIMEOUT:?}"))),
        }
    }

    fn request(
        &self,
        reference: &Reference,
    ) -> Result<Request<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
        let store = reference.store;
        let (target, body) = match store {
            Store::Parameters => (
                "AmazonSSM.GetParameter",
                json!({ "Name": reference.arn, "WithDecryption": true }),
            ),
            Store::Secrets => (
                "secretsmanager.GetSecretValue",
                json!({ "SecretId": reference.arn }),
            ),
        };
        let body = body.to_string();
        let own = || reference.endpoint();
        let endpoint = self.endpoints.get(store.endpoint_variable());
        let uri = format!(
            "{}/",
            endpoint.cloned().unwrap_or_else(own).trim_end_matches('/')
        );
        let host = uri.parse::<http::Uri>()?;
        let host = host
            .authority()
            .ok_or("the address has no host")?
            .to_string();
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&reference.region)
            .name(store.name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            uri.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::post(&uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Full::new(Bytes::from(body)))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// An error with its causes.
fn causes(error: &(dyn Error + 'static)) -> String {
    let all = successors(Some(error), |cause| (*cause).source());
    let all: Vec<String> = all.map(ToString::to_string).collect();
    all.join(": ")
}
