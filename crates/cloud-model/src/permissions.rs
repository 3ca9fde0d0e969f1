//! Whether API Gateway may invoke a function.
//!
//! Deliberately absent: Lambda's resource policies. An integration has the
//! credentials of a role, or it may not invoke.

use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::{InvokeRefusal, Settings};

const SERVICE: &str = "apigateway.amazonaws.com";
const ACTION: &str = "lambda:InvokeFunction";

pub(crate) fn may_invoke(
    iam: &Iam,
    settings: &Settings,
    credentials_arn: Option<&str>,
    function_arn: &str,
) -> Result<(), InvokeRefusal> {
    let refuse = |reason: String| {
        Err(InvokeRefusal::Forbidden {
            function_arn: function_arn.to_owned(),
            reason,
        })
    };
    let Some(role_arn) = credentials_arn else {
        return refuse("the integration has no credentials".to_owned());
    };
    if iam.find_role(role_arn).is_none() {
        return refuse(format!("the role {role_arn} does not exist"));
    }
    let context = Context::default().with("aws:SourceAccount", settings.account_id.as_str());
    if !iam.trusts(role_arn, SERVICE, &context) {
        return refuse(format!("the role {role_arn} does not trust {SERVICE}"));
    }
    if !iam.role_allows(role_arn, ACTION, function_arn) {
        return refuse(format!("the role {role_arn} does not allow {ACTION}"));
    }
    Ok(())
}
