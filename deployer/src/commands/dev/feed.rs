//! The local cloud's traffic, read by a task of its own: reconnected where the cloud
//! comes back, or the stage moves to another port.

use local_cloud::client;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Events that wait to be shown; beyond it the local cloud counts what is missed.
const QUEUE: usize = 256;
/// Between two attempts to reach the local cloud.
const AGAIN: Duration = Duration::from_millis(200);

/// What happens on one port.
pub struct Feed {
    port: u16,
    task: Option<JoinHandle<()>>,
    sender: mpsc::Sender<Value>,
    events: mpsc::Receiver<Value>,
}

impl Feed {
    /// Of the local cloud on this port, once it has begun.
    pub fn new(port: u16) -> Self {
        let (sender, events) = mpsc::channel(QUEUE);
        Self {
            port,
            task: None,
            sender,
            events,
        }
    }

    /// Begins to read.
    pub fn begin(&mut self) {
        let reading = read(self.port, self.sender.clone());
        if let Some(before) = self.task.replace(tokio::spawn(reading)) {
            before.abort();
        }
    }

    /// Reads from this port from now on.
    pub fn go_to(&mut self, port: u16) {
        if port != self.port {
            self.port = port;
            self.begin();
        }
    }

    /// The next event. Nothing is lost where this is dropped.
    pub async fn next(&mut self) -> Value {
        match self.events.recv().await {
            Some(event) => event,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn read(port: u16, to: mpsc::Sender<Value>) {
    loop {
        if let Ok(mut traffic) = client::traffic(port).await {
            while let Ok(Some(event)) = traffic.next().await {
                if to.send(event).await.is_err() {
                    return;
                }
            }
        }
        sleep(AGAIN).await;
    }
}
