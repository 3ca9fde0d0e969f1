//! The one place that talks to AWS, but for one call through its SDK: an account and region as a
//! [`CloudReader`](deployer_engine::cloud::CloudReader) and a
//! [`CloudWriter`](deployer_engine::cloud::CloudWriter).
//!
//! The local cloud is reached by the same code, through another endpoint.
//! Deliberately absent: decisions, order, waiting (the planner's and the
//! engine's).

mod account;
mod connect;
mod download;
mod error;
mod invoke;
mod layer;
mod lease;
mod limiter;
mod metrics;
mod probe;
mod reader;
mod region;
mod server_clock;
mod sign_in;
mod signer;
mod unanswered;
mod wire;
mod writer;

pub use connect::{Cloud, Destination};
pub use limiter::Limiter;
pub use region::configured_region;
pub use sign_in::ConnectError;
pub use signer::Signer;
pub use wire::{Broken, Clock, Exchange, Wire};
