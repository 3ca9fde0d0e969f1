//! What rooms need to have remembered, whoever remembers it.
//!
//! Times are milliseconds since 1970 and come from the caller: here they are those
//! of API Gateway's events. Deliberately absent: telling anybody anything.

use crate::envelope::Format;

/// A connection that is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The connection's id.
    pub id: String,
    /// What the authorizer calls it.
    pub name: Option<String>,
    /// How it is spoken to.
    pub format: Format,
    /// This membership, as against an earlier or later one of the same connection.
    /// Later ones sort after earlier ones.
    pub joined: String,
}

/// A connection that asks to join.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'j> {
    /// The connection's id.
    pub id: &'j str,
    /// What the authorizer calls it.
    pub name: Option<&'j str>,
    /// How it is to be spoken to.
    pub format: Format,
    /// When it connected: it cannot live longer than
    /// [`CONNECTION_LIFETIME_MS`](crate::CONNECTION_LIFETIME_MS) from then.
    pub connected_at: i64,
    /// The request, which no other join shares.
    pub request: &'j str,
}

impl Joining<'_> {
    /// The membership that this joining would be.
    pub(crate) fn member(&self, now: i64) -> Member {
        Member {
            id: self.id.to_owned(),
            name: self.name.map(str::to_owned),
            format: self.format,
            joined: format!("{now:014}-{}", self.request),
        }
    }
}

/// What became of a joining.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is a member, and these are all, it too.
    Now {
        /// In order of their ids.
        members: Vec<Member>,
        /// The number of the room's last message, 0 before the first.
        last: u64,
    },
    /// It was before.
    Already,
    /// The room has as many members as it may; how many that is.
    RoomFull(usize),
    /// The connection is in as many rooms as it may be.
    TooManyRooms,
    /// There are as many rooms as there may be.
    NoMoreRooms,
    /// The connection has ended meanwhile.
    Gone,
}

/// A message to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'d> {
    /// The id that its sender gave it.
    pub id: Option<&'d str>,
    /// The sending connection.
    pub connection: &'d str,
    /// What the authorizer calls the sender.
    pub name: Option<&'d str>,
    /// What the sender alone knows, and says again by its next connection.
    pub session: Option<&'d str>,
    /// What is said.
    pub text: &'d str,
    /// The request, which no other message shares.
    pub request: &'d str,
}

impl Draft<'_> {
    /// Whose ids don't clash with anybody else's: names and sessions outlive their
    /// connections.
    pub(crate) fn sender(&self) -> String {
        match (self.name, self.session) {
            (Some(name), _) => format!("name:{name}"),
            (None, Some(session)) => format!("session:{session}"),
            (None, None) => format!("connection:{}", self.connection),
        }
    }
}

/// A message that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the room's order.
    pub seq: u64,
    /// The id that its sender gave it.
    pub id: Option<String>,
    /// The connection that sent it.
    pub connection: String,
    /// What the authorizer calls its sender.
    pub name: Option<String>,
    /// What was said.
    pub text: String,
    /// When it was stored.
    pub at: i64,
}

/// A message has a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the room's order.
    pub seq: u64,
    /// It had it before.
    pub repeated: bool,
}

/// Which messages of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// The last ones.
    Last,
    /// The first ones after this number.
    After(u64),
}

/// The store cannot say or do it now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Members, messages and connections.
pub trait Store {
    /// A connection has been let in, and speaks so.
    fn note(
        &self,
        id: &str,
        format: Format,
        now: i64,
    ) -> impl Future<Output = Result<(), StoreError>>;

    /// How a connection that was noted is spoken to.
    fn format(&self, id: &str) -> impl Future<Output = Result<Option<Format>, StoreError>>;

    /// A connection has ended: it leaves every room and joins none any more.
    fn disconnect(&self, id: &str, now: i64) -> impl Future<Output = Result<(), StoreError>>;

    /// Makes a member of the connection, unless something speaks against it.
    fn join(
        &self,
        room: &str,
        joining: &Joining<'_>,
        now: i64,
    ) -> impl Future<Output = Result<Joined, StoreError>>;

    /// Ends a membership, and returns it if there was one.
    fn leave(
        &self,
        room: &str,
        id: &str,
        now: i64,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>>;

    /// Ends this membership, which a post has found gone, and no later one.
    fn prune(&self, room: &str, member: &Member) -> impl Future<Output = Result<(), StoreError>>;

    /// The connection's membership.
    fn member(
        &self,
        room: &str,
        id: &str,
        now: i64,
    ) -> impl Future<Output = Result<Option<Member>, StoreError>>;

    /// All members, in order of their ids. Whose joining was told is among them.
    fn members(
        &self,
        room: &str,
        now: i64,
    ) -> impl Future<Output = Result<Vec<Member>, StoreError>>;

    /// Whether the connection may send one more message now; if so, it counts.
    fn admit(&self, id: &str, now: i64) -> impl Future<Output = Result<bool, StoreError>>;

    /// Gives a message the next place of its room; or finds the one it has.
    fn append(
        &self,
        room: &str,
        draft: &Draft<'_>,
        now: i64,
    ) -> impl Future<Output = Result<Stored, StoreError>>;

    /// At most so many messages of a room, in order, none of them too old.
    fn history(
        &self,
        room: &str,
        range: Range,
        most: usize,
        now: i64,
    ) -> impl Future<Output = Result<Vec<Message>, StoreError>>;
}

/// Ends a connection's turn to send: a leaky bucket, as the time by which it will have
/// drained. Returns it with one more message, or `None` when that would be too many.
pub(crate) mod rate {
    use crate::limits::MESSAGES_PER_SECOND;

    /// What one message adds, in milliseconds.
    pub(crate) const STEP: i64 = 1000 / MESSAGES_PER_SECOND;
    /// How full the bucket may be before one more.
    pub(crate) const ROOM: i64 = 1000 - STEP;

    pub(crate) fn one_more(drained: i64, now: i64) -> Option<i64> {
        if drained <= now {
            Some(now + STEP)
        } else if drained <= now + ROOM {
            Some(drained + STEP)
        } else {
            None
        }
    }
}
