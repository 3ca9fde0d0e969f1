//! What `deployer connect` is made of: where to, with what handshake, by hand or by script.
//!
//! Deliberately absent: how messages look (`render/talk.rs`), and coming back after a cut
//! (`chat-client`'s link).

pub mod by_hand;
pub mod commands;
pub mod editor;
pub mod explain;
pub mod handshake;
pub mod script;
pub mod target;
pub mod templates;
