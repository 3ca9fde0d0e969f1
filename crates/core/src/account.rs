//! The account and region that a stage lives in, and the ARNs of what is there.

use crate::names::{ApiId, FunctionName, LogGroupName, RoleName, TableName};
use serde::{Deserialize, Serialize};

/// The account a stage lives in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whoever calls.
    pub caller_arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// 12 digits.
    pub account_id: String,
    /// E.g. `eu-central-1`.
    pub region: String,
}

impl Account {
    /// ARN of a role at the root path.
    pub fn role_arn(&self, role: &RoleName) -> String {
        format!(
            "arn:{}:iam::{}:role/{role}",
            self.partition, self.account_id
        )
    }

    /// Unqualified ARN of a function.
    pub fn function_arn(&self, function: &FunctionName) -> String {
        format!(
            "arn:{}:lambda:{}:{}:function:{function}",
            self.partition, self.region, self.account_id
        )
    }

    /// ARN of a log group, without the `:*` that some answers append.
    pub fn log_group_arn(&self, log_group: &LogGroupName) -> String {
        format!(
            "arn:{}:logs:{}:{}:log-group:{log_group}",
            self.partition, self.region, self.account_id
        )
    }

    /// ARN of a table.
    pub fn table_arn(&self, table: &TableName) -> String {
        format!(
            "arn:{}:dynamodb:{}:{}:table/{table}",
            self.partition, self.region, self.account_id
        )
    }

    /// ARN of an API, as tagging wants it: without the account.
    pub fn api_arn(&self, api_id: &ApiId) -> String {
        format!(
            "arn:{}:apigateway:{}::/apis/{api_id}",
            self.partition, self.region
        )
    }

    /// What an integration's URI must be to invoke exactly `function_arn`.
    pub fn invocation_uri(&self, function_arn: &str) -> String {
        format!(
            "arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{function_arn}/invocations",
            self.partition, self.region
        )
    }
}
