//! Random lives of two rooms, in several environments at once, against the simplest
//! model: sets of members, and lists of messages.
//!
//! A step is a few acts of different connections at the same time, each in the
//! environment it happens to meet. What each returns is determined, but for the order
//! in which messages of one step are numbered.

use super::{draft, joining};
use chat::{Joined, Member, Range, Store};
use futures_util::future::join_all;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::collections::{BTreeMap, BTreeSet};

const NOW: i64 = super::NOW;
const ROOMS: [&str; 2] = ["one", "two"];
pub const CONNECTIONS: usize = 5;

#[derive(Debug, Clone)]
pub enum Act {
    Join(usize),
    Leave(usize),
    /// With one of three ids, so that it is a repetition now and then; or without.
    Send(usize, Option<u8>),
    /// A post finds the connection gone: the membership that was read at some time ends.
    Vanish(usize, bool),
    Disconnect,
}

/// Of each connection at most one act, in an environment.
pub type Step = Vec<Option<(Act, usize)>>;

fn act() -> impl Strategy<Value = Act> {
    let room = || 0..ROOMS.len();
    let id = prop_oneof![Just(None), (0..3_u8).prop_map(Some)];
    prop_oneof![
        6 => room().prop_map(Act::Join),
        2 => room().prop_map(Act::Leave),
        8 => (room(), id).prop_map(|(room, id)| Act::Send(room, id)),
        2 => (room(), any::<bool>()).prop_map(|(room, old)| Act::Vanish(room, old)),
        1 => Just(Act::Disconnect),
    ]
}

pub fn life() -> impl Strategy<Value = Vec<Step>> {
    let one = proptest::option::weighted(0.5, (act(), 0..3_usize));
    let step = proptest::collection::vec(one, CONNECTIONS);
    proptest::collection::vec(step, 1..12)
}

/// What must be so.
#[derive(Default)]
struct Model {
    /// By room and connection.
    members: BTreeMap<(usize, usize), Member>,
    /// Room to the ids of its messages, in order.
    logs: [Vec<Option<(usize, u8)>>; 2],
    gone: BTreeSet<usize>,
    /// The first membership that was seen of room and connection.
    seen: BTreeMap<(usize, usize), Member>,
}

#[derive(Debug)]
enum Outcome {
    Joined(Joined),
    Left(bool),
    Stored(u64, bool),
    Done,
}

/// Lives a life. With `prefix`, rooms and connections of one life are no other's.
pub async fn live<S: Store>(environments: &[S], prefix: &str, life: &[Step]) {
    let mut model = Model::default();
    for step in life {
        let acts = step.iter().enumerate();
        let acts: Vec<_> = acts
            .filter_map(|(who, act)| act.as_ref().map(|(act, at)| (who, act, *at)))
            .collect();
        let doing = acts.iter().map(|(who, act, at)| {
            let store = &environments[at % environments.len()];
            doing(store, prefix, &model, *who, act)
        });
        let outcomes = join_all(doing).await;
        let before = [model.logs[0].len(), model.logs[1].len()];
        let mut given: [BTreeSet<u64>; 2] = Default::default();
        for ((who, act, _), outcome) in acts.iter().zip(outcomes) {
            model.check(*who, act, outcome, &mut given);
        }
        for room in 0..ROOMS.len() {
            let new = before[room] as u64 + 1..=model.logs[room].len() as u64;
            assert_eq!(given[room], new.collect(), "numbers without gaps");
        }
        for store in environments {
            model.compare(store, prefix).await;
        }
    }
}

fn room_name(prefix: &str, room: usize) -> String {
    format!("{prefix}{}", ROOMS[room])
}

fn connection(prefix: &str, who: usize) -> String {
    format!("{prefix}{who}=")
}

async fn doing(store: &impl Store, prefix: &str, model: &Model, who: usize, act: &Act) -> Outcome {
    let id = connection(prefix, who);
    let name = |room: &usize| room_name(prefix, *room);
    match act {
        Act::Join(room) => {
            let joined = store.join(&name(room), &joining(&id), NOW).await;
            Outcome::Joined(joined.expect("a join"))
        }
        Act::Leave(room) => {
            let left = store.leave(&name(room), &id, NOW).await;
            Outcome::Left(left.expect("a leave").is_some())
        }
        Act::Send(room, message) => {
            // As the handler does: who isn't a member sends nothing.
            let member = store.member(&name(room), &id, NOW).await;
            if member.expect("a look").is_none() {
                return Outcome::Done;
            }
            let message = message.map(|message| format!("m{message}"));
            let draft = draft(&id, message.as_deref());
            let stored = store.append(&name(room), &draft, NOW).await;
            let stored = stored.expect("a message");
            Outcome::Stored(stored.seq, stored.repeated)
        }
        Act::Vanish(room, old) => {
            let member = match old {
                true => model.seen.get(&(*room, who)).cloned(),
                false => {
                    let found = store.member(&name(room), &id, NOW).await;
                    found.expect("a look")
                }
            };
            if let Some(member) = member {
                store.prune(&name(room), &member).await.expect("a prune");
            }
            Outcome::Done
        }
        Act::Disconnect => {
            store.disconnect(&id, NOW).await.expect("an end");
            Outcome::Done
        }
    }
}

impl Model {
    fn check(&mut self, who: usize, act: &Act, outcome: Outcome, given: &mut [BTreeSet<u64>; 2]) {
        match (act, outcome) {
            (Act::Join(_), Outcome::Joined(joined)) if self.gone.contains(&who) => {
                assert_eq!(joined, Joined::Gone);
            }
            (Act::Join(room), Outcome::Joined(joined)) => {
                let place = (*room, who);
                if self.members.contains_key(&place) {
                    assert_eq!(joined, Joined::Already);
                    return;
                }
                let Joined::Now { members, .. } = joined else {
                    panic!("{joined:?}");
                };
                let mine = |member: &&Member| member.id.ends_with(&format!("{who}="));
                let me = members.iter().find(mine).expect("who joined is there");
                self.seen.entry(place).or_insert(me.clone());
                self.members.insert(place, me.clone());
            }
            (Act::Leave(room), Outcome::Left(left)) => {
                assert_eq!(left, self.members.remove(&(*room, who)).is_some());
            }
            (Act::Send(room, _), Outcome::Done) => {
                assert!(!self.members.contains_key(&(*room, who)));
            }
            (Act::Send(room, id), Outcome::Stored(seq, repeated)) => {
                assert!(self.members.contains_key(&(*room, who)));
                let message = id.map(|id| (who, id));
                let log = &mut self.logs[*room];
                let known = message.is_some() && log.contains(&message);
                assert_eq!(repeated, known, "a message is stored once");
                if known {
                    let place = usize::try_from(seq).expect("a place") - 1;
                    // Of this step's messages the order isn't known yet.
                    assert!(log.get(place).is_some());
                } else {
                    log.push(message);
                    assert!(given[*room].insert(seq), "{seq} was given twice");
                }
            }
            (Act::Vanish(room, false), Outcome::Done) => {
                self.members.remove(&(*room, who));
            }
            (Act::Vanish(room, true), Outcome::Done) => {
                // Only the membership that was seen ends.
                let place = (*room, who);
                if self.members.get(&place) == self.seen.get(&place) {
                    self.members.remove(&place);
                }
            }
            (Act::Disconnect, Outcome::Done) => {
                self.members.retain(|(_, member), _| *member != who);
                self.gone.insert(who);
            }
            (act, outcome) => panic!("{act:?}: {outcome:?}"),
        }
    }

    async fn compare(&self, store: &impl Store, prefix: &str) {
        for room in 0..ROOMS.len() {
            let name = room_name(prefix, room);
            let found = store.members(&name, NOW).await.expect("members");
            let found: Vec<_> = found.into_iter().map(|member| member.id).collect();
            let members = self.members.keys().filter(|(r, _)| *r == room);
            let expected: Vec<_> = members.map(|(_, who)| connection(prefix, *who)).collect();
            assert_eq!(found, expected, "members of {name}");
            let log = store.history(&name, Range::After(0), 1000, NOW).await;
            let log: Vec<_> = log.expect("a history").iter().map(|it| it.seq).collect();
            let expected: Vec<_> = (1..=self.logs[room].len() as u64).collect();
            assert_eq!(log, expected, "messages of {name}");
        }
    }
}
