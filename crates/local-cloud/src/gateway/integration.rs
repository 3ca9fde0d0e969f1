//! Calls the function behind a route or an authorizer, and says in the gateway's terms what came
//! of it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cloud_model::{FunctionVersion, InvokeRefusal, LiveRoute, LiveStage};

use super::Gateway;
use super::proxy_response::{Malformed, ProxyResponse};
use crate::runtime::{Outcome, Throttled};

/// Why a route gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IntegrationFailure {
    #[error("the route {0:?} has no Lambda integration")]
    NoFunction(String),
    #[error(transparent)]
    Refused(#[from] InvokeRefusal),
    #[error("the function was throttled: {0}")]
    Throttled(#[from] Throttled),
    #[error("the function failed: {0}")]
    FunctionError(String),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the function took longer than the integration's {0} ms; it goes on")]
    TimedOut(u32),
}

/// The invocation that a call came to.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) function_name: String,
    pub(crate) version: String,
    /// Lambda's.
    pub(crate) request_id: String,
}

/// How a call went.
pub(crate) struct Called {
    /// `None`: no function was invoked.
    pub(crate) ran: Option<Ran>,
    pub(crate) answer: Result<ProxyResponse, IntegrationFailure>,
}

impl From<IntegrationFailure> for Called {
    fn from(failure: IntegrationFailure) -> Self {
        Self {
            ran: None,
            answer: Err(failure),
        }
    }
}

/// Calls the route's function with an event.
pub(crate) async fn call(
    gateway: &Gateway,
    stage: &LiveStage,
    route: &LiveRoute,
    event: Bytes,
) -> Called {
    let integration = route.integration.as_ref();
    let Some((integration, arn)) =
        integration.and_then(|found| Some((found, found.function_arn.as_deref()?)))
    else {
        return IntegrationFailure::NoFunction(route.route_key.clone()).into();
    };
    let credentials = integration.credentials_arn.as_deref();
    let limit = Duration::from_millis(u64::from(integration.timeout_ms));
    let source = format!("{}/{}", stage.stage_name, route.route_key);
    let target = Target {
        arn,
        credentials,
        source: &source,
    };
    let function = match function_of(gateway, stage, target) {
        Ok(function) => function,
        Err(failure) => return failure.into(),
    };
    let ran = Ran {
        function_name: function.function_name.clone(),
        version: function.version.clone(),
        request_id: gateway.pool.new_request_id(),
    };
    let request_id = ran.request_id.clone();
    let outcome = run(gateway, function, limit, event, request_id).await;
    Called {
        ran: Some(ran),
        answer: outcome.and_then(answer_of),
    }
}

fn answer_of(outcome: Outcome) -> Result<ProxyResponse, IntegrationFailure> {
    match outcome {
        Outcome::Answer(payload) => Ok(ProxyResponse::parse(&payload)?),
        Outcome::FunctionError(document) => {
            let text = String::from_utf8_lossy(&document).into_owned();
            Err(IntegrationFailure::FunctionError(text))
        }
    }
}

/// Whom to invoke.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// As the URI has it, with stage variables.
    pub(crate) arn: &'a str,
    /// A role.
    pub(crate) credentials: Option<&'a str>,
    /// What asks, without the API's id: a route of a stage, or an authorizer.
    pub(crate) source: &'a str,
}

/// Invokes the function that an integration or an authorizer names, when its
/// credentials or the function's resource policy let it.
pub(crate) async fn invoke(
    gateway: &Gateway,
    stage: &LiveStage,
    target: Target<'_>,
    limit: Duration,
    event: Bytes,
) -> Result<Outcome, IntegrationFailure> {
    let function = function_of(gateway, stage, target)?;
    let request_id = gateway.pool.new_request_id();
    run(gateway, function, limit, event, request_id).await
}

fn function_of(
    gateway: &Gateway,
    stage: &LiveStage,
    target: Target<'_>,
) -> Result<FunctionVersion, IntegrationFailure> {
    let model = &gateway.model;
    let arn = with_stage_variables(target.arn, &stage.stage_variables);
    if target.credentials.is_some() {
        model.may_invoke(target.credentials, &arn)?;
    } else {
        let source = model.execute_api_arn(&format!("{}/{}", stage.api_id, target.source));
        model.may_invoke_for(&source, &arn)?;
    }
    Ok(model.function_version(&arn)?)
}

async fn run(
    gateway: &Gateway,
    function: FunctionVersion,
    limit: Duration,
    event: Bytes,
    request_id: String,
) -> Result<Outcome, IntegrationFailure> {
    let invocation = gateway.pool.invoke_as(function, event, request_id);
    // Giving up waiting does not end the function.
    let invocation = tokio::time::timeout(limit, invocation).await;
    let limit_ms = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    Ok(invocation
        .map_err(|_| IntegrationFailure::TimedOut(limit_ms))??
        .outcome)
}

/// Replaces `${stageVariables.name}`; a variable the stage lacks is empty.
pub(crate) fn with_stage_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${stageVariables.");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        replaced.push_str(variables.get(name).map_or("", String::as_str));
        replaced.push_str(rest);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_variables_complete_a_functions_arn() {
        let variables = [("alias".to_owned(), "live".to_owned())].into();
        let replaced = |text| with_stage_variables(text, &variables);
        assert_eq!(
            replaced("a:function:chat:${stageVariables.alias}"),
            "a:function:chat:live"
        );
        assert_eq!(
            replaced("${stageVariables.none}-${stageVariables.alias}!"),
            "-live!"
        );
        assert_eq!(replaced("plain"), "plain");
    }
}
