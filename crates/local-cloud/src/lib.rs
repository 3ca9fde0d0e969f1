//! A cloud on this machine: the AWS services a WebSocket API needs, served on
//! one port of 127.0.0.1, plain or by TLS ([`tls`]).
//!
//! * the control planes (API Gateway v2, Lambda, IAM, STS, Logs), answered by
//!   the model in `cloud-model`;
//! * DynamoDB, passed on to one that is somebody else's ([`dynamodb`]);
//! * the Lambda Invoke API and the Runtime API, behind which the real
//!   `bootstrap` of every function runs as a process ([`runtime`]);
//! * the WebSocket gateway and its `@connections` API ([`gateway`]);
//! * files that keep the account when the process ends, if asked for ([`store`]).
//!
//! Deliberately absent: any rule about what a control-plane call does (that is
//! the model's), and a hard limit of a function's memory (it is watched).
//! What is not known for certain about AWS is listed in [`assumptions`].

mod admin;
mod assumptions;
mod callers;
pub mod client;
mod clock;
mod config;
mod control;
mod dynamodb;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gateway;
mod guard;
mod http_io;
mod ids;
mod limits;
mod live_tail;
mod model;
mod page;
mod past;
mod run_dir;
mod runtime;
mod server;
mod signature;
mod sigv4;
mod start_error;
mod store;
mod stragglers;
mod tls;
mod traffic;

pub use clock::{Clock, SystemClock};
pub use cloud_model::{IdSource, Realism};
pub use config::{ACCOUNT_ID, Config, REGION, USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY};
pub use dynamodb::DynamoDbAddress;
pub use ids::RandomIds;
pub use limits::Limits;
pub use server::{Running, start};
pub use start_error::StartError;
pub use store::{Keeping, StateError, check_kept, clear, is_kept};
