//! An error of the cloud as data: operation, resource, AWS's code and request id.

use std::fmt;

/// The code by which a cloud that isn't AWS says that it doesn't have an operation.
pub const NOT_SERVED: &str = "UnknownOperationException";

/// What a cloud answered, or that it didn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    /// E.g. `lambda`.
    pub service: &'static str,
    /// AWS's name of the operation, e.g. `CreateFunction`.
    pub operation: String,
    /// What it was about, e.g. `chat-alpha-room`; may be empty.
    pub resource: String,
    /// How it failed.
    pub kind: CloudErrorKind,
    /// AWS's error code, e.g. `ResourceConflictException`.
    pub code: Option<String>,
    /// AWS's words, or ours where it said nothing.
    pub message: String,
    /// What AWS support asks for.
    pub request_id: Option<String>,
}

/// How a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudErrorKind {
    /// The service answered with an error: nothing was changed.
    Refused,
    /// No answer came, or none that could be read: the write may have happened.
    NoAnswer,
    /// The call was never sent: no credentials, no region.
    NotSent,
    /// We gave up waiting.
    TimedOut,
}

impl CloudError {
    /// Whether AWS's code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)?;
        if !self.resource.is_empty() {
            write!(f, " {}", self.resource)?;
        }
        write!(f, ": ")?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(request_id) = &self.request_id {
            write!(f, " (request id {request_id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for CloudError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_operation_resource_code_and_request_id() {
        let error = CloudError {
            service: "lambda",
            operation: "CreateFunction".into(),
            resource: "chat-alpha-room".into(),
            kind: CloudErrorKind::Refused,
            code: Some("InvalidParameterValueException".into()),
            message: "The role defined for the function cannot be assumed by Lambda.".into(),
            request_id: Some("0d6cf33b".into()),
        };
        assert_eq!(
            error.to_string(),
            "lambda:CreateFunction chat-alpha-room: InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda. (request id 0d6cf33b)"
        );
    }
}
