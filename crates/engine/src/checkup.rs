//! What an account can take, beside what is in it: who is calling, by which clock, and how
//! much of its quotas is used.
//!
//! Deliberately absent: what is too little, which whoever asks decides.

use crate::error::CloudError;
use deployer_core::account::Account;

/// Who is calling, and what the service's clock said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Who, and where; or the refusal.
    pub account: Result<Account, CloudError>,
    /// The answer's `Date`, in ms since 1970, whole seconds; there on refusals, too.
    pub server_ms: Option<i64>,
}

/// Lambda's quotas in an account and region, and what is used of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LambdaQuotas {
    /// Executions at once of all functions.
    pub concurrency: u32,
    /// Those of them that no function has reserved.
    pub unreserved: u32,
    /// Bytes of all functions' code and versions that there may be,
    pub code_bytes_limit: u64,
    /// and that there are.
    pub code_bytes: u64,
}

/// IAM's roles of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleQuota {
    /// How many there are,
    pub roles: u32,
    /// and how many there may be.
    pub limit: u32,
}

/// Reads of an account as a whole.
pub trait AccountReader: Send + Sync {
    /// Who is calling. Nobody can be kept from it.
    fn introduce(&self) -> impl Future<Output = Introduction> + Send;

    /// What Lambda allows, and what is used of it.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn get_lambda_quotas(&self) -> impl Future<Output = Result<LambdaQuotas, CloudError>> + Send;

    /// How many roles there are, and may be.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn get_role_quota(&self) -> impl Future<Output = Result<RoleQuota, CloudError>> + Send;

    /// How many HTTP and WebSocket APIs there are. REST APIs aren't among them.
    ///
    /// # Errors
    /// When the service refuses or doesn't answer.
    fn count_apis(&self) -> impl Future<Output = Result<usize, CloudError>> + Send;
}
