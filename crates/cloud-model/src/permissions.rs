//! Whether API Gateway may invoke a function: by the credentials of a role, or, without
//! any, by the function's resource policy.

use crate::iam::Iam;
use crate::iam::policy::Context;
use crate::lambda::Lambda;
use crate::{InvokeRefusal, Settings};

const SERVICE: &str = "apigateway.amazonaws.com";
const ACTION: &str = "lambda:InvokeFunction";

/// Without credentials, on behalf of an API's route or authorizer.
pub(crate) fn may_invoke_for(
    lambda: &Lambda,
    settings: &Settings,
    source_arn: &str,
    function_arn: &str,
) -> Result<(), InvokeRefusal> {
    if lambda.lets_invoke(SERVICE, source_arn, function_arn, settings) {
        return Ok(());
    }
    Err(InvokeRefusal::Forbidden {
        function_arn: function_arn.to_owned(),
        reason: format!(
            "there are no credentials, and the function's resource policy does not allow {ACTION} to {SERVICE} for {source_arn}"
        ),
    })
}

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
