//! One refusal, in any service, before it takes its protocol's shape.

/// What AWS answers instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// HTTP status.
    pub(crate) status: u16,
    /// AWS's error code, e.g. `NotFoundException`.
    pub(crate) code: &'static str,
    /// AWS's text.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with AWS's status, code and text.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// A JSON member has another type than the operation's model says.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// What this model does not serve: named, never guessed. 501 because the
    /// SDKs retry other 5xx.
    pub(crate) fn not_served(what: &str) -> Self {
        Self::new(
            501,
            "UnknownOperationException",
            format!("The local cloud does not serve {what} yet"),
        )
    }

    /// The request carries no signature.
    pub(crate) fn unsigned() -> Self {
        Self::new(
            403,
            "MissingAuthenticationToken",
            "Missing Authentication Token",
        )
    }
}

/// The text of options that AWS has and this model can't honour.
pub(crate) fn unsupported(what: &str) -> String {
    format!("The local cloud does not support {what} yet")
}
