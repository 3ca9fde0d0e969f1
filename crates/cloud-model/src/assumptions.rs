//! What this model assumes about AWS without a recording or a page that says so.
//!
//! Each item is one belief; whoever learns better changes it here, and only here.

use crate::error::Failure;

// API Gateway -----------------------------------------------------------------

/// `maxResults` of the list operations when it is not given.
pub(crate) const GATEWAY_PAGE_DEFAULT: usize = 25;
/// The largest `maxResults`.
pub(crate) const GATEWAY_PAGE_MAX: usize = 500;
/// Burst limit that a new stage shows.
pub(crate) const DEFAULT_BURST_LIMIT: i64 = 5_000;
/// Rate limit that a new stage shows, requests a second.
pub(crate) const DEFAULT_RATE_LIMIT: f64 = 10_000.0;
/// Logs of a stage while the account has no role for them (observed).
pub(crate) const LOGS_ROLE_MISSING: &str =
    "CloudWatch Logs role ARN must be set in account settings to enable logging";
/// A role for logs that API Gateway can't assume, or that may too little
/// (observed; an older wording is known, too).
pub(crate) const LOGS_ROLE_REFUSED: &str = "The role ARN does not have required permissions \
     configured. Please grant trust permission for API Gateway and add the required role policy.";
/// An access log's format of several lines.
pub(crate) const ACCESS_LOG_NOT_ONE_LINE: &str = "Access Log format must be single line, new line \
     character is allowed only at end of the format";
/// An access log's format without an id.
pub(crate) const ACCESS_LOG_WITHOUT_ID: &str =
    "Access Log format must contain at least $context.requestId or $context.extendedRequestId";
/// DeleteRouteSettings of a route that has none.
pub(crate) const ROUTE_SETTINGS_UNKNOWN: &str = "Unable to find RouteSettings for the route key";
/// What an AWS_PROXY integration shows when no method was given.
pub(crate) const DEFAULT_INTEGRATION_METHOD: &str = "POST";
/// Deletion of a deployment that a stage serves: v1's wording, v2's error type.
pub(crate) const DEPLOYMENT_IN_USE: &str =
    "Active stages pointing to this deployment must be moved or deleted";
/// A deployment for a stage that has `autoDeploy`; that it is refused is known.
pub(crate) const AUTO_DEPLOY_EXCLUDES_DEPLOYMENT: &str =
    "Deployments cannot be set on a stage that has autoDeploy enabled";
/// The description of a deployment that `autoDeploy` has made.
pub(crate) const AUTO_DEPLOY_DESCRIPTION: &str =
    "Automatic deployment triggered by changes to the Api configuration";
/// A second stage of the same name.
pub(crate) const STAGE_EXISTS: &str = "Stage already exists";
/// A route key that starts with `$` but is none of the three known ones.
pub(crate) const ROUTE_KEY_RESERVED: &str =
    "Route keys starting with $ are reserved: only $connect, $disconnect and $default are allowed";
/// AWS_IAM at another route than `$connect`; that it is refused is documented.
pub(crate) const AUTHORIZATION_ELSEWHERE: &str =
    "Currently, authorization is restricted to the $connect route only";
/// CUSTOM without an authorizer's id.
pub(crate) const AUTHORIZER_MISSING: &str =
    "Authorizer Id must be specified for CUSTOM authorization";
/// A second authorizer of the same name: version 1's rule.
pub(crate) const AUTHORIZER_NAME_TAKEN: &str = "Authorizer name must be unique";
/// A second response of a route.
pub(crate) const ROUTE_RESPONSE_EXISTS: &str =
    "Route response with key $default already exists for this route";
/// A response's key that is not the only one documented.
pub(crate) const ROUTE_RESPONSE_KEY: &str =
    "Invalid routeResponseKey specified: only $default is supported";
/// A route's response selection that is not the only one documented.
pub(crate) const ROUTE_RESPONSE_SELECTION: &str =
    "Invalid routeResponseSelectionExpression specified: only $default is supported";
/// What else whoever creates something with tags must be allowed, on `/tags/*`; that
/// something is needed there was observed.
pub(crate) const TAG_ON_CREATE: &str = "apigateway:POST";
/// A page token that this account never gave.
pub(crate) const GATEWAY_BAD_TOKEN: &str = "Invalid nextToken specified";
/// `UpdateStage` ignores an empty description: it does not clear it.
pub(crate) const UPDATE_STAGE_IGNORES_EMPTY_DESCRIPTION: bool = true;
/// An empty stage variable in `UpdateStage` removes that variable.
pub(crate) const EMPTY_STAGE_VARIABLE_REMOVES: bool = true;
/// WebSocket APIs have no `$default` stage; its name is refused like any other
/// that has characters outside `[A-Za-z0-9_-]`.
pub(crate) const STAGE_NAME_RULE: &str =
    "Invalid stage name. Only a-z, A-Z, 0-9, - and _ are allowed";

/// `lastDeploymentStatusMessage` of a stage that serves an automatic deployment.
pub(crate) fn auto_deploy_succeeded(deployment_id: &str) -> String {
    format!("Successfully deployed stage with deployment ID '{deployment_id}'")
}

/// `lastDeploymentStatusMessage` of a stage whose automatic deployment failed: it goes
/// on with the one before.
pub(crate) fn auto_deploy_failed(reason: &str) -> String {
    format!("Deployment attempt failed: {reason}")
}

/// The route's target names an integration that this API doesn't have.
pub(crate) fn unknown_target(integration_id: &str) -> Failure {
    Failure::new(
        404,
        "NotFoundException",
        format!("Invalid Integration identifier specified {integration_id}"),
    )
}

/// The stage is to serve a deployment that this API doesn't have.
pub(crate) fn unknown_deployment(deployment_id: &str) -> Failure {
    Failure::new(
        404,
        "NotFoundException",
        format!("Invalid deployment identifier specified {deployment_id}"),
    )
}

/// The wording of API Gateway's quotas; known for integrations only.
pub(crate) fn gateway_quota(things: &str) -> Failure {
    Failure::new(
        400,
        "BadRequestException",
        format!(
            "Maximum number of {things} for this API has been reached. \
             Please contact AWS if you need additional {things}."
        ),
    )
}

// Lambda ----------------------------------------------------------------------

/// `MaxItems` of Lambda's list operations: default and maximum.
pub(crate) const LAMBDA_PAGE: usize = 50;
/// A marker that this account never gave.
pub(crate) const LAMBDA_BAD_MARKER: &str = "Invalid Marker";
/// `PublishVersion` compares code and configuration by content with those of
/// the last version: a redundant update does not make a new version.
pub(crate) const PUBLISH_COMPARES_CONTENT: bool = true;
/// Code, configuration or concurrency may be deleted whatever the state is.
pub(crate) const DELETE_FUNCTION_IN_ANY_STATE: bool = true;
/// Of a function without code signing GetFunctionCodeSigningConfig shows nothing at all,
/// though its model requires an ARN.
pub(crate) const UNSIGNED_CODE_HAS_NO_CONFIG: bool = true;
/// While an update is in progress, invocations run what was there before.
pub(crate) const OLD_REVISION_SERVES_DURING_UPDATE: bool = true;
/// The runtime version ARN's last part; AWS's is a hash that changes with patches.
pub(crate) const RUNTIME_VERSION: &str = "local";

// SSM and Secrets Manager -------------------------------------------------------

/// A parameter's name with other characters.
pub(crate) const PARAMETER_NAME: &str = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can \
     consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, \
     numbers and the following 3 symbols .-_";
/// A new parameter without `Type`.
pub(crate) const PARAMETER_TYPE_MISSING: &str =
    "A parameter type is required when you create a parameter.";
/// A value of the standard tier that is empty or too large.
pub(crate) const PARAMETER_VALUE_SIZE: &str = "Standard tier parameters support a maximum parameter value of 4096 characters. To create a \
     larger parameter value, upgrade the parameter to use the advanced-parameter tier.";
/// A secret's name with other characters.
pub(crate) const SECRET_NAME: &str = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
     following: -/_+=.@!";
/// PutSecretValue without a value.
pub(crate) const SECRET_WITHOUT_VALUE: &str =
    "You must provide either SecretString or SecretBinary.";

// IAM -------------------------------------------------------------------------

/// `MaxItems` when it is not given.
pub(crate) const IAM_PAGE_DEFAULT: usize = 100;
/// The largest `MaxItems`.
pub(crate) const IAM_PAGE_MAX: usize = 1_000;
/// A marker that this account never gave.
pub(crate) const IAM_BAD_MARKER: &str = "Invalid Marker.";
/// No effect, no statement, an unknown element: all read the same.
pub(crate) const POLICY_SYNTAX: &str = "Syntax errors in policy.";
/// Identity policies name no principal.
pub(crate) const POLICY_WITH_PRINCIPAL: &str = "Policy document should not specify a principal.";
/// Identity policies name resources.
pub(crate) const POLICY_WITHOUT_RESOURCE: &str = "Policy statement must contain resources.";
/// All policies name actions.
pub(crate) const POLICY_WITHOUT_ACTION: &str = "Policy statement must contain actions.";
/// `Action: "Invoke"` instead of `lambda:Invoke…`.
pub(crate) const ACTION_WITHOUT_VENDOR: &str =
    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
/// Trust policies name no resource.
pub(crate) const TRUST_WITH_RESOURCE: &str = "Has prohibited field Resource";
/// Trust policies name a principal.
pub(crate) const TRUST_WITHOUT_PRINCIPAL: &str = "Missing required field Principal";
/// Trust policies allow `sts:` actions only.
pub(crate) const TRUST_ACTIONS: &str = "AssumeRole policy may only specify STS AssumeRole actions.";

// CloudWatch Logs ---------------------------------------------------------------

/// A token that this account never gave.
pub(crate) const LOGS_BAD_TOKEN: &str = "The specified nextToken is invalid.";
/// Events of one batch that are not in the order of their times.
pub(crate) const LOGS_NOT_IN_ORDER: &str =
    "Log events in a single PutLogEvents request must be in chronological order.";
/// A batch whose last event is more than a day after its first.
pub(crate) const LOGS_SPAN: &str =
    "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";

/// One event is too large. Seen with the limit of before 2025, 262144.
pub(crate) fn logs_event_too_large(bytes: usize, limit: usize) -> String {
    format!("Log event too large: {bytes} bytes exceeds limit of {limit}")
}

/// A batch is too large.
pub(crate) fn logs_upload_too_large(bytes: usize, limit: usize) -> String {
    format!("Upload too large: {bytes} bytes exceeds limit of {limit}")
}

// Realism -----------------------------------------------------------------------
//
// All ranges are in ms, and their ends belong to them.

/// For how long a write occupies its API. While it does, other writes to the
/// API are refused. Writes that are refused, tags, and CreateApi occupy none.
pub(crate) const GATEWAY_MUTATION_MS: (u64, u64) = (20, 80);
/// When roles, their trust and their policies take effect outside IAM: at one
/// moment for all other services, and in the order in which they were written.
/// Typical are 5 to 15 s, with a tail up to a minute that tests need not wait for.
pub(crate) const IAM_PROPAGATION_MS: (u64, u64) = (3_000, 12_000);
/// For how long functions are Pending or InProgress.
pub(crate) const FUNCTION_ACTIVATION_MS: (u64, u64) = (500, 3_000);
/// For how long reads may show what was there before a write. They never go
/// back: who has seen a write sees it from then on. Writes see each other at
/// once, e.g. PutRolePolicy the role of the CreateRole before it.
pub(crate) const STALE_READ_MS: (u64, u64) = (0, 1_500);
/// Beyond API Gateway's quotas; that no limitType is shown is assumed, too.
pub(crate) const GATEWAY_THROTTLED: &str = "Too Many Requests";
/// Beyond Lambda's quotas, as a TooManyRequestsException whose reason is
/// CallerRateLimitExceeded.
pub(crate) const LAMBDA_THROTTLED: &str = "Rate exceeded";
/// Lambda documents rates, no bursts: a second's worth.
pub(crate) const LAMBDA_REQUEST_BURST: u32 = 15;
/// As above.
pub(crate) const GET_FUNCTION_BURST: u32 = 100;
/// IAM documents no rate; reads are not limited here.
pub(crate) const IAM_WRITES_PER_SECOND: u32 = 15;
/// A second's worth.
pub(crate) const IAM_WRITE_BURST: u32 = 15;

// Signatures ------------------------------------------------------------------

/// An access key or a session token that nobody has.
pub(crate) const TOKEN_INVALID: &str = "The security token included in the request is invalid.";
/// Another secret, another request, another scope.
pub(crate) const SIGNATURE_MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
     AWS Secret Access Key and signing method. Consult the service documentation for details.";
/// Too old or not yet current; AWS's text goes on with both times.
pub(crate) const SIGNATURE_EXPIRED: &str = "Signature expired or not yet current";

// All -------------------------------------------------------------------------

/// A body that is not JSON, or no object.
pub(crate) const NOT_AN_OBJECT: &str = "Could not parse request body into json: expected an object";

/// Assumed: events that a process on Lambda Managed Instances is given at once when its
/// function doesn't say. (Eight for each vCPU is what was published; here it has one.)
pub(crate) const EVENTS_AT_ONCE: u32 = 8;

/// By which CloudWatch refuses a GetMetricData that breaks a rule; seen for the form of
/// ids. Assumed beside: periods begin at the beginning that is asked for, not at the full
/// hour, and the last one may be shorter.
pub(crate) const METRIC_REFUSED: &str = "ValidationError";
/// CloudWatch's words for a token that it hasn't given.
pub(crate) const METRIC_TOKEN_UNKNOWN: &str = "The token is not valid.";
