//! Quotas of requests: which bucket a request draws from, and how each service
//! says that it is empty.

use http::Method;
use jiff::Timestamp;

use super::bucket::Bucket;
use crate::apigateway::is_about_account;
use crate::assumptions::{
    GATEWAY_THROTTLED, GET_FUNCTION_BURST, IAM_WRITE_BURST, IAM_WRITES_PER_SECOND,
    LAMBDA_REQUEST_BURST, LAMBDA_THROTTLED,
};
use crate::error::Failure;
use crate::limits::{
    GATEWAY_REQUEST_BURST, GATEWAY_REQUESTS_PER_SECOND, GET_FUNCTION_PER_SECOND,
    LAMBDA_REQUESTS_PER_SECOND, SECONDS_PER_ACCOUNT_UPDATE, SECONDS_PER_DEPLOYMENT,
};
use crate::wire::rest_json::RestRequest;

/// The account's buckets.
#[derive(Debug)]
pub(super) struct Quotas {
    gateway: Bucket,
    create_deployment: Bucket,
    update_account: Bucket,
    lambda: Bucket,
    get_function: Bucket,
    iam_writes: Bucket,
}

impl Quotas {
    pub(super) fn new() -> Self {
        Self {
            gateway: Bucket::new(GATEWAY_REQUESTS_PER_SECOND, 1, GATEWAY_REQUEST_BURST),
            create_deployment: Bucket::new(1, SECONDS_PER_DEPLOYMENT, 1),
            update_account: Bucket::new(1, SECONDS_PER_ACCOUNT_UPDATE, 1),
            lambda: Bucket::new(LAMBDA_REQUESTS_PER_SECOND, 1, LAMBDA_REQUEST_BURST),
            get_function: Bucket::new(GET_FUNCTION_PER_SECOND, 1, GET_FUNCTION_BURST),
            iam_writes: Bucket::new(IAM_WRITES_PER_SECOND, 1, IAM_WRITE_BURST),
        }
    }

    /// All requests draw from one bucket, new deployments and changes
    /// of the account from another one, too.
    pub(super) fn gateway(&mut self, request: &RestRequest, now: Timestamp) -> Result<(), Failure> {
        let deploys = request.method == Method::POST
            && matches!(request.path().as_slice(), ["v2", "apis", _, "deployments"]);
        let of_account = request.method == Method::PATCH && is_about_account(request);
        if self.gateway.take(now)
            && (!deploys || self.create_deployment.take(now))
            && (!of_account || self.update_account.take(now))
        {
            return Ok(());
        }
        Err(too_many_requests(GATEWAY_THROTTLED))
    }

    /// GetFunction has a bucket of its own.
    pub(super) fn lambda(&mut self, request: &RestRequest, now: Timestamp) -> Result<(), Failure> {
        let is_get_function = request.method == Method::GET
            && matches!(request.path().as_slice(), ["2015-03-31", "functions", _]);
        let bucket = if is_get_function {
            &mut self.get_function
        } else {
            &mut self.lambda
        };
        if bucket.take(now) {
            return Ok(());
        }
        Err(too_many_requests(LAMBDA_THROTTLED))
    }

    /// Only writes are counted.
    pub(super) fn iam(&mut self, operation: &str, now: Timestamp) -> Result<(), Failure> {
        if super::services::reads_roles(operation) || self.iam_writes.take(now) {
            return Ok(());
        }
        Err(Failure::new(400, "Throttling", "Rate exceeded"))
    }
}

fn too_many_requests(message: &str) -> Failure {
    Failure::new(429, "TooManyRequestsException", message)
}
