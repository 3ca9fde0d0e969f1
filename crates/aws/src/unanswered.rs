//! Writes that nobody answered: AWS may still carry them out, also after a retry was
//! answered. Whoever deploys next must know (`deployer_engine::lease`).

use crate::layer::{Layer, reads};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// When the last one was given up, of all clients that share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unanswered(Arc<Mutex<Option<Instant>>>);

impl Unanswered {
    /// Whether one was given up so recently.
    pub(crate) fn within(&self, time: Duration) -> bool {
        let last = *self.0.lock().expect("no holder of the lock panics");
        last.is_some_and(|last| last.elapsed() < time)
    }
}

impl Layer for Unanswered {
    fn call(&self, next: SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if reads(&request) {
            return next.call(request);
        }
        let attempt = Attempt {
            unanswered: self.clone(),
            answered: false,
        };
        HttpConnectorFuture::new(async move {
            let answer = next.call(request).await;
            attempt.ends(answer.is_ok());
            answer
        })
    }
}

/// A write on its way. A timeout drops it.
struct Attempt {
    unanswered: Unanswered,
    answered: bool,
}

impl Attempt {
    fn ends(mut self, answered: bool) {
        self.answered = answered;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.answered {
            let mut last = self.unanswered.0.lock().expect("no holder panics");
            *last = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;

    #[derive(Debug)]
    enum Wire {
        Answers,
        Breaks,
        Hangs,
    }

    impl HttpConnector for Wire {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            match self {
                Self::Answers => {
                    let ok = 200.try_into().expect("a status");
                    HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::empty())))
                }
                Self::Breaks => {
                    HttpConnectorFuture::ready(Err(ConnectorError::io("it broke".into())))
                }
                Self::Hangs => HttpConnectorFuture::new(std::future::pending()),
            }
        }
    }

    fn request(method: &str, target: Option<&'static str>, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).expect("a method");
        if let Some(target) = target {
            request.headers_mut().insert("x-amz-target", target);
        }
        request
    }

    fn delete() -> HttpRequest {
        request("DELETE", None, "")
    }

    const LONG: Duration = Duration::from_secs(15);

    async fn after(wire: Wire, request: HttpRequest) -> Unanswered {
        let unanswered = Unanswered::default();
        let call = unanswered.call(SharedHttpConnector::new(wire), request);
        let _ended = tokio::time::timeout(Duration::from_secs(1), call).await;
        unanswered
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_breaks_or_is_given_up_is_remembered_for_a_while() {
        assert!(!after(Wire::Answers, delete()).await.within(LONG));
        for wire in [Wire::Breaks, Wire::Hangs] {
            let unanswered = after(wire, delete()).await;
            assert!(unanswered.within(LONG));
            tokio::time::sleep(LONG).await;
            assert!(!unanswered.within(LONG));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reads_that_break_are_forgotten() {
        let describe = Some("Logs_20140328.DescribeLogGroups");
        for read in [
            request("GET", None, ""),
            request("POST", describe, "{}"),
            request("POST", None, "Action=GetRole&Version=2010-05-08"),
        ] {
            assert!(!after(Wire::Breaks, read).await.within(LONG));
        }
        let create = Some("Logs_20140328.CreateLogStream");
        for write in [
            request("POST", create, "{}"),
            request("POST", None, "Action=PutRolePolicy&Version=2010-05-08"),
        ] {
            assert!(after(Wire::Breaks, write).await.within(LONG));
        }
    }
}
