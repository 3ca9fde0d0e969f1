//! What a page of the cloud's own port asks, and the traffic that it reads.

use local_cloud::client::{Traffic, traffic};
use serde_json::Value;
use tokio::time::timeout;

use super::http::{Answer, request};
use super::{PATIENCE, TestCloud};

impl TestCloud {
    /// A request as a browser sends it for a page of this port.
    pub async fn page(&self, method: &str, path: &str, body: &str) -> Answer {
        let origin = format!("http://127.0.0.1:{}", self.port);
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("x-local-cloud", "1"),
            ("content-type", "application/json"),
        ];
        request(self.port, method, path, &headers, body.as_bytes()).await
    }

    /// What is found there.
    pub async fn look(&self, path: &str) -> Value {
        let answer = self.page("GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Sets a fault; its id.
    pub async fn fault(&self, what: &Value) -> String {
        let answer = self.page("POST", "/_local/faults", &what.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// The traffic from now on.
    pub async fn told(&self) -> Told {
        let mut told = Told(traffic(self.port).await.unwrap());
        told.next("listening").await;
        told
    }
}

pub struct Told(Traffic);

impl Told {
    /// The next event of a kind.
    pub async fn next(&mut self, kind: &str) -> Value {
        self.find(kind, |_| true).await
    }

    /// The next event of a kind that is as wanted.
    pub async fn find(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.find_all(|event| event["kind"] == kind && wanted(event))
            .await
    }

    /// Looks at each event until one is the last; that one.
    pub async fn find_all(&mut self, mut is_last: impl FnMut(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let event = self.0.next().await.expect("JSON").expect("it goes on");
                if is_last(&event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("an event in time")
    }
}
