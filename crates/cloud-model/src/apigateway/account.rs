//! What API Gateway knows of the account: by which role it writes logs. Version
//! 1 of its API has it, at the same address.
//!
//! Deliberately absent: everything else of version 1.

use serde_json::{Value, json};

use super::{Gateway, bad_request};
use crate::Settings;
use crate::assumptions::{DEFAULT_BURST_LIMIT, DEFAULT_RATE_LIMIT, LOGS_ROLE_REFUSED};
use crate::error::{Failure, unsupported};
use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::wire::members::present;
use crate::wire::rest_json::{Reply, RestRequest};

const ROLE_PATH: &str = "/cloudwatchRoleArn";
const SERVICE: &str = "apigateway.amazonaws.com";
/// What the role must allow; AWS's own policy for it does.
const ACTIONS: [&str; 7] = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
];
const MANAGED_POLICY: &str =
    "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";

/// Whether the request is about the account.
pub(crate) fn is_about_account(request: &RestRequest) -> bool {
    request.path().as_slice() == ["account"]
}

impl Gateway {
    /// Serves GetAccount and UpdateAccount.
    pub(crate) fn account(
        &mut self,
        request: &RestRequest,
        iam: &Iam,
        settings: &Settings,
    ) -> Result<Reply, Failure> {
        match request.method.as_str() {
            "GET" => {}
            "PATCH" => {
                let operations = request.members()?.objects("patchOperations")?;
                let mut role = self.logs_role.clone();
                for operation in operations.unwrap_or_default() {
                    let path = operation.text("path")?.unwrap_or_default();
                    let op = operation.text("op")?.unwrap_or_default();
                    if path != ROLE_PATH || op != "replace" {
                        return Err(bad_request(unsupported(&format!("{op} of {path}"))));
                    }
                    let arn = operation.text("value")?.unwrap_or_default();
                    if !arn.is_empty() {
                        check_role(&arn, iam, settings)?;
                    }
                    role = Some(arn).filter(|arn| !arn.is_empty());
                }
                self.logs_role = role;
            }
            _ => return Err(Failure::not_served(&request.title())),
        }
        Ok(Reply::ok(self.show_account()))
    }

    /// The role by which API Gateway writes logs.
    pub(crate) fn logs_role(&self) -> Option<&str> {
        self.logs_role.as_deref()
    }

    fn show_account(&self) -> Value {
        present(json!({
            "apiKeyVersion": "4",
            "cloudwatchRoleArn": self.logs_role,
            "features": ["UsagePlans"],
            "throttleSettings": {
                "burstLimit": DEFAULT_BURST_LIMIT,
                "rateLimit": DEFAULT_RATE_LIMIT,
            },
        }))
    }
}

fn check_role(arn: &str, iam: &Iam, settings: &Settings) -> Result<(), Failure> {
    let context = Context::default().with("aws:SourceAccount", settings.account_id.as_str());
    let may = iam.has_attached(arn, MANAGED_POLICY)
        || ACTIONS
            .iter()
            .all(|action| iam.role_allows(arn, action, "*"));
    if may && iam.trusts(arn, SERVICE, &context) {
        return Ok(());
    }
    Err(bad_request(LOGS_ROLE_REFUSED))
}
