//! Who is in which room, and whom to tell what.
//!
//! Pure: a change returns a [`Telling`] for someone else to carry out, and the
//! clock is the event's. Deliberately absent: leaving a room. A member leaves by
//! disconnecting, which is noticed when the next post finds the connection gone,
//! or at the latest when no connection can live that long.

use crate::post::Telling;
use std::collections::BTreeMap;

/// The most rooms there are.
pub const ROOMS: usize = 1024;
/// The most members a room has. It also bounds how long one telling takes.
pub const MEMBERS_PER_ROOM: usize = 128;
/// The most rooms one connection is a member of.
pub const ROOMS_PER_CONNECTION: usize = 16;
/// After this many milliseconds a connection is surely gone: API Gateway cuts
/// each after two hours. Five minutes are for clocks that differ.
pub const CONNECTION_LIFETIME_MS: i64 = (2 * 60 + 5) * 60 * 1000;

/// A connection that asks to join.
#[derive(Debug, Clone, Copy)]
pub struct Member<'m> {
    /// Its connection id.
    pub id: &'m str,
    /// When it connected, in milliseconds since 1970.
    pub connected_at: i64,
}

/// Every room with its members; no room is empty.
#[derive(Debug, Default)]
pub struct Rooms {
    /// Room name to connection id to the time it connected.
    rooms: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Rooms {
    /// Makes a member of the asker, and has all members told; or has the asker
    /// told why not. Rooms come to be by joining them.
    pub fn join(&mut self, room: &str, asker: Member<'_>) -> Telling {
        if let Err(refusal) = self.may_join(room, asker.id) {
            return Telling::one(asker.id, refusal);
        }
        let members = self.rooms.entry(room.to_owned()).or_default();
        members.insert(asker.id.to_owned(), asker.connected_at);
        Telling {
            to: members.keys().cloned().collect(),
            text: format!("{} has joined to Room {room}", asker.id),
        }
    }

    fn may_join(&self, room: &str, asker: &str) -> Result<(), String> {
        let joined = self.rooms.values().filter(|m| m.contains_key(asker));
        match self.rooms.get(room) {
            Some(members) if members.contains_key(asker) => {
                Err(format!("You have already joined to {room}."))
            }
            _ if joined.count() >= ROOMS_PER_CONNECTION => Err(format!(
                "You cannot join more than {ROOMS_PER_CONNECTION} rooms."
            )),
            Some(members) if members.len() >= MEMBERS_PER_ROOM => Err(format!(
                "{room} cannot have more than {MEMBERS_PER_ROOM} members."
            )),
            None if self.rooms.len() >= ROOMS => {
                Err(format!("There cannot be more than {ROOMS} rooms."))
            }
            _ => Ok(()),
        }
    }

    /// Has all members told a message of one of them; or has a sender that is
    /// not a member told to become one.
    pub fn send(&self, room: &str, sender: &str, msg: &str) -> Telling {
        match self.rooms.get(room) {
            Some(members) if members.contains_key(sender) => Telling {
                to: members.keys().cloned().collect(),
                text: format!("[{sender}]: {msg}"),
            },
            _ => Telling::one(
                sender,
                format!("In order to send message room to {room}, join first."),
            ),
        }
    }

    /// Drops connections that are gone from every room.
    pub fn forget(&mut self, gone: &[String]) {
        self.keep(|id, _| !gone.iter().any(|gone| gone == id));
    }

    /// Drops members whose connection cannot have lived until `now`
    /// (milliseconds since 1970). Without this, rooms that nobody speaks in any
    /// more would count against the limits forever.
    pub fn expire(&mut self, now: i64) {
        self.keep(|_, connected_at| now - connected_at < CONNECTION_LIFETIME_MS);
    }

    fn keep(&mut self, mut keep: impl FnMut(&str, i64) -> bool) {
        self.rooms.retain(|_, members| {
            members.retain(|id, connected_at| keep(id, *connected_at));
            !members.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CONNECTION_LIFETIME_MS, MEMBERS_PER_ROOM, Member, ROOMS, ROOMS_PER_CONNECTION, Rooms,
    };
    use crate::post::Telling;
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
    use std::collections::BTreeSet;

    fn member(id: &str) -> Member<'_> {
        Member {
            id,
            connected_at: 0,
        }
    }

    fn told(telling: Telling) -> (Vec<String>, String) {
        (telling.to, telling.text)
    }

    #[test]
    fn the_joiner_and_every_member_are_told_who_joined() {
        let mut rooms = Rooms::default();
        let alone = (vec!["a=".into()], "a= has joined to Room r".into());
        assert_eq!(told(rooms.join("r", member("a="))), alone);
        let both = (
            vec!["a=".into(), "b=".into()],
            "b= has joined to Room r".into(),
        );
        assert_eq!(told(rooms.join("r", member("b="))), both);
    }

    #[test]
    fn joining_again_tells_only_the_one_who_asked() {
        let mut rooms = Rooms::default();
        rooms.join("r", member("a="));
        rooms.join("r", member("b="));
        let again = Telling::one("a=", "You have already joined to r.");
        assert_eq!(rooms.join("r", member("a=")), again);
    }

    #[test]
    fn being_in_one_room_does_not_let_speak_in_another() {
        let mut rooms = Rooms::default();
        rooms.join("r", member("a="));
        rooms.join("other", member("b="));
        let first = "In order to send message room to r, join first.";
        assert_eq!(rooms.send("r", "b=", "x"), Telling::one("b=", first));
        let nowhere = "In order to send message room to nowhere, join first.";
        assert_eq!(
            rooms.send("nowhere", "b=", "x"),
            Telling::one("b=", nowhere)
        );
    }

    #[test]
    fn a_full_room_takes_nobody_until_a_member_is_gone() {
        let mut rooms = Rooms::default();
        for n in 0..MEMBERS_PER_ROOM {
            rooms.join("r", member(&format!("{n}")));
        }
        let full = "r cannot have more than 128 members.";
        assert_eq!(rooms.join("r", member("a=")), Telling::one("a=", full));
        rooms.forget(&["0".into()]);
        assert_eq!(rooms.join("r", member("a=")).to.len(), MEMBERS_PER_ROOM);
    }

    #[test]
    fn a_connection_joins_so_many_rooms_and_no_more() {
        let mut rooms = Rooms::default();
        for n in 0..ROOMS_PER_CONNECTION {
            rooms.join(&format!("r{n}"), member("a="));
        }
        let enough = Telling::one("a=", "You cannot join more than 16 rooms.");
        assert_eq!(rooms.join("more", member("a=")), enough);
        assert_eq!(rooms.join("r0", member("b=")).to, ["a=", "b="]);
    }

    #[test]
    fn rooms_are_limited_until_their_members_cannot_be_alive() {
        let mut rooms = Rooms::default();
        for n in 0..ROOMS {
            rooms.join(&format!("r{n}"), member(&format!("{n}")));
        }
        let enough = Telling::one("a=", "There cannot be more than 1024 rooms.");
        rooms.expire(CONNECTION_LIFETIME_MS - 1);
        assert_eq!(rooms.join("more", member("a=")), enough);
        rooms.expire(CONNECTION_LIFETIME_MS);
        assert_eq!(rooms.join("more", member("a=")).to, ["a="]);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Join(String, String),
        Send(String, String),
        Gone(String),
    }

    fn act() -> impl Strategy<Value = Act> {
        let room = || prop_oneof![Just("r1".to_owned()), Just("r2".to_owned())];
        let id = || prop_oneof!["[a-d]="];
        prop_oneof![
            3 => (room(), id()).prop_map(|(room, id)| Act::Join(room, id)),
            3 => (room(), id()).prop_map(|(room, id)| Act::Send(room, id)),
            1 => id().prop_map(Act::Gone),
        ]
    }

    proptest! {
        /// Against the simplest model: a set of (room, member) pairs.
        #[test]
        fn everyone_in_the_room_and_nobody_else_is_told_once(
            acts in proptest::collection::vec(act(), 0..60),
        ) {
            let mut rooms = Rooms::default();
            let mut model = BTreeSet::new();
            let members = |model: &BTreeSet<(String, String)>, room: &str| -> Vec<String> {
                model.iter().filter(|(r, _)| r == room).map(|(_, id)| id.clone()).collect()
            };
            for act in acts {
                match act {
                    Act::Join(room, id) => {
                        let telling = rooms.join(&room, member(&id));
                        if model.insert((room.clone(), id.clone())) {
                            assert_eq!(telling.to, members(&model, &room));
                            assert_eq!(telling.text, format!("{id} has joined to Room {room}"));
                        } else {
                            assert_eq!(telling.to, [id]);
                            assert_eq!(telling.text, format!("You have already joined to {room}."));
                        }
                    }
                    Act::Send(room, id) => {
                        let telling = rooms.send(&room, &id, "x");
                        if model.contains(&(room.clone(), id.clone())) {
                            assert_eq!(telling.to, members(&model, &room));
                            assert_eq!(telling.text, format!("[{id}]: x"));
                        } else {
                            assert_eq!(telling.to, [id]);
                        }
                    }
                    Act::Gone(id) => {
                        rooms.forget(std::slice::from_ref(&id));
                        model.retain(|(_, member)| *member != id);
                    }
                }
                assert!(rooms.rooms.values().all(|members| !members.is_empty()));
            }
        }
    }
}
