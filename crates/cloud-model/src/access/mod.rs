//! Whether a caller may make a call: what permissions each operation needs, and
//! AWS's words for those it lacks. Only asked where [`Settings::enforce_iam`] is set.
//!
//! Deliberately absent: resource policies, session policies, service control
//! policies; and conditions on keys that no request of a deployer has.
//!
//! [`Settings::enforce_iam`]: crate::Settings::enforce_iam

mod gateway;
mod iam;
mod lambda;
mod logs;

use bytes::Bytes;
use http::Request;

use crate::Settings;
use crate::caller::Caller;
use crate::error::Failure;
use crate::iam::Iam;
use crate::iam::policy::{Context, Verdict};
use crate::wire::members::Members;
use crate::wire::query_xml::Form;
use crate::wire::rest_json::RestRequest;
use crate::wire::{Protocol, Service, json11};

/// What it takes to see a function's tags.
const LIST_TAGS: &str = "lambda:ListTags";

/// One permission that a call needs.
#[derive(Debug, Clone)]
struct Need {
    /// `lambda:CreateFunction`
    action: String,
    /// An ARN, or `*`.
    resource: String,
    context: Context,
}

impl Need {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: Context::default(),
        }
    }

    /// To hand a role to a service.
    fn pass_role(role_arn: &str, service: &str) -> Self {
        Self {
            context: Context::default().with("iam:PassedToService", service),
            ..Self::new("iam:PassRole", role_arn)
        }
    }
}

/// Refuses, in AWS's words, a call that its caller may not make.
pub(crate) fn check(
    service: Service,
    request: &Request<Bytes>,
    caller: &Caller,
    roles: &Iam,
    settings: &Settings,
) -> Result<(), Failure> {
    for Need {
        action,
        resource,
        context,
    } in needs(service, request, roles, settings)
    {
        let protocol = service.protocol();
        require(protocol, roles, caller, &action, &resource, &context)?;
    }
    Ok(())
}

/// Actions, each with its resource, that whoever makes a call must be allowed to be told
/// all that it asks for.
pub(crate) fn all_needs(
    service: Service,
    request: &Request<Bytes>,
    roles: &Iam,
    settings: &Settings,
) -> Vec<(String, String)> {
    let tagged = match service {
        Service::Lambda => lambda::tagged(&RestRequest::read(request), settings),
        _ => None,
    };
    let tags = tagged.map(|resource| (LIST_TAGS.to_owned(), resource));
    let needs = needs(service, request, roles, settings).into_iter();
    needs
        .map(|need| (need.action, need.resource))
        .chain(tags)
        .collect()
}

fn needs(
    service: Service,
    request: &Request<Bytes>,
    roles: &Iam,
    settings: &Settings,
) -> Vec<Need> {
    let members = || Members::parse(request.body()).unwrap_or_default();
    match service {
        Service::ApiGateway => gateway::needs(&RestRequest::read(request), &members(), settings),
        Service::Lambda => lambda::needs(&RestRequest::read(request), &members(), settings),
        Service::Iam => iam::needs(&Form::read(request), roles, settings),
        Service::Logs => match json11::operation(request) {
            Some(operation) => logs::needs(operation, &members(), settings),
            None => Vec::new(),
        },
        // Metrics are no resources.
        Service::CloudWatch => match json11::operation(request) {
            Some(operation) => vec![Need::new(format!("cloudwatch:{operation}"), "*")],
            None => Vec::new(),
        },
        // GetCallerIdentity needs none, AssumeRole asks the role; the other two ask
        // always, by themselves.
        Service::Sts | Service::Ssm | Service::SecretsManager => Vec::new(),
    }
}

/// Why a caller is not told the tags of the function that it may get, if so: the rest of
/// the answer comes all the same.
pub(crate) fn withheld_tags(
    request: &RestRequest,
    caller: &Caller,
    roles: &Iam,
    settings: &Settings,
) -> Option<Failure> {
    let resource = lambda::tagged(request, settings)?;
    let (protocol, context) = (Service::Lambda.protocol(), Context::default());
    require(protocol, roles, caller, LIST_TAGS, &resource, &context).err()
}

/// Refuses, as services of this protocol word it, what a caller's role doesn't allow.
pub(crate) fn require(
    protocol: Protocol,
    roles: &Iam,
    caller: &Caller,
    action: &str,
    resource: &str,
    context: &Context,
) -> Result<(), Failure> {
    let verdict = roles.verdict(&caller.role_arn, action, resource, context);
    if verdict == Verdict::Allowed {
        return Ok(());
    }
    let (who, why) = (&caller.session_arn, reason(action, verdict));
    let text =
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    Err(match protocol {
        Protocol::RestJson => Failure::new(403, "AccessDeniedException", text),
        Protocol::Query => Failure::new(403, "AccessDenied", text),
        Protocol::Json11 => Failure::new(400, "AccessDeniedException", text),
    })
}

/// Which kind of policy it was.
fn reason(action: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::Allowed => String::new(),
        Verdict::Unsaid => {
            format!("because no identity-based policy allows the {action} action")
        }
        Verdict::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        Verdict::Unbounded => {
            format!("because no permissions boundary allows the {action} action")
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::SignedDuration;

    use crate::Settings;

    pub(crate) fn settings() -> Settings {
        Settings {
            account_id: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            websocket_base: String::new(),
            code_base: String::new(),
            code_key: String::new(),
            function_activation: SignedDuration::ZERO,
            realism: None,
            enforce_iam: true,
        }
    }
}
