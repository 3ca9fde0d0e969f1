//! Why a request is not served: what its sender is told.

use chat::{Envelope, MESSAGES_PER_SECOND, Malformed, ROOMS, ROOMS_PER_CONNECTION, StoreError};

/// Displayed, the text its sender gets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("You have already joined to {0}.")]
    AlreadyJoined(String),
    #[error("In order to send message room to {0}, join first.")]
    MayNotSend(String, Option<String>),
    #[error("You are not a member of {0}.")]
    NotAMember(String),
    #[error("{0} cannot have more than {1} members.")]
    RoomFull(String, usize),
    #[error("You cannot join more than {ROOMS_PER_CONNECTION} rooms.")]
    TooManyRooms,
    #[error("There cannot be more than {ROOMS} rooms.")]
    NoMoreRooms,
    #[error("You cannot send more than {MESSAGES_PER_SECOND} messages a second.")]
    TooManyMessages(String, Option<String>),
    #[error("The chat is not available now. Please try again.")]
    Unavailable(#[from] StoreError),
}

impl Refusal {
    /// What programs go by.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MALFORMED",
            Self::AlreadyJoined(_) => "ALREADY_JOINED",
            Self::MayNotSend(..) | Self::NotAMember(_) => "NOT_A_MEMBER",
            Self::RoomFull(..) => "ROOM_FULL",
            Self::TooManyRooms => "TOO_MANY_ROOMS",
            Self::NoMoreRooms => "NO_MORE_ROOMS",
            Self::TooManyMessages(..) => "TOO_MANY_MESSAGES",
            Self::Unavailable(_) => "UNAVAILABLE",
        }
    }

    /// The room it is about.
    pub(crate) fn room(&self) -> Option<&str> {
        match self {
            Self::AlreadyJoined(room)
            | Self::MayNotSend(room, _)
            | Self::NotAMember(room)
            | Self::RoomFull(room, _)
            | Self::TooManyMessages(room, _) => Some(room),
            _ => None,
        }
    }

    pub(crate) fn envelope(&self) -> Envelope {
        let id = match self {
            Self::MayNotSend(_, id) | Self::TooManyMessages(_, id) => id.clone(),
            _ => None,
        };
        Envelope::Error {
            code: self.code(),
            text: self.to_string(),
            room: self.room().map(str::to_owned),
            id,
        }
    }
}
