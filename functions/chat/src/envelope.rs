//! What clients hear: the same fact as the original's plain text or as a JSON
//! envelope, whichever the connection speaks.
//!
//! docs/chat.schema.json describes the envelopes to whoever reads them.

use crate::limits::LIST_BYTES;
use crate::store::{Member, Message};
use serde::{Deserialize, Serialize};

/// The subprotocol that asks for envelopes.
pub const SUBPROTOCOL: &str = "chat.json";

/// How a connection is spoken to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The original's texts.
    #[default]
    Plain,
    /// One JSON object a message.
    Json,
}

/// Who said or did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The connection's id.
    pub connection: String,
    /// What the authorizer calls them, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Person {
    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.connection)
    }
}

impl From<&Member> for Person {
    fn from(member: &Member) -> Self {
        Self {
            connection: member.id.clone(),
            name: member.name.clone(),
        }
    }
}

/// A message of a room, as its members hear it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its place in the room's order.
    pub seq: u64,
    /// The id that its sender gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its sender.
    pub from: Person,
    /// What was said.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

impl Said {
    fn plain(&self) -> String {
        format!("[{}]: {}", self.from.shown(), self.text)
    }
}

impl From<Message> for Said {
    fn from(message: Message) -> Self {
        Self {
            seq: message.seq,
            id: message.id,
            from: Person {
                connection: message.connection,
                name: message.name,
            },
            text: message.text,
            at: message.at,
        }
    }
}

/// One thing a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "docs/CHAT.md describes each field to its readers"
)]
pub enum Envelope {
    /// To all members, the new one too.
    Joined {
        room: String,
        member: Person,
        /// How many are members now.
        members: usize,
        /// The number of the room's last message.
        last: u64,
    },
    /// To the others, and to who has left.
    Left { room: String, member: Person },
    /// To all members, the sender too.
    Message {
        room: String,
        #[serde(flatten)]
        said: Said,
    },
    /// To the sender, when the others have been told as far as they could be.
    Sent {
        room: String,
        seq: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// It was stored before: nobody was told again.
        repeated: bool,
        delivered: usize,
        undelivered: usize,
        /// Told by other invocations, which report for themselves.
        relayed: usize,
    },
    /// To who asked.
    Members {
        room: String,
        members: Vec<Person>,
        /// How many there are, named or not.
        total: usize,
    },
    /// To who asked.
    History {
        room: String,
        messages: Vec<Said>,
        /// There are later ones: ask again, `after` the last of these.
        more: bool,
    },
    /// To whose message matched no route.
    Echo { text: String },
    /// To whose request could not be served.
    Error {
        code: &'static str,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<String>,
        /// The message's id, if the request gave one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
}

impl Envelope {
    /// The text for a connection that speaks so; `None` where it hears nothing.
    pub fn text(&self, format: Format) -> Option<String> {
        match format {
            Format::Plain => self.plain(),
            Format::Json => Some(serde_json::to_string(self).unwrap_or_default()),
        }
    }

    fn plain(&self) -> Option<String> {
        Some(match self {
            Self::Joined { room, member, .. } => {
                format!("{} has joined to Room {room}", member.shown())
            }
            Self::Left { room, member } => format!("{} has left Room {room}", member.shown()),
            Self::Message { said, .. } => said.plain(),
            Self::Sent {
                seq,
                repeated: true,
                ..
            } => format!("You have already sent this message: it is number {seq}."),
            // The sender hears the message itself.
            Self::Sent { .. } => return None,
            Self::Members {
                room,
                members,
                total,
            } => {
                let names: Vec<_> = members.iter().map(Person::shown).collect();
                let more = match total - members.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("Members of {room}: {}{more}", names.join(", "))
            }
            Self::History { room, messages, .. } if messages.is_empty() => {
                format!("No messages in {room}.")
            }
            Self::History { messages, .. } => {
                let line = |said: &Said| format!("{} {}", said.seq, said.plain());
                let lines: Vec<_> = messages.iter().map(line).collect();
                lines.join("\n")
            }
            Self::Echo { text } | Self::Error { text, .. } => text.clone(),
        })
    }

    /// A `history` of as many of these messages as an envelope holds: the first ones,
    /// so that whoever asks `after` the last of them misses none.
    pub fn history(room: &str, messages: Vec<Message>, mut more: bool) -> Self {
        let mut bytes = 0;
        let mut kept = Vec::new();
        for message in messages {
            let said = Said::from(message);
            bytes += serde_json::to_string(&said).map_or(0, |text| text.len() + 1);
            if bytes > LIST_BYTES {
                more = true;
                break;
            }
            kept.push(said);
        }
        Self::History {
            room: room.to_owned(),
            messages: kept,
            more,
        }
    }
}
