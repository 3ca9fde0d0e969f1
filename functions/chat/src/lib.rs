//! What the functions of the chat room share.
//!
//! A handler is a plain async function from an [`Event`], a [`Store`] and a [`Post`]
//! to what it came to, so it is tested without a runtime and without a network.
//! [`run()`] puts it behind the Lambda Runtime API: it logs each invocation's one
//! line and answers API Gateway. The `gateway` feature adds `Gateway`, the
//! [`Post`] that reaches real connections; `dynamodb` the store in a table; `relay`
//! hands parts of a large room to other invocations.
//!
//! docs/CHAT.md is the protocol.

mod choice;
#[cfg(feature = "dynamodb")]
mod dynamo;
#[cfg(feature = "gateway")]
mod endpoint;
mod envelope;
#[cfg(feature = "aws")]
mod environment;
mod event;
mod fan_out;
#[cfg(feature = "gateway")]
mod gateway;
mod limits;
mod log;
mod memory;
mod post;
#[cfg(feature = "relay")]
mod relay;
mod request;
mod respond;
mod run;
mod split;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use choice::{Choice, NoStore};
#[cfg(feature = "dynamodb")]
pub use dynamo::DynamoStore;
pub use envelope::{Envelope, Format, Person, SUBPROTOCOL, Said};
#[cfg(feature = "aws")]
pub use environment::{Environment, MissingVariable};
pub use event::{Event, EventError, body, connection_id, expect_route, name, now, route_key};
pub use fan_out::{POSTS_AT_FIRST, POSTS_AT_ONCE, POSTS_UNDER_WAY, fan_out};
#[cfg(feature = "gateway")]
pub use gateway::{Connections, Gateway};
pub use limits::{
    CONNECTION_LIFETIME_MS, FAN_OUT_MEMBERS, HISTORY_LIFETIME_MS, HISTORY_MESSAGES, LIST_BYTES,
    MEMBERS_PER_ROOM, MEMBERS_PER_TABLE_ROOM, MESSAGE_ID_CHARS, MESSAGES_PER_SECOND, MSG_CHARS,
    ROOM_NAME_CHARS, ROOMS, ROOMS_PER_CONNECTION, WHO_MEMBERS,
};
pub use memory::MemoryStore;
pub use post::{Delivery, FAILURES_NAMED, Failure, Post, PostError, Telling};
#[cfg(feature = "relay")]
pub use relay::LambdaRelay;
pub use request::{HistoryRequest, Malformed, RoomRequest, SendRequest, format};
pub use respond::{Response, Served, respond};
pub use run::{Invocation, clock, run, run_with_chunks};
pub use split::{Addressee, Chunk, NoRelay, Progress, Relay, serve_chunk};
pub use store::{Draft, Joined, Joining, Member, Message, Range, Store, StoreError, Stored};
