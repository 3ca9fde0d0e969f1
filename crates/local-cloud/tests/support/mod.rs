//! A cloud on an ephemeral port, functions deployed to it through the wire, and
//! clients to talk to it with.
#![expect(dead_code, reason = "each test file uses a part of this")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

pub mod deploy;
pub mod http;
pub mod metrics;
pub mod page;
pub mod proc;
pub mod sessions;
pub mod socket;
pub mod tls;

use std::time::Duration;

use local_cloud::{Config, Running};
use tempfile::TempDir;

/// The longest anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running cloud and its directory.
pub struct TestCloud {
    pub running: Running,
    pub port: u16,
    pub dir: TempDir,
}

impl TestCloud {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(0, dir.path());
        change(&mut config);
        let running = local_cloud::start(config).await.unwrap();
        let port = running.port();
        Self { running, port, dir }
    }

    pub async fn health(&self) -> serde_json::Value {
        http::request(self.port, "GET", "/_local/health", &[], b"")
            .await
            .json()
    }

    /// Asks again and again until the answer is as wanted.
    pub async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        until(what, async || ask(self).await).await
    }
}

/// Asks again and again until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let asked = tokio::time::timeout(PATIENCE, asking).await;
    asked.unwrap_or_else(|_| panic!("never happened: {what}"))
}
