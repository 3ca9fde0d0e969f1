//! A writer that fails at one chosen write, before or after it took effect.

use deployer_core::plan::Action;
use deployer_engine::cloud::{CloudWriter, Produced, WriteContext};
use deployer_engine::error::{CloudError, CloudErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the cloud.
    Before,
    /// It is carried out, and its answer is lost.
    After,
}

/// Passes writes on until the chosen one; fails that one and all after it, as
/// when the process or its network dies.
pub struct FaultyWriter<'a, W> {
    inner: &'a W,
    fault: Fault,
    at: usize,
    count: AtomicUsize,
}

impl<'a, W> FaultyWriter<'a, W> {
    /// Fails from the write with this number on, counting from 0.
    pub fn new(inner: &'a W, fault: Fault, at: usize) -> Self {
        Self {
            inner,
            fault,
            at,
            count: AtomicUsize::new(0),
        }
    }

    /// Whether the chosen write was reached.
    pub fn reached(&self) -> bool {
        self.count.load(Ordering::SeqCst) > self.at
    }
}

impl<W: CloudWriter> CloudWriter for FaultyWriter<'_, W> {
    async fn perform(
        &self,
        action: &Action,
        context: &WriteContext<'_>,
    ) -> Result<Produced, CloudError> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        if number < self.at {
            return self.inner.perform(action, context).await;
        }
        if number == self.at && self.fault == Fault::After {
            self.inner.perform(action, context).await?;
        }
        Err(CloudError {
            service: "testkit",
            operation: action.operation().to_owned(),
            resource: action.resource().1,
            kind: CloudErrorKind::NoAnswer,
            code: None,
            message: format!("write {number} fails by script ({:?})", self.fault),
            request_id: None,
        })
    }
}
