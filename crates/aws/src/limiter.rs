//! The pace at which a service may be called: a token bucket for each quota,
//! shared by all stages of one run, through which every attempt goes, retries
//! included.
//!
//! Quotas belong to an account and region; which account a profile leads to isn't
//! known before the first call, so stages share a pace when they share profile
//! and region. Where that is too little (another process, another profile of the
//! same account), the service throttles, and back-off does the rest.
//!
//! Deliberately absent: a pace for the local cloud, which has no quotas.

use crate::layer::{Layer, reads};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What a quota counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Quota {
    ApiGateway,
    CreateDeployment,
    Lambda,
    GetFunction,
    /// Writes; of a quota on reads nothing is known.
    Iam,
    /// An operation of CloudWatch Logs.
    Logs(String),
}

impl Quota {
    /// Calls, per how long, and how many at once. API Gateway and Lambda as on
    /// their quota pages; IAM's and the operations' of Logs are assumptions. A little
    /// slower than allowed: calls don't all take the same time to get there.
    fn rate(&self) -> (u32, Duration, u32) {
        let second = Duration::from_millis(1_020);
        match self {
            Self::ApiGateway => (10, second, 40),
            Self::CreateDeployment => (1, Duration::from_millis(5_200), 1),
            Self::Lambda | Self::Iam => (15, second, 15),
            Self::GetFunction => (100, second, 100),
            Self::Logs(_) => (10, second, 10),
        }
    }
}

/// The quotas a request counts towards.
fn quotas_of(service: &'static str, request: &HttpRequest) -> Vec<Quota> {
    let path = request.uri().split('?').next().unwrap_or_default();
    match service {
        "apigateway" if request.method() == "POST" && path.ends_with("/deployments") => {
            vec![Quota::CreateDeployment, Quota::ApiGateway]
        }
        "apigateway" => vec![Quota::ApiGateway],
        "lambda" if request.method() == "GET" && is_get_function(path) => {
            vec![Quota::GetFunction]
        }
        "lambda" => vec![Quota::Lambda],
        "iam" if reads(request) => Vec::new(),
        "iam" => vec![Quota::Iam],
        "logs" => {
            let operation = request.headers().get("x-amz-target").unwrap_or_default();
            vec![Quota::Logs(operation.to_owned())]
        }
        _ => Vec::new(),
    }
}

/// `…/functions/{name}`, with nothing behind it.
fn is_get_function(path: &str) -> bool {
    path.split_once("/functions/")
        .is_some_and(|(_, name)| !name.is_empty() && !name.contains('/'))
}

/// When the next call may be sent, as a virtual schedule.
#[derive(Debug)]
struct Bucket {
    interval: Duration,
    ahead: Duration,
    /// When the bucket would be full again.
    full_at: Instant,
}

impl Bucket {
    fn new(quota: &Quota, now: Instant) -> Self {
        let (calls, per, burst) = quota.rate();
        let interval = per / calls;
        Self {
            interval,
            ahead: interval * burst.saturating_sub(1),
            full_at: now,
        }
    }

    /// Takes a place in the schedule; when it is.
    fn take(&mut self, now: Instant) -> Instant {
        let from = self.full_at.max(now);
        self.full_at = from + self.interval;
        from.checked_sub(self.ahead).unwrap_or(now).max(now)
    }
}

type Buckets = Arc<Mutex<HashMap<(String, Quota), Bucket>>>;

/// The pace of all stages of one run.
#[derive(Debug, Clone, Default)]
pub struct Limiter(Buckets);

impl Limiter {
    /// A client of one service that keeps the pace. `place` is what the quotas
    /// belong to, as far as it is known: profile and region.
    pub(crate) fn pace(
        &self,
        client: SharedHttpClient,
        service: &'static str,
        place: &str,
    ) -> SharedHttpClient {
        let pace = Pace {
            buckets: self.0.clone(),
            service,
            place: place.to_owned(),
        };
        pace.around(client)
    }
}

#[derive(Debug, Clone)]
struct Pace {
    buckets: Buckets,
    service: &'static str,
    place: String,
}

impl Pace {
    async fn admit(&self, quotas: Vec<Quota>) {
        for quota in quotas {
            let at = {
                let now = Instant::now();
                let mut buckets = self.buckets.lock().expect("no holder of the lock panics");
                let bucket = Bucket::new(&quota, now);
                buckets
                    .entry((self.place.clone(), quota))
                    .or_insert(bucket)
                    .take(now)
            };
            sleep_until(at).await;
        }
    }
}

impl Layer for Pace {
    fn call(&self, next: SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let pace = self.clone();
        let quotas = quotas_of(pace.service, &request);
        HttpConnectorFuture::new(async move {
            pace.admit(quotas).await;
            next.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use aws_smithy_async::time::TimeSource;
    use aws_smithy_runtime_api::client::http::http_client_fn;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;
    use futures_util::future::join_all;
    use std::time::SystemTime;

    fn pace(limiter: &Limiter, place: &str) -> Pace {
        Pace {
            buckets: limiter.0.clone(),
            service: "apigateway",
            place: place.to_owned(),
        }
    }

    async fn calls(pace: &Pace, quota: Quota, count: usize) -> Duration {
        let started = Instant::now();
        join_all((0..count).map(|_| pace.admit(vec![quota.clone()]))).await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_quotas_rate() {
        let limiter = Limiter::default();
        let pace = pace(&limiter, "a");
        assert_eq!(calls(&pace, Quota::ApiGateway, 40).await, Duration::ZERO);
        let took = calls(&pace, Quota::ApiGateway, 20).await;
        assert!((1_950..=2_150).contains(&took.as_millis()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn stages_of_one_place_share_a_pace_and_others_do_not() {
        let limiter = Limiter::default();
        let (one, same, other) = (
            pace(&limiter, "a"),
            pace(&limiter, "a"),
            pace(&limiter, "b"),
        );
        assert_eq!(
            calls(&one, Quota::CreateDeployment, 1).await,
            Duration::ZERO
        );
        assert_eq!(
            calls(&other, Quota::CreateDeployment, 1).await,
            Duration::ZERO
        );
        let took = calls(&same, Quota::CreateDeployment, 2).await;
        assert!((10_300..=10_500).contains(&took.as_millis()), "{took:?}");
    }

    #[test]
    fn requests_count_towards_the_quotas_of_their_operation() {
        let request = |method: &str, uri: &str| {
            let mut request = HttpRequest::empty();
            request.set_method(method).unwrap();
            request.set_uri(uri).unwrap();
            request
        };
        let api = "https://apigateway.us-east-1.amazonaws.com/v2/apis/a1/deployments";
        assert_eq!(
            quotas_of("apigateway", &request("POST", api)),
            [Quota::CreateDeployment, Quota::ApiGateway]
        );
        assert_eq!(
            quotas_of("apigateway", &request("GET", api)),
            [Quota::ApiGateway]
        );
        let function =
            "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/chat?Qualifier=1";
        assert_eq!(
            quotas_of("lambda", &request("GET", function)),
            [Quota::GetFunction]
        );
        let versions = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/chat/versions";
        assert_eq!(
            quotas_of("lambda", &request("GET", versions)),
            [Quota::Lambda]
        );
        assert_eq!(quotas_of("sts", &request("POST", "https://sts/")), []);
        let iam = |action: &str| {
            let mut request = HttpRequest::new(SdkBody::from(format!("Action={action}&x=y")));
            request.set_method("POST").expect("a method");
            quotas_of("iam", &request)
        };
        assert_eq!(iam("CreateRole"), [Quota::Iam]);
        assert_eq!(iam("GetRole"), []);
    }

    /// Answers as API Gateway does to CreateDeployment.
    #[derive(Debug)]
    struct Deploys;

    impl HttpConnector for Deploys {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let created = 201.try_into().expect("a status");
            let body = SdkBody::from(r#"{"deploymentId": "d1"}"#);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(created, body)))
        }
    }

    /// The time of the paused clock.
    #[derive(Debug)]
    struct Paused(Instant);

    impl TimeSource for Paused {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + self.0.elapsed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_long_for_its_turn_is_no_stalled_upload() {
        let answers = http_client_fn(|_, _| SharedHttpConnector::new(Deploys));
        let config = aws_sdk_apigatewayv2::Config::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "test"))
            .http_client(Limiter::default().pace(answers, "apigateway", "a"))
            .time_source(Paused(Instant::now()))
            .sleep_impl(crate::connect::sleep())
            .stalled_stream_protection(crate::connect::stalls())
            .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
            .build();
        let client = aws_sdk_apigatewayv2::Client::from_conf(config);
        let started = Instant::now();
        let calls = (0..8).map(|_| client.create_deployment().api_id("a1").send());
        for answer in join_all(calls).await {
            answer.expect("it is answered");
        }
        assert!(started.elapsed() > Duration::from_secs(36));
    }
}
