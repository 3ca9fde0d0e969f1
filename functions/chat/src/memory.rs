//! The [`Store`] of one process: the original's.
//!
//! It is right only where a function has one environment at most, and forgets all
//! with its process. Lambda refuses a `$disconnect` that comes while another event is
//! being served: such a member vanishes when a post finds it gone, or with its time.
//! Messages of all rooms lie in one queue of bounded length and size. Numbers of a
//! room never go back: what empty rooms had given is remembered of so many, and a room
//! that isn't among them begins where the highest of the others ended.

use crate::envelope::Format;
use crate::limits::{
    CONNECTION_LIFETIME_MS, EVENT_LATE_MS, HISTORY_BYTES_IN_MEMORY, HISTORY_IN_MEMORY,
    HISTORY_LIFETIME_MS, MEMBERS_PER_ROOM, ROOMS, ROOMS_PER_CONNECTION,
};
use crate::store::{
    Draft, Joined, Joining, Member, Message, Range, Store, StoreError, Stored, rate,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// Rooms in this process's memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None of them is empty.
    rooms: BTreeMap<String, Room>,
    /// The numbers that empty rooms had given, of [`ROOMS`] at most.
    empty: BTreeMap<String, u64>,
    /// The highest number that any other empty room had given.
    floor: u64,
    log: VecDeque<Logged>,
    log_bytes: usize,
    /// Connection to the time by which its bucket has drained.
    rates: BTreeMap<String, i64>,
    /// Connections that have ended, and until when one of their events may still come.
    gone: BTreeMap<String, i64>,
}

#[derive(Debug)]
struct Logged {
    room: String,
    /// By whose ids a repetition is known.
    sender: String,
    message: Message,
}

#[derive(Debug, Default)]
struct Room {
    members: BTreeMap<String, Membership>,
    last: u64,
}

#[derive(Debug)]
struct Membership {
    member: Member,
    /// From when on it does not count.
    expires: i64,
}

impl State {
    /// Drops members for which this does not hold, and rooms without any.
    fn keep(&mut self, mut keep: impl FnMut(&str, &Membership) -> bool) {
        let empty = &mut self.empty;
        self.rooms.retain(|name, room| {
            room.members.retain(|_, it| keep(name, it));
            if room.members.is_empty() && room.last > 0 {
                empty.insert(name.clone(), room.last);
            }
            !room.members.is_empty()
        });
        if self.empty.len() > ROOMS {
            let highest = std::mem::take(&mut self.empty).into_values().max();
            self.floor = self.floor.max(highest.unwrap_or_default());
        }
    }

    /// Without this, rooms that nobody speaks in any more would count for ever.
    fn expire(&mut self, now: i64) {
        self.keep(|_, it| it.expires > now);
        self.rates.retain(|_, drained| *drained > now);
        self.gone.retain(|_, until| *until > now);
        while let Some(Logged { message, .. }) = self.log.front()
            && (message.at + HISTORY_LIFETIME_MS <= now
                || self.log.len() > HISTORY_IN_MEMORY
                || self.log_bytes > HISTORY_BYTES_IN_MEMORY)
        {
            self.log_bytes -= message.text.len();
            self.log.pop_front();
        }
    }

    fn live<'s>(&'s self, room: &str, now: i64) -> impl Iterator<Item = &'s Member> + use<'s> {
        let members = self.rooms.get(room).map(|room| room.members.values());
        members
            .into_iter()
            .flatten()
            .filter(move |it| it.expires > now)
            .map(|it| &it.member)
    }

    fn refusal(&self, room: &str, id: &str) -> Option<Joined> {
        let joined = self.rooms.values().filter(|r| r.members.contains_key(id));
        match self.rooms.get(room) {
            Some(room) if room.members.contains_key(id) => Some(Joined::Already),
            _ if joined.count() >= ROOMS_PER_CONNECTION => Some(Joined::TooManyRooms),
            Some(room) if room.members.len() >= MEMBERS_PER_ROOM => {
                Some(Joined::RoomFull(MEMBERS_PER_ROOM))
            }
            None if self.rooms.len() >= ROOMS => Some(Joined::NoMoreRooms),
            _ => None,
        }
    }

    fn join(&mut self, name: &str, joining: &Joining<'_>, now: i64) -> Joined {
        self.expire(now);
        if self.gone.contains_key(joining.id) {
            return Joined::Gone;
        }
        if let Some(refusal) = self.refusal(name, joining.id) {
            return refusal;
        }
        let last = self.empty.remove(name).unwrap_or(self.floor);
        let room = self.rooms.entry(name.to_owned()).or_insert_with(|| Room {
            last,
            ..Room::default()
        });
        let membership = Membership {
            member: joining.member(now),
            expires: joining.connected_at + CONNECTION_LIFETIME_MS,
        };
        room.members.insert(joining.id.to_owned(), membership);
        Joined::Now {
            last: room.last,
            members: self.live(name, now).cloned().collect(),
        }
    }

    fn append(&mut self, name: &str, draft: &Draft<'_>, now: i64) -> Stored {
        self.expire(now);
        if let Some(seq) = self.place_of(name, draft) {
            return Stored {
                seq,
                repeated: true,
            };
        }
        // Its last member may have left since it was looked at.
        let floor = self.floor;
        let last = match self.rooms.get_mut(name) {
            Some(room) => &mut room.last,
            None => self.empty.entry(name.to_owned()).or_insert(floor),
        };
        *last += 1;
        let seq = *last;
        self.log_bytes += draft.text.len();
        let message = Message {
            seq,
            id: draft.id.map(str::to_owned),
            connection: draft.connection.to_owned(),
            name: draft.name.map(str::to_owned),
            text: draft.text.to_owned(),
            at: now,
        };
        self.log.push_back(Logged {
            room: name.to_owned(),
            sender: draft.sender(),
            message,
        });
        Stored {
            seq,
            repeated: false,
        }
    }

    fn place_of(&self, name: &str, draft: &Draft<'_>) -> Option<u64> {
        let id = draft.id?;
        let by = draft.sender();
        let same = |it: &&Logged| {
            it.room == name && it.message.id.as_deref() == Some(id) && it.sender == by
        };
        self.log.iter().find(same).map(|it| it.message.seq)
    }
}

impl Store for MemoryStore {
    async fn note(&self, _: &str, _: Format, _: i64) -> Result<(), StoreError> {
        Ok(())
    }

    async fn format(&self, id: &str) -> Result<Option<Format>, StoreError> {
        let state = self.state.borrow();
        let memberships = state.rooms.values().filter_map(|room| room.members.get(id));
        Ok(memberships.map(|it| it.member.format).max())
    }

    async fn disconnect(&self, id: &str, now: i64) -> Result<(), StoreError> {
        let mut state = self.state.borrow_mut();
        state.expire(now);
        state.gone.insert(id.to_owned(), now + EVENT_LATE_MS);
        state.keep(|_, it| it.member.id != id);
        Ok(())
    }

    async fn join(
        &self,
        room: &str,
        joining: &Joining<'_>,
        now: i64,
    ) -> Result<Joined, StoreError> {
        Ok(self.state.borrow_mut().join(room, joining, now))
    }

    async fn leave(&self, room: &str, id: &str, now: i64) -> Result<Option<Member>, StoreError> {
        let member = self.member(room, id, now).await?;
        let mut state = self.state.borrow_mut();
        state.keep(|name, it| name != room || it.member.id != id);
        Ok(member)
    }

    async fn prune(&self, room: &str, member: &Member) -> Result<(), StoreError> {
        let mut state = self.state.borrow_mut();
        state.keep(|name, it| name != room || it.member != *member);
        Ok(())
    }

    async fn member(&self, room: &str, id: &str, now: i64) -> Result<Option<Member>, StoreError> {
        let state = self.state.borrow();
        Ok(state
            .live(room, now)
            .find(|member| member.id == id)
            .cloned())
    }

    async fn members(&self, room: &str, now: i64) -> Result<Vec<Member>, StoreError> {
        Ok(self.state.borrow().live(room, now).cloned().collect())
    }

    async fn admit(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let mut state = self.state.borrow_mut();
        let drained = state.rates.get(id).copied().unwrap_or_default();
        let Some(drained) = rate::one_more(drained, now) else {
            return Ok(false);
        };
        state.rates.insert(id.to_owned(), drained);
        Ok(true)
    }

    async fn append(&self, room: &str, draft: &Draft<'_>, now: i64) -> Result<Stored, StoreError> {
        Ok(self.state.borrow_mut().append(room, draft, now))
    }

    async fn history(
        &self,
        room: &str,
        range: Range,
        most: usize,
        now: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let state = self.state.borrow();
        let of_room = state
            .log
            .iter()
            .filter(|it| it.room == room && it.message.at + HISTORY_LIFETIME_MS > now)
            .map(|it| &it.message);
        let mut messages: Vec<Message> = match range {
            Range::Last => of_room.rev().take(most).cloned().collect(),
            Range::After(seq) => of_room
                .filter(|message| message.seq > seq)
                .take(most)
                .cloned()
                .collect(),
        };
        messages.sort_by_key(|message| message.seq);
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::envelope::Format;
    use crate::limits::{
        CONNECTION_LIFETIME_MS, EVENT_LATE_MS, HISTORY_BYTES_IN_MEMORY, HISTORY_IN_MEMORY,
        MSG_CHARS, ROOMS,
    };
    use crate::store::{Draft, Joined, Joining, Range, Store};

    async fn join(store: &MemoryStore, room: &str, id: &str, now: i64) -> Joined {
        let joining = Joining {
            id,
            name: None,
            format: Format::Plain,
            connected_at: now,
            request: "1",
        };
        store.join(room, &joining, now).await.unwrap()
    }

    async fn append(store: &MemoryStore, room: &str, text: &str) -> u64 {
        let draft = Draft {
            id: None,
            connection: "a=",
            name: None,
            session: None,
            text,
            request: "1",
        };
        store.append(room, &draft, 0).await.unwrap().seq
    }

    #[tokio::test]
    async fn rooms_are_limited_until_their_members_cannot_be_alive() {
        let store = MemoryStore::default();
        for n in 0..ROOMS {
            join(&store, &format!("r{n}"), &n.to_string(), 0).await;
        }
        let end = CONNECTION_LIFETIME_MS;
        assert_eq!(
            join(&store, "more", "a=", end - 1).await,
            Joined::NoMoreRooms
        );
        let joined = join(&store, "more", "a=", end).await;
        assert!(matches!(joined, Joined::Now { .. }));
    }

    #[tokio::test]
    async fn connections_that_have_ended_are_forgotten_when_no_event_of_theirs_can_come() {
        let store = MemoryStore::default();
        store.disconnect("a=", 0).await.unwrap();
        assert_eq!(
            join(&store, "r", "a=", EVENT_LATE_MS - 1).await,
            Joined::Gone
        );
        store.disconnect("b=", EVENT_LATE_MS).await.unwrap();
        let known: Vec<_> = store.state.borrow().gone.keys().cloned().collect();
        assert_eq!(known, ["b="]);
    }

    #[tokio::test]
    async fn a_rooms_numbers_never_go_back_however_many_rooms_were_left() {
        let store = MemoryStore::default();
        join(&store, "r", "a=", 0).await;
        for seq in 1..=3 {
            assert_eq!(append(&store, "r", "x").await, seq);
        }
        store.leave("r", "a=", 0).await.unwrap();
        for n in 0..2 * ROOMS {
            let other = format!("r{n}");
            join(&store, &other, "a=", 0).await;
            append(&store, &other, "x").await;
            store.leave(&other, "a=", 0).await.unwrap();
        }
        assert!(store.state.borrow().empty.len() <= ROOMS);
        join(&store, "r", "a=", 0).await;
        assert!(append(&store, "r", "x").await > 3);
    }

    #[tokio::test]
    async fn messages_in_memory_are_bounded_in_number_and_size() {
        let store = MemoryStore::default();
        join(&store, "r", "a=", 0).await;
        for _ in 0..2 * HISTORY_IN_MEMORY {
            append(&store, "r", "x").await;
        }
        assert!(store.state.borrow().log.len() <= HISTORY_IN_MEMORY + 1);
        let last = store.history("r", Range::Last, 1, 0).await.unwrap();
        assert_eq!(last[0].seq, 2 * HISTORY_IN_MEMORY as u64);
        let long = "\u{10000}".repeat(MSG_CHARS);
        for _ in 0..1000 {
            append(&store, "r", &long).await;
        }
        let bytes = store.state.borrow().log_bytes;
        assert!(bytes <= HISTORY_BYTES_IN_MEMORY + long.len(), "{bytes}");
    }
}
