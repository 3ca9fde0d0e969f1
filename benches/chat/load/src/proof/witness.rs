//! What raw sockets heard, held against the rooms' logs. Pure.
//!
//! A raw socket has no client library: it may lose messages, or hear one twice, where the
//! invocation that told the room was killed. It must never hear a message of a room that it
//! isn't in. AWS tolerates one thing, and so does this: a message that was under way
//! when the socket left, of a time before the leave was answered.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::{Heard, Logs};

/// What happened to a socket, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Witness {
    /// It asks to join: from here on it may be told.
    Asks(String),
    /// It is in, with the room's last number, if it was told that.
    In(String, Option<u64>),
    /// It asks to leave: from here on it need not be told.
    Leaves(String),
    /// It hears that it is out, at this time, in ms since 1970.
    Out(String, i64),
    /// It hears a message, which was accepted at this time.
    Hears(String, Heard, i64),
}

/// A connection, from its opening to its end.
#[derive(Debug, Default)]
pub(super) struct Socket {
    pub(super) witnessed: Vec<Witness>,
    /// It was open when all was over.
    pub(super) to_the_end: bool,
}

/// A message of a room.
pub(super) type Place = (String, u64);

/// What raw sockets found.
#[derive(Debug, Default)]
pub(super) struct SocketFaults {
    /// Heard where nobody may hear it.
    pub(super) stray: u64,
    /// Heard after the leave, of a time before it was answered.
    pub(super) late: u64,
    /// Another text than the log's.
    pub(super) altered: u64,
    /// Messages that members weren't told, and by how many.
    pub(super) lost: BTreeMap<Place, u64>,
    /// Messages that members were told again, and how often.
    pub(super) doubled: BTreeMap<Place, u64>,
    /// Messages that were heard, each as often as it was.
    pub(super) heard: u64,
}

/// A socket's time in a room.
#[derive(Debug, Default)]
struct Time {
    /// Whether it has heard that it is in.
    is_in: bool,
    /// The room's last number when it was in.
    last: Option<u64>,
    heard: BTreeSet<u64>,
    /// The number up to which it must have heard everything, once it asks to leave.
    until: Option<u64>,
    out_at: Option<i64>,
}

impl SocketFaults {
    pub(super) fn add(&mut self, socket: &Socket, logs: &Logs) {
        let mut times: BTreeMap<&str, Time> = BTreeMap::new();
        for witness in &socket.witnessed {
            match witness {
                Witness::Asks(room) => {
                    let before = times.insert(room, Time::default());
                    self.end(room, before, None);
                }
                Witness::In(room, last) => {
                    let time = times.entry(room).or_default();
                    time.is_in = true;
                    time.last = *last;
                    if last.is_none() {
                        // What came before may be of an earlier time.
                        time.heard.clear();
                    }
                }
                Witness::Leaves(room) => {
                    let time = times.entry(room).or_default();
                    let last = time.heard.last().copied();
                    time.until.get_or_insert(last.unwrap_or(0));
                }
                Witness::Out(room, at) => times.entry(room).or_default().out_at = Some(*at),
                Witness::Hears(room, heard, at) => {
                    self.hears(room, *heard, *at, times.get_mut(room.as_str()), logs);
                }
            }
        }
        for (room, time) in times {
            let top = logs.get(room).map(|log| log.len() as u64);
            self.end(room, Some(time), top.filter(|_| socket.to_the_end));
        }
    }

    fn hears(&mut self, room: &str, heard: Heard, at: i64, time: Option<&mut Time>, logs: &Logs) {
        self.heard += 1;
        let place = usize::try_from(heard.seq).unwrap_or(usize::MAX);
        let said = logs
            .get(room)
            .and_then(|log| log.get(place.wrapping_sub(1)));
        self.altered += u64::from(said != Some(&heard.token));
        let Some(time) = time else {
            self.stray += 1;
            return;
        };
        match time.out_at {
            Some(out_at) if at > out_at => self.stray += 1,
            Some(_) => self.late += 1,
            None => {}
        }
        if !time.heard.insert(heard.seq) {
            *self
                .doubled
                .entry((room.to_owned(), heard.seq))
                .or_default() += 1;
        }
    }

    /// Counts what a time in a room lacks: all from when it was in up to the leave, the log's
    /// end if it stayed so long, or the last that it heard.
    fn end(&mut self, room: &str, time: Option<Time>, top: Option<u64>) {
        let Some(time) = time.filter(|time| time.is_in) else {
            return;
        };
        let first_heard = time.heard.first().copied();
        let last_heard = time.heard.last().copied();
        let (Some(from), Some(until)) = (
            time.last.map(|last| last + 1).or(first_heard),
            time.until.or(top).or(last_heard),
        ) else {
            return;
        };
        for seq in (from..=until).filter(|seq| !time.heard.contains(seq)) {
            *self.lost.entry((room.to_owned(), seq)).or_default() += 1;
        }
    }

    /// Of these messages, those whose telling came to its end, though somebody wasn't told or
    /// was told twice; and those whose telling was cut short.
    pub(super) fn blame(&self, told_to_the_end: &BTreeSet<Place>) -> Blame {
        let mut blame = Blame::default();
        let mut cut_short = BTreeSet::new();
        let faults = [
            (&self.lost, &mut blame.lost_without_cause, &mut blame.lost),
            (
                &self.doubled,
                &mut blame.doubled_without_cause,
                &mut blame.doubled,
            ),
        ];
        for (places, without_cause, with_cause) in faults {
            for (place, many) in places {
                if told_to_the_end.contains(place) {
                    *without_cause += many;
                } else {
                    *with_cause += many;
                    cut_short.insert(place);
                }
            }
        }
        blame.cut_short = cut_short.len() as u64;
        blame
    }
}

/// Losses and doublings by whether the invocation that told the room was killed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blame {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) lost_without_cause: u64,
    pub(super) doubled_without_cause: u64,
    /// Messages that these were.
    pub(super) cut_short: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "r";

    fn asks() -> Witness {
        Witness::Asks(ROOM.to_owned())
    }

    fn is_in(last: u64) -> Witness {
        Witness::In(ROOM.to_owned(), Some(last))
    }

    fn hears(seq: u64) -> Witness {
        let at = 100 + i64::try_from(seq).unwrap();
        let token = seq * 10;
        Witness::Hears(ROOM.to_owned(), Heard { seq, token }, at)
    }

    fn faults(witnessed: &[Witness], to_the_end: bool) -> SocketFaults {
        let logs = [(ROOM.to_owned(), vec![10, 20, 30, 40])].into();
        let mut faults = SocketFaults::default();
        let socket = Socket {
            witnessed: witnessed.to_vec(),
            to_the_end,
        };
        faults.add(&socket, &logs);
        faults
    }

    fn lost(witnessed: &[Witness], to_the_end: bool) -> Vec<u64> {
        let found = faults(witnessed, to_the_end);
        assert_eq!((found.stray, found.doubled.len()), (0, 0));
        found.lost.into_keys().map(|(_, seq)| seq).collect()
    }

    #[test]
    fn a_member_that_hears_all_to_its_end_loses_nothing() {
        let nothing: [u64; 0] = [];
        let all = [asks(), is_in(2), hears(3), hears(4)];
        assert_eq!(lost(&all, true), nothing);
        assert_eq!(lost(&[asks(), is_in(0), hears(1)], false), nothing);
        assert_eq!(lost(&[asks()], true), nothing, "it was never in");
    }

    #[test]
    fn a_message_that_a_member_lost_is_named() {
        assert_eq!(lost(&[asks(), is_in(0), hears(1), hears(3)], false), [2]);
        assert_eq!(lost(&[asks(), is_in(2), hears(3)], true), [4]);
        assert_eq!(lost(&[asks(), is_in(0), hears(2)], false), [1]);
        let in_without_a_number = Witness::In(ROOM.to_owned(), None);
        assert_eq!(
            lost(&[asks(), in_without_a_number, hears(2), hears(4)], false),
            [3]
        );
    }

    #[test]
    fn who_asks_to_leave_need_not_be_told_from_then_on() {
        let leaves = Witness::Leaves(ROOM.to_owned());
        let out = Witness::Out(ROOM.to_owned(), 500);
        let told = [asks(), is_in(0), hears(1), leaves, hears(3), out];
        assert_eq!(lost(&told, true), [0; 0]);
    }

    #[test]
    fn a_message_of_a_room_that_was_never_asked_for_is_stray() {
        assert_eq!(faults(&[hears(1)], false).stray, 1);
    }

    #[test]
    fn a_message_after_the_leave_is_stray_unless_it_was_accepted_before() {
        let out = |at| Witness::Out(ROOM.to_owned(), at);
        // Message 2 is accepted at 102.
        let early = faults(&[asks(), is_in(0), hears(1), out(101), hears(2)], false);
        assert_eq!((early.stray, early.late), (1, 0));
        let late = faults(&[asks(), is_in(0), hears(1), out(102), hears(2)], false);
        assert_eq!((late.stray, late.late), (0, 1));
        let again = faults(&[asks(), is_in(0), out(101), asks(), hears(2)], false);
        assert_eq!((again.stray, again.late), (0, 0));
    }

    #[test]
    fn a_doubled_and_an_altered_message_are_found() {
        let doubled = faults(&[asks(), is_in(0), hears(1), hears(1)], false);
        assert_eq!(doubled.doubled[&(ROOM.to_owned(), 1)], 1);
        let wrong = Witness::Hears(ROOM.to_owned(), Heard { seq: 1, token: 1 }, 0);
        assert_eq!(faults(&[asks(), wrong], false).altered, 1);
    }

    #[test]
    fn a_loss_has_a_cause_only_where_the_telling_did_not_come_to_its_end() {
        let found = faults(&[asks(), is_in(0), hears(1), hears(1), hears(4)], false);
        let told = [(ROOM.to_owned(), 1), (ROOM.to_owned(), 3)].into();
        let blame = Blame {
            lost: 1,
            doubled: 0,
            lost_without_cause: 1,
            doubled_without_cause: 1,
            cut_short: 1,
        };
        assert_eq!(found.blame(&told), blame);
    }
}
