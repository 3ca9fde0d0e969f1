//! A client of the chat that stays: it keeps its connection alive, comes back when API
//! Gateway cuts it (after two hours at the latest), joins its rooms again, and fetches
//! what was said meanwhile. Each room's messages come once each and in order.
//!
//! [`Session`] decides, without I/O and clock; [`Client`] carries out, over a [`Link`]: any
//! WebSocket connection that comes back, which has a use without the chat, too.
//!
//! Deliberately absent: plain texts, which have no numbers. The client speaks the JSON of
//! docs/CHAT.md.

mod backoff;
mod client;
mod link;
mod protocol;
mod session;
mod trust;

pub use backoff::Backoff;
pub use client::{Client, Options, Stopped};
pub use link::{Ask, Happening, Link, LinkOptions, NotOpen, OpenError};
pub use protocol::{Person, Said};
pub use session::{Event, Session};
/// The messages that go over a [`Link`], and what else a handshake is made of.
pub use tokio_tungstenite::tungstenite;
pub use trust::Trust;
