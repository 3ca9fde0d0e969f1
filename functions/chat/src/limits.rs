//! Every limit of the chat, by name. What a client hears when it meets one stands
//! where it is checked; docs/CHAT.md lists them all.

/// The most characters a room's name may have.
pub const ROOM_NAME_CHARS: usize = 64;
/// The most characters a message may have.
pub const MSG_CHARS: usize = 4096;
/// The most characters a message id that a client chose may have.
pub const MESSAGE_ID_CHARS: usize = 64;
/// The least characters of a session: what is random and as long can't be guessed.
pub const SESSION_CHARS_LEAST: usize = 16;
/// The most characters a session may have.
pub const SESSION_CHARS: usize = 64;
/// The most rooms one connection is a member of.
pub const ROOMS_PER_CONNECTION: usize = 16;
/// The most rooms there are, in memory.
pub const ROOMS: usize = 1024;
/// The most members a room has, in memory: one invocation tells them all.
pub const MEMBERS_PER_ROOM: usize = 128;
/// The most members a room has, in a table.
pub const MEMBERS_PER_TABLE_ROOM: usize = 10_000;
/// The most messages one connection sends a second, and how many of them at once.
/// Well above what people type: it is there for loops.
pub const MESSAGES_PER_SECOND: i64 = 200;
/// The most messages one `history` returns, and how many it does unless asked.
pub const HISTORY_MESSAGES: usize = 100;
/// For how many milliseconds a message can be asked for.
pub const HISTORY_LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;
/// How many messages of all rooms are kept in memory,
pub const HISTORY_IN_MEMORY: usize = 2048;
/// and of how many bytes at most.
pub const HISTORY_BYTES_IN_MEMORY: usize = 8 * 1024 * 1024;
/// The most members one `who` names.
pub const WHO_MEMBERS: usize = 500;
/// The most bytes of one envelope that lists things. `@connections` takes 128 KB.
pub const LIST_BYTES: usize = 96 * 1024;
/// After this many milliseconds a connection is surely gone: API Gateway cuts
/// each after two hours. Five minutes are for clocks that differ.
pub const CONNECTION_LIFETIME_MS: i64 = (2 * 60 + 5) * 60 * 1000;
/// For so many milliseconds after a connection's end, an event that it sent before may
/// still come, in memory: API Gateway waits 29 s for a function, and Lambda's queue is
/// not in between.
pub const EVENT_LATE_MS: i64 = 60 * 1000;
/// The most members that one invocation tells; what is more is handed to others.
pub const FAN_OUT_MEMBERS: usize = 1000;
/// Connections whose format a process remembers; at one more it forgets them all.
#[cfg(feature = "dynamodb")]
pub const FORMATS_REMEMBERED: usize = 1024;
