//! What a client may ask of the room function: `join` and `send`.
//!
//! A request that cannot be understood becomes a [`Malformed`], whose text goes
//! back to its sender. Keys that are not ours are ignored. Routing lets through
//! what is almost JSON, so text that is none is answered here too.

use serde_json::{Map, Value};

/// The most characters a room's name may have.
pub const ROOM_NAME_CHARS: usize = 64;
/// The most characters a message may have.
pub const MSG_CHARS: usize = 4096;

/// Asks to become a member of a room.
#[derive(Debug, PartialEq, Eq)]
pub struct JoinRequest {
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
}

impl JoinRequest {
    /// Reads the body of a `join`.
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
        })
    }
}

fn object(body: &str) -> Result<Map<String, Value>, Malformed> {
    match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Malformed::NotAnObject),
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
    use super::{JoinRequest, MSG_CHARS, Malformed, ROOM_NAME_CHARS, SendRequest};
    use serde_json::json;

    #[test]
    fn a_join_names_its_room() {
        let join = JoinRequest::parse(r#"{"action":"join","room":"room1"}"#).unwrap();
        assert_eq!(join.room, "room1");
    }

    #[test]
    fn a_send_names_its_room_and_its_message() {
        let send =
            SendRequest::parse(r#"{"action":"send","room":"room1","msg":"hi","x":1}"#).unwrap();
        assert_eq!((send.room.as_str(), send.msg.as_str()), ("room1", "hi"));
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
}
