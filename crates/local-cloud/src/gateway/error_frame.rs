//! The frames that tell a client its message failed, byte for byte as AWS sends
//! them: a space after `"message":` and after commas, none after other colons.

use crate::assumptions::MESSAGE_THROTTLED;

/// What the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorMessage {
    /// No route matches and there is no `$default`.
    Forbidden,
    /// The function failed, answered rubbish, or may not be called.
    InternalServerError,
    /// The function took longer than the integration allows; it keeps running.
    EndpointRequestTimedOut,
    /// Beyond the limits of the route.
    TooManyRequests,
}

impl ErrorMessage {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::InternalServerError => "Internal server error",
            Self::EndpointRequestTimedOut => "Endpoint request timed out",
            Self::TooManyRequests => MESSAGE_THROTTLED,
        }
    }

    /// What logs say the request came to.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            Self::InternalServerError => 500,
            Self::EndpointRequestTimedOut => 504,
            Self::TooManyRequests => 429,
        }
    }

    /// The frame for one failed message.
    pub(crate) fn frame(self, connection_id: &str, request_id: &str) -> String {
        format!(
            r#"{{"message": "{}", "connectionId":"{connection_id}", "requestId":"{request_id}"}}"#,
            self.text()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_captured_spacing() {
        assert_eq!(
            ErrorMessage::InternalServerError.frame("Qyi07eCbtjMCJKw=", "Qyi3UG41tjMFlUg="),
            r#"{"message": "Internal server error", "connectionId":"Qyi07eCbtjMCJKw=", "requestId":"Qyi3UG41tjMFlUg="}"#
        );
        assert!(
            ErrorMessage::Forbidden
                .frame("c", "r")
                .starts_with(r#"{"message": "Forbidden", "#)
        );
        assert!(
            ErrorMessage::EndpointRequestTimedOut
                .frame("c", "r")
                .starts_with(r#"{"message": "Endpoint request timed out", "#)
        );
    }
}
