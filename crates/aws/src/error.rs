//! SDK errors as [`CloudError`]s: operation, resource, AWS's code, request id.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use deployer_engine::error::{CloudError, CloudErrorKind};
use std::error::Error;

/// What a call was about, for its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub service: &'static str,
    pub operation: &'static str,
    pub resource: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(service: &'static str, operation: &'static str, resource: &'a str) -> Self {
        Self {
            service,
            operation,
            resource,
        }
    }

    /// Our error for the SDK's.
    pub fn error<E, R>(self, error: SdkError<E, R>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
        SdkError<E, R>: RequestId + Error,
    {
        let request_id = error.request_id().map(str::to_owned);
        let kind = match &error {
            SdkError::ServiceError(_) => CloudErrorKind::Refused,
            SdkError::ConstructionFailure(_) => CloudErrorKind::NotSent,
            SdkError::DispatchFailure(failure) if failure.is_user() => CloudErrorKind::NotSent,
            _ => CloudErrorKind::NoAnswer,
        };
        let code = error
            .as_service_error()
            .and_then(|e| e.code())
            .map(str::to_owned);
        let message = error
            .as_service_error()
            .and_then(|e| e.message())
            .map_or_else(|| causes(&error), str::to_owned);
        CloudError {
            service: self.service,
            operation: self.operation.to_owned(),
            resource: self.resource.to_owned(),
            kind,
            code,
            message,
            request_id,
        }
    }

    /// An answer that lacks what it must contain.
    pub fn incomplete(self, what: &str) -> CloudError {
        CloudError {
            service: self.service,
            operation: self.operation.to_owned(),
            resource: self.resource.to_owned(),
            kind: CloudErrorKind::NoAnswer,
            code: None,
            message: format!("the answer has no {what}"),
            request_id: None,
        }
    }
}

/// An error with its causes, which the SDK keeps out of its own text.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// What isn't there is `None`; other errors stay.
pub(crate) fn found<T>(result: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deleting what is gone is done.
pub(crate) fn gone<T>(result: Result<T, CloudError>) -> Result<(), CloudError> {
    found(result).map(|_| ())
}

fn is_not_found(error: &CloudError) -> bool {
    [
        "NotFoundException",
        "ResourceNotFoundException",
        "NoSuchEntity",
    ]
    .iter()
    .any(|code| error.is(code))
}
