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
