//! A client of the chat that stays: it keeps its connection alive, comes back when API
//! Gateway cuts it (after two hours at the latest), joins its rooms again, and fetches
//! what was said meanwhile. Each room's messages come once each and in order.
//!
//! [`Session`] decides, without I/O and clock; [`Client`] carries out.
//!
//! Deliberately absent: plain texts, which have no numbers. The client speaks the JSON of
//! docs/CHAT.md.

mod backoff;
mod client;
mod protocol;
mod session;

pub use backoff::Backoff;
pub use client::{Client, Options, Stopped};
pub use protocol::{Person, Said};
pub use session::{Event, Session};
