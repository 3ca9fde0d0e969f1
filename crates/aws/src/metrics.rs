//! CloudWatch's metrics: one call, GetMetricData, in awsJson1.0, written, signed and read
//! here. The SDK's crate for CloudWatch would serve this call alone; its kind takes one to
//! two minutes to compile (`account`). Protocol, target and names of members: the service's
//! model (`targetPrefix`, `jsonVersion`), which has this protocol beside two others.
//!
//! Deliberately absent: attempts beyond the first. Whoever looks at figures goes on
//! without, and looks again.

use crate::connect::Cloud;
use crate::download::body;
use crate::error::{Call, causes};
use crate::probe::connector;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use deployer_core::names::LogGroupName;
use deployer_core::operations::Operation;
use deployer_engine::error::{CloudError, CloudErrorKind};
use deployer_engine::figures::{FigureReader, MetricQuery};
use deployer_engine::logs::LogPage;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// What CloudWatch is called in a signature, and in its host's name.
const SERVICE: &str = "monitoring";
const TARGET: &str = "GraniteServiceVersion20100801.GetMetricData";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
/// For the whole answer.
const DEADLINE: Duration = Duration::from_secs(20);
/// Of the answer: 500 metrics of an hour have less than 2 MB.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// Pages of one answer. A page has 100,800 points.
const PAGES: usize = 10;

/// Where CloudWatch is, and by whose name it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Monitoring {
    url: String,
    region: String,
    credentials: SharedCredentialsProvider,
    time: SharedTimeSource,
}

impl Monitoring {
    /// As the clients are, which are made of this configuration.
    pub(crate) fn new(config: &SdkConfig, credentials: SharedCredentialsProvider) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let suffix = match region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        let url = match config.endpoint_url() {
            Some(url) => format!("{}/", url.trim_end_matches('/')),
            None => format!("https://{SERVICE}.{region}.{suffix}/"),
        };
        let time = config.time_source();
        Self {
            url,
            region,
            credentials,
            time: time.unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
        }
    }

    /// The request with this body, signed now.
    async fn request(&self, body: &str) -> Result<HttpRequest, String> {
        let text = |error: &dyn std::error::Error| causes(error);
        let credentials = self.credentials.provide_credentials().await;
        let identity = credentials.map_err(|error| text(&error))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(self.time.now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| text(&error))?
            .into();
        let uri: http::Uri = self.url.parse().map_err(|error| text(&error))?;
        let host = uri.authority().map(|it| it.as_str()).unwrap_or_default();
        let headers = [
            ("host", host),
            ("content-type", CONTENT_TYPE),
            ("x-amz-target", TARGET),
        ];
        let signable = SignableRequest::new(
            "POST",
            self.url.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signable = signable.map_err(|error| text(&error))?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| text(&error))?
            .into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|error| text(&error))?;
        request
            .set_uri(self.url.as_str())
            .map_err(|error| text(&error))?;
        let added = instructions.headers();
        for (name, value) in headers.into_iter().chain(added) {
            let (name, value) = (name.to_owned(), value.to_owned());
            request.headers_mut().insert(name, value);
        }
        let length = body.len().to_string();
        request.headers_mut().insert("content-length", length);
        Ok(request)
    }
}

impl Cloud {
    async fn get_metric_data(&self, input: &Value) -> Result<Value, CloudError> {
        let call = Call::new(Operation::GetMetricData, "");
        let failed = |kind, message: String| CloudError {
            kind,
            message,
            ..call.incomplete("")
        };
        let request = self.monitoring.request(&input.to_string()).await;
        let request = request.map_err(|error| failed(CloudErrorKind::NotSent, error))?;
        let answered = async {
            let answer = match &self.probes {
                Some(wire) => wire.call(request).await,
                None => connector(&self.monitoring.url).call(request).await,
            };
            let answer = answer.map_err(|error| causes(&error))?;
            let status = answer.status().as_u16();
            let id = answer.headers().get("x-amzn-requestid").map(str::to_owned);
            let body = body(answer, ANSWER_LIMIT).await;
            let body = body.map_err(|_| "an answer that can't be read".to_owned())?;
            Ok::<_, String>((status, id, body))
        };
        let answered = timeout(DEADLINE, answered).await;
        let answered = answered.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (status, request_id, body) =
            answered.map_err(|error| failed(CloudErrorKind::NoAnswer, error))?;
        let said = serde_json::from_slice::<Value>(&body);
        match (status, said) {
            (200, Ok(output)) => Ok(output),
            (_, Ok(said)) => Err(CloudError {
                request_id,
                ..refusal(status, &said, failed)
            }),
            (_, Err(_)) => {
                let message = format!("HTTP status {status} with a body that isn't the service's");
                Err(failed(CloudErrorKind::NoAnswer, message))
            }
        }
    }
}

fn refusal(
    status: u16,
    said: &Value,
    failed: impl Fn(CloudErrorKind, String) -> CloudError,
) -> CloudError {
    let kind = match status {
        501 => CloudErrorKind::Refused,
        500.. => CloudErrorKind::NoAnswer,
        _ => CloudErrorKind::Refused,
    };
    let text = |name: &str| said[name].as_str();
    let message = text("message").or_else(|| text("Message"));
    // It may come with its namespace: `com.amazon.coral.service#AccessDeniedException`.
    let code = text("__type").and_then(|code| code.rsplit('#').next());
    CloudError {
        code: code.map(str::to_owned),
        ..failed(kind, message.unwrap_or_default().to_owned())
    }
}

impl FigureReader for Cloud {
    async fn get_metrics(
        &self,
        queries: &[MetricQuery],
        from: i64,
        to: i64,
    ) -> Result<Vec<Vec<f64>>, CloudError> {
        let described: Vec<Value> = queries.iter().enumerate().map(describe).collect();
        let mut points = vec![Vec::new(); queries.len()];
        let mut token = Value::Null;
        for _ in 0..PAGES {
            let mut input =
                json!({ "MetricDataQueries": described, "StartTime": from, "EndTime": to });
            if token.is_string() {
                input["NextToken"] = token;
            }
            let mut output = self.get_metric_data(&input).await?;
            let results = output["MetricDataResults"].as_array();
            for result in results.into_iter().flatten() {
                let place = result["Id"].as_str().and_then(place_of);
                let values = result["Values"].as_array().into_iter().flatten();
                if let Some(points) = place.and_then(|place| points.get_mut(place)) {
                    points.extend(values.filter_map(Value::as_f64));
                }
            }
            token = output["NextToken"].take();
            if token.is_null() {
                break;
            }
        }
        Ok(points)
    }

    async fn matching_page(
        &self,
        log_group: &LogGroupName,
        pattern: &str,
        from_ms: i64,
        token: Option<String>,
    ) -> Result<LogPage, CloudError> {
        self.filtered(log_group, Some(pattern), from_ms, token)
            .await
    }
}

fn describe((place, query): (usize, &MetricQuery)) -> Value {
    let dimensions = query.dimensions.iter();
    let dimensions: Vec<Value> = dimensions
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect();
    json!({
        "Id": format!("m{place}"),
        "MetricStat": {
            "Metric": {
                "Namespace": query.namespace,
                "MetricName": query.name,
                "Dimensions": dimensions,
            },
            "Period": query.period,
            "Stat": query.statistic,
        },
        "ReturnData": true,
    })
}

fn place_of(id: &str) -> Option<usize> {
    id.strip_prefix('m')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::Region;
    use aws_credential_types::Credentials;

    fn monitoring(region: &'static str, endpoint: Option<&str>) -> Monitoring {
        let keys = Credentials::new("AKIA", "secret", Some("token".to_owned()), None, "test");
        let mut config = SdkConfig::builder().region(Region::from_static(region));
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Monitoring::new(&config.build(), SharedCredentialsProvider::new(keys))
    }

    #[test]
    fn each_region_has_a_host_unless_an_endpoint_is_given() {
        let url = |region, endpoint| monitoring(region, endpoint).url;
        let frankfurt = "https://monitoring.eu-central-1.amazonaws.com/";
        assert_eq!(url("eu-central-1", None), frankfurt);
        let beijing = "https://monitoring.cn-north-1.amazonaws.com.cn/";
        assert_eq!(url("cn-north-1", None), beijing);
        let local = "http://127.0.0.1:9100/";
        assert_eq!(url("us-east-1", Some("http://127.0.0.1:9100")), local);
        assert_eq!(url("us-east-1", Some(local)), local);
    }

    #[tokio::test]
    async fn a_request_is_signed_with_its_target_and_the_sessions_token() {
        let request = monitoring("eu-central-1", None)
            .request("{}")
            .await
            .unwrap();
        let header = |name| request.headers().get(name).unwrap_or_default();
        let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
        assert!(
            header("authorization").contains(signed),
            "{}",
            header("authorization")
        );
        assert!(header("authorization").contains("/eu-central-1/monitoring/aws4_request"));
        assert_eq!(header("x-amz-target"), TARGET);
    }

    #[test]
    fn a_refusal_has_its_code_without_the_namespace() {
        let call = Call::new(Operation::GetMetricData, "");
        let failed = |kind, message| CloudError {
            kind,
            message,
            ..call.incomplete("")
        };
        let said = json!({ "__type": "com.amazon.coral.service#AccessDeniedException",
            "Message": "User: me is not authorized to perform: cloudwatch:GetMetricData" });
        let error = refusal(400, &said, failed);
        assert!(error.is("AccessDeniedException") && error.message.contains("User: me"));
        assert_eq!(error.kind, CloudErrorKind::Refused);
        assert_eq!(
            refusal(503, &json!({}), failed).kind,
            CloudErrorKind::NoAnswer
        );
    }
}
