//! SDK errors as [`CloudError`]s: operation, resource, AWS's code, request id.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use deployer_core::operations::Operation;
use deployer_engine::error::{CloudError, CloudErrorKind};
use std::error::Error;

/// What a call was about, for its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub operation: Operation,
    pub resource: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(operation: Operation, resource: &'a str) -> Self {
        Self {
            operation,
            resource,
        }
    }

    /// Our error for the SDK's.
    pub fn error<E>(self, error: SdkError<E, HttpResponse>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let service_error = error.as_service_error();
        let code = service_error.and_then(|e| e.code()).map(str::to_owned);
        let said = service_error.and_then(|e| e.message()).map(str::to_owned);
        let kind = match &error {
            // Neither code nor message: a gateway's page, not the service's word.
            SdkError::ServiceError(_) if code.is_none() && said.is_none() => {
                CloudErrorKind::NoAnswer
            }
            // The service itself failed: it may have done so afterwards.
            SdkError::ServiceError(context) if failed(context.raw().status().as_u16()) => {
                CloudErrorKind::NoAnswer
            }
            SdkError::ServiceError(_) => CloudErrorKind::Refused,
            SdkError::ConstructionFailure(_) => CloudErrorKind::NotSent,
            SdkError::DispatchFailure(failure) if failure.is_user() => CloudErrorKind::NotSent,
            _ => CloudErrorKind::NoAnswer,
        };
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let message = match (said, status) {
            (Some(said), _) => said,
            (None, Some(status)) if code.is_none() => {
                format!("HTTP status {status} with a body that isn't the service's")
            }
            (None, _) => causes(&error),
        };
        CloudError {
            service: self.operation.service(),
            operation: self.operation.name().to_owned(),
            resource: self.resource.to_owned(),
            kind,
            code,
            message,
            request_id,
        }
    }

    /// A part of an answer that the service refused, in its words.
    pub fn refused(self, code: &str, message: &str) -> CloudError {
        CloudError {
            kind: CloudErrorKind::Refused,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            ..self.incomplete("")
        }
    }

    /// An answer that lacks what it must contain.
    pub fn incomplete(self, what: &str) -> CloudError {
        CloudError {
            service: self.operation.service(),
            operation: self.operation.name().to_owned(),
            resource: self.resource.to_owned(),
            kind: CloudErrorKind::NoAnswer,
            code: None,
            message: format!("the answer has no {what}"),
            request_id: None,
        }
    }
}

/// Whether the status says that the service failed rather than refused. "Not
/// implemented" is a refusal.
fn failed(status: u16) -> bool {
    status >= 500 && status != 501
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
        "TableNotFoundException",
        "NoSuchEntity",
    ]
    .iter()
    .any(|code| error.is(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_apigatewayv2::operation::get_deployments::GetDeploymentsError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    fn answered(status: u16, metadata: ErrorMetadata) -> CloudError {
        let status = StatusCode::try_from(status).unwrap();
        let answer = HttpResponse::new(status, SdkBody::empty());
        let error = GetDeploymentsError::generic(metadata);
        Call::new(Operation::GetDeployments, "a1b2c3").error(SdkError::service_error(error, answer))
    }

    #[test]
    fn a_page_that_is_no_services_says_its_status_and_refuses_nothing() {
        let error = answered(404, ErrorMetadata::builder().build());
        assert_eq!(error.kind, CloudErrorKind::NoAnswer);
        assert_eq!(
            error.to_string(),
            "apigateway:GetDeployments a1b2c3: HTTP status 404 with a body that isn't the service's"
        );
    }

    #[test]
    fn a_service_that_failed_may_have_done_so_afterwards() {
        let said = || ErrorMetadata::builder().code("ServiceException").build();
        assert_eq!(answered(500, said()).kind, CloudErrorKind::NoAnswer);
        assert_eq!(answered(501, said()).kind, CloudErrorKind::Refused);
    }

    #[test]
    fn what_the_service_says_is_kept() {
        let said = ErrorMetadata::builder()
            .code("TooManyRequestsException")
            .message("Too Many Requests")
            .build();
        let error = answered(429, said);
        assert_eq!(error.kind, CloudErrorKind::Refused);
        assert_eq!(error.code.as_deref(), Some("TooManyRequestsException"));
        assert_eq!(error.message, "Too Many Requests");
    }
}
