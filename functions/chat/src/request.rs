//! What a client may ask of the room function.
//!
//! A request that cannot be understood becomes a [`Malformed`], whose text goes
//! back to its sender. Keys that are not ours are ignored. Routing lets through
//! what is almost JSON, so text that is none is answered here too.

use crate::envelope::Format;
use crate::limits::{
    HISTORY_MESSAGES, MESSAGE_ID_CHARS, MSG_CHARS, ROOM_NAME_CHARS, SESSION_CHARS,
    SESSION_CHARS_LEAST,
};
use crate::store::Range;
use serde_json::{Map, Value};

/// Asks something of a room that needs no more than its name: `join`, `leave`, `who`.
#[derive(Debug, PartialEq, Eq)]
pub struct RoomRequest {
    /// The room's name, from 1 to [`ROOM_NAME_CHARS`] characters.
    pub room: String,
}

/// Asks to tell every member of a room something.
#[derive(Debug, PartialEq, Eq)]
pub struct SendRequest {
    /// The room's name, from 1 to [`ROOM_NAME_CHARS`] characters.
    pub room: String,
    /// The message, from 1 to [`MSG_CHARS`] characters.
    pub msg: String,
    /// The sender's own id of the message, by which a repetition is known: from 1 to
    /// [`MESSAGE_ID_CHARS`] characters.
    pub id: Option<String>,
    /// What the sender alone knows, so that its ids hold across its connections: from
    /// [`SESSION_CHARS_LEAST`] to [`SESSION_CHARS`] characters.
    pub session: Option<String>,
}

/// Asks for messages of a room.
#[derive(Debug, PartialEq, Eq)]
pub struct HistoryRequest {
    /// The room's name, from 1 to [`ROOM_NAME_CHARS`] characters.
    pub room: String,
    /// Which of them: the last ones, or those `after` a number.
    pub range: Range,
    /// How many at most: from 1 to [`HISTORY_MESSAGES`].
    pub last: usize,
}

/// The format a body asks to be answered in, if it is understood so far.
pub fn format(body: &str) -> Option<Format> {
    // Most bodies don't say, and the echo's may be no JSON at all.
    let fields = body.contains("\"format\"").then(|| object(body).ok())??;
    match fields.get("format")?.as_str()? {
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// Why a request was not understood; displayed, the text its sender gets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each text says it")]
pub enum Malformed {
    #[error("The message must be a JSON object.")]
    NotAnObject,
    #[error("\"{0}\" is missing.")]
    Missing(&'static str),
    #[error("\"{0}\" must be a string.")]
    NotAString(&'static str),
    #[error("\"{0}\" must not be empty.")]
    Empty(&'static str),
    #[error("\"{0}\" must not have more than {1} characters.")]
    TooLong(&'static str, usize),
    #[error("\"{0}\" must not have less than {1} characters.")]
    TooShort(&'static str, usize),
    #[error("\"{0}\" must be a whole number from {1} to {2}.")]
    NotANumber(&'static str, u64, u64),
}

impl RoomRequest {
    /// Reads the body of a `join`, `leave` or `who`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let mut fields = object(body)?;
        Ok(Self {
            room: text(&mut fields, "room", ROOM_NAME_CHARS)?,
        })
    }
}

impl SendRequest {
    /// Reads the body of a `send`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let mut fields = object(body)?;
        Ok(Self {
            room: text(&mut fields, "room", ROOM_NAME_CHARS)?,
            msg: text(&mut fields, "msg", MSG_CHARS)?,
            id: match fields.contains_key("id") {
                true => Some(text(&mut fields, "id", MESSAGE_ID_CHARS)?),
                false => None,
            },
            session: session(&mut fields)?,
        })
    }
}

impl HistoryRequest {
    /// Reads the body of a `history`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(body: &str) -> Result<Self, Malformed> {
        let mut fields = object(body)?;
        let room = text(&mut fields, "room", ROOM_NAME_CHARS)?;
        let most = HISTORY_MESSAGES as u64;
        let last = number(&fields, "last", 1, most)?.unwrap_or(most);
        let after = number(&fields, "after", 0, MOST_EXACT)?;
        Ok(Self {
            room,
            range: after.map_or(Range::Last, Range::After),
            last: usize::try_from(last).unwrap_or(HISTORY_MESSAGES),
        })
    }
}

/// The highest whole number that every JSON reader reads exactly.
const MOST_EXACT: u64 = (1 << 53) - 1;

fn number(
    fields: &Map<String, Value>,
    name: &'static str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Malformed> {
    let Some(value) = fields.get(name) else {
        return Ok(None);
    };
    let number = value.as_u64().filter(|it| (least..=most).contains(it));
    number
        .map(Some)
        .ok_or(Malformed::NotANumber(name, least, most))
}

fn object(body: &str) -> Result<Map<String, Value>, Malformed> {
    match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Malformed::NotAnObject),
    }
}

/// One that could be guessed would let others take its ids.
fn session(fields: &mut Map<String, Value>) -> Result<Option<String>, Malformed> {
    if !fields.contains_key("session") {
        return Ok(None);
    }
    let session = text(fields, "session", SESSION_CHARS)?;
    match session.chars().count() >= SESSION_CHARS_LEAST {
        true => Ok(Some(session)),
        false => Err(Malformed::TooShort("session", SESSION_CHARS_LEAST)),
    }
}

fn text(
    fields: &mut Map<String, Value>,
    name: &'static str,
    most: usize,
) -> Result<String, Malformed> {
    match fields.remove(name) {
        None => Err(Malformed::Missing(name)),
        Some(Value::String(text)) if text.is_empty() => Err(Malformed::Empty(name)),
        Some(Value::String(text)) if text.chars().count() > most => {
            Err(Malformed::TooLong(name, most))
        }
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Malformed::NotAString(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{HistoryRequest, Malformed, RoomRequest, SendRequest, format};
    use crate::envelope::Format;
    use crate::limits::{MSG_CHARS, ROOM_NAME_CHARS, SESSION_CHARS_LEAST};
    use crate::store::Range;
    use serde_json::json;

    #[test]
    fn a_join_names_its_room() {
        let join = RoomRequest::parse(r#"{"action":"join","room":"room1"}"#).unwrap();
        assert_eq!(join.room, "room1");
    }

    #[test]
    fn a_send_names_its_room_and_its_message() {
        let send =
            SendRequest::parse(r#"{"action":"send","room":"room1","msg":"hi","x":1}"#).unwrap();
        assert_eq!((send.room.as_str(), send.msg.as_str()), ("room1", "hi"));
    }

    #[test]
    fn a_session_is_long_enough_not_to_be_guessed() {
        let send = |session: &str| {
            SendRequest::parse(&json!({"room": "r", "msg": "m", "session": session}).to_string())
        };
        let secret = "s".repeat(SESSION_CHARS_LEAST);
        assert_eq!(send(&secret).unwrap().session, Some(secret));
        assert_eq!(
            send("short").unwrap_err().to_string(),
            r#""session" must not have less than 16 characters."#
        );
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let told = |body: &str| SendRequest::parse(body).unwrap_err().to_string();
        assert_eq!(
            told(r#"{"action":"send","#),
            "The message must be a JSON object."
        );
        assert_eq!(told(r#"["send"]"#), "The message must be a JSON object.");
        assert_eq!(told(""), "The message must be a JSON object.");
        assert_eq!(told(r#"{"msg":"hi"}"#), r#""room" is missing."#);
        assert_eq!(told(r#"{"room":"r"}"#), r#""msg" is missing."#);
        assert_eq!(
            told(r#"{"room":7,"msg":"hi"}"#),
            r#""room" must be a string."#
        );
        assert_eq!(
            told(r#"{"room":"r","msg":null}"#),
            r#""msg" must be a string."#
        );
        assert_eq!(
            told(r#"{"room":"","msg":"hi"}"#),
            r#""room" must not be empty."#
        );
        assert_eq!(
            told(r#"{"room":"r","msg":""}"#),
            r#""msg" must not be empty."#
        );
    }

    #[test]
    fn lengths_are_counted_in_characters_and_held_to_the_last_one() {
        // Three bytes each, so that counting bytes would refuse it.
        let body = |room: usize, msg: usize| {
            json!({"room": "部".repeat(room), "msg": "屋".repeat(msg)}).to_string()
        };
        assert!(SendRequest::parse(&body(ROOM_NAME_CHARS, MSG_CHARS)).is_ok());
        assert_eq!(
            SendRequest::parse(&body(ROOM_NAME_CHARS + 1, 1)),
            Err(Malformed::TooLong("room", ROOM_NAME_CHARS))
        );
        assert_eq!(
            SendRequest::parse(&body(1, MSG_CHARS + 1))
                .unwrap_err()
                .to_string(),
            r#""msg" must not have more than 4096 characters."#
        );
    }

    #[test]
    fn a_message_may_have_an_id_of_its_senders() {
        let id = |body: &str| SendRequest::parse(body).map(|send| send.id);
        let none = id(r#"{"room":"r","msg":"hi"}"#);
        assert_eq!(none, Ok(None));
        let some = id(r#"{"room":"r","msg":"hi","id":"m1"}"#);
        assert_eq!(some, Ok(Some("m1".to_owned())));
        let empty = id(r#"{"room":"r","msg":"hi","id":""}"#);
        assert_eq!(empty, Err(Malformed::Empty("id")));
    }

    #[test]
    fn history_is_the_last_messages_or_those_after_a_number() {
        let parse = |body: &str| HistoryRequest::parse(body).map(|it| (it.range, it.last));
        assert_eq!(parse(r#"{"room":"r"}"#), Ok((Range::Last, 100)));
        assert_eq!(parse(r#"{"room":"r","last":7}"#), Ok((Range::Last, 7)));
        assert_eq!(
            parse(r#"{"room":"r","after":0}"#),
            Ok((Range::After(0), 100))
        );
        for wrong in ["0", "101", "1.5", "\"7\"", "-1", "null"] {
            let told = parse(&format!(r#"{{"room":"r","last":{wrong}}}"#)).unwrap_err();
            let text = r#""last" must be a whole number from 1 to 100."#;
            assert_eq!(told.to_string(), text);
        }
    }

    #[test]
    fn any_body_may_ask_for_json() {
        assert_eq!(format(r#"{"format":"json"}"#), Some(Format::Json));
        assert_eq!(format(r#"{"format":"xml"}"#), None);
        assert_eq!(format(r#"{"format":7}"#), None);
        assert_eq!(format(r#"say "format" json"#), None);
        assert_eq!(format("{}"), None);
    }
}
