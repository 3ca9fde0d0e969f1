//! Errors that pass by themselves: the one table of what is tried again beyond
//! the SDK's own retries, for how long, and by what source.
//!
//! Deliberately absent: lost answers to creates. A create makes one attempt; the
//! next `up` looks first.

use crate::error::{CloudError, CloudErrorKind};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// One kind of error worth waiting for.
#[derive(Debug)]
pub struct PassingError {
    /// Services it comes from, as in [`CloudError::service`].
    pub service: &'static str,
    /// AWS's code.
    pub code: &'static str,
    /// A part of AWS's message; empty: any.
    pub message: &'static str,
    /// How long to go on trying, from the first failure.
    pub deadline: Duration,
    /// How others behave meanwhile.
    pub manner: Manner,
    /// What we are waiting for, in words.
    pub reason: &'static str,
    /// Where this is known from.
    pub source: &'static str,
}

/// How to try again where several writes meet the same error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Each for itself.
    Each,
    /// The error came from being beside others: one at a time from now on.
    OneAtATime,
    /// All wait for the same thing: one goes on asking, the others wait for it.
    OneAsks,
}

/// For throttling: others of the account may be at work for long, and each further
/// attempt waits for its turn among all stages of this run.
const THROTTLED: Duration = Duration::from_secs(5 * 60);

/// What is tried again.
pub const PASSING_ERRORS: &[PassingError] = &[
    PassingError {
        service: "lambda",
        code: "InvalidParameterValueException",
        message: "cannot be assumed by Lambda",
        deadline: Duration::from_secs(60),
        manner: Manner::OneAsks,
        reason: "the new role to be known to Lambda",
        source: "recorded 5 to 15 s, tail to 60 s; 15 s of trying is not enough",
    },
    PassingError {
        service: "lambda",
        code: "InvalidParameterValueException",
        message: "does not have permissions to call PutTraceSegments",
        deadline: Duration::from_secs(60),
        manner: Manner::Each,
        reason: "the permission to send traces to be known to Lambda",
        source: "serverless#6931: tracing turned on right after the role was permitted to",
    },
    PassingError {
        service: "lambda",
        code: "ResourceConflictException",
        message: "update is in progress",
        deadline: Duration::from_secs(60),
        manner: Manner::Each,
        reason: "an update of the function to end",
        source: "recorded response while LastUpdateStatus is InProgress",
    },
    PassingError {
        service: "lambda",
        code: "ResourceConflictException",
        message: "The function is currently in the following state: Pending",
        deadline: Duration::from_secs(60),
        manner: Manner::Each,
        reason: "the function to become active",
        source: "probed on AWS in 2026",
    },
    PassingError {
        service: "lambda",
        code: "TooManyRequestsException",
        message: "",
        deadline: THROTTLED,
        manner: Manner::Each,
        reason: "Lambda's request rate",
        source: "control plane 15 requests per second (quotas page)",
    },
    PassingError {
        service: "apigateway",
        code: "ConflictException",
        message: "concurrent modification",
        deadline: Duration::from_secs(30),
        manner: Manner::OneAtATime,
        reason: "another change of the API to end",
        source: "terraform-provider-aws#18018: mutations are serialised per API",
    },
    PassingError {
        service: "apigateway",
        code: "TooManyRequestsException",
        message: "",
        deadline: THROTTLED,
        manner: Manner::Each,
        reason: "API Gateway's request rate",
        source: "10 requests per second, CreateDeployment one per 5 s (quotas page)",
    },
    PassingError {
        service: "apigateway",
        code: "BadRequestException",
        message: "does not have required permissions",
        deadline: Duration::from_secs(60),
        manner: Manner::Each,
        reason: "the new role to be known to API Gateway",
        source: "IAM is eventually consistent; assumed to read so",
    },
    PassingError {
        service: "apigateway",
        code: "BadRequestException",
        message: "CloudWatch Logs role ARN must be set in account settings",
        deadline: Duration::from_secs(30),
        manner: Manner::Each,
        reason: "the account's new role for logs to be known to API Gateway",
        source: "the plan has set it or seen it; that it takes a moment is assumed",
    },
    PassingError {
        service: "iam",
        code: "Throttling",
        message: "",
        deadline: THROTTLED,
        manner: Manner::Each,
        reason: "IAM's request rate",
        source: "undocumented rate of some 15 to 20 writes per second",
    },
    PassingError {
        service: "iam",
        code: "ConcurrentModification",
        message: "",
        deadline: Duration::from_secs(30),
        manner: Manner::Each,
        reason: "another change of the role to end",
        source: "service model",
    },
    PassingError {
        service: "iam",
        code: "NoSuchEntity",
        message: "",
        deadline: Duration::from_secs(15),
        manner: Manner::Each,
        reason: "the new role to be readable",
        source: "IAM may answer 404 right after its own write",
    },
    PassingError {
        service: "dynamodb",
        code: "ResourceInUseException",
        message: "",
        deadline: Duration::from_secs(5 * 60),
        manner: Manner::Each,
        reason: "another change of the table to end",
        source: "service model: tables that are being created, updated or deleted",
    },
    PassingError {
        service: "dynamodb",
        code: "ContinuousBackupsUnavailableException",
        message: "",
        deadline: Duration::from_secs(60),
        manner: Manner::Each,
        reason: "backups of the new table to be turned on by DynamoDB",
        source: "service model",
    },
    PassingError {
        service: "dynamodb",
        code: "LimitExceededException",
        message: "",
        deadline: THROTTLED,
        manner: Manner::Each,
        reason: "changes of other tables to end",
        source: "service model: up to 500 at once",
    },
    PassingError {
        service: "dynamodb",
        code: "ThrottlingException",
        message: "",
        deadline: THROTTLED,
        manner: Manner::Each,
        reason: "DynamoDB's request rate",
        source: "developer guide: control plane operations are throttled",
    },
    PassingError {
        service: "logs",
        code: "ResourceNotFoundException",
        message: "",
        deadline: Duration::from_secs(15),
        manner: Manner::Each,
        reason: "the new log group to be known",
        source: "assumed: a group may be unknown right after its creation",
    },
    PassingError {
        service: "logs",
        code: "OperationAbortedException",
        message: "",
        deadline: Duration::from_secs(30),
        manner: Manner::Each,
        reason: "another change of the log group to end",
        source: "service model",
    },
];

/// The row for an error, if there is one.
pub fn passing(error: &CloudError) -> Option<&'static PassingError> {
    if error.kind != CloudErrorKind::Refused {
        return None;
    }
    PASSING_ERRORS.iter().find(|row| {
        row.service == error.service && error.is(row.code) && error.message.contains(row.message)
    })
}

/// Pauses between attempts: quick at first, since most of these pass in a
/// second, then every 4 s.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(4))
        .without_max_times()
        .build()
}

/// Pauses between two looks at a function that isn't ready: most are within a second,
/// and a deploy waits for the slowest. GetFunction allows 100 calls a second.
pub fn readiness_pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_factor(1.25)
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(service: &'static str, code: &str, message: &str) -> CloudError {
        CloudError {
            service,
            operation: "X".into(),
            resource: String::new(),
            kind: CloudErrorKind::Refused,
            code: Some(code.into()),
            message: message.into(),
            request_id: None,
        }
    }

    #[test]
    fn only_errors_in_the_table_are_tried_again() {
        let role = refused(
            "lambda",
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        );
        assert!(passing(&role).is_some());
        let other = refused(
            "lambda",
            "InvalidParameterValueException",
            "Unzipped size must be smaller",
        );
        assert!(passing(&other).is_none());
        assert!(passing(&refused("iam", "LimitExceeded", "")).is_none());
    }

    #[test]
    fn a_lost_answer_is_never_tried_again() {
        let lost = CloudError {
            kind: CloudErrorKind::NoAnswer,
            ..refused("iam", "Throttling", "")
        };
        assert!(passing(&lost).is_none());
    }

    #[test]
    fn every_row_has_a_bounded_deadline_and_says_where_it_is_from() {
        for row in PASSING_ERRORS {
            assert!(row.deadline <= THROTTLED, "{row:?}");
            assert!(!row.source.is_empty() && !row.reason.is_empty(), "{row:?}");
        }
    }

    #[test]
    fn pauses_grow_to_their_longest_and_never_end() {
        let pauses: Vec<_> = pauses().take(10).collect();
        assert_eq!(pauses[0], Duration::from_millis(250));
        assert_eq!(pauses[9], Duration::from_secs(4));
        let looks: Vec<_> = readiness_pauses().take(20).collect();
        assert_eq!(looks[0], Duration::from_millis(100));
        assert_eq!(looks[19], Duration::from_secs(1));
    }
}
