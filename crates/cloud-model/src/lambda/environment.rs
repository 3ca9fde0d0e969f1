//! Environment variables: their names, what Lambda keeps for itself, their size.

use std::collections::BTreeMap;

use super::{invalid_parameter, validation};
use crate::constraints;
use crate::error::Failure;
use crate::limits::ENVIRONMENT_BYTES;
use crate::wire::members::Members;

/// What the Lambda runtime sets; from the developer guide's list.
const RESERVED: [&str; 22] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
];
const KEY_PATTERN: &str = "[a-zA-Z]([a-zA-Z0-9_])+";

/// Reads `Environment`. `None`: not given.
pub(super) fn read(members: &Members) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let Some(environment) = members.object("Environment")? else {
        return Ok(None);
    };
    let variables = environment.text_map("Variables")?.unwrap_or_default();
    let reserved: Vec<&str> = RESERVED
        .iter()
        .copied()
        .filter(|key| variables.contains_key(*key))
        .collect();
    if !reserved.is_empty() {
        return Err(invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    for key in variables.keys() {
        let rest_holds = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let holds = key.len() >= 2 && key.as_bytes()[0].is_ascii_alphabetic() && rest_holds;
        if !holds {
            let rule = format!(
                "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: {KEY_PATTERN}]"
            );
            return Err(validation(constraints::violation(
                key,
                "environment.variables",
                &rule,
            )));
        }
    }
    let json = serde_json::to_string(&variables)
        .map_err(|fault| Failure::serialization(fault.to_string()))?;
    // Recorded: what is measured is the JSON.
    if json.len() > ENVIRONMENT_BYTES {
        return Err(invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided exceeded the 4KB limit. String measured: {json}"
        )));
    }
    Ok(Some(variables))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::read;
    use crate::error::Failure;
    use crate::wire::members::Members;

    fn with(variables: &[(&str, &str)]) -> Result<(), Failure> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let body = json!({ "Environment": { "Variables": variables } }).to_string();
        read(&Members::parse(body.as_bytes()).unwrap()).map(|_| ())
    }

    #[test]
    fn what_lambda_sets_itself_is_reserved() {
        let failure = with(&[("AWS_REGION", "x"), ("_HANDLER", "x"), ("OK", "x")]).unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (400, "InvalidParameterValueException")
        );
        assert!(
            failure
                .message
                .ends_with("Reserved keys used in this request: _HANDLER, AWS_REGION"),
            "{}",
            failure.message
        );
        assert_eq!(with(&[("AWS_ENDPOINT_URL_LAMBDA", "http://x")]), Ok(()));
    }

    #[test]
    fn four_kilobytes_are_measured_as_json() {
        // {"VALUE":"…"} adds 12 characters.
        assert_eq!(with(&[("VALUE", &"x".repeat(4096 - 12))]), Ok(()));
        let failure = with(&[("VALUE", &"x".repeat(4096 - 11))]).unwrap_err();
        assert_eq!(
            (failure.status, failure.code),
            (400, "InvalidParameterValueException")
        );
        assert!(
            failure
                .message
                .contains("exceeded the 4KB limit. String measured: {\"VALUE\":\"xxx")
        );
    }

    #[test]
    fn names_start_with_a_letter_and_have_two_characters() {
        for name in ["1A", "A", "A-B", ""] {
            let failure = with(&[(name, "x")]).unwrap_err();
            assert_eq!(
                (failure.status, failure.code),
                (400, "ValidationException"),
                "{name}"
            );
        }
        assert_eq!(with(&[("a1", "x")]), Ok(()));
    }
}
