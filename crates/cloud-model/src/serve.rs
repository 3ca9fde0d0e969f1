//! From a request to its answer: find the service, decode, call, encode.

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::access;
use crate::apigateway::is_about_account;
use crate::assumptions::{SIGNATURE_EXPIRED, SIGNATURE_MISMATCH, TOKEN_INVALID};
use crate::call::Call;
use crate::caller::{Caller, Permissions};
use crate::error::Failure;
use crate::ids::uuid;
use crate::input_rules;
use crate::limits::{CODE_REQUEST_BYTES, CONTROL_REQUEST_BYTES, LOG_REQUEST_BYTES};
use crate::operations;
use crate::wire::members::Members;
use crate::wire::query_xml::{self, Form};
use crate::wire::rest_json::{self, Reply, RestRequest};
use crate::wire::{Protocol, Service, json11, signature_scope};
use crate::{Cloud, Effect, Handled, IdSource};

pub(crate) fn serve(
    cloud: &mut Cloud,
    request: &Request<Bytes>,
    caller: Option<&Caller>,
    now: Timestamp,
    ids: &mut dyn IdSource,
) -> Handled {
    let request_id = uuid(ids);
    let mut effects = Vec::new();
    let mut held_back = SignedDuration::ZERO;
    let response = match find_service(request) {
        Ok(service) => {
            let settings = cloud.settings.clone();
            let mut call = Call {
                settings: &settings,
                now,
                ids,
                effects: &mut effects,
                activation: settings.function_activation,
                held_back: SignedDuration::ZERO,
            };
            let response = serve_service(cloud, service, request, caller, &mut call, &request_id);
            count(cloud, service, request);
            held_back = call.held_back;
            response
        }
        Err(failure) => refuse(None, Protocol::guess(request), &failure, &request_id),
    };
    Handled {
        response,
        effects,
        held_back,
    }
}

/// Counts a call that may have changed something. One that was refused is counted
/// too: that it left everything as it was is the services' affair.
fn count(cloud: &mut Cloud, service: Service, request: &Request<Bytes>) {
    let (changes, of_state) = match service {
        Service::ApiGateway | Service::Lambda => {
            let writes = request.method() != Method::GET;
            (writes, writes)
        }
        Service::Iam | Service::Sts => {
            let form = Form::read(request);
            let writes = form.text("Action").is_some_and(|it| !only_reads(it));
            (writes, writes)
        }
        Service::Logs | Service::CloudWatch | Service::Ssm | Service::SecretsManager => {
            let operation = json11::operation(request).unwrap_or_default();
            let writes = !only_reads(operation);
            let events = service == Service::Logs && crate::logs::writes_events(operation);
            (writes, writes && !events)
        }
    };
    cloud.counts.all += u64::from(changes);
    cloud.counts.of_state += u64::from(of_state);
}

/// By the word that every operation's name begins with.
fn only_reads(operation: &str) -> bool {
    let reading = ["Get", "List", "Describe", "Filter", "StartLiveTail"];
    reading.iter().any(|word| operation.starts_with(word))
}

pub(crate) fn find_service(request: &Request<Bytes>) -> Result<Service, Failure> {
    let name = signature_scope::signing_name(request).ok_or_else(Failure::unsigned)?;
    Service::find(&name).ok_or_else(|| Failure::not_served(&format!("the service {name}")))
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// Nobody has that access key, or its token is another.
    UnknownKey,
    /// It was made with another secret, for another request, or for another scope.
    Mismatch,
    /// It was made too long ago, or will be.
    NotCurrent,
}

pub(crate) fn refuse_unverified(
    request: &Request<Bytes>,
    why: Unverified,
    ids: &mut dyn IdSource,
) -> Response<Bytes> {
    let service = find_service(request).ok();
    let protocol = match service {
        Some(service) => service.protocol(),
        None => Protocol::guess(request),
    };
    let query = protocol == Protocol::Query;
    let (code, text) = match why {
        Unverified::UnknownKey if query => ("InvalidClientTokenId", TOKEN_INVALID),
        Unverified::UnknownKey => ("UnrecognizedClientException", TOKEN_INVALID),
        Unverified::Mismatch if query => ("SignatureDoesNotMatch", SIGNATURE_MISMATCH),
        Unverified::Mismatch => ("InvalidSignatureException", SIGNATURE_MISMATCH),
        Unverified::NotCurrent if query => ("SignatureDoesNotMatch", SIGNATURE_EXPIRED),
        Unverified::NotCurrent => ("InvalidSignatureException", SIGNATURE_EXPIRED),
    };
    let failure = Failure::new(403, code, text);
    refuse(service, protocol, &failure, &uuid(ids))
}

fn refuse(
    service: Option<Service>,
    protocol: Protocol,
    failure: &Failure,
    request_id: &str,
) -> Response<Bytes> {
    match protocol {
        Protocol::RestJson => rest_json::refuse(service, failure, request_id),
        Protocol::Query => query_xml::refuse(service, failure, request_id),
        Protocol::Json11 => json11::refuse(service, failure, request_id),
    }
}

fn serve_service(
    cloud: &mut Cloud,
    service: Service,
    request: &Request<Bytes>,
    caller: Option<&Caller>,
    call: &mut Call<'_>,
    request_id: &str,
) -> Response<Bytes> {
    let mut withheld = None;
    if let (true, Some(caller)) = (call.settings.enforce_iam, caller) {
        let known = cloud.known_iam(call.now);
        let roles = known.as_ref().unwrap_or(&cloud.iam);
        if let Err(failure) = access::check(service, request, caller, roles, call.settings) {
            return refuse(Some(service), service.protocol(), &failure, request_id);
        }
        if service == Service::Lambda {
            let rest = RestRequest::read(request);
            withheld = access::withheld_tags(&rest, caller, roles, call.settings);
        }
    }
    let answered = match service {
        Service::ApiGateway | Service::Lambda => {
            let reply = serve_rest(cloud, service, request, call);
            reply.map(|reply| match withheld {
                None => rest_json::answer(reply, request_id),
                Some(why) => {
                    let error = json!({ "ErrorCode": why.code, "Message": why.message });
                    rest_json::answer(reply.replace("Tags", "TagsError", error), request_id)
                }
            })
        }
        Service::Iam | Service::Sts => {
            serve_query(cloud, service, request, caller, call, request_id)
        }
        Service::Logs => serve_logs(cloud, request, call, request_id),
        Service::CloudWatch => serve_metrics(cloud, request, request_id),
        Service::Ssm | Service::SecretsManager => {
            serve_secrets(cloud, service, request, caller, call, request_id)
        }
    };
    answered
        .unwrap_or_else(|failure| refuse(Some(service), service.protocol(), &failure, request_id))
}

fn serve_rest(
    cloud: &mut Cloud,
    service: Service,
    request: &Request<Bytes>,
    call: &mut Call<'_>,
) -> Result<Reply, Failure> {
    let rest = RestRequest::read(request);
    operations::check_path(service, &rest)?;
    if service == Service::Lambda {
        // Bodies with code have a limit, and an error, of their own.
        check_size(request, CODE_REQUEST_BYTES * 2)?;
        let (lambda, iam) = (&mut cloud.lambda, &cloud.iam);
        match &mut cloud.habits {
            None => lambda.handle(&rest, iam, call),
            Some(habits) => habits.lambda(lambda, &rest, iam, call),
        }
    } else {
        check_size(request, CONTROL_REQUEST_BYTES)?;
        let Cloud { gateway, iam, .. } = cloud;
        match &mut cloud.habits {
            None if is_about_account(&rest) => gateway.account(&rest, iam, call.settings),
            Some(habits) if is_about_account(&rest) => habits.account(gateway, &rest, iam, call),
            None => cloud.gateway.handle(&rest, call),
            Some(habits) => habits.gateway(&mut cloud.gateway, &rest, call),
        }
    }
}

fn serve_query(
    cloud: &mut Cloud,
    service: Service,
    request: &Request<Bytes>,
    caller: Option<&Caller>,
    call: &mut Call<'_>,
    request_id: &str,
) -> Result<Response<Bytes>, Failure> {
    check_size(request, CONTROL_REQUEST_BYTES)?;
    let form = Form::read(request);
    let operation = form.text("Action").ok_or_else(|| {
        Failure::new(
            400,
            "MissingAction",
            "The request must contain the parameter Action",
        )
    })?;
    operations::check_name(service, operation)?;
    input_rules::check_form(service, operation, &form)?;
    let result = match (service, &mut cloud.habits) {
        (Service::Iam, None) => cloud.iam.handle(operation, &form, call)?,
        (Service::Iam, Some(habits)) => habits.iam(&mut cloud.iam, operation, &form, call)?,
        _ => {
            let known = cloud.known_iam(call.now);
            let iam = known.as_ref().unwrap_or(&cloud.iam);
            cloud.sts.handle(operation, &form, caller, iam, call)?
        }
    };
    Ok(query_xml::answer(service, operation, result, request_id))
}

fn serve_logs(
    cloud: &mut Cloud,
    request: &Request<Bytes>,
    call: &mut Call<'_>,
    request_id: &str,
) -> Result<Response<Bytes>, Failure> {
    let operation = json11::operation(request)
        .ok_or_else(|| Failure::not_served("requests to CloudWatch Logs without X-Amz-Target"))?;
    operations::check_name(Service::Logs, operation)?;
    check_size(
        request,
        match operation {
            "PutLogEvents" => LOG_REQUEST_BYTES,
            _ => CONTROL_REQUEST_BYTES,
        },
    )?;
    let members = Members::parse(request.body())?;
    input_rules::check_members(Service::Logs, operation, &members)?;
    if operation == "StartLiveTail" {
        let tail = cloud.logs.start_live_tail(&members, call, request_id)?;
        call.effects.push(Effect::LiveTailStarted(Box::new(tail)));
        return Ok(json11::stream(request_id));
    }
    let result = match &mut cloud.habits {
        None => cloud.logs.handle(operation, &members, call)?,
        Some(habits) => habits.logs(&mut cloud.logs, operation, &members, call)?,
    };
    Ok(json11::answer(result, request_id))
}

fn serve_metrics(
    cloud: &Cloud,
    request: &Request<Bytes>,
    request_id: &str,
) -> Result<Response<Bytes>, Failure> {
    let operation = json11::operation(request)
        .ok_or_else(|| Failure::not_served("requests to CloudWatch without X-Amz-Target"))?;
    operations::check_name(Service::CloudWatch, operation)?;
    check_size(request, CONTROL_REQUEST_BYTES)?;
    let members = Members::parse(request.body())?;
    let result = cloud.metrics.handle(operation, &members)?;
    Ok(json11::in_version_0(json11::answer(result, request_id)))
}

fn serve_secrets(
    cloud: &mut Cloud,
    service: Service,
    request: &Request<Bytes>,
    caller: Option<&Caller>,
    call: &mut Call<'_>,
    request_id: &str,
) -> Result<Response<Bytes>, Failure> {
    let operation = json11::operation(request)
        .ok_or_else(|| Failure::not_served("requests without X-Amz-Target"))?;
    operations::check_name(service, operation)?;
    check_size(request, CONTROL_REQUEST_BYTES)?;
    let members = Members::parse(request.body())?;
    input_rules::check_members(service, operation, &members)?;
    let known = cloud.known_iam(call.now);
    let permissions = Permissions {
        caller,
        iam: known.as_ref().unwrap_or(&cloud.iam),
    };
    let result = match service {
        Service::Ssm => cloud.ssm.handle(operation, &members, &permissions, call)?,
        _ => cloud
            .secrets
            .handle(operation, &members, &permissions, call)?,
    };
    Ok(json11::answer(result, request_id))
}

fn check_size(request: &Request<Bytes>, limit: usize) -> Result<(), Failure> {
    if request.body().len() <= limit {
        return Ok(());
    }
    Err(Failure::new(
        413,
        "RequestEntityTooLargeException",
        format!("Request must be smaller than {limit} bytes"),
    ))
}
