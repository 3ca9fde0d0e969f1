//! IAM documents of a stage: who may assume its two roles, and what the roles
//! may do. Least privilege: streams and events of the stage's own log groups
//! (not their creation), posting to the connections of this API and stage only,
//! invoking published versions of the stage's own functions only.

use crate::account::Account;
use crate::grants::Grants;
use crate::names::{ApiId, FunctionName, LogGroupName, Names};
use serde_json::{Value, json};

/// Name of the one inline policy each role has.
pub const INLINE_POLICY_NAME: &str = "deployer";

/// Lets a service assume a role.
pub fn trust(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole"
        }]
    })
}

/// What the functions may do.
pub fn execution(
    account: &Account,
    names: &Names,
    log_groups: &[LogGroupName],
    grants: &Grants,
    api_id: &ApiId,
) -> Value {
    let streams: Vec<String> = log_groups
        .iter()
        .map(|log_group| format!("{}:*", account.log_group_arn(log_group)))
        .collect();
    let mut statements = vec![
        json!({
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": streams
        }),
        json!({
            "Sid": "PostToConnections",
            "Effect": "Allow",
            "Action": "execute-api:ManageConnections",
            "Resource": format!(
                "arn:{}:execute-api:{}:{}:{api_id}/{}/POST/@connections/*",
                account.partition, account.region, account.account_id, names.api_stage
            )
        }),
    ];
    statements.extend(grants.to_statements());
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What API Gateway may do: invoke versions of the stage's functions, and exactly what
/// `existing` names.
pub fn invocation(account: &Account, functions: &[FunctionName], existing: &[String]) -> Value {
    let versions: Vec<String> = functions
        .iter()
        .map(|function| format!("{}:*", account.function_arn(function)))
        .chain(existing.iter().cloned())
        .collect();
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "InvokeFunctions",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": versions
        }]
    })
}
