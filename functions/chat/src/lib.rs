//! What the functions of the chat room share.
//!
//! A handler is a plain async function from an [`Event`] and a [`Post`] to a
//! [`Delivery`], so it is tested without a runtime and without a network.
//! [`run()`] puts it behind the Lambda Runtime API: it logs each invocation's one
//! line and answers API Gateway. The `gateway` feature adds `Gateway`, the
//! [`Post`] that reaches real connections.
//!
//! Deliberately absent: storage. Rooms live in one process's memory and are
//! forgotten with it.

#[cfg(feature = "gateway")]
mod endpoint;
mod event;
#[cfg(feature = "gateway")]
mod gateway;
mod log;
mod post;
mod request;
mod respond;
mod rooms;
mod run;
#[cfg(feature = "testing")]
pub mod testing;

pub use event::{Event, EventError, body, connection_id, expect_route, route_key};
#[cfg(feature = "gateway")]
pub use gateway::{Connections, Gateway, MissingVariable};
pub use post::{Delivery, Failure, POSTS_AT_ONCE, Post, PostError, Telling, tell};
pub use request::{JoinRequest, MSG_CHARS, Malformed, ROOM_NAME_CHARS, SendRequest};
pub use respond::{Response, respond};
pub use rooms::{
    CONNECTION_LIFETIME_MS, MEMBERS_PER_ROOM, Member, ROOMS, ROOMS_PER_CONNECTION, Rooms,
};
pub use run::run;
