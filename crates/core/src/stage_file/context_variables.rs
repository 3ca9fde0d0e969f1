//! The `$context` variables that access logs of WebSocket APIs know (developer
//! guide, "Configure logging for WebSocket APIs").

/// All of them but those under [`OPEN`].
pub(super) const KNOWN: &[&str] = &[
    "apiId",
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "authorizer.error",
    "authorizer.integrationLatency",
    "authorizer.integrationStatus",
    "authorizer.latency",
    "authorizer.principalId",
    "authorizer.requestId",
    "authorizer.status",
    "awsEndpointRequestId",
    "connectedAt",
    "connectionId",
    "customDomain.basePathMatched",
    "domainName",
    "error.message",
    "error.messageString",
    "error.responseType",
    "error.validationErrorString",
    "eventType",
    "extendedRequestId",
    "identity.accountId",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.caller",
    "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType",
    "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId",
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "messageId",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "routeKey",
    "stage",
    "status",
    "waf.error",
    "waf.latency",
    "waf.status",
    "xrayTraceId",
];

/// Below these, an application decides what there is.
const OPEN: &str = "authorizer.";

/// Whether an access log knows the variable.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.strip_prefix(OPEN).is_some_and(|rest| !rest.is_empty())
}

/// The variables of a format, without `$context.`.
pub(super) fn of(format: &str) -> Vec<&str> {
    format.split("$context.").skip(1).map(name_at).collect()
}

/// The format with `0` in place of every variable.
pub(super) fn filled_in(format: &str) -> String {
    let mut parts = format.split("$context.");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('0');
        text.push_str(&part[name_at(part).len()..]);
    }
    text
}

fn name_at(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_a_format_are_found() {
        let format = r#"{"a":"$context.requestId","b":$context.identity.sourceIp} $context.stage."#;
        assert_eq!(of(format), ["requestId", "identity.sourceIp", "stage"]);
        assert_eq!(filled_in(format), r#"{"a":"0","b":0} 0."#);
        assert!(is_known("authorizer.anything") && !is_known("authorizer."));
        assert!(!is_known("requestid"));
    }
}
