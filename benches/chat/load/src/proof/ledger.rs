//! Holds what clients heard against the rooms' logs. Pure: a history comes in, faults come
//! out.
//!
//! A log, as a late reader finds it, is the truth of what was accepted. Each message is
//! known by its token, a number that nobody says twice.

use std::collections::{BTreeMap, BTreeSet};

/// The tokens of a room's messages; the first has the number 1.
pub(super) type Log = Vec<u64>;
/// All rooms' logs.
pub(super) type Logs = BTreeMap<String, Log>;

/// What a token is when a text isn't one: nobody says it.
pub(super) const NO_TOKEN: u64 = u64::MAX;

/// A message as somebody was told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) seq: u64,
    pub(super) token: u64,
}

/// What the client library tells of one stay in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is in; the next message has the number after this one.
    Joined(u64),
    Message(Heard),
    /// So many messages can't be had any more.
    Missed(u64),
}

/// A member's time in a room, from asking to join until it left, vanished, or all was over.
#[derive(Debug, Default)]
pub(super) struct Stay {
    pub(super) room: String,
    pub(super) told: Vec<Told>,
    /// It was there when all was over.
    pub(super) to_the_end: bool,
}

impl Stay {
    /// The number up to which it has come.
    pub(super) fn last(&self) -> u64 {
        let number = |told: &Told| match told {
            Told::Joined(last) => *last,
            Told::Message(heard) => heard.seq,
            Told::Missed(_) => 0,
        };
        self.told.iter().rev().map(number).max().unwrap_or(0)
    }
}

/// What members that use the client library must not find.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MemberFaults {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) misordered: u64,
    /// Another text than the log's, or one that the log doesn't have.
    pub(super) altered: u64,
    /// Was there at the end, and never in.
    pub(super) never_in: u64,
}

impl MemberFaults {
    /// Adds what is wrong with one stay. From the number at which it was in, it was told each
    /// message once and in order, to the end if it was there.
    pub(super) fn add(&mut self, stay: &Stay, log: &Log) {
        let mut next = None;
        let mut skipped = BTreeSet::new();
        for told in &stay.told {
            match (*told, next) {
                (Told::Joined(last), None) => next = Some(last + 1),
                // Back after a cut: it goes on where it was.
                (Told::Joined(last), Some(expected)) => {
                    skipped.extend(expected..=last);
                    next = Some(expected.max(last + 1));
                }
                (Told::Missed(many), _) => {
                    self.lost += many;
                    next = next.map(|expected| expected + many);
                }
                (Told::Message(_), None) => self.misordered += 1,
                (Told::Message(heard), Some(expected)) => {
                    if log.get(place(heard.seq)) != Some(&heard.token) {
                        self.altered += 1;
                    }
                    if heard.seq >= expected {
                        skipped.extend(expected..heard.seq);
                        next = Some(heard.seq + 1);
                    } else if skipped.remove(&heard.seq) {
                        self.misordered += 1;
                    } else {
                        self.doubled += 1;
                    }
                }
            }
        }
        self.lost += skipped.len() as u64;
        if stay.to_the_end {
            match next {
                Some(next) => self.lost += (log.len() as u64 + 1).saturating_sub(next),
                None => self.never_in += 1,
            }
        }
    }
}

fn place(seq: u64) -> usize {
    // No number is 0; if one were, it would be in no log.
    usize::try_from(seq).unwrap_or(usize::MAX).wrapping_sub(1)
}

/// What became of something a client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing yet.
    Waiting,
    /// The chat has said that it has this number.
    Stored(u64),
    /// The chat, or the client library, has said that it isn't done.
    Refused,
    /// Its sender went away, or got no answer.
    Unknown,
}

/// Everything that was said: its room and fate by its token.
pub(super) type Sends = BTreeMap<u64, (String, Fate)>;

/// What logs must not show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LogFaults {
    /// In a log twice, however often and by whichever connections it was said.
    pub(super) stored_twice: u64,
    /// In a log, and said by nobody, or in another room.
    pub(super) invented: u64,
    /// Said to be stored, and not in the log under its number.
    pub(super) not_kept: u64,
    /// Some of these, in words.
    pub(super) wrongs: Vec<String>,
}

/// So many wrongs are told; the counts have all.
const WRONGS: usize = 12;

impl LogFaults {
    pub(super) fn find(logs: &Logs, sends: &Sends) -> Self {
        let mut faults = Self::default();
        let mut seen = BTreeSet::new();
        for (room, log) in logs {
            for token in log {
                let said_here = sends.get(token).is_some_and(|(place, _)| place == room);
                faults.invented += u64::from(!said_here);
                if seen.insert(token) {
                    continue;
                }
                faults.stored_twice += 1;
                faults
                    .wrongs
                    .push(format!("{room}: {token} is there twice"));
            }
        }
        for (token, (room, fate)) in sends {
            if let Fate::Stored(seq) = fate {
                let found = logs.get(room).and_then(|log| log.get(place(*seq)));
                if found != Some(token) {
                    faults.not_kept += 1;
                    let wrong = format!("{room}: {token} isn't {seq}, which is {found:?}");
                    faults.wrongs.push(wrong);
                }
            }
        }
        faults.wrongs.truncate(WRONGS);
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: u64) -> Told {
        let token = seq * 10;
        Told::Message(Heard { seq, token })
    }

    /// Of a member that was in before the first of five messages.
    fn faults(told: &[Told], to_the_end: bool) -> MemberFaults {
        let mut faults = MemberFaults::default();
        let stay = Stay {
            room: "r".to_owned(),
            told: told.to_vec(),
            to_the_end,
        };
        faults.add(&stay, &vec![10, 20, 30, 40, 50]);
        faults
    }

    const IN: Told = Told::Joined(0);

    #[test]
    fn who_is_told_everything_once_and_in_order_finds_no_fault() {
        let all: Vec<Told> = [IN].into_iter().chain((1..=5).map(message)).collect();
        assert_eq!(faults(&all, true), MemberFaults::default());
        let late = [Told::Joined(3), message(4), message(5)];
        assert_eq!(faults(&late, true), MemberFaults::default());
        let cut = [IN, message(1), Told::Joined(1), message(2)];
        assert_eq!(faults(&cut, false), MemberFaults::default());
        assert_eq!(faults(&[], false), MemberFaults::default());
    }

    #[test]
    fn a_lost_message_is_found_in_the_middle_at_the_beginning_and_at_the_end() {
        let lost = |many| MemberFaults {
            lost: many,
            ..MemberFaults::default()
        };
        assert_eq!(faults(&[IN, message(1), message(3)], false), lost(1));
        assert_eq!(faults(&[IN, message(3)], false), lost(2));
        assert_eq!(faults(&[IN, message(1), message(2)], true), lost(3));
        assert_eq!(faults(&[IN, Told::Missed(2), message(3)], false), lost(2));
        let skipped = [IN, message(1), Told::Joined(2), message(3)];
        assert_eq!(faults(&skipped, false), lost(1));
    }

    #[test]
    fn a_doubled_a_misordered_and_an_altered_message_are_told_apart() {
        let doubled = faults(&[IN, message(1), message(2), message(1)], false);
        assert_eq!(
            (doubled.doubled, doubled.misordered, doubled.lost),
            (1, 0, 0)
        );
        let misordered = faults(&[IN, message(2), message(1)], false);
        assert_eq!(
            (misordered.doubled, misordered.misordered, misordered.lost),
            (0, 1, 0)
        );
        let wrong = Told::Message(Heard { seq: 1, token: 11 });
        assert_eq!(faults(&[IN, wrong], false).altered, 1);
        let too_many: Vec<Told> = [IN].into_iter().chain((1..=6).map(message)).collect();
        assert_eq!(faults(&too_many, true).altered, 1);
        assert_eq!(faults(&[message(1)], false).misordered, 1);
    }

    #[test]
    fn who_never_gets_in_is_found() {
        assert_eq!(faults(&[], true).never_in, 1);
    }

    fn log_faults(log: &[u64], sends: &[(u64, Fate)]) -> LogFaults {
        let logs = [("r".to_owned(), log.to_vec())].into();
        let sends = sends
            .iter()
            .map(|(token, fate)| (*token, ("r".to_owned(), *fate)));
        LogFaults::find(&logs, &sends.collect())
    }

    #[test]
    fn a_log_of_what_was_said_has_no_fault_whether_it_was_answered_or_not() {
        let sends = [
            (7, Fate::Stored(1)),
            (8, Fate::Unknown),
            (9, Fate::Refused),
            (10, Fate::Unknown),
        ];
        assert_eq!(log_faults(&[7, 8], &sends), LogFaults::default());
    }

    #[test]
    fn what_is_stored_twice_invented_or_not_kept_is_found() {
        let one = [(7, Fate::Stored(1))];
        assert_eq!(log_faults(&[7, 7], &one).stored_twice, 1);
        assert_eq!(log_faults(&[7, 8], &one).invented, 1);
        assert_eq!(log_faults(&[], &one).not_kept, 1);
        let elsewhere = [(7, Fate::Stored(2)), (8, Fate::Stored(1))];
        assert_eq!(log_faults(&[7, 8], &elsewhere).not_kept, 2);
        let logs = [("other".to_owned(), vec![7])].into();
        let sends = [(7, ("r".to_owned(), Fate::Unknown))].into();
        assert_eq!(LogFaults::find(&logs, &sends).invented, 1);
    }
}
