//! The rooms: `join`, `send`, `leave`, `who`, `history`; and `$disconnect` where a stage
//! routes it here, as one with rooms in memory does.
//!
//! One function serves all these routes, so that with rooms in its memory they are in
//! one place; it must run with a reserved concurrency of one then. Events that overlap
//! are refused by Lambda, and their senders get API Gateway's own error frame
//! (`Internal server error`). With a table it runs in as many environments as it
//! needs.

mod refusal;
mod tell;

use crate::refusal::Refusal;
use chat::{
    Draft, Envelope, Event, EventError, FAN_OUT_MEMBERS, Format, HistoryRequest, Invocation,
    Joined, Joining, NoRelay, Person, Post, Relay, RoomRequest, Said, SendRequest, Served, Store,
    WHO_MEMBERS, body, connection_id, expect_route, format, name, now,
};

const ROUTES: &[&str] = &["join", "send", "leave", "who", "history", "$disconnect"];

/// The handler of rooms' events.
#[derive(Debug)]
pub struct Handler<S, R = NoRelay> {
    store: S,
    relay: R,
    /// How many members one invocation tells.
    part: usize,
}

/// An event, and the way to connections.
struct Asked<'a, P> {
    event: &'a Event,
    /// The asking connection.
    id: &'a str,
    now: i64,
    /// The format that this one request asks for.
    format: Option<Format>,
    invocation: &'a Invocation,
    post: &'a P,
}

impl<S: Store> Handler<S> {
    /// With the rooms that this store remembers; one invocation tells a room's every
    /// member.
    pub fn new(store: S) -> Self {
        Self::with_relay(store, NoRelay)
    }
}

impl<S: Store, R: Relay> Handler<S, R> {
    /// With the rooms that this store remembers; large rooms are told by several
    /// invocations.
    pub fn with_relay(store: S, relay: R) -> Self {
        let part = FAN_OUT_MEMBERS;
        Self { store, relay, part }
    }

    /// With so many members told by one invocation, rather than [`FAN_OUT_MEMBERS`].
    #[must_use]
    pub fn in_parts_of(self, part: usize) -> Self {
        Self { part, ..self }
    }

    /// What remembers the rooms.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Does what the event asks, tells whom it concerns, and drops members whose
    /// connection turns out to be gone.
    ///
    /// # Errors
    /// When the event came by another route, or does not say from whom; when the store
    /// fails at `$disconnect`, where nobody is there to be told.
    pub async fn handle(
        &self,
        event: &Event,
        post: &impl Post,
        invocation: &Invocation,
    ) -> Result<Served, EventError> {
        let route = expect_route(event, ROUTES)?;
        let asked = Asked {
            event,
            id: connection_id(event)?,
            now: now(event),
            format: format(body(event)),
            invocation,
            post,
        };
        let outcome = match route {
            "$disconnect" => {
                self.store.disconnect(asked.id, asked.now).await?;
                return Ok(Served::default());
            }
            "join" => self.join(&asked).await,
            "send" => self.send(&asked).await,
            "leave" => self.leave(&asked).await,
            "who" => self.who(&asked).await,
            _ => self.history(&asked).await,
        };
        match outcome {
            Ok(served) => Ok(served),
            Err(refusal) => Ok(self.refuse(&asked, refusal).await),
        }
    }

    async fn join(&self, asked: &Asked<'_, impl Post>) -> Result<Served, Refusal> {
        let RoomRequest { room } = RoomRequest::parse(body(asked.event))?;
        let joining = Joining {
            id: asked.id,
            name: name(asked.event),
            format: self.spoken(asked).await?,
            connected_at: asked.event.request_context.connected_at,
            request: &asked.invocation.request_id,
        };
        let joined = self.store.join(&room, &joining, asked.now).await?;
        let (members, last) = match joined {
            Joined::Now { members, last } => (members, last),
            Joined::Already => return Err(Refusal::AlreadyJoined(room)),
            Joined::RoomFull(most) => return Err(Refusal::RoomFull(room, most)),
            Joined::TooManyRooms => return Err(Refusal::TooManyRooms),
            Joined::NoMoreRooms => return Err(Refusal::NoMoreRooms),
            Joined::Gone => {
                return Ok(Served {
                    room: Some(room),
                    refused: Some("GONE"),
                    ..Served::default()
                });
            }
        };
        let envelope = Envelope::Joined {
            room: room.clone(),
            member: Person {
                connection: asked.id.to_owned(),
                name: joining.name.map(str::to_owned),
            },
            members: members.len(),
            last,
        };
        Ok(self.tell_room(asked, room, &members, &envelope).await)
    }

    async fn send(&self, asked: &Asked<'_, impl Post>) -> Result<Served, Refusal> {
        let SendRequest {
            room,
            msg,
            id,
            session,
        } = SendRequest::parse(body(asked.event))?;
        let member = self.store.member(&room, asked.id, asked.now).await?;
        let Some(member) = member else {
            return Err(Refusal::MayNotSend(room, id));
        };
        if !self.store.admit(asked.id, asked.now).await? {
            return Err(Refusal::TooManyMessages(room, id));
        }
        let draft = Draft {
            id: id.as_deref(),
            connection: asked.id,
            name: name(asked.event),
            session: session.as_deref(),
            text: &msg,
            request: &asked.invocation.request_id,
        };
        // Stored first: who joins meanwhile finds it in the history at least, and whom
        // it doesn't reach sees that a number is missing.
        let stored = self.store.append(&room, &draft, asked.now).await?;
        let mut served = Served {
            room: Some(room.clone()),
            ..Served::default()
        };
        if !stored.repeated {
            let envelope = Envelope::Message {
                room: room.clone(),
                said: Said {
                    seq: stored.seq,
                    id: id.clone(),
                    from: Person::from(&member),
                    text: msg.clone(),
                    at: asked.now,
                },
            };
            let members = self.store.members(&room, asked.now).await;
            // It is stored: to call it refused would have it sent again.
            served = match members {
                Ok(members) => {
                    self.tell_room(asked, room.clone(), &members, &envelope)
                        .await
                }
                Err(error) => Served {
                    failure: Some(error.to_string()),
                    ..served
                },
            };
        }
        served.seq = Some(stored.seq);
        let ack = Envelope::Sent {
            room,
            seq: stored.seq,
            id,
            repeated: stored.repeated,
            delivered: served.delivery.delivered,
            undelivered: served.delivery.undelivered,
            relayed: served.delivery.relayed,
        };
        self.answer(asked, asked.format.unwrap_or(member.format), &ack)
            .await;
        Ok(served)
    }

    async fn leave(&self, asked: &Asked<'_, impl Post>) -> Result<Served, Refusal> {
        let RoomRequest { room } = RoomRequest::parse(body(asked.event))?;
        let left = self.store.leave(&room, asked.id, asked.now).await?;
        let Some(left) = left else {
            return Err(Refusal::NotAMember(room));
        };
        let envelope = Envelope::Left {
            room: room.clone(),
            member: Person::from(&left),
        };
        let mut told = self.store.members(&room, asked.now).await?;
        told.push(left);
        Ok(self.tell_room(asked, room, &told, &envelope).await)
    }

    async fn who(&self, asked: &Asked<'_, impl Post>) -> Result<Served, Refusal> {
        let RoomRequest { room } = RoomRequest::parse(body(asked.event))?;
        let members = self.store.members(&room, asked.now).await?;
        let Some(me) = members.iter().find(|member| member.id == asked.id) else {
            return Err(Refusal::NotAMember(room));
        };
        let format = asked.format.unwrap_or(me.format);
        let envelope = Envelope::Members {
            room: room.clone(),
            total: members.len(),
            members: members.iter().take(WHO_MEMBERS).map(Person::from).collect(),
        };
        Ok(self.answer_about(asked, room, format, &envelope).await)
    }

    async fn history(&self, asked: &Asked<'_, impl Post>) -> Result<Served, Refusal> {
        let HistoryRequest { room, range, last } = HistoryRequest::parse(body(asked.event))?;
        let Some(me) = self.store.member(&room, asked.id, asked.now).await? else {
            return Err(Refusal::NotAMember(room));
        };
        // One more than asked for says whether there are more.
        let found = self
            .store
            .history(&room, range, last + 1, asked.now)
            .await?;
        let (messages, more) = match range {
            chat::Range::After(_) => {
                let more = found.len() > last;
                (found.into_iter().take(last).collect(), more)
            }
            chat::Range::Last => {
                let skip = found.len().saturating_sub(last);
                (found.into_iter().skip(skip).collect(), false)
            }
        };
        let envelope = Envelope::history(&room, messages, more);
        let format = asked.format.unwrap_or(me.format);
        Ok(self.answer_about(asked, room, format, &envelope).await)
    }

    /// The format that the asker is to be spoken to in.
    async fn spoken(&self, asked: &Asked<'_, impl Post>) -> Result<Format, chat::StoreError> {
        match asked.format {
            Some(format) => Ok(format),
            None => Ok(self.store.format(asked.id).await?.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
