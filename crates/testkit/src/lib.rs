//! What the scenarios in `tests/` share: running the `deployer` binary, a
//! project that compiles in a moment, a WebSocket client, a local cloud with the engine at work on it, a writer that
//! fails by script, a proxy that does so on the wire, and requests by hand.
//!
//! Deliberately absent: assertions about the product, but for what must hold
//! after every fault ([`World::converge`], [`World::empty`]). Beyond that a
//! scenario says itself what must hold.

pub mod by_hand;
mod client;
mod command;
mod faults;
mod project;
pub mod proxy;
pub mod signature;
mod tables;
mod wire;
mod world;

pub use by_hand::{Call, send};
pub use client::{Client, Received};
pub use command::{Deployer, Ran, free_port};
pub use faults::{Fault, FaultyWriter};
pub use project::TinyProject;
pub use tables::TableServer;
pub use wire::WireCall;
pub use world::{Release, Session, World};
