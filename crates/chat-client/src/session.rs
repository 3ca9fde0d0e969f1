//! What the client knows of its rooms, and what it says and tells next. Pure: frames and
//! time come in, frames and events go out.
//!
//! A room's messages are numbered without gaps. What comes out of order waits until the
//! history has what is missing; what comes twice is dropped. What the history doesn't
//! have either can't be had any more, and the reader is told so.
//!
//! Deliberately absent: what was said before the client first joined.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::protocol::{Heard, Person, Request, Said};

/// An answer that took longer is asked for again, give or take a quarter that is drawn
/// for each connection: those that a fault struck together don't come back together.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Between two looks for the same missing message.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// No answer is under way for longer: API Gateway waits 29 s for a function, and functions
/// end. An answer that comes so long after a message was heard knows of that message.
const UNDER_WAY: Duration = Duration::from_secs(40);
/// Nothing can be lost for longer than this in a room where nobody says anything more.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Between two messages of the client's own: well within API Gateway's 10 minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(8 * 60);
/// How often a message is said before its sender is told that it can't be.
const ATTEMPTS: u32 = 8;
/// Messages that wait for those before them; what is more comes from the history.
const AHEAD: usize = 1_000;
/// Messages asked of the history at a time.
const HISTORY_PAGE: usize = 100;

/// What the client's user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client is a member of the room, for the first time or again.
    Joined {
        /// The room.
        room: String,
        /// What comes next has the number after this one: the room's last when the client
        /// first joined, the last that was told when it comes back.
        last: u64,
    },
    /// Somebody has joined, perhaps the client itself.
    MemberJoined {
        /// The room.
        room: String,
        /// Who.
        member: Person,
    },
    /// Somebody has left.
    MemberLeft {
        /// The room.
        room: String,
        /// Who.
        member: Person,
    },
    /// The room's next message.
    Message {
        /// The room.
        room: String,
        /// What was said.
        said: Said,
    },
    /// Messages that can't be had any more.
    Missed {
        /// The room.
        room: String,
        /// The first one's number.
        from: u64,
        /// The last one's.
        to: u64,
    },
    /// A message of the client's is in the room.
    Sent {
        /// The room.
        room: String,
        /// What [`Session::send`] has answered.
        id: String,
        /// The message's number.
        seq: u64,
    },
    /// Something isn't done, and isn't tried again.
    Refused {
        /// The room, where it is about one.
        room: Option<String>,
        /// The message, where it is about one.
        id: Option<String>,
        /// The chat's code, or `NO_ANSWER`.
        code: String,
        /// What the chat says of it.
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Membership {
    Out,
    /// Asked for, when.
    Joining(Duration),
    In,
}

#[derive(Debug)]
struct Room {
    membership: Membership,
    /// The last message that was told; `None` until it is known with which number the
    /// client's time in the room begins.
    last: Option<u64>,
    /// Messages whose predecessors are missing or not known, and when they were heard.
    ahead: BTreeMap<u64, (Said, Duration)>,
    /// The history was asked, and hasn't answered.
    asked: bool,
    /// When it was asked last, answered or not.
    looked: Duration,
    /// When it was asked for the room's last message alone: that answer may be under way.
    beginning: Option<Duration>,
}

#[derive(Debug)]
struct Sending {
    id: String,
    room: String,
    text: String,
    /// Not before.
    due: Duration,
    attempts: u32,
}

/// A client's rooms and unanswered messages. Times are since any one moment.
#[derive(Debug)]
pub struct Session {
    /// What the ids of messages begin with: no two clients have the same.
    name: String,
    /// By which the chat knows the client again, whichever connection it comes by.
    secret: String,
    sent: u64,
    is_open: bool,
    spoke: Duration,
    /// How long to wait for an answer, on this connection.
    patience: Duration,
    lots: fastrand::Rng,
    rooms: BTreeMap<String, Room>,
    sending: Vec<Sending>,
    frames: Vec<String>,
    events: Vec<Event>,
}

impl Session {
    /// A session that isn't connected. `name` must be nobody else's, and have at most 40
    /// characters: all members see it. `secret`, of 16 to 64 characters, nobody sees; who
    /// guesses it can have the client's messages taken for repetitions.
    pub fn new(name: impl Into<String>, secret: impl Into<String>) -> Self {
        let name = name.into();
        let mut seed = DefaultHasher::new();
        name.hash(&mut seed);
        let lots = fastrand::Rng::with_seed(seed.finish());
        Self {
            name,
            secret: secret.into(),
            sent: 0,
            is_open: false,
            spoke: Duration::ZERO,
            patience: ASK_AGAIN,
            lots,
            rooms: BTreeMap::new(),
            sending: Vec::new(),
            frames: Vec::new(),
            events: Vec::new(),
        }
    }

    /// What to send now.
    pub fn take_frames(&mut self) -> Vec<String> {
        std::mem::take(&mut self.frames)
    }

    /// What to tell the user now.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether each message of the client's is answered, and no room waits for one.
    pub fn is_settled(&self) -> bool {
        let waits =
            |room: &Room| room.membership != Membership::In || room.asked || !room.ahead.is_empty();
        self.sending.is_empty() && !self.rooms.values().any(waits)
    }

    /// From now on the client is a member of the room, across connections.
    pub fn join(&mut self, room: &str, now: Duration) {
        self.rooms.entry(room.to_owned()).or_insert(Room {
            membership: Membership::Out,
            last: None,
            ahead: BTreeMap::new(),
            asked: false,
            looked: now,
            beginning: None,
        });
        self.tick(now);
    }

    /// No longer.
    pub fn leave(&mut self, room: &str, now: Duration) {
        if self.rooms.remove(room).is_some() && self.is_open {
            self.say(&Request::of_room("leave", room), now);
        }
        self.sending.retain(|sending| sending.room != room);
    }

    /// Says something in a room that the client has joined, now or when it is there again.
    /// Answers the message's id.
    pub fn send(&mut self, room: &str, text: &str, now: Duration) -> String {
        self.sent += 1;
        let id = format!("{}-{}", self.name, self.sent);
        self.sending.push(Sending {
            id: id.clone(),
            room: room.to_owned(),
            text: text.to_owned(),
            due: now,
            attempts: 0,
        });
        self.tick(now);
        id
    }

    /// A connection is there.
    pub fn opened(&mut self, now: Duration) {
        self.is_open = true;
        self.spoke = now;
        self.patience = ASK_AGAIN.mul_f64(0.75 + 0.5 * self.lots.f64());
        for sending in &mut self.sending {
            sending.due = now;
        }
        self.tick(now);
    }

    /// The connection is gone, and with it what was on its way.
    pub fn closed(&mut self) {
        self.is_open = false;
        self.frames.clear();
        for room in self.rooms.values_mut() {
            room.membership = Membership::Out;
            room.asked = false;
            room.beginning = None;
        }
    }

    /// Does what is due. To be called some times a second.
    pub fn tick(&mut self, now: Duration) {
        if !self.is_open {
            return;
        }
        let names: Vec<String> = self.rooms.keys().cloned().collect();
        for name in names {
            self.tend(&name, now);
        }
        self.say_what_is_due(now);
        if now.saturating_sub(self.spoke) >= KEEP_ALIVE {
            self.say(&Request::new("keep-alive"), now);
        }
    }

    fn tend(&mut self, name: &str, now: Duration) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        match room.membership {
            Membership::Joining(since) if now.saturating_sub(since) < self.patience => {}
            Membership::Out | Membership::Joining(_) => {
                room.membership = Membership::Joining(now);
                self.say(&Request::of_room("join", name), now);
            }
            Membership::In => {
                let since = now.saturating_sub(room.looked);
                let unanswered = room.asked && since >= self.patience;
                if unanswered {
                    room.asked = false;
                }
                let waits = !room.ahead.is_empty() && since >= LOOK_AGAIN;
                if unanswered || waits || since >= LOOK_EVERY {
                    self.ask_history(name, now);
                }
            }
        }
    }

    fn say_what_is_due(&mut self, now: Duration) {
        let mut due = Vec::new();
        let mut given_up = Vec::new();
        let (rooms, secret, patience) = (&self.rooms, self.secret.as_str(), self.patience);
        let is_in = |room: &str| {
            let room = rooms.get(room);
            room.is_some_and(|room| room.membership == Membership::In)
        };
        self.sending.retain_mut(|sending| {
            if sending.due > now || !is_in(&sending.room) {
                return true;
            }
            if sending.attempts == ATTEMPTS {
                given_up.push((sending.room.clone(), sending.id.clone()));
                return false;
            }
            sending.attempts += 1;
            sending.due = now + patience;
            due.push(
                Request {
                    msg: Some(&sending.text),
                    id: Some(&sending.id),
                    session: Some(secret),
                    ..Request::of_room("send", &sending.room)
                }
                .to_frame(),
            );
            true
        });
        if !due.is_empty() {
            self.spoke = now;
        }
        self.frames.extend(due);
        for (room, id) in given_up {
            self.events.push(Event::Refused {
                room: Some(room),
                id: Some(id),
                code: "NO_ANSWER".to_owned(),
                text: format!("The chat hasn't answered in {ATTEMPTS} attempts."),
            });
        }
    }

    fn say(&mut self, request: &Request<'_>, now: Duration) {
        self.spoke = now;
        self.frames.push(request.to_frame());
    }

    fn ask_history(&mut self, name: &str, now: Duration) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        if room.asked {
            return;
        }
        room.asked = true;
        room.looked = now;
        if room.last.is_none() {
            room.beginning = Some(now);
        }
        let request = Request {
            after: room.last,
            last: Some(room.last.map_or(1, |_| HISTORY_PAGE)),
            ..Request::of_room("history", name)
        };
        self.say(&request, now);
    }

    /// A frame has come.
    pub fn heard(&mut self, frame: &str, now: Duration) {
        match Heard::read(frame) {
            Some(Heard::Joined { room, member, last }) => self.joined(room, member, last, now),
            Some(Heard::Left { room, member }) => {
                if self.rooms.contains_key(&room) {
                    self.events.push(Event::MemberLeft { room, member });
                }
            }
            Some(Heard::Message { room, said }) => self.said(&room, said, now),
            Some(Heard::Sent { room, seq, id }) => self.sent(&room, seq, id),
            Some(Heard::History {
                room,
                messages,
                more,
            }) => self.history(&room, messages, more, now),
            Some(Heard::Error {
                code,
                text,
                room,
                id,
            }) => self.refused(code, text, room, id, now),
            // What API Gateway says about a message doesn't tell which one; what isn't
            // answered is said again.
            Some(Heard::Other) | None => {}
        }
        self.say_what_is_due(now);
    }

    /// The first that is heard of a room that was asked for is that the client is in it:
    /// others' joining isn't told to who is no member.
    fn joined(&mut self, name: String, member: Person, last: u64, now: Duration) {
        let Some(room) = self.rooms.get_mut(&name) else {
            return;
        };
        let is_new = room.membership != Membership::In || room.last.is_none();
        room.membership = Membership::In;
        if is_new {
            self.begin(&name, last, now);
        }
        self.events.push(Event::MemberJoined {
            room: name.clone(),
            member,
        });
        let told = self.rooms.get(&name).and_then(|room| room.last);
        if told.is_some_and(|told| last > told) {
            self.ask_history(&name, now);
        }
    }

    /// The client is in, and all after this number is to be told, unless it has come
    /// further before.
    fn begin(&mut self, name: &str, last: u64, now: Duration) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        let last = *room.last.get_or_insert(last);
        room.ahead.retain(|seq, _| *seq > last);
        self.events.push(Event::Joined {
            room: name.to_owned(),
            last,
        });
        self.tell_in_order(name);
        let waits = self.rooms.get(name).is_some_and(|it| !it.ahead.is_empty());
        if waits {
            self.ask_history(name, now);
        }
    }

    fn said(&mut self, name: &str, said: Said, now: Duration) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        if room.last.is_some_and(|last| said.seq <= last) {
            return;
        }
        room.ahead.entry(said.seq).or_insert((said, now));
        if room.ahead.len() > AHEAD {
            room.ahead.pop_last();
        }
        // Perhaps what was said before it is missing.
        if room.last.is_none() {
            return;
        }
        self.tell_in_order(name);
        let waits = self.rooms.get(name).is_some_and(|it| !it.ahead.is_empty());
        if waits {
            self.ask_history(name, now);
        }
    }

    /// Tells what waits, as far as nothing is missing.
    fn tell_in_order(&mut self, name: &str) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        while let Some((said, _)) = room.last.and_then(|last| room.ahead.remove(&(last + 1))) {
            room.last = Some(said.seq);
            self.events.push(Event::Message {
                room: name.to_owned(),
                said,
            });
        }
    }

    fn history(&mut self, name: &str, messages: Vec<Said>, more: bool, now: Duration) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        // Perhaps it answers a question that was asked again: then the other answer has
        // nothing new.
        room.asked = false;
        let Some(last) = room.last else {
            if room.membership == Membership::In {
                let last = messages.last().map_or(0, |said| said.seq);
                self.begin(name, last, now);
            }
            return;
        };
        // A gap is one only in the answer to a question for what comes after `last`.
        let skips = messages.first().is_some_and(|said| said.seq > last + 1);
        let may_be_older = |asked: Duration| now.saturating_sub(asked) < UNDER_WAY;
        if skips && room.beginning.is_some_and(may_be_older) {
            for said in messages {
                room.ahead.entry(said.seq).or_insert((said, now));
            }
            return;
        }
        // The history is complete up to its last message. If there is no more, it is so
        // up to the first that was heard long ago, too.
        let mut known = messages.last().map(|said| said.seq);
        if let (false, Some((first, (_, heard)))) = (more, room.ahead.first_key_value())
            && now.saturating_sub(*heard) >= UNDER_WAY
        {
            known = known.max(Some(first - 1));
        }
        for said in messages {
            if said.seq > last {
                room.ahead.entry(said.seq).or_insert((said, now));
            }
        }
        self.tell_up_to(name, known.unwrap_or(last));
        if more {
            self.ask_history(name, now);
        }
    }

    /// Tells what waits, and what of it is missing for good up to this number.
    fn tell_up_to(&mut self, name: &str, known: u64) {
        loop {
            self.tell_in_order(name);
            let Some(room) = self.rooms.get_mut(name) else {
                return;
            };
            let last = room.last.unwrap_or_default();
            if last >= known {
                return;
            }
            let next = room.ahead.keys().next().copied();
            let to = next.map_or(known, |next| next - 1).min(known);
            room.last = Some(to);
            self.events.push(Event::Missed {
                room: name.to_owned(),
                from: last + 1,
                to,
            });
        }
    }

    fn sent(&mut self, room: &str, seq: u64, id: Option<String>) {
        let Some(id) = id else {
            return;
        };
        let before = self.sending.len();
        self.sending.retain(|sending| sending.id != id);
        if self.sending.len() < before {
            let room = room.to_owned();
            self.events.push(Event::Sent { room, id, seq });
        }
    }

    fn refused(
        &mut self,
        code: String,
        text: String,
        room: Option<String>,
        id: Option<String>,
        now: Duration,
    ) {
        let membership = |session: &mut Self, to: Membership| {
            let name = room.as_ref()?;
            let found = session.rooms.get_mut(name)?;
            let before = found.membership;
            found.membership = to;
            Some(before)
        };
        match code.as_str() {
            "ALREADY_JOINED" => {
                let before = membership(self, Membership::In);
                if let (Some(before), Some(room)) = (before, room)
                    && before != Membership::In
                {
                    // The answer to the first `join` was lost, and the room's last number
                    // with it: the history tells.
                    let last = self.rooms.get(&room).and_then(|room| room.last);
                    if let Some(last) = last {
                        self.begin(&room, last, now);
                    }
                    self.ask_history(&room, now);
                }
            }
            // It was taken for gone: join again, and say again what is unanswered.
            "NOT_A_MEMBER" => {
                if let Some(name) = &room
                    && let Some(found) = self.rooms.get_mut(name)
                {
                    found.asked = false;
                }
                if let Some(Membership::In) = membership(self, Membership::Out) {
                    for sending in &mut self.sending {
                        sending.due = now;
                    }
                    self.tick(now);
                }
            }
            // Said again when it is due.
            "TOO_MANY_MESSAGES" | "UNAVAILABLE" => {}
            _ => {
                if let (Some(name), None) = (&room, &id) {
                    // Its room can't be joined.
                    self.rooms.remove(name);
                }
                if let Some(id) = &id {
                    self.sending.retain(|sending| sending.id != *id);
                }
                self.events.push(Event::Refused {
                    room,
                    id,
                    code,
                    text,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
