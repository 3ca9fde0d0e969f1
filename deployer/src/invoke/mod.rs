//! What `deployer invoke` works with: the events that API Gateway would send, and the route
//! that leads to a function.
//!
//! Deliberately absent: invoking (`commands/invoke.rs`).

pub mod event;
pub mod route;
