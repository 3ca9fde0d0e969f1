//! Invoking one version of a function, and what it answered.
//!
//! Deliberately absent: which version, and what the event is.

use crate::error::CloudError;
use deployer_core::names::{FunctionName, FunctionVersion};

/// What is to be invoked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The function.
    pub function: &'a FunctionName,
    /// Its version.
    pub version: &'a FunctionVersion,
    /// The event, JSON.
    pub event: &'a [u8],
    /// Only handed to Lambda, which invokes it by itself and twice again if it fails.
    pub asynchronous: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invoked {
    /// How the function failed, in Lambda's words: `Unhandled`, mostly.
    pub function_error: Option<String>,
    /// What it answered, or what is said of its failure. Of an asynchronous one nothing.
    pub payload: Vec<u8>,
    /// The end of what it logged, up to 4 KB. Of an asynchronous one nothing.
    pub log_tail: String,
    /// Lambda's id of it.
    pub request_id: Option<String>,
}

/// Who invokes.
pub trait Invoker: Send + Sync {
    /// Invokes once: no answer isn't asked for again.
    ///
    /// # Errors
    /// When Lambda refuses or doesn't answer. A function that fails is no error.
    fn invoke(
        &self,
        invocation: Invocation<'_>,
    ) -> impl Future<Output = Result<Invoked, CloudError>> + Send;
}
