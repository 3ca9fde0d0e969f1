//! Runs functions: every environment is a real process of the function's own
//! `bootstrap`, talking to a Runtime API of its own.
//!
//! **One listener an environment.** `AWS_LAMBDA_RUNTIME_API` is `host:port`.
//! The Rust runtime would also take a path behind it, but others (Python, Node,
//! Go, C++) open a connection to host and port and would not; so each
//! environment gets an ephemeral listener on 127.0.0.1. That works with every
//! runtime, tells processes apart without trusting what they send, and ends a
//! runtime that outlived its environment: its next poll is refused.
//!
//! **Nothing outlives the cloud.** Every process leads a process group, which is
//! killed whole; what left it for a session of its own is found by a variable of its
//! environment. Should the cloud itself be killed with SIGKILL, the kernel ends frozen
//! processes; the other ones' Runtime API closes, and they exit on the connection
//! error; a function in the midst of an event ends with that event.
//! (`PR_SET_PDEATHSIG` would be stricter, but needs code between fork and exec, which
//! only `unsafe` can place there.)
//!
//! **Frozen between events**, as Lambda's sandboxes are: see `process.rs`.
//!
//! **Memory is watched, not limited**: see `memory.rs`.
//!
//! Deliberately absent: a read-only file system, layers, extensions, provisioned
//! concurrency.

mod api;
mod asynchronous;
mod choice;
mod credentials;
mod ending;
mod environment;
mod invocation;
mod invoke_api;
mod logs;
mod memory;
mod metrics;
mod place;
mod pool;
mod process;
mod report;
mod start;
mod supervisor;
mod system_log;
mod told;
pub(crate) mod unpack;

pub(crate) use credentials::Credentials;
pub(crate) use invocation::{Invocation, Outcome, Throttled};
pub(crate) use invoke_api::{InvokePath, invoke};
pub(crate) use pool::Pool;
pub(crate) use told::Ended;
#[cfg(test)]
pub(crate) use told::tests::ended as ended_for_tests;
