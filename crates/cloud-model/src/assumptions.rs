//! What this model assumes about AWS without a recording or a page that says so.
//!
//! Each item is one belief; whoever learns better changes it here, and only here.

use crate::error::Failure;

// API Gateway -----------------------------------------------------------------

/// `maxResults` of the list operations when it is not given.
pub(crate) const GATEWAY_PAGE_DEFAULT: usize = 25;
/// The largest `maxResults`.
pub(crate) const GATEWAY_PAGE_MAX: usize = 500;
/// Execution logging level that a new stage shows.
pub(crate) const DEFAULT_LOGGING_LEVEL: &str = "OFF";
/// Burst limit that a new stage shows.
pub(crate) const DEFAULT_BURST_LIMIT: i64 = 5_000;
/// Rate limit that a new stage shows, requests a second.
pub(crate) const DEFAULT_RATE_LIMIT: f64 = 10_000.0;
/// What an AWS_PROXY integration shows when no method was given.
pub(crate) const DEFAULT_INTEGRATION_METHOD: &str = "POST";
/// Deletion of a deployment that a stage serves: v1's wording, v2's error type.
pub(crate) const DEPLOYMENT_IN_USE: &str =
    "Active stages pointing to this deployment must be moved or deleted";
/// A second stage of the same name.
pub(crate) const STAGE_EXISTS: &str = "Stage already exists";
/// A route key that starts with `$` but is none of the three known ones.
pub(crate) const ROUTE_KEY_RESERVED: &str =
    "Route keys starting with $ are reserved: only $connect, $disconnect and $default are allowed";
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
/// While an update is in progress, invocations run what was there before.
pub(crate) const OLD_REVISION_SERVES_DURING_UPDATE: bool = true;
/// The runtime version ARN's last part; AWS's is a hash that changes with patches.
pub(crate) const RUNTIME_VERSION: &str = "local";

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

// All -------------------------------------------------------------------------

/// A body that is not JSON, or no object.
pub(crate) const NOT_AN_OBJECT: &str = "Could not parse request body into json: expected an object";
