//! What goes over the wire, as docs/CHAT.md has it.

use serde::{Deserialize, Serialize};

/// Who said or did something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// The connection's id.
    pub connection: String,
    /// What the API's authorizer calls them.
    pub name: Option<String>,
}

/// A message of a room.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// Its place in the room's order, from 1.
    pub seq: u64,
    /// The id that its sender gave it.
    pub id: Option<String>,
    /// Its sender.
    pub from: Person,
    /// What was said.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) action: &'a str,
    /// Holds for the answer, and in a `join` for all that is heard of the room: it works
    /// without a subprotocol, too.
    pub(crate) format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<usize>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(action: &'a str) -> Self {
        Self {
            action,
            format: "json",
            room: None,
            msg: None,
            id: None,
            session: None,
            after: None,
            last: None,
        }
    }

    pub(crate) fn of_room(action: &'a str, room: &'a str) -> Self {
        Self {
            room: Some(room),
            ..Self::new(action)
        }
    }

    pub(crate) fn to_frame(&self) -> String {
        // Texts and numbers, written into memory: this can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Heard {
    Joined {
        room: String,
        member: Person,
        last: u64,
    },
    Left {
        room: String,
        member: Person,
    },
    Message {
        room: String,
        #[serde(flatten)]
        said: Said,
    },
    Sent {
        room: String,
        seq: u64,
        id: Option<String>,
    },
    History {
        room: String,
        messages: Vec<Said>,
        more: bool,
    },
    Error {
        code: String,
        text: String,
        room: Option<String>,
        id: Option<String>,
    },
    /// An echo, a list of members: nobody here asks for one.
    #[serde(other)]
    Other,
}

impl Heard {
    /// `None`: API Gateway's own frames, and whatever is no envelope.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::{Envelope, Format};

    fn heard(envelope: &Envelope) -> Option<Heard> {
        Heard::read(&envelope.text(Format::Json)?)
    }

    #[test]
    fn what_the_chat_says_is_what_the_client_hears() {
        let room = || "r".to_owned();
        let person = || chat::Person {
            connection: "a=".to_owned(),
            name: Some("Ada".to_owned()),
        };
        let said = || chat::Said {
            seq: 7,
            id: None,
            from: person(),
            text: "hello".to_owned(),
            at: 1,
        };
        let member = Person {
            connection: "a=".to_owned(),
            name: Some("Ada".to_owned()),
        };
        let told = Said {
            seq: 7,
            id: None,
            from: member.clone(),
            text: "hello".to_owned(),
            at: 1,
        };
        let joined = Envelope::Joined {
            room: room(),
            member: person(),
            members: 2,
            last: 7,
        };
        let left = Envelope::Left {
            room: room(),
            member: person(),
        };
        let message = Envelope::Message {
            room: room(),
            said: said(),
        };
        let sent = Envelope::Sent {
            room: room(),
            seq: 7,
            id: Some("i".to_owned()),
            repeated: false,
            delivered: 2,
            undelivered: 0,
            relayed: 0,
        };
        let history = Envelope::History {
            room: room(),
            messages: vec![said()],
            more: true,
        };
        let error = Envelope::Error {
            code: "NOT_A_MEMBER",
            text: "no".to_owned(),
            room: Some(room()),
            id: None,
        };
        let echo = Envelope::Echo {
            text: "x".to_owned(),
        };
        let pairs = [
            (
                joined,
                Heard::Joined {
                    room: room(),
                    member: member.clone(),
                    last: 7,
                },
            ),
            (
                left,
                Heard::Left {
                    room: room(),
                    member,
                },
            ),
            (
                message,
                Heard::Message {
                    room: room(),
                    said: told.clone(),
                },
            ),
            (
                sent,
                Heard::Sent {
                    room: room(),
                    seq: 7,
                    id: Some("i".to_owned()),
                },
            ),
            (
                history,
                Heard::History {
                    room: room(),
                    messages: vec![told],
                    more: true,
                },
            ),
            (
                error,
                Heard::Error {
                    code: "NOT_A_MEMBER".to_owned(),
                    text: "no".to_owned(),
                    room: Some(room()),
                    id: None,
                },
            ),
            (echo, Heard::Other),
        ];
        for (envelope, expected) in pairs {
            assert_eq!(heard(&envelope), Some(expected));
        }
    }

    #[test]
    fn requests_are_what_the_chat_reads() {
        let send = Request {
            msg: Some("hello"),
            id: Some("i"),
            ..Request::of_room("send", "r")
        };
        let read = chat::SendRequest::parse(&send.to_frame()).unwrap();
        assert_eq!((read.room.as_str(), read.msg.as_str()), ("r", "hello"));
        assert_eq!(read.id.as_deref(), Some("i"));
        let history = Request {
            after: Some(3),
            last: Some(100),
            ..Request::of_room("history", "r")
        };
        assert!(chat::HistoryRequest::parse(&history.to_frame()).is_ok());
        assert_eq!(chat::format(&history.to_frame()), Some(Format::Json));
    }
}
