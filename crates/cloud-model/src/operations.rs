//! What is served: one table, by which requests are let in. An operation that it
//! lacks is refused by name, however near its path comes to another's; that each one
//! in it is served, the test below holds.
//!
//! Deliberately absent: what a server of its own does without this crate, Lambda's
//! Invoke and `@connections`.

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::wire::Service;
use crate::wire::rest_json::RestRequest;

/// Name, method and path. `{name}` is one segment, `{name+}` all that are left.
type Route = (&'static str, &'static str, &'static str);

/// Version 1 of API Gateway has the account's settings.
const ACCOUNT: &[Route] = &[
    ("GetAccount", "GET", "/account"),
    ("UpdateAccount", "PATCH", "/account"),
];

#[rustfmt::skip]
const GATEWAY: &[Route] = &[
    ("CreateApi", "POST", "/v2/apis"),
    ("GetApis", "GET", "/v2/apis"),
    ("GetApi", "GET", "/v2/apis/{api}"),
    ("UpdateApi", "PATCH", "/v2/apis/{api}"),
    ("DeleteApi", "DELETE", "/v2/apis/{api}"),
    ("CreateRoute", "POST", "/v2/apis/{api}/routes"),
    ("GetRoutes", "GET", "/v2/apis/{api}/routes"),
    ("GetRoute", "GET", "/v2/apis/{api}/routes/{id}"),
    ("UpdateRoute", "PATCH", "/v2/apis/{api}/routes/{id}"),
    ("DeleteRoute", "DELETE", "/v2/apis/{api}/routes/{id}"),
    ("CreateRouteResponse", "POST", "/v2/apis/{api}/routes/{id}/routeresponses"),
    ("GetRouteResponses", "GET", "/v2/apis/{api}/routes/{id}/routeresponses"),
    ("GetRouteResponse", "GET", "/v2/apis/{api}/routes/{id}/routeresponses/{response}"),
    ("UpdateRouteResponse", "PATCH", "/v2/apis/{api}/routes/{id}/routeresponses/{response}"),
    ("DeleteRouteResponse", "DELETE", "/v2/apis/{api}/routes/{id}/routeresponses/{response}"),
    ("CreateAuthorizer", "POST", "/v2/apis/{api}/authorizers"),
    ("GetAuthorizers", "GET", "/v2/apis/{api}/authorizers"),
    ("GetAuthorizer", "GET", "/v2/apis/{api}/authorizers/{id}"),
    ("UpdateAuthorizer", "PATCH", "/v2/apis/{api}/authorizers/{id}"),
    ("DeleteAuthorizer", "DELETE", "/v2/apis/{api}/authorizers/{id}"),
    ("CreateIntegration", "POST", "/v2/apis/{api}/integrations"),
    ("GetIntegrations", "GET", "/v2/apis/{api}/integrations"),
    ("GetIntegration", "GET", "/v2/apis/{api}/integrations/{id}"),
    ("UpdateIntegration", "PATCH", "/v2/apis/{api}/integrations/{id}"),
    ("DeleteIntegration", "DELETE", "/v2/apis/{api}/integrations/{id}"),
    ("CreateDeployment", "POST", "/v2/apis/{api}/deployments"),
    ("GetDeployments", "GET", "/v2/apis/{api}/deployments"),
    ("GetDeployment", "GET", "/v2/apis/{api}/deployments/{id}"),
    ("UpdateDeployment", "PATCH", "/v2/apis/{api}/deployments/{id}"),
    ("DeleteDeployment", "DELETE", "/v2/apis/{api}/deployments/{id}"),
    ("CreateStage", "POST", "/v2/apis/{api}/stages"),
    ("GetStages", "GET", "/v2/apis/{api}/stages"),
    ("GetStage", "GET", "/v2/apis/{api}/stages/{name}"),
    ("UpdateStage", "PATCH", "/v2/apis/{api}/stages/{name}"),
    ("DeleteStage", "DELETE", "/v2/apis/{api}/stages/{name}"),
    ("DeleteAccessLogSettings", "DELETE", "/v2/apis/{api}/stages/{name}/accesslogsettings"),
    ("DeleteRouteSettings", "DELETE", "/v2/apis/{api}/stages/{name}/routesettings/{key}"),
    ("GetTags", "GET", "/v2/tags/{arn+}"),
    ("TagResource", "POST", "/v2/tags/{arn+}"),
    ("UntagResource", "DELETE", "/v2/tags/{arn+}"),
];

#[rustfmt::skip]
const LAMBDA: &[Route] = &[
    ("CreateFunction", "POST", "/2015-03-31/functions"),
    ("ListFunctions", "GET", "/2015-03-31/functions"),
    ("GetFunction", "GET", "/2015-03-31/functions/{name}"),
    ("DeleteFunction", "DELETE", "/2015-03-31/functions/{name}"),
    ("GetFunctionConfiguration", "GET", "/2015-03-31/functions/{name}/configuration"),
    ("UpdateFunctionConfiguration", "PUT", "/2015-03-31/functions/{name}/configuration"),
    ("UpdateFunctionCode", "PUT", "/2015-03-31/functions/{name}/code"),
    ("GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/{name}/code-signing-config"),
    ("PublishVersion", "POST", "/2015-03-31/functions/{name}/versions"),
    ("ListVersionsByFunction", "GET", "/2015-03-31/functions/{name}/versions"),
    ("CreateAlias", "POST", "/2015-03-31/functions/{name}/aliases"),
    ("ListAliases", "GET", "/2015-03-31/functions/{name}/aliases"),
    ("GetAlias", "GET", "/2015-03-31/functions/{name}/aliases/{alias}"),
    ("UpdateAlias", "PUT", "/2015-03-31/functions/{name}/aliases/{alias}"),
    ("DeleteAlias", "DELETE", "/2015-03-31/functions/{name}/aliases/{alias}"),
    ("AddPermission", "POST", "/2015-03-31/functions/{name}/policy"),
    ("GetPolicy", "GET", "/2015-03-31/functions/{name}/policy"),
    ("RemovePermission", "DELETE", "/2015-03-31/functions/{name}/policy/{sid}"),
    ("PutFunctionConcurrency", "PUT", "/2017-10-31/functions/{name}/concurrency"),
    ("DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/{name}/concurrency"),
    ("GetFunctionConcurrency", "GET", "/2019-09-30/functions/{name}/concurrency"),
    ("ListTags", "GET", "/2017-03-31/tags/{arn+}"),
    ("TagResource", "POST", "/2017-03-31/tags/{arn+}"),
    ("UntagResource", "DELETE", "/2017-03-31/tags/{arn+}"),
    ("GetAccountSettings", "GET", "/2016-08-19/account-settings"),
];

/// Operations of services that tell them by method and path.
const BY_PATH: &[(&str, &[Route])] = &[
    ("apigateway", ACCOUNT),
    ("apigatewayv2", GATEWAY),
    ("lambda", LAMBDA),
];

/// Operations of services that are told them by name.
const BY_NAME: &[(&str, &[&str])] = &[
    ("cloudwatch", &["GetMetricData"]),
    (
        "iam",
        &[
            "AttachRolePolicy",
            "CreatePolicy",
            "CreateRole",
            "DeletePolicy",
            "DeleteRole",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "GetAccountSummary",
            "GetPolicy",
            "GetRole",
            "GetRolePolicy",
            "ListAttachedRolePolicies",
            "ListInstanceProfilesForRole",
            "ListRolePolicies",
            "ListRoleTags",
            "ListRoles",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "TagRole",
            "UntagRole",
            "UpdateAssumeRolePolicy",
            "UpdateRole",
        ],
    ),
    (
        "logs",
        &[
            "CreateLogGroup",
            "CreateLogStream",
            "DeleteLogGroup",
            "DeleteLogStream",
            "DeleteRetentionPolicy",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "FilterLogEvents",
            "GetLogEvents",
            "ListTagsForResource",
            "PutLogEvents",
            "PutRetentionPolicy",
            "StartLiveTail",
            "TagResource",
            "UntagResource",
        ],
    ),
    (
        "secretsmanager",
        &[
            "CreateSecret",
            "DeleteSecret",
            "GetSecretValue",
            "PutSecretValue",
        ],
    ),
    ("ssm", &["DeleteParameter", "GetParameter", "PutParameter"]),
    ("sts", &["AssumeRole", "GetCallerIdentity"]),
];

/// The operations that [`Cloud::handle`] serves, by the names that the SDKs' models
/// have for them and for their services.
///
/// [`Cloud::handle`]: crate::Cloud::handle
pub fn operations() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (service, routes) in BY_PATH {
        let names = routes.iter().map(|(name, _, _)| *name);
        all.entry(*service).or_default().extend(names);
    }
    for (service, names) in BY_NAME {
        all.entry(*service).or_default().extend_from_slice(names);
    }
    all
}

/// The operation that a method and a path stand for. `None`: none that is served.
pub(crate) fn by_path(service: Service, method: &str, path: &[&str]) -> Option<&'static str> {
    let of_service = BY_PATH.iter().filter(|(model, _)| service.has(model));
    of_service
        .flat_map(|(_, routes)| *routes)
        .find(|(_, verb, template)| *verb == method && fits(template, path))
        .map(|(name, _, _)| *name)
}

/// Refuses a request for what isn't served.
pub(crate) fn check_path(service: Service, request: &RestRequest) -> Result<(), Failure> {
    match by_path(service, request.method.as_str(), &request.path()) {
        Some(_) => Ok(()),
        None => Err(Failure::not_served(&request.title())),
    }
}

/// Refuses an operation that isn't served.
pub(crate) fn check_name(service: Service, operation: &str) -> Result<(), Failure> {
    let served = BY_NAME
        .iter()
        .any(|(model, names)| service.has(model) && names.contains(&operation));
    match served {
        true => Ok(()),
        false => Err(Failure::not_served(&format!(
            "{} {operation}",
            service.possessive()
        ))),
    }
}

fn fits(template: &str, path: &[&str]) -> bool {
    let mut segments = path.iter();
    for part in template.trim_start_matches('/').split('/') {
        match segments.next() {
            None => return false,
            Some(_) if part.ends_with("+}") => return true,
            Some(_) if part.starts_with('{') => {}
            Some(segment) if *segment == part => {}
            Some(_) => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use jiff::Timestamp;

    use super::{BY_NAME, BY_PATH, fits};
    use crate::{Cloud, IdSource};

    struct Zeros;

    impl IdSource for Zeros {
        fn next_u64(&mut self) -> u64 {
            0
        }
    }

    /// The status of an empty request.
    fn status_of(service: &str, request: http::request::Builder, body: String) -> u16 {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=00"
        );
        let request: Request<Bytes> = request
            .header("authorization", scope)
            .body(Bytes::from(body))
            .unwrap();
        let mut cloud = Cloud::new(crate::access::tests::settings());
        let handled = cloud.handle(&request, Timestamp::UNIX_EPOCH, &mut Zeros);
        handled.response.status().as_u16()
    }

    #[test]
    fn every_operation_in_the_table_is_served() {
        for (service, routes) in BY_PATH {
            let signed_as = service.trim_end_matches("v2");
            for (name, method, path) in *routes {
                let request = Request::builder().method(*method);
                let request = request.uri(path.replace(['{', '+', '}'], ""));
                let status = status_of(signed_as, request, String::new());
                assert_ne!(status, 501, "{service} {name}");
            }
        }
        for (service, names) in BY_NAME {
            for name in *names {
                let (target, form) = (format!("X.{name}"), format!("Action={name}"));
                let queried = matches!(*service, "iam" | "sts");
                let body = if queried { form } else { "{}".to_owned() };
                let request = Request::builder().method("POST").uri("/");
                let request = request.header("x-amz-target", target);
                let signed_as = if *service == "cloudwatch" {
                    "monitoring"
                } else {
                    service
                };
                assert_ne!(status_of(signed_as, request, body), 501, "{service} {name}");
            }
        }
    }

    #[test]
    fn a_path_fits_its_own_template_alone() {
        let stage = "/v2/apis/{api}/stages/{name}";
        assert!(fits(stage, &["v2", "apis", "a", "stages", "s"]));
        assert!(!fits(stage, &["v2", "apis", "a", "stages"]));
        assert!(!fits(stage, &["v2", "apis", "a", "stages", "s", "x"]));
        assert!(!fits(stage, &["v2", "apis", "a", "routes", "s"]));
    }

    #[test]
    fn the_rest_of_a_path_is_one_segment_or_more() {
        assert!(fits("/v2/tags/{arn+}", &["v2", "tags", "arn"]));
        assert!(fits(
            "/v2/tags/{arn+}",
            &["v2", "tags", "arn:", "apis", "a"]
        ));
        assert!(!fits("/v2/tags/{arn+}", &["v2", "tags"]));
    }
}
