//! What the local cloud says of itself.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::LOOK_AGAIN;
use crate::failure::Failure;
use crate::socket;

/// The local cloud asks who somebody is, and verifies signatures only when told to.
const CLAIM: &str = "AWS4-HMAC-SHA256 Credential=AKIALOCALCLOUDUSER00/20260101/us-east-1/logs/\
                     aws4_request, SignedHeaders=host, Signature=00";

/// Where a local cloud is reached: HOST:PORT.
pub(super) struct Gateway(String);

/// A part of its answer about its health.
#[derive(Debug, Deserialize)]
pub(super) struct Health {
    pub(super) connections: usize,
    pub(super) processes: usize,
    pub(super) invocations: usize,
}

impl Gateway {
    pub(super) fn of(url: &str) -> Result<Self, Failure> {
        Ok(Self(socket::address(url)?.to_owned()))
    }

    async fn health(&self) -> Result<Health, Failure> {
        let answer = self.ask("GET /_local/health", "", "").await?;
        serde_json::from_value(answer).map_err(|error| Failure::Miscounted(error.to_string()))
    }

    /// Its health when it has neither connections nor invocations, or how it is then.
    pub(super) async fn is_idle_within(&self, patience: Duration) -> Result<Health, Failure> {
        let is_idle = |health: &Health| health.connections == 0 && health.invocations == 0;
        self.health_within(patience, is_idle).await
    }

    /// As [`Self::is_idle_within`], for functions' processes.
    pub(super) async fn has_no_processes_within(
        &self,
        patience: Duration,
    ) -> Result<Health, Failure> {
        self.health_within(patience, |health| health.processes == 0)
            .await
    }

    async fn health_within(
        &self,
        patience: Duration,
        is_wanted: impl Fn(&Health) -> bool,
    ) -> Result<Health, Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let health = self.health().await?;
            if is_wanted(&health) || Instant::now() > deadline {
                return Ok(health);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What its log groups hold, by CloudWatch Logs' own account.
    pub(super) async fn logs_mb(&self) -> Result<f64, Failure> {
        let headers = format!(
            "content-type: application/x-amz-json-1.1\r\n\
             x-amz-target: Logs_20140328.DescribeLogGroups\r\n\
             authorization: {CLAIM}\r\n"
        );
        let answer = self.ask("POST /", &headers, "{}").await?;
        let groups = answer["logGroups"].as_array();
        let groups = groups.ok_or_else(|| Failure::Miscounted(format!("no groups: {answer}")))?;
        let bytes = groups
            .iter()
            .filter_map(|group| group["storedBytes"].as_f64());
        Ok(bytes.sum::<f64>() / f64::from(1 << 20))
    }

    async fn ask(&self, what: &str, headers: &str, body: &str) -> Result<Value, Failure> {
        let asking = async {
            let mut stream = TcpStream::connect(&self.0).await?;
            let request = format!(
                "{what} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\
                 content-length: {}\r\n\r\n{body}",
                self.0,
                body.len()
            );
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, Failure>(answer)
        };
        let answer = socket::in_time(asking).await??;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        let body = body.and_then(|body| serde_json::from_str(body).ok());
        body.ok_or_else(|| Failure::Miscounted(format!("{what}: {answer}")))
    }
}
