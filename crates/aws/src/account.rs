//! API Gateway's settings of the account and region: by which role it writes
//! logs.
//!
//! They belong to version 1 of its API, whose SDK takes two minutes to compile
//! (119 s beside 86 s for version 2's) and would serve two calls. Both versions
//! are one service at one address under one signing name. So these calls are
//! version 2's GetApi and UpdateApi with another path and body, put in before
//! the signature: endpoint, credentials, retries and errors are the SDK's. The
//! answer is read beside the SDK, which takes it for an API without members.

use crate::error::Call;
use aws_sdk_apigatewayv2::Client;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use deployer_core::operations::Operation;
use deployer_engine::error::CloudError;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Stands where version 2 wants an API's id; it is never sent.
const NO_API: &str = "account";
const PATH: &str = "/account";

/// The ARN of the role by which API Gateway writes logs, if one is set.
pub(crate) async fn logging_role(client: &Client) -> Result<Option<String>, CloudError> {
    let call = Call::new(Operation::GetAccount, "");
    let body = Body::default();
    client
        .get_api()
        .api_id(NO_API)
        .customize()
        .mutate_request(|request| redirect(request, None))
        .interceptor(body.clone())
        .send()
        .await
        .map_err(|error| call.error(error))?;
    let text = body
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let account: Value =
        serde_json::from_slice(&text).map_err(|_| call.incomplete("body that is JSON"))?;
    let role = account["cloudwatchRoleArn"].as_str();
    Ok(role.filter(|arn| !arn.is_empty()).map(str::to_owned))
}

/// Lets API Gateway write logs by this role. Setting it twice is setting it once.
pub(crate) async fn set_logging_role(client: &Client, role_arn: &str) -> Result<(), CloudError> {
    let call = Call::new(Operation::UpdateAccount, role_arn);
    let patch = json!({ "patchOperations": [
        { "op": "replace", "path": "/cloudwatchRoleArn", "value": role_arn }
    ] })
    .to_string();
    client
        .update_api()
        .api_id(NO_API)
        .customize()
        .mutate_request(move |request| redirect(request, Some(&patch)))
        .send()
        .await
        .map_err(|error| call.error(error))?;
    Ok(())
}

fn redirect(request: &mut HttpRequest, body: Option<&str>) {
    let base = request.uri().split("/v2/").next().unwrap_or_default();
    let uri = format!("{base}{PATH}");
    request
        .set_uri(uri)
        .expect("the service's own address with a path of plain ASCII");
    let headers = request.headers_mut();
    // Else version 1 answers in another form of JSON.
    headers.insert("accept", "application/json");
    if let Some(body) = body {
        headers.insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
    }
}

/// Keeps an answer's body.
#[derive(Debug, Clone, Default)]
struct Body(Arc<Mutex<Vec<u8>>>);

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        Ok(())
    }
}
