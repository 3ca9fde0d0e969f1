//! The habits around the services' own work: what comes before a call, which
//! state it reads, what is noted after it.

use http::Method;
use serde_json::Value;

use super::Habits;
use super::conflicts::written_api;
use crate::apigateway::Gateway;
use crate::call::Call;
use crate::error::Failure;
use crate::iam::Iam;
use crate::lambda::Lambda;
use crate::logs::Logs;
use crate::wire::members::Members;
use crate::wire::query_xml::{Form, Xml};
use crate::wire::rest_json::{Reply, RestRequest};

/// Whether an IAM operation only reads.
pub(super) fn reads_roles(operation: &str) -> bool {
    operation.starts_with("Get") || operation.starts_with("List")
}

impl Habits {
    /// Serves one request to API Gateway.
    pub(crate) fn gateway(
        &mut self,
        gateway: &mut Gateway,
        request: &RestRequest,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        let now = call.now;
        if let Some(quotas) = &mut self.quotas {
            quotas.gateway(request, now)?;
        }
        if request.method == Method::GET {
            if let Some(reads) = self.reads.as_ref().filter(|_| is_list(request)) {
                let seen = reads.apis.view(now);
                // Whether an API is there, only the list of APIs may get wrong.
                if let ["v2", "apis"] = request.path().as_slice() {
                    return Gateway::of(seen).handle(request, call);
                }
                let both = |id: &str| seen.contains_key(id) && gateway.has(id);
                if request.path().get(2).is_some_and(|id| both(id)) {
                    return Gateway::of(seen).handle(request, call);
                }
            }
            return gateway.handle(request, call);
        }
        let written = written_api(request);
        if let (Some(conflicts), Some(api_id)) = (&self.conflicts, written) {
            conflicts.check(api_id, now)?;
        }
        let reply = gateway.handle(request, call)?;
        if let (Some(conflicts), Some(api_id)) = (&mut self.conflicts, written) {
            call.held_back = conflicts.begin(api_id, now);
        }
        if let Some(reads) = &mut self.reads {
            reads.apis.note(gateway.all(), now);
        }
        Ok(reply)
    }

    /// Serves one request about API Gateway's account, which knows roles as they
    /// were.
    pub(crate) fn account(
        &mut self,
        gateway: &mut Gateway,
        request: &RestRequest,
        iam: &Iam,
        call: &Call<'_>,
    ) -> Result<Reply, Failure> {
        if let Some(quotas) = &mut self.quotas {
            quotas.gateway(request, call.now)?;
        }
        let known = self.known_iam(call.now);
        gateway.account(request, known.as_ref().unwrap_or(iam), call.settings)
    }

    /// Serves one request to Lambda, which knows roles as they were.
    pub(crate) fn lambda(
        &mut self,
        lambda: &mut Lambda,
        request: &RestRequest,
        iam: &Iam,
        call: &mut Call<'_>,
    ) -> Result<Reply, Failure> {
        if let Some(quotas) = &mut self.quotas {
            quotas.lambda(request, call.now)?;
        }
        if let Some(delay) = &mut self.activation
            && request.method != Method::GET
        {
            call.activation = delay.draw();
        }
        let known = self.known_iam(call.now);
        lambda.handle(request, known.as_ref().unwrap_or(iam), call)
    }

    /// Serves one call to IAM.
    pub(crate) fn iam(
        &mut self,
        iam: &mut Iam,
        operation: &str,
        form: &Form,
        call: &mut Call<'_>,
    ) -> Result<Option<Xml>, Failure> {
        let now = call.now;
        if let Some(quotas) = &mut self.quotas {
            quotas.iam(operation, now)?;
        }
        if reads_roles(operation) {
            return match &self.reads {
                Some(reads) => Iam::of(reads.roles.view(now)).handle(operation, form, call),
                None => iam.handle(operation, form, call),
            };
        }
        let result = iam.handle(operation, form, call)?;
        if let Some(known) = &mut self.known_roles {
            known.note(iam.all(), now);
        }
        if let Some(reads) = &mut self.reads {
            reads.roles.note(iam.all(), now);
        }
        Ok(result)
    }

    /// Serves one call to CloudWatch Logs.
    pub(crate) fn logs(
        &mut self,
        logs: &mut Logs,
        operation: &str,
        members: &Members,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let Some(reads) = &mut self.reads else {
            return logs.handle(operation, members, call);
        };
        if operation == "DescribeLogGroups" {
            return Logs::seen_as(reads.log_groups.view(call.now)).handle(operation, members, call);
        }
        let result = logs.handle(operation, members, call)?;
        reads.log_groups.note(logs.all(), call.now);
        Ok(result)
    }
}

/// Lists, not single resources and not tags.
fn is_list(request: &RestRequest) -> bool {
    matches!(
        request.path().as_slice(),
        ["v2", "apis"] | ["v2", "apis", _, _]
    )
}
