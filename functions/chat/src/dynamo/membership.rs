//! Who is where, in a table.

use super::DynamoStore;
use super::items::{
    Item, SPEAKS, Update, format_of, item, lives, number, seconds, spoken, text, text_of,
};
use crate::envelope::Format;
use crate::limits::{CONNECTION_LIFETIME_MS, ROOMS_PER_CONNECTION};
use crate::store::{Joined, Joining, Member, StoreError};

/// Rooms that are left at a time.
const LEFT_AT_ONCE: usize = 16;
/// How often a join writes its row again that a late leave has taken.
const ROWS_WRITTEN: usize = 3;

fn room_key(room: &str) -> String {
    format!("room#{room}")
}

pub(super) fn connection_key(id: &str) -> String {
    format!("conn#{id}")
}

pub(super) const META: &str = "meta";

/// What lies below a connection's key.
struct Connection {
    meta: Option<Item>,
    rows: Vec<Item>,
}

impl Connection {
    fn is_gone(&self) -> bool {
        let meta = self.meta.as_ref();
        meta.is_some_and(|meta| meta.contains_key("gone"))
    }

    fn row(&self, room: &str) -> Option<&Item> {
        self.rows.iter().find(|row| room_of(row) == Some(room))
    }
}

fn room_of(row: &Item) -> Option<&str> {
    text_of(row, "sk")?.strip_prefix("room#")
}

impl DynamoStore {
    async fn connection(&self, id: &str) -> Result<Connection, StoreError> {
        let items = self.all(&connection_key(id)).await?;
        let (meta, rows): (Vec<_>, Vec<_>) = items
            .into_iter()
            .partition(|item| text_of(item, "sk") == Some(META));
        let meta = meta.into_iter().next();
        Ok(Connection { meta, rows })
    }

    pub(super) async fn join_room(
        &self,
        room: &str,
        joining: &Joining<'_>,
        now: i64,
    ) -> Result<Joined, StoreError> {
        let before = self.connection(joining.id).await?;
        if before.is_gone() {
            return Ok(Joined::Gone);
        }
        // Not written again for a member: its row stays the one of its membership.
        if before.row(room).is_some() && self.membership(room, joining.id, now).await?.is_some() {
            return Ok(Joined::Already);
        }
        let elsewhere = before.rows.iter().filter(|row| room_of(row) != Some(room));
        if elsewhere.filter(|row| lives(row, now)).count() >= ROOMS_PER_CONNECTION
            && self.rooms_of(joining.id, &before, now).await? >= ROOMS_PER_CONNECTION
        {
            return Ok(Joined::TooManyRooms);
        }
        let member = joining.member(now);
        let expires = seconds(joining.connected_at + CONNECTION_LIFETIME_MS);
        self.put_row(room, &member, expires).await?;
        if !self.put_member(room, &member, expires, now).await? {
            return Ok(Joined::Already);
        }
        if let Some(refusal) = self.rooted(room, &member, expires, now).await? {
            self.end(room, &member).await?;
            return Ok(refusal);
        }
        let members = self.members_of(room, now).await?;
        if members.len() > self.room_limit {
            self.end(room, &member).await?;
            return Ok(Joined::RoomFull(self.room_limit));
        }
        let last = self.last_given(room, now).await?;
        Ok(Joined::Now { members, last })
    }

    /// Counts the rooms that the connection is a member of, and takes away rows that
    /// are left over of others.
    async fn rooms_of(
        &self,
        id: &str,
        connection: &Connection,
        now: i64,
    ) -> Result<usize, StoreError> {
        let mut rooms = 0;
        for row in &connection.rows {
            let Some((room, joined)) = room_of(row).zip(text_of(row, "joined")) else {
                continue;
            };
            if self.membership(room, id, now).await?.is_some() {
                rooms += 1;
            } else {
                let sk = format!("room#{room}");
                self.delete_joined(&connection_key(id), &sk, joined).await?;
            }
        }
        Ok(rooms)
    }

    /// So that the connection's end finds the room. A later join's row stays.
    async fn put_row(&self, room: &str, member: &Member, expires: i64) -> Result<(), StoreError> {
        let update = Update {
            set: "SET joined = :joined, expires = :expires",
            only_if: "attribute_not_exists(joined) OR joined < :joined",
            values: [
                (":joined", text(&member.joined)),
                (":expires", number(expires)),
            ],
        };
        let sk = format!("room#{room}");
        self.update(&connection_key(&member.id), &sk, update)
            .await?;
        Ok(())
    }

    /// Whether this is the membership now, also when an answer was lost.
    async fn put_member(
        &self,
        room: &str,
        member: &Member,
        expires: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut item = item([
            ("pk", text(room_key(room))),
            ("sk", text(&member.id)),
            ("joined", text(&member.joined)),
            ("expires", number(expires)),
        ]);
        if let Some(name) = &member.name {
            item.insert("name".to_owned(), text(name));
        }
        if member.format == Format::Json {
            item.insert(SPEAKS.to_owned(), spoken(member.format));
        }
        if self.put_absent(item, now).await? {
            return Ok(true);
        }
        let found = self.membership(room, &member.id, now).await?;
        Ok(found.is_some_and(|found| found.joined == member.joined))
    }

    /// Looks at the connection once its membership is written: why it must be undone,
    /// if it must. It may have ended before, or have joined other rooms meanwhile. A
    /// row that a late leave has taken is written again.
    async fn rooted(
        &self,
        room: &str,
        member: &Member,
        expires: i64,
        now: i64,
    ) -> Result<Option<Joined>, StoreError> {
        for _ in 0..ROWS_WRITTEN {
            let connection = self.connection(&member.id).await?;
            if connection.is_gone() {
                return Ok(Some(Joined::Gone));
            }
            if connection.row(room).is_some() {
                let many = connection.rows.len() > ROOMS_PER_CONNECTION
                    && self.rooms_of(&member.id, &connection, now).await? > ROOMS_PER_CONNECTION;
                return Ok(many.then_some(Joined::TooManyRooms));
            }
            self.put_row(room, member, expires).await?;
        }
        Ok(Some(Joined::Gone))
    }

    /// Ends this membership, and no later one.
    pub(super) async fn end(&self, room: &str, member: &Member) -> Result<bool, StoreError> {
        let joined = &member.joined;
        let ended = self
            .delete_joined(&room_key(room), &member.id, joined)
            .await?;
        let (pk, sk) = (connection_key(&member.id), format!("room#{room}"));
        self.delete_joined(&pk, &sk, joined).await?;
        Ok(ended)
    }

    pub(super) async fn membership(
        &self,
        room: &str,
        id: &str,
        now: i64,
    ) -> Result<Option<Member>, StoreError> {
        let item = self.get(&room_key(room), id).await?;
        Ok(item
            .filter(|item| lives(item, now))
            .as_ref()
            .and_then(member))
    }

    pub(super) async fn members_of(&self, room: &str, now: i64) -> Result<Vec<Member>, StoreError> {
        let items = self.all(&room_key(room)).await?;
        let live = items.iter().filter(|item| lives(item, now));
        Ok(live.filter_map(member).collect())
    }

    /// First the tombstone, then the rooms.
    pub(super) async fn bury(&self, id: &str, now: i64) -> Result<(), StoreError> {
        use futures_util::{StreamExt, TryStreamExt, stream};
        let update = Update {
            set: "SET gone = :gone, expires = :expires",
            only_if: "",
            values: [
                (":gone", number(1)),
                (":expires", number(seconds(now + CONNECTION_LIFETIME_MS))),
            ],
        };
        self.update(&connection_key(id), META, update).await?;
        let connection = self.connection(id).await?;
        let rooms = connection.rows.iter().filter_map(room_of);
        stream::iter(rooms)
            .map(|room| self.leave_any(room, id))
            .buffer_unordered(LEFT_AT_ONCE)
            .try_collect::<()>()
            .await
    }

    /// Whatever membership there is: the connection joins no more.
    async fn leave_any(&self, room: &str, id: &str) -> Result<(), StoreError> {
        for (pk, sk) in [
            (room_key(room), id.to_owned()),
            (connection_key(id), format!("room#{room}")),
        ] {
            let call = self.client.delete_item().table_name(&self.table);
            let call = call.set_key(Some(Self::key(&pk, &sk)));
            Box::pin(call.send()).await.map_err(super::items::failure)?;
        }
        Ok(())
    }
}

fn member(item: &Item) -> Option<Member> {
    Some(Member {
        id: text_of(item, "sk")?.to_owned(),
        name: text_of(item, "name").map(str::to_owned),
        format: format_of(item),
        joined: text_of(item, "joined")?.to_owned(),
    })
}
