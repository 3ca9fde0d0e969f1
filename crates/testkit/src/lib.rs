//! What the scenarios in `tests/` share: running the `deployer` binary, a
//! WebSocket client, a writer that fails by script.
//!
//! Deliberately absent: assertions about the product. A scenario says itself
//! what must hold.

mod client;
mod command;
mod faults;

pub use client::{Client, Received};
pub use command::{Deployer, Ran, free_port};
pub use faults::{Fault, FaultyWriter};
